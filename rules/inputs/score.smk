# Which cells an experiment has.

AUDIO = "results/embeddings/audio/{dataset}/{model}.parquet"
TEXT = "results/embeddings/text/{dataset}/{model}/{prompt}.parquet"
SCORES = "results/scores/{dataset}/{model}/{prompt}.parquet"
METRICS = "results/metrics/{dataset}/{model}"
CONSTANTS = CONFIG["metrics"]
ONTOLOGY = str(prompts.find_file(CONFIG["ontology"]["file"], PACKAGE))
ONTOLOGY_NAME = Path(ONTOLOGY).stem
ONTOLOGY_TEXT = "results/embeddings/ontology/{ontology_name}/{model}/{prompt}.parquet"
ONTOLOGY_METRICS = "results/metrics/ontology_triplets/{ontology_name}/{model}"

#: Tasks that also tell their classes (or anchors of triplets) apart.
PER_CLASS = ("zero_shot", "triplets")
#: Task of the configuration -> folders of prompt-wise files, and files without prompts.
TASK_FILES = {
    "zero_shot": (["zero_shot"], []),
    "audio_only": ([], ["audio_only"]),
    "triplets": (["triplets"], []),
    "ontology_triplets": ([], []),
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
    return files + ontology_files("{prompt}.parquet")


def per_class_files(wildcards=None):
    """Every cell of the experiment that tells its classes apart."""
    files = [
        f"results/metrics/{dataset}/{model}/{task}_per_class/{prompt}.parquet"
        for dataset in EXPERIMENT["datasets"]
        for model in EXPERIMENT["models"]
        for task in PER_CLASS
        if task in EXPERIMENT["tasks"]
        for prompt in configuration.prompts_for(CONFIG, dataset)
    ]
    return files + ontology_files("per_class/{prompt}.parquet")


def ontology_files(name):
    """A file for each system and prompt that is asked about the whole ontology."""
    if "ontology_triplets" not in EXPERIMENT["tasks"]:
        return []
    return expand(
        f"{ONTOLOGY_METRICS}/{name}",
        ontology_name=ONTOLOGY_NAME,
        model=EXPERIMENT["models"],
        prompt=configuration.prompts_for_ontology(CONFIG),
    )
