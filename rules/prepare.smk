# Manifests and models. In: material, or files of the user. Out:
#   results/manifests/{dataset}.parquet
#   results/models/{model}/model.json                 family, sizes, audio input, provenance
#   results/models/{model}/audio_tower.safetensors    (families with weights)
#   results/models/{model}/text_tower.safetensors
#   results/models/{model}/tokenizer.json
#   results/models/{model}/health.json                what `check_model` found
#   results/models/{model}/checksums.sha256           of its files, gigabytes, read once


def places_of(name):
    """Where the files of a dataset are."""
    dataset = DATASETS[name]
    made = {what: Path(path) for what, path in dataset_material(name).items()}
    return dataset.kind.locate(dataset.settings, made)


def manifest_inputs(wildcards):
    """What a manifest is made from: material, metadata, clips of the user, another manifest."""
    dataset, places = DATASETS[wildcards.dataset], places_of(wildcards.dataset)
    files = {
        "material": [*dataset_material(wildcards.dataset).values()],
        "code": code(
            "build_manifest.py", dataset.module, *dataset.kind.code(dataset.settings)
        ),
    }
    if places.metadata is not None and str(places.metadata) not in files["material"]:
        files["metadata"] = str(places.metadata)
    if getattr(dataset.settings, "track_clips", False) and dataset.kind.clip_files:
        files["clips"] = [*dataset.kind.clip_files(dataset.settings)]
    if dataset.base is not None:
        files["base"] = layout.MANIFEST.format(dataset=dataset.base)
    if dataset.kind.vectors == "released":
        files["listing"] = RELEASED_LISTING
    return files


def manifest_setting(key):
    """A function for `params`: a setting of a dataset; None for a kind that does not have it."""

    def value(wildcards):
        return DATASETS[wildcards.dataset].settings.plain().get(key)

    return value


rule build_manifest:
    input:
        unpack(manifest_inputs),
    output:
        layout.MANIFEST,
    log:
        log_of("build_manifest", "dataset"),
    benchmark:
        times_of("build_manifest", "dataset")
    conda:
        TOWERS_ENV
    threads: workflow.cores
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        kind=lambda wildcards: DATASETS[wildcards.dataset].reference,
        settings=lambda wildcards: used(
            DATASETS[wildcards.dataset], DATASETS[wildcards.dataset].kind.uses
        ),
        places=lambda wildcards: {
            "root": str(places_of(wildcards.dataset).root or "") or None,
            "metadata": str(places_of(wildcards.dataset).metadata or "") or None,
            "others": {
                name: str(path)
                for name, path in places_of(wildcards.dataset).others.items()
            },
        },
        vocabulary=lambda wildcards: [*DATASETS[wildcards.dataset].vocabulary],
        on_bad_audio=manifest_setting("on_bad_audio"),
        limits=manifest_setting("audio_limits"),
    script:
        "../scripts/build_manifest.py"


def prepared(model, *towers):
    """The files of a prepared model that its towers are loaded from."""
    folder = layout.MODEL.format(model=model)
    outputs = MODELS[model].family.preparation(MODELS[model].settings).outputs
    files = {"description": f"{folder}/model.json"}
    weights = [f"{tower}_tower.safetensors" for tower in towers]
    files["towers"] = [f"{folder}/{name}" for name in weights if name in outputs]
    if "text" in towers and "tokenizer.json" in outputs:
        files["tokenizer"] = f"{folder}/tokenizer.json"
    return files


def towers_of(model):
    """The towers of a model."""
    return sorted(MODELS[model].family.towers)


WITH_TOWERS = [name for name in MODELS if towers_of(name)]


def preparations():
    """Every way in which models of the catalogue are prepared, and the models that are."""
    found = {}
    for name, model in MODELS.items():
        way = model.family.preparation(model.settings)
        found.setdefault(way.rule, (way, []))[1].append(name)
    return found.values()


def preparation_inputs(wildcards):
    """What a model is prepared from."""
    model = MODELS[wildcards.model]
    way = model.family.preparation(model.settings)
    made = {what: Path(path) for what, path in model_material(model.name).items()}
    files = {name: str(path) for name, path in way.inputs(model.settings, made).items()}
    captions = way.dataset(model.settings)
    if captions is not None:
        files["manifest"] = layout.MANIFEST.format(dataset=captions)
    files["code"] = code(
        "prepare_model.py",
        model.module,
        entries.module_of(way.make),
        *way.code(model.settings),
    )
    return files


for way, names in preparations():

    rule:
        name:
            way.rule
        input:
            unpack(preparation_inputs),
        output:
            [f"{layout.MODEL}/{name}" for name in way.outputs],
        log:
            log_of(way.rule, "model"),
        benchmark:
            times_of(way.rule, "model")
        wildcard_constraints:
            model=one_of(names),
        cache: SHARED
        conda:
            TOWERS_ENV
        threads:
            lambda wildcards: MODELS[wildcards.model]
            .family.preparation(MODELS[wildcards.model].settings)
            .threads(MODELS[wildcards.model].settings)
        resources:
            gpu=GPU if way.trains else 0,
            mem_mb=growing(way.megabytes),
            runtime=growing(way.minutes),
        params:
            family=lambda wildcards: MODELS[wildcards.model].reference,
            rule=way.rule,
            settings=used_by(MODELS, "model", way.uses),
            device=DEVICE if way.trains else "cpu",
            checkpoint_dir=lambda wildcards: MODEL_FOLDER.format(model=wildcards.model)
            + "/training",
        script:
            "../scripts/prepare_model.py"


def known_answers(wildcards):
    """Released text vectors that a model must give; none where the catalogue names none."""
    released = MODELS[wildcards.model].settings.known_answers
    if released is None:
        return []
    return layout.TEXT.format(
        dataset="tinysol_released", model=released, prompt="track"
    )


rule check_model:
    input:
        unpack(lambda wildcards: prepared(wildcards.model, *towers_of(wildcards.model))),
        known_answers=known_answers,
        code=lambda wildcards: code("check_model.py", *MODELS[wildcards.model].modules),
    output:
        f"{layout.MODEL}/health.json",
    log:
        log_of("check_model", "model"),
    benchmark:
        times_of("check_model", "model")
    wildcard_constraints:
        model=one_of(WITH_TOWERS),
    conda:
        TOWERS_ENV
    resources:
        gpu=GPU_NAMED,
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        device=DEVICE,
        precision=CONSTANTS.embedding.precision,
        limits=CONSTANTS.health.plain(),
    script:
        "../scripts/check_model.py"


rule hash_model:
    input:
        files=lambda wildcards: [
            f"{layout.MODEL}/{name}".format(model=wildcards.model)
            for name in MODELS[wildcards.model]
            .family.preparation(MODELS[wildcards.model].settings)
            .outputs
            if not name.endswith(".csv")
        ],
        code=code("hash_model.py"),
    output:
        f"{layout.MODEL}/checksums.sha256",
    log:
        log_of("hash_model", "model"),
    benchmark:
        times_of("hash_model", "model")
    wildcard_constraints:
        model=one_of(WITH_TOWERS),
    conda:
        TABLES_ENV
    script:
        "../scripts/hash_model.py"
