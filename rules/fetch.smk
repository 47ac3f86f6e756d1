# Material. In: downloads, a SoundFont. Out, for every dataset and model that has some:
#   {data_dir}/{dataset}/...          audio and metadata that are fetched or rendered
#   {data_dir}/models/{model}/...     checkpoints, repositories, released vectors
#   {data_dir}/released/definitions.csv   the authors' sentences


include: "inputs/fetch.smk"


for material, wildcard, catalogue, names, folder in materials():

    behind = code("fetch.py", entries.module_of(material.make))

    rule:
        name:
            material.rule
        input:
            code=behind,
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
            contents=contents_of(behind),
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
        contents=contents_of(RELEASED_LISTING, code("fetch_definitions.py")),
        source=SOURCE,
    script:
        "../scripts/fetch_definitions.py"
