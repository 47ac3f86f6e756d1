# Vectors. In: manifests and prepared models that passed the health gate, or released vectors. Out:
#   results/embeddings/audio/{dataset}/{model}.parquet
#   results/embeddings/text/{dataset}/{model}/{prompt}.parquet
#   results/embeddings/ontology/{ontology_name}/{model}/{prompt}.parquet   all instruments of an ontology
# Where there are no vectors (an unhealthy model, vectors that were not released), the table says why.


include: "inputs/embed.smk"


EMBEDDED = [
    name for name, dataset in DATASETS.items() if dataset.kind.vectors != "base"
]


rule embed_audio:
    input:
        unpack(audio_inputs),
    output:
        layout.AUDIO,
    log:
        log_of("embed_audio", "dataset", "model"),
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
        contents=contents_of(audio_inputs),
        way=audio_way,
        tower=lambda wildcards: (
            {
                **tower_params(wildcards),
                "batch_size": CONSTANTS.embedding.batch_size,
                "resampler": MODELS[wildcards.model].settings.resampler,
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


benchmark_unless_shared("embed_audio", "dataset", "model")


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
        contents=contents_of(code("count_shards.py")),
        shard_clips=SHARD_CLIPS,
    script:
        "../scripts/count_shards.py"


rule embed_shard:
    input:
        unpack(shard_inputs),
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
        contents=contents_of(shard_inputs),
        tower=lambda wildcards: {
            **tower_params(wildcards),
            "batch_size": CONSTANTS.embedding.batch_size,
            "resampler": MODELS[wildcards.model].settings.resampler,
            "shard_clips": SHARD_CLIPS,
        },
    script:
        "../scripts/embed_shard.py"


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
        contents=contents_of(text_inputs),
        tower=lambda wildcards: None if reading(wildcards) else tower_params(wildcards),
        reading=reading,
        prompt=said,
        words=lambda wildcards: DATASETS[wildcards.dataset].words(
            CONFIG.prompts[wildcards.prompt].spelling
        ),
        names=lambda wildcards: DATASETS[wildcards.dataset].names,
    script:
        "../scripts/embed_text.py"


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
        contents=contents_of(ontology_inputs),
        tower=lambda wildcards: None if reading(wildcards) else tower_params(wildcards),
        without=lambda wildcards: getattr(
            MODELS[wildcards.model].family.vectors, "without_ontology", None
        ),
        prompt=said,
        column=CONSTANTS.ontology.column,
        root=CONSTANTS.ontology.root,
    script:
        "../scripts/embed_ontology.py"
