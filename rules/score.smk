# Similarities and metrics. In: vectors. Out:
#   results/scores/{dataset}/{model}/{prompt}.parquet
#   results/metrics/{dataset}/{model}/zero_shot/{prompt}.parquet
#   results/metrics/{dataset}/{model}/audio_only.parquet
#   results/experiments/{experiment}/metrics.parquet and .csv


def metric_files(wildcards=None):
    """Every cell of the experiment: what `gather_metrics` puts together."""
    files = []
    for dataset in EXPERIMENT["datasets"]:
        for model in EXPERIMENT["models"]:
            folder = f"results/metrics/{dataset}/{model}"
            if "zero_shot" in EXPERIMENT["tasks"]:
                files += [
                    f"{folder}/zero_shot/{name}.parquet"
                    for name in EXPERIMENT["prompts"]
                ]
            if "audio_only" in EXPERIMENT["tasks"]:
                files.append(f"{folder}/audio_only.parquet")
    return files


rule score_prompt:
    input:
        audio="results/embeddings/audio/{dataset}/{model}.parquet",
        text="results/embeddings/text/{dataset}/{model}/{prompt}.parquet",
        code=code("score_prompt.py"),
    output:
        "results/scores/{dataset}/{model}/{prompt}.parquet",
    log:
        "logs/score_prompt/{dataset}/{model}/{prompt}.log",
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/score_prompt.py"


rule measure_zero_shot:
    input:
        scores="results/scores/{dataset}/{model}/{prompt}.parquet",
        code=code("measure_zero_shot.py"),
    output:
        "results/metrics/{dataset}/{model}/zero_shot/{prompt}.parquet",
    log:
        "logs/measure_zero_shot/{dataset}/{model}/{prompt}.log",
    conda:
        "../envs/tables.yaml"
    params:
        top_k=CONFIG["metrics"]["top_k"],
        resamples=CONFIG["metrics"]["resamples"],
        confidence=CONFIG["metrics"]["confidence"],
        seed=CONFIG["metrics"]["seed"],
    script:
        "../scripts/measure_zero_shot.py"


rule measure_audio_only:
    input:
        embeddings="results/embeddings/audio/{dataset}/{model}.parquet",
        manifest="results/manifests/{dataset}.parquet",
        code=code("measure_audio_only.py"),
    output:
        "results/metrics/{dataset}/{model}/audio_only.parquet",
    log:
        "logs/measure_audio_only/{dataset}/{model}.log",
    conda:
        "../envs/tables.yaml"
    params:
        top_k=CONFIG["metrics"]["top_k"],
        resamples=CONFIG["metrics"]["resamples"],
        confidence=CONFIG["metrics"]["confidence"],
        seed=CONFIG["metrics"]["seed"],
    script:
        "../scripts/measure_audio_only.py"


rule gather_metrics:
    input:
        metrics=metric_files,
        code=code("gather_metrics.py"),
    output:
        parquet="results/experiments/{experiment}/metrics.parquet",
        csv="results/experiments/{experiment}/metrics.csv",
    log:
        "logs/gather_metrics/{experiment}.log",
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/gather_metrics.py"
