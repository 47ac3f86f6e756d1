# Material. In: downloads, a SoundFont. Out, for every dataset and model that has some:
#   {data_dir}/{dataset}/...          audio and metadata that are fetched or rendered
#   {data_dir}/models/{model}/...     checkpoints, repositories, released vectors
#   {data_dir}/released/definitions.csv   the authors' sentences

DATASET_FOLDER, MODEL_FOLDER = f"{DATA_DIR}/{{dataset}}", f"{DATA_DIR}/models/{{model}}"


def made_of(name, entry, folder):
    """Name -> path of the material that an entry has."""
    return {
        what: (folder.format(dataset=name, model=name) + "/" + path).rstrip("/")
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


for material, wildcard, catalogue, names, folder in materials():

    rule:
        name:
            material.rule
        input:
            code=code("fetch.py", entries.module_of(material.make)),
        output:
            **{
                what: (
                    directory(f"{folder}/{path}".rstrip("/"))
                    if path.endswith("/")
                    else f"{folder}/{path}"
                )
                for what, path in material.outputs.items()
            },
        log:
            log_of(material.rule, wildcard),
        benchmark:
            times_of(material.rule, wildcard)
        wildcard_constraints:
            **{wildcard: one_of(names)},
        localrule: material.network
        conda:
            TOWERS_ENV
        threads: workflow.cores if material.all_cores else 1
        resources:
            mem_mb=growing(material.megabytes),
            runtime=growing(material.minutes),
        params:
            make=entries.reference_to(material.make),
            settings=used_by(catalogue, wildcard, material.uses),
            source=SOURCE,
        script:
            "../scripts/fetch.py"


rule fetch_definitions:
    input:
        listing=RELEASED_LISTING,
        code=code("fetch_definitions.py"),
    output:
        f"{DATA_DIR}/released/definitions.csv",
    log:
        log_of("fetch_definitions"),
    benchmark:
        times_of("fetch_definitions")
    localrule: True
    conda:
        TOWERS_ENV
    params:
        source=SOURCE,
    script:
        "../scripts/fetch_definitions.py"
