# Manifests and models. In: material, or files of the user. Out:
#   results/manifests/{dataset}.parquet
#   results/models/{model}/model.json                 family, sizes, audio input, provenance
#   results/models/{model}/audio_tower.safetensors    (families with weights)
#   results/models/{model}/text_tower.safetensors
#   results/models/{model}/tokenizer.json
#   results/models/{model}/health.json                what `check_model` found
#   results/models/{model}/checksums.sha256           of its files, gigabytes, read once


include: "inputs/prepare.smk"


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
        contents=contents_of(manifest_inputs),
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


for way, names in preparations():

    rule:
        name:
            way.rule
        input:
            unpack(preparation_inputs),
        output:
            # Named, as Snakemake's cache between workflows asks of a rule with several outputs.
            **{
                f"file_{number}": f"{layout.MODEL}/{name}"
                for number, name in enumerate(way.outputs)
            },
        log:
            log_of(way.rule, "model"),
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
            contents=contents_of(preparation_inputs),
            family=lambda wildcards: MODELS[wildcards.model].reference,
            rule=way.rule,
            settings=used_by(MODELS, "model", way.uses),
            device=DEVICE if way.trains else "cpu",
            checkpoint_dir=lambda wildcards: f"{model_folder(wildcards)}/training",
        script:
            "../scripts/prepare_model.py"

    benchmark_unless_shared(way.rule, "model")


rule check_model:
    input:
        unpack(lambda wildcards: prepared(wildcards.model, *towers_of(wildcards.model))),
        known_answers=known_answers,
        code=health_code,
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
        contents=contents_of(health_code),
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
    params:
        contents=contents_of(code("hash_model.py")),
    script:
        "../scripts/hash_model.py"
