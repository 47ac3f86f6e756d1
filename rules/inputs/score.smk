# Which cells an experiment has.

AUDIO = "results/embeddings/audio/{dataset}/{model}.parquet"
TEXT = "results/embeddings/text/{dataset}/{model}/{prompt}.parquet"
SCORES = "results/scores/{dataset}/{model}/{prompt}.parquet"
METRICS = "results/metrics/{dataset}/{model}"
CONSTANTS = CONFIG["metrics"]

#: Task of the configuration -> folders of prompt-wise files, and files without prompts.
TASK_FILES = {
    "zero_shot": (["zero_shot"], []),
    "audio_only": ([], ["audio_only"]),
    "triplets": (["triplets"], []),
    "separation": (["separation"], ["audio_separation"]),
    "confidence": (["confidence"], []),
    "probes": ([], ["probes"]),
    "prompt_effects": ([], []),
}


def metric_files(wildcards=None):
    """Every cell of the experiment: what `gather_metrics` puts together."""
    files = []
    for dataset in EXPERIMENT["datasets"]:
        asked = configuration.prompts_for(CONFIG, dataset)
        pairs = [pair for pair in CONFIG["prompt_pairs"] if {*pair} <= {*asked}]
        names = []
        for task in EXPERIMENT["tasks"]:
            by_prompt, without_prompt = TASK_FILES[task]
            names += [f"{folder}/{prompt}" for folder in by_prompt for prompt in asked]
            names += without_prompt
        if "prompt_effects" in EXPERIMENT["tasks"]:
            names += [
                f"prompt_effects/{prompt}/{reference}" for prompt, reference in pairs
            ]
        files += [
            f"results/metrics/{dataset}/{model}/{name}.parquet"
            for model in EXPERIMENT["models"]
            for name in names
        ]
    return files
