# Similarities and metrics. In: vectors, manifests, an ontology. Out:
#   results/scores/{dataset}/{model}/{prompt}.parquet
#   results/metrics/{dataset}/{model}/{task}/{prompt}.parquet   tasks with prompts, one file a prompt
#   results/metrics/{dataset}/{model}/{task}.parquet            tasks without
#   results/metrics/{dataset}/{model}/{task}_per_class/{prompt}.parquet   one class, or anchor, at a time
#   results/metrics/ontology_triplets/{ontology_name}/{model}/{prompt}.parquet   all its instruments
#   results/experiments/{experiment}/metrics.parquet and .csv   all of an experiment's, together
#   results/experiments/{experiment}/per_class.parquet and .csv   likewise
#   results/experiments/{experiment}/paper_comparison.csv       beside the published numbers


include: "inputs/score.smk"


rule score_prompt:
    input:
        audio=AUDIO,
        text=TEXT,
        code=code("score_prompt.py"),
    output:
        SCORES,
    log:
        "logs/score_prompt/{dataset}/{model}/{prompt}.log",
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/score_prompt.py"


rule measure_zero_shot:
    input:
        scores=SCORES,
        code=code("measure_zero_shot.py"),
    output:
        tidy=f"{METRICS}/zero_shot/{{prompt}}.parquet",
        per_class=f"{METRICS}/zero_shot_per_class/{{prompt}}.parquet",
    log:
        "logs/measure_zero_shot/{dataset}/{model}/{prompt}.log",
    priority: 1  # the figure of all prompts waits for it, and the page for that
    conda:
        "../envs/tables.yaml"
    params:
        top_k=CONSTANTS["top_k"],
        resamples=CONSTANTS["resamples"],
        confidence=CONSTANTS["confidence"],
        permutations=CONSTANTS["permutations"],
        seed=CONSTANTS["seed"],
    script:
        "../scripts/measure_zero_shot.py"


rule measure_audio_only:
    input:
        embeddings=AUDIO,
        manifest="results/manifests/{dataset}.parquet",
        code=code("measure_audio_only.py"),
    output:
        f"{METRICS}/audio_only.parquet",
    log:
        "logs/measure_audio_only/{dataset}/{model}.log",
    conda:
        "../envs/tables.yaml"
    params:
        top_k=CONSTANTS["top_k"],
        resamples=CONSTANTS["resamples"],
        confidence=CONSTANTS["confidence"],
        seed=CONSTANTS["seed"],
    script:
        "../scripts/measure_audio_only.py"


rule measure_probes:
    input:
        embeddings=AUDIO,
        manifest="results/manifests/{dataset}.parquet",
        code=code("measure_probes.py"),
    output:
        f"{METRICS}/probes.parquet",
    log:
        "logs/measure_probes/{dataset}/{model}.log",
    priority: 1  # the longest of the metrics: begun first, it ends beside the others
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        inverse_regularisation=CONSTANTS["probe_inverse_regularisation"],
        tolerance=CONSTANTS["probe_tolerance"],
        max_iterations=CONSTANTS["probe_max_iterations"],
        neighbours=CONSTANTS["probe_neighbours"],
        n_folds=CONSTANTS["probe_folds"],
        top_k=CONSTANTS["top_k"],
        resamples=CONSTANTS["resamples"],
        confidence=CONSTANTS["confidence"],
        seed=CONSTANTS["seed"],
    script:
        "../scripts/measure_probes.py"


rule measure_triplets:
    input:
        text=TEXT,
        ontology=ONTOLOGY,
        code=code("measure_triplets.py"),
    output:
        tidy=f"{METRICS}/triplets/{{prompt}}.parquet",
        per_class=f"{METRICS}/triplets_per_class/{{prompt}}.parquet",
    log:
        "logs/measure_triplets/{dataset}/{model}/{prompt}.log",
    conda:
        "../envs/tables.yaml"
    params:
        column=CONFIG["ontology"]["column"],
        root=CONFIG["ontology"]["root"],
        names=dataset_names,
        resamples=CONSTANTS["resamples"],
        confidence=CONSTANTS["confidence"],
        seed=CONSTANTS["seed"],
    script:
        "../scripts/measure_triplets.py"


