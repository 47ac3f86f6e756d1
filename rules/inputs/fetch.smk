# What is fetched for the entries of the catalogues, and where it goes.

DATASET_FOLDER, MODEL_FOLDER = f"{DATA_DIR}/{{dataset}}", f"{DATA_DIR}/models/{{model}}"


def made_of(name, entry, folder):
    """Name -> path of the material that an entry has."""
    return {
        what: f"{folder.format(dataset=name, model=name)}/{path}".rstrip("/")
        for material in entry.material
        for what, path in material.outputs.items()
    }


def needed(name, entry, settings, folder):
    """Name -> path of the material that an entry needs with its settings."""
    made = made_of(name, entry, folder)
    return {
        what: made[what]
        for material in entry.material
        if material.when(settings)
        for what in material.outputs
    }


def dataset_material(name):
    """Name -> path of what is fetched or rendered for a dataset."""
    dataset = DATASETS[name]
    return needed(name, dataset.kind, dataset.settings, DATASET_FOLDER)


def model_material(name):
    """Name -> path of what is fetched for a model."""
    model = MODELS[name]
    return needed(name, model.family, model.settings, MODEL_FOLDER)


def materials():
    """Every material of the catalogues: it, the wildcard, its catalogue, names, and the folder."""
    for wildcard, catalogue, folder, entry_of in (
        ("dataset", DATASETS, DATASET_FOLDER, lambda one: one.kind),
        ("model", MODELS, MODEL_FOLDER, lambda one: one.family),
    ):
        found = {
            material.rule: material
            for one in catalogue.values()
            for material in entry_of(one).material
        }
        for rule_name, material in found.items():
            names = [
                name
                for name, one in catalogue.items()
                if any(own.rule == rule_name for own in entry_of(one).material)
                and material.when(one.settings)
            ]
            yield material, wildcard, catalogue, names, folder


# What rules fetch or render, for any entry of the catalogues.
MADE = {
    f"{DATA_DIR}/released/definitions.csv",
    *(
        path
        for _, wildcard, _, names, _ in materials()
        for name in names
        for path in (dataset_material if wildcard == "dataset" else model_material)(
            name
        ).values()
    ),
}
