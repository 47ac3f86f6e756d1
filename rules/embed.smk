# Vectors. In: manifests and prepared models that passed the health gate, or released vectors. Out:
#   results/embeddings/audio/{dataset}/{model}.parquet
#   results/embeddings/text/{dataset}/{model}/{prompt}.parquet
#   results/embeddings/ontology/{ontology_name}/{model}/{prompt}.parquet   all instruments of an ontology
# Where there are no vectors (an unhealthy model, vectors that were not released), the table says why.

SHARD_CLIPS = CONSTANTS.embedding.shard_clips
EMBEDDED = [
    name for name, dataset in DATASETS.items() if dataset.kind.vectors != "base"
]


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


rule embed_audio:
    input:
        unpack(audio_inputs),
    output:
        layout.AUDIO,
    log:
        log_of("embed_audio", "dataset", "model"),
    benchmark:
        times_of("embed_audio", "dataset", "model")
    wildcard_constraints:
        dataset=one_of(DATASETS),
    cache: SHARED
    conda:
        TOWERS_ENV
    threads: lambda wildcards: max(1, on_tower(THREADS_PER_GPU)(wildcards))
    resources:
        gpu=on_tower(GPU),
        mem_mb=growing(6000),
        runtime=growing(120),
    params:
        way=audio_way,
        tower=lambda wildcards: (
            {
                **tower_params(wildcards),
                "batch_size": CONSTANTS.embedding.batch_size,
            }
            if audio_way(wildcards) == "tower"
            else None
        ),
        reading=reading,
        released_dataset=lambda wildcards: (
            "tinysol" if DATASETS[wildcards.dataset].kind.of_the_paper else None
        ),
        vocabulary=lambda wildcards: (
            [*DATASETS[wildcards.dataset].vocabulary] if reading(wildcards) else None
        ),
    script:
        "../scripts/embed_audio.py"


# How many jobs a dataset is worth is known when its manifest is there.
checkpoint count_shards:
    input:
        manifest=layout.MANIFEST,
        code=code("count_shards.py"),
    output:
        "results/manifests/{dataset}.shards",
    log:
        log_of("count_shards", "dataset"),
    benchmark:
        times_of("count_shards", "dataset")
    conda:
        TABLES_ENV
    params:
        shard_clips=SHARD_CLIPS,
    script:
        "../scripts/count_shards.py"


rule embed_shard:
    input:
        unpack(lambda wildcards: tower_inputs(wildcards, "audio", "embed_shard.py")),
        manifest=layout.MANIFEST,
    output:
        temp(layout.SHARD),
    log:
        log_of("embed_shard", "dataset", "model", "shard"),
    benchmark:
        times_of("embed_shard", "dataset", "model", "shard")
    wildcard_constraints:
        shard=r"\d+",
        model=one_of(WITH_TOWERS if SHARD_CLIPS else []),
        dataset=one_of(EMBEDDED),
    conda:
        TOWERS_ENV
    threads: THREADS_PER_GPU
    resources:
        gpu=GPU,
        mem_mb=growing(6000),
        runtime=growing(60),
    params:
        tower=lambda wildcards: {
            **tower_params(wildcards),
            "batch_size": CONSTANTS.embedding.batch_size,
            "shard_clips": SHARD_CLIPS,
        },
    script:
        "../scripts/embed_shard.py"


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


rule embed_text:
    input:
        unpack(text_inputs),
    output:
        layout.TEXT,
    log:
        log_of("embed_text", "dataset", "model", "prompt"),
    benchmark:
        times_of("embed_text", "dataset", "model", "prompt")
    wildcard_constraints:
        dataset=one_of(DATASETS),
    conda:
        TOWERS_ENV
    resources:
        gpu=lambda wildcards: 0 if reading(wildcards) else GPU_NAMED,
        mem_mb=growing(3000),
        runtime=growing(10),
    params:
        tower=lambda wildcards: None if reading(wildcards) else tower_params(wildcards),
        reading=reading,
        prompt=said,
        words=lambda wildcards: DATASETS[wildcards.dataset].words(
            CONFIG.prompts[wildcards.prompt].spelling
        ),
        names=lambda wildcards: DATASETS[wildcards.dataset].names,
    script:
        "../scripts/embed_text.py"


def ontology_inputs(wildcards):
    """What text vectors of an ontology's instruments are made from."""
    model = MODELS[wildcards.model]
    if model.family.vectors is not None:
        return {"code": code("embed_ontology.py", *model.modules)}
    return tower_inputs(wildcards, "text", "embed_ontology.py") | {"ontology": ONTOLOGY}


rule embed_ontology:
    input:
        unpack(ontology_inputs),
    output:
        layout.ONTOLOGY_TEXT,
    log:
        log_of("embed_ontology", "ontology_name", "model", "prompt"),
    benchmark:
        times_of("embed_ontology", "ontology_name", "model", "prompt")
    conda:
        TOWERS_ENV
    resources:
        gpu=lambda wildcards: 0 if reading(wildcards) else GPU_NAMED,
        mem_mb=growing(3000),
        runtime=growing(10),
    params:
        tower=lambda wildcards: None if reading(wildcards) else tower_params(wildcards),
        without=lambda wildcards: getattr(
            MODELS[wildcards.model].family.vectors, "without_ontology", None
        ),
        prompt=said,
        column=CONSTANTS.ontology.column,
        root=CONSTANTS.ontology.root,
    script:
        "../scripts/embed_ontology.py"
