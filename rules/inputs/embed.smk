# What a prompt says, for a dataset; in how many jobs its clips are embedded.

SHARD_CLIPS = CONFIG["embedding"]["shard_clips"]


def shard_files(wildcards):
    """The shards of a dataset's audio vectors, as many as its manifest asks for."""
    counted = checkpoints.count_shards.get(dataset=wildcards.dataset).output[0]
    with open(counted) as file:
        shards = range(int(file.read()))
    return [
        f"results/embeddings/audio/{wildcards.dataset}/{wildcards.model}.shards/{shard}.parquet"
        for shard in shards
    ]


def prompt_setting(key, default=None):
    """A function for `params`: the value of a prompt's key."""

    def value(wildcards):
        return CONFIG["prompts"][wildcards.prompt].get(key, default)

    return value


def prompt_words(wildcards):
    """Label -> words of a dataset, in the spelling that the prompt asks for."""
    return configuration.words_of(
        CONFIG["datasets"][wildcards.dataset], prompt_setting("spelling")(wildcards)
    )


def dataset_names(wildcards):
    """Label -> its words in every spelling: what a file of definitions may know it by."""
    return configuration.names_of(CONFIG["datasets"][wildcards.dataset])


def definition_file(wildcards):
    """The csv of a prompt that is a definition; nothing for a template."""
    name = prompt_setting("file")(wildcards)
    if name == configuration.RELEASED_DEFINITIONS:
        return f"{DATA_DIR}/released/definitions.csv"
    return [] if name is None else str(prompts.find_file(name, PACKAGE))


def vocabulary(wildcards):
    """The labels of a dataset, in the order of the classes."""
    return list(CONFIG["datasets"][wildcards.dataset]["vocabulary"])
