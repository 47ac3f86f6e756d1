# What vectors are made from, and how towers are run.

SHARD_CLIPS = CONSTANTS.embedding.shard_clips


def audio_way(wildcards):
    """How a model comes to the audio vectors of a dataset."""
    if DATASETS[wildcards.dataset].kind.vectors == "base":
        return "base"
    if MODELS[wildcards.model].family.vectors is not None:
        return "released"
    return "shards" if SHARD_CLIPS else "tower"


def tower_inputs(wildcards, tower, script):
    """What it takes to run a tower: its files, the health of the model, the code."""
    model = MODELS[wildcards.model]
    dataset = DATASETS.get(wildcards.get("dataset")) if tower == "audio" else None
    behind = () if dataset is None else dataset.kind.code(dataset.settings)
    return {
        **prepared(model.name, tower),
        "health": f"{layout.MODEL}/health.json".format(model=model.name),
        "code": code(script, *model.modules, *behind),
    }


def released_inputs(wildcards, script):
    """What released vectors are read from."""
    model = MODELS[wildcards.model]
    return {
        "made": [*model_material(model.name).values()],
        "listing": RELEASED_LISTING,
        "code": code(script, *model.modules),
    }


def audio_inputs(wildcards):
    """What audio vectors are made from, whichever way they come."""
    manifest = {"manifest": layout.MANIFEST.format(dataset=wildcards.dataset)}
    match audio_way(wildcards):
        case "base":
            base = DATASETS[wildcards.dataset].base
            return manifest | {
                "vectors": layout.AUDIO.format(dataset=base, model=wildcards.model),
                "code": code("embed_audio.py", "listenread.datasets.relabelled"),
            }
        case "released":
            return released_inputs(wildcards, "embed_audio.py")
        case "shards":
            return {
                "shards": shard_files(wildcards),
                "code": code("embed_audio.py"),
            }
    return manifest | tower_inputs(wildcards, "audio", "embed_audio.py")


def shard_inputs(wildcards):
    """What a shard is made from, apart from the manifest."""
    return tower_inputs(wildcards, "audio", "embed_shard.py")


def shard_files(wildcards):
    """The shards of a dataset's audio vectors, as many as its manifest asks for."""
    counted = checkpoints.count_shards.get(dataset=wildcards.dataset).output[0]
    with open(counted) as file:
        shards = range(int(file.read()))
    names = {"dataset": wildcards.dataset, "model": wildcards.model}
    return [layout.SHARD.format(shard=shard, **names) for shard in shards]


def tower_params(wildcards):
    """How a tower is run."""
    settings = MODELS[wildcards.model].settings
    return {
        "accept_unhealthy": getattr(settings, "accept_unhealthy", False),
        "device": DEVICE,
        "precision": CONSTANTS.embedding.precision,
    }


def on_tower(value):
    """A function for `resources` or `threads`: a value for jobs that run a tower, else little."""

    def request(wildcards):
        return value if audio_way(wildcards) == "tower" else 0

    return request


def reading(wildcards):
    """The model that released vectors are read of, with its settings; None for others."""
    model = MODELS[wildcards.model]
    if model.family.vectors is None:
        return None
    return {
        "system": model.settings.released_system,
        "folder": model_material(model.name)["vectors"],
    }


def text_inputs(wildcards):
    """What text vectors are made from."""
    if MODELS[wildcards.model].family.vectors is not None:
        return released_inputs(wildcards, "embed_text.py")
    prompt = CONFIG.prompts[wildcards.prompt]
    files = tower_inputs(wildcards, "text", "embed_text.py")
    name = getattr(prompt, "file", None)
    if name == configuration.RELEASED_DEFINITIONS:
        files["definitions"] = f"{DATA_DIR}/released/definitions.csv"
    elif name is not None:
        files["definitions"] = str(prompts.find_file(name, PACKAGE))
    return files


def said(wildcards):
    """What a prompt says, as leaf values."""
    return Prompt.from_settings(CONFIG.prompts[wildcards.prompt])._asdict()


def ontology_inputs(wildcards):
    """What text vectors of an ontology's instruments are made from."""
    model = MODELS[wildcards.model]
    if model.family.vectors is not None:
        return {"code": code("embed_ontology.py", *model.modules)}
    return tower_inputs(wildcards, "text", "embed_ontology.py") | {"ontology": ONTOLOGY}
