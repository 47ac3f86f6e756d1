# Which model is prepared in which way, and from which files.

MODELS = CONFIG["models"]
OWN = [name for name, entry in MODELS.items() if ":" in entry["family"]]
LAION_CLAP = named("models", family=["laion_clap"])
HF_CLAP = named("models", family=["hf_clap"])
RELEASED = named("models", family=["released"])
TRAINED = [name for name, entry in MODELS.items() if entry.get("train")]
MUSCALL_CHECKPOINTS = [
    name
    for name in named("models", family=["muscall"])
    if MODELS[name].get("checkpoint")
]
WITH_TOWERS = [name for name in MODELS if name not in RELEASED]
LISTING = str(PACKAGE / "resources" / "released_files.csv")


def tower_files(model, *towers):
    """The files of a prepared model that its towers are loaded from."""
    folder = f"results/models/{model}"
    files = {"description": f"{folder}/model.json"}
    if model not in OWN:
        files["towers"] = [f"{folder}/{tower}_tower.safetensors" for tower in towers]
        if "text" in towers:
            files["tokenizer"] = f"{folder}/tokenizer.json"
    return files


def family_modules(model):
    """The module that the registry imports for a model's family."""
    family = MODELS[model]["family"]
    return [registry.FAMILIES.get(family, family).partition(":")[0]]


def caption_modules(model):
    """The module of the function that draws captions; none where a column of the manifest has them."""
    source, _, function = MODELS[model]["train"]["captions"].partition(":")
    return [source] if function else []


def model_setting(*keys):
    """A function for `params`: the value of a model's key (of a key in it, ...)."""

    def value(wildcards):
        found = MODELS[wildcards.model]
        for key in keys:
            found = found[key]
        return found

    return value


def file_of(key, suffix):
    """A function for `input`: a model's file, the user's own or where it is downloaded to."""

    def path(wildcards):
        own = MODELS[wildcards.model][key].get("path")
        return own or f"{DATA_DIR}/checkpoints/{wildcards.model}{suffix}"

    return path


def own_tokenizer(wildcards):
    """The tokenizer that a model to be trained names; none where one is made of its captions."""
    named = "tokenizer" in MODELS[wildcards.model]
    return file_of("tokenizer", ".tokenizer.json")(wildcards) if named else []


def with_url(key):
    """Names of the models whose file is downloaded."""
    return [name for name, entry in MODELS.items() if entry.get(key, {}).get("url")]


def known_answers(wildcards):
    """Released text vectors that a model must give; none where the catalogue names none."""
    released = MODELS[wildcards.model]["known_answers"]
    if released is None:
        return []
    return f"results/embeddings/text/tinysol_released/{released}/track.parquet"
