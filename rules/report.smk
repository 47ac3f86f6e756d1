# Figures, compact clips and the page. In: scores, vectors, the tidy table. Out, in the experiment's folder:
#   figures/{kind}/{dataset}[/{model}[/{prompt}]].svg, .pdf, and .csv with what is drawn
#   clips/{dataset}.parquet      compact copies of clips, to be heard from the page
#   tables/{task}.tex and .csv   what the page shows, for papers and spreadsheets
#   model_index/{model}.json     results in the shape of a model card's model-index
#   report.html


include: "inputs/report.smk"


rule draw_prompt_figures:
    input:
        scores="results/scores/{dataset}/{model}/{prompt}.parquet",
        audio="results/embeddings/audio/{dataset}/{model}.parquet",
        text="results/embeddings/text/{dataset}/{model}/{prompt}.parquet",
        code=code("draw_prompt_figures.py"),
    output:
        similarity=figure("similarity", "{dataset}/{model}/{prompt}"),
        confusion=figure("confusion", "{dataset}/{model}/{prompt}"),
        confidence=figure("confidence", "{dataset}/{model}/{prompt}"),
        map=figure("map", "{dataset}/{model}/{prompt}"),
    log:
        "logs/draw_prompt_figures/{experiment}/{dataset}/{model}/{prompt}.log",
    conda:
        "../envs/tables.yaml"
    params:
        bins=CONFIG["report"]["histogram_bins"],
        reliability_bins=CONFIG["report"]["reliability_bins"],
        resamples=CONFIG["metrics"]["resamples"],
        confidence=CONFIG["metrics"]["confidence"],
        seed=CONFIG["metrics"]["seed"],
    script:
        "../scripts/draw_prompt_figures.py"


rule draw_audio_figures:
    input:
        embeddings="results/embeddings/audio/{dataset}/{model}.parquet",
        code=code("draw_audio_figures.py"),
    output:
        similarity=figure("audio_similarity", "{dataset}/{model}"),
    log:
        "logs/draw_audio_figures/{experiment}/{dataset}/{model}.log",
    conda:
        "../envs/tables.yaml"
    params:
        bins=CONFIG["report"]["histogram_bins"],
        max_others=CONFIG["report"]["max_others"],
        seed=CONFIG["metrics"]["seed"],
    script:
        "../scripts/draw_audio_figures.py"


rule draw_triplet_depth:
    input:
        metrics=triplet_metrics,
        code=code("draw_triplet_depth.py"),
    output:
        depth=figure("depth", "{dataset}/{model}"),
    log:
        "logs/draw_triplet_depth/{experiment}/{dataset}/{model}.log",
    wildcard_constraints:
        dataset=one_of([*CONFIG["datasets"], ONTOLOGY_NAME]),
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/draw_triplet_depth.py"


rule draw_prompt_intervals:
    input:
        metrics=zero_shot_metrics,
        code=code("draw_prompt_intervals.py"),
    output:
        prompts=figure("prompts", "{dataset}"),
    log:
        "logs/draw_prompt_intervals/{experiment}/{dataset}.log",
    priority: 2
    conda:
        "../envs/tables.yaml"
    params:
        metric=f"top_{min(CONFIG['metrics']['top_k'])}",
    script:
        "../scripts/draw_prompt_intervals.py"


rule encode_clips:
    input:
        manifest="results/manifests/{dataset}.parquet",
        code=code("encode_clips.py"),
    output:
        "results/experiments/{experiment}/clips/{dataset}.parquet",
    log:
        "logs/encode_clips/{experiment}/{dataset}.log",
    conda:
        "../envs/tables.yaml"
    params:
        megabytes=CONFIG["report"]["clip_megabytes"] / len(EXPERIMENT["datasets"]),
        seconds=CONFIG["report"]["clip_seconds"],
        sample_rate=CONFIG["report"]["clip_sample_rate"],
        compression=CONFIG["report"]["clip_compression"],
    script:
        "../scripts/encode_clips.py"


rule write_report:
    input:
        metrics="results/experiments/{experiment}/metrics.parquet",
        per_class="results/experiments/{experiment}/per_class.parquet",
        manifests=expand(
            "results/manifests/{dataset}.parquet", dataset=EXPERIMENT["datasets"]
        ),
        models=model_files("model.json"),
        health=model_files("health.json"),
        paper="results/experiments/{experiment}/paper_comparison.csv",
        texts=quoted_texts,
        scores=drawn_scores,
        figures=figure_files,
        clips=expand(
            "results/experiments/{{experiment}}/clips/{dataset}.parquet",
            dataset=EXPERIMENT["datasets"],
        ),
        code=code("write_report.py") + [os.path.relpath(path) for path in TEMPLATES],
    output:
        html=report(
            "results/experiments/{experiment}/report.html",
            caption=f"{CAPTIONS}/report.rst",
            category="report",
        ),
        tables=report(
            expand(
                "results/experiments/{{experiment}}/tables/{task}.{suffix}",
                task=EXPERIMENT["tasks"],
                suffix=["csv", "tex"],
            ),
            caption=f"{CAPTIONS}/table.rst",
            category="tables",
        ),
        model_index=expand(
            "results/experiments/{{experiment}}/model_index/{model}.json",
            model=EXPERIMENT["models"],
        ),
    log:
        "logs/write_report/{experiment}.log",
    conda:
        "../envs/tables.yaml"
    params:
        title=EXPERIMENT["title"],
        prompts=EXPERIMENT["prompts"],
        confidence=CONFIG["metrics"]["confidence"],
        resamples=CONFIG["metrics"]["resamples"],
        configuration=stated_configuration,
        embed_megabytes=CONFIG["report"]["embed_megabytes"],
        records=".snakemake/metadata",
    script:
        "../scripts/write_report.py"
