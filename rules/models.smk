# Models. In: checkpoints, or captions to train on. Out, for every model:
#   results/models/{model}/model.json                 family, sizes, audio input, provenance
#   results/models/{model}/audio_tower.safetensors
#   results/models/{model}/text_tower.safetensors
#   results/models/{model}/tokenizer.json

from listenread.models import registry

TRAINED = [name for name, entry in CONFIG["models"].items() if entry.get("train")]
OWN = [name for name, entry in CONFIG["models"].items() if ":" in entry["family"]]


def tower_files(model, tower):
    """The files of a prepared model that one of its towers is loaded from."""
    folder = f"results/models/{model}"
    if model in OWN:
        return {"description": f"{folder}/model.json"}
    files = {
        "description": f"{folder}/model.json",
        "tower": f"{folder}/{tower}_tower.safetensors",
    }
    if tower == "text":
        files["tokenizer"] = f"{folder}/tokenizer.json"
    return files


def family_modules(model):
    """The module that the registry imports for a model's family."""
    family = CONFIG["models"][model]["family"]
    return [registry.FAMILIES.get(family, family).partition(":")[0]]


def caption_modules(model):
    """The module of the function that draws captions; none where a column of the manifest has them."""
    source, _, function = CONFIG["models"][model]["train"]["captions"].partition(":")
    return [source] if function else []


def model_setting(*keys):
    """A function for `params`: the value of a model's key (of a key in it, ...)."""

    def value(wildcards):
        found = CONFIG["models"][wildcards.model]
        for key in keys:
            found = found[key]
        return found

    return value


rule train_muscall:
    input:
        captions=lambda wildcards: "results/manifests/{}.parquet".format(
            model_setting("train", "dataset")(wildcards)
        ),
        code=lambda wildcards: code(
            "train_muscall.py", *caption_modules(wildcards.model)
        ),
    output:
        description="results/models/{model}/model.json",
        audio_tower="results/models/{model}/audio_tower.safetensors",
        text_tower="results/models/{model}/text_tower.safetensors",
        tokenizer="results/models/{model}/tokenizer.json",
        curves="results/models/{model}/training.csv",
    log:
        "logs/train_muscall/{model}.log",
    wildcard_constraints:
        model=one_of(TRAINED),
    cache: True
    conda:
        "../envs/towers.yaml"
    threads: lambda wildcards: model_setting("train", "threads")(wildcards)
    params:
        sizes=model_setting("sizes"),
        training=lambda wildcards: {
            key: value
            for key, value in model_setting("train")(wildcards).items()
            if key not in {"dataset", "threads"}
        },
        device=CONFIG["embedding"]["device"],
        checkpoint_dir=lambda wildcards: f"{DATA_DIR}/checkpoints/{wildcards.model}",
    script:
        "../scripts/train_muscall.py"


rule prepare_own:
    input:
        code=lambda wildcards: code("prepare_own.py", *family_modules(wildcards.model)),
    output:
        "results/models/{model}/model.json",
    log:
        "logs/prepare_own/{model}.log",
    wildcard_constraints:
        model=one_of(OWN),
    conda:
        "../envs/towers.yaml"
    params:
        family=model_setting("family"),
        options=model_setting("options"),
    script:
        "../scripts/prepare_own.py"
