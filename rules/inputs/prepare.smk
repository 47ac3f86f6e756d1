# What manifests and prepared models are made from.


def places_of(name):
    """Where the files of a dataset are."""
    dataset = DATASETS[name]
    made = {what: Path(path) for what, path in dataset_material(name).items()}
    return dataset.kind.locate(dataset.settings, made)


@cache
def clips_of(name):
    """Sound files of the user, listed once: they may be many."""
    return DATASETS[name].clip_files()


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
    files["clips"] = clips_of(wildcards.dataset)
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


def known_answers(wildcards):
    """Released text vectors that a model must give; none where the catalogue names none."""
    released = MODELS[wildcards.model].settings.known_answers
    if released is None:
        return []
    return layout.TEXT.format(
        dataset="tinysol_released", model=released, prompt="track"
    )


def health_code(wildcards):
    """The code that checks a model, and its own."""
    return code("check_model.py", *MODELS[wildcards.model].modules)


def model_folder(wildcards):
    """The folder of a model's material, and of a training's checkpoints."""
    return MODEL_FOLDER.format(model=wildcards.model)