rule measure_ontology_triplets:
    input:
        text=ONTOLOGY_TEXT,
        ontology=ONTOLOGY,
        code=code("measure_ontology_triplets.py"),
    output:
        tidy=f"{ONTOLOGY_METRICS}/{{prompt}}.parquet",
        per_class=f"{ONTOLOGY_METRICS}/per_class/{{prompt}}.parquet",
    log:
        "logs/measure_ontology_triplets/{ontology_name}/{model}/{prompt}.log",
    conda:
        "../envs/tables.yaml"
    params:
        column=CONFIG["ontology"]["column"],
        root=CONFIG["ontology"]["root"],
        resamples=CONSTANTS["resamples"],
        confidence=CONSTANTS["confidence"],
        seed=CONSTANTS["seed"],
    script:
        "../scripts/measure_ontology_triplets.py"


rule measure_separation:
    input:
        scores=SCORES,
        audio=AUDIO,
        text=TEXT,
        code=code("measure_separation.py"),
    output:
        f"{METRICS}/separation/{{prompt}}.parquet",
    log:
        "logs/measure_separation/{dataset}/{model}/{prompt}.log",
    conda:
        "../envs/tables.yaml"
    params:
        bins=CONSTANTS["separation_bins"],
        resamples=CONSTANTS["resamples"],
        confidence=CONSTANTS["confidence"],
        seed=CONSTANTS["seed"],
    script:
        "../scripts/measure_separation.py"


rule measure_audio_separation:
    input:
        embeddings=AUDIO,
        code=code("measure_audio_separation.py"),
    output:
        f"{METRICS}/audio_separation.parquet",
    log:
        "logs/measure_audio_separation/{dataset}/{model}.log",
    conda:
        "../envs/tables.yaml"
    params:
        bins=CONSTANTS["separation_bins"],
        max_others=CONSTANTS["separation_max_others"],
        resamples=CONSTANTS["resamples"],
        confidence=CONSTANTS["confidence"],
        seed=CONSTANTS["seed"],
    script:
        "../scripts/measure_audio_separation.py"


rule measure_confidence:
    input:
        scores=SCORES,
        code=code("measure_confidence.py"),
    output:
        f"{METRICS}/confidence/{{prompt}}.parquet",
    log:
        "logs/measure_confidence/{dataset}/{model}/{prompt}.log",
    conda:
        "../envs/tables.yaml"
    params:
        resamples=CONSTANTS["resamples"],
        confidence=CONSTANTS["confidence"],
        seed=CONSTANTS["seed"],
    script:
        "../scripts/measure_confidence.py"


rule compare_prompts:
    input:
        scores=[SCORES, SCORES.replace("{prompt}", "{reference}")],
        texts=[TEXT, TEXT.replace("{prompt}", "{reference}")],
        code=code("compare_prompts.py"),
    output:
        f"{METRICS}/prompt_effects/{{prompt}}/{{reference}}.parquet",
    log:
        "logs/compare_prompts/{dataset}/{model}/{prompt}/{reference}.log",
    conda:
        "../envs/tables.yaml"
    params:
        top_k=CONSTANTS["top_k"],
        resamples=CONSTANTS["resamples"],
        confidence=CONSTANTS["confidence"],
        seed=CONSTANTS["seed"],
    script:
        "../scripts/compare_prompts.py"


rule gather_metrics:
    input:
        metrics=metric_files,
        per_class=per_class_files,
        code=code("gather_metrics.py"),
    output:
        parquet="results/experiments/{experiment}/metrics.parquet",
        csv="results/experiments/{experiment}/metrics.csv",
        per_class_parquet="results/experiments/{experiment}/per_class.parquet",
        per_class_csv="results/experiments/{experiment}/per_class.csv",
    log:
        "logs/gather_metrics/{experiment}.log",
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/gather_metrics.py"


rule compare_with_paper:
    input:
        metrics="results/experiments/{experiment}/metrics.parquet",
        published=str(PACKAGE / "resources" / "published_results.csv"),
        code=code("compare_with_paper.py"),
    output:
        "results/experiments/{experiment}/paper_comparison.csv",
    log:
        "logs/compare_with_paper/{experiment}.log",
    conda:
        "../envs/tables.yaml"
    params:
        systems={
            name: MODELS[name]["system"]
            for name in EXPERIMENT["models"]
            if MODELS[name].get("system")
        },
        datasets=[
            name
            for name in EXPERIMENT["datasets"]
            if name in TINYSOL + RELEASED_TINYSOL
        ],
    script:
        "../scripts/compare_with_paper.py"
