# Where datasets lie, and what a manifest is made from.

TINYSOL = named("datasets", loader=["tinysol"])
RELEASED_TINYSOL = named("datasets", loader=["released_tinysol"])
RELABELLED = named("datasets", loader=["relabelled"])
RENDERED = named("datasets", loader=["gm_notes", "gm_captions"])
MAGNATAGATUNE = named("datasets", loader=["magnatagatune"])
#: Their audio is made or unpacked by a rule.
AUDIO_MADE_HERE = [
    *RENDERED,
    *MAGNATAGATUNE,
    *(name for name in TINYSOL if CONFIG["datasets"][name]["root"] is None),
]


def setting(*keys):
    """A function for `params`: the value of a dataset's key (of a key in it, ...)."""

    def value(wildcards):
        found = CONFIG["datasets"][wildcards.dataset]
        for key in keys:
            found = found[key]
        return found

    return value


def dataset_root(dataset):
    """The folder that the clips' paths are relative to."""
    if dataset in AUDIO_MADE_HERE:
        return f"{DATA_DIR}/{dataset}/audio"
    return CONFIG["datasets"][dataset]["root"] or str(
        Path(dataset_metadata(dataset)).parent
    )


def dataset_metadata(dataset):
    """The csv of a dataset, or the folder of its tables; None where its folders are the labels."""
    if dataset in MAGNATAGATUNE:
        return f"{DATA_DIR}/{dataset}/captions"
    if dataset in TINYSOL + RENDERED:
        return f"{DATA_DIR}/{dataset}/metadata.csv"
    return CONFIG["datasets"][dataset]["metadata"]


def dataset_files(wildcards):
    """What a manifest is made from: the metadata, and every clip that the user brings."""
    dataset, entry = wildcards.dataset, CONFIG["datasets"][wildcards.dataset]
    files = {"metadata": dataset_metadata(dataset) or []}
    if dataset in AUDIO_MADE_HERE:
        files["audio"] = dataset_root(dataset)
    elif entry["track_clips"]:
        files["clips"] = configuration.clip_files(entry)
    return files
