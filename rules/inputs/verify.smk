# Which files of an experiment are listed with their checksums.


def prepared_files(wildcards):
    """All files of a prepared model."""
    files = tower_files(wildcards.model, "audio", "text").values()
    return [
        path
        for paths in files
        for path in ([paths] if isinstance(paths, str) else paths)
    ]


def listed_files(wildcards):
    """Manifests, vectors, similarities and metrics of the experiment, and its tables."""
    models = EXPERIMENT["models"]
    cells = [
        (dataset, model, prompt)
        for dataset in EXPERIMENT["datasets"]
        for model in models
        for prompt in configuration.prompts_for(CONFIG, dataset)
    ]
    files = [f"results/manifests/{name}.parquet" for name in EXPERIMENT["datasets"]]
    for dataset, model, prompt in cells:
        files += [
            path.format(dataset=dataset, model=model, prompt=prompt)
            for path in (AUDIO, TEXT, SCORES)
        ]
    folder = f"results/experiments/{wildcards.experiment}"
    names = ("metrics.parquet", "metrics.csv", "paper_comparison.csv")
    return [
        *dict.fromkeys(files + metric_files()),
        *(f"{folder}/{name}" for name in names),
    ]
