# Vectors. In: manifests and prepared models that passed the health gate, or released vectors. Out:
#   results/embeddings/audio/{dataset}/{model}.parquet
#   results/embeddings/text/{dataset}/{model}/{prompt}.parquet
#   results/embeddings/ontology/{ontology_name}/{model}/{prompt}.parquet   all instruments of an ontology
# What cannot be had (an unhealthy model, vectors that were not released) is a table that says so.


include: "inputs/embed.smk"


rule fetch_definitions:
    input:
        listing=LISTING,
        code=code("fetch_definitions.py"),
    output:
        f"{DATA_DIR}/released/definitions.csv",
    log:
        "logs/fetch_definitions.log",
    localrule: True
    conda:
        "../envs/towers.yaml"
    params:
        labels=tinysol.VOCABULARY,
        base_url=CONFIG["released"]["url"],
        mirror=CONFIG["mirror"],
        retries=CONFIG["released"]["retries"],
    script:
        "../scripts/fetch_definitions.py"


rule embed_audio:
    input:
        unpack(lambda wildcards: tower_files(wildcards.model, "audio")),
        health="results/models/{model}/health.json",
        manifest="results/manifests/{dataset}.parquet",
        code=lambda wildcards: code("embed_audio.py", *family_modules(wildcards.model)),
    output:
        "results/embeddings/audio/{dataset}/{model}.parquet",
    log:
        "logs/embed_audio/{dataset}/{model}.log",
    wildcard_constraints:
        model=one_of([] if SHARD_CLIPS else WITH_TOWERS),
        dataset=one_of(set(CONFIG["datasets"]) - {*RELABELLED}),
    cache: SHARED
    conda:
        "../envs/towers.yaml"
    threads: THREADS_PER_GPU
    resources:
        gpu=GPU,
        mem_mb=growing(6000),
        runtime=growing(120),
    params:
        accept_unhealthy=model_setting("accept_unhealthy"),
        batch_size=CONFIG["embedding"]["batch_size"],
        device=CONFIG["embedding"]["device"],
        precision=CONFIG["embedding"]["precision"],
    script:
        "../scripts/embed_audio.py"


# How many jobs a dataset is worth is known when its manifest is there.
checkpoint count_shards:
    input:
        manifest="results/manifests/{dataset}.parquet",
        code=code("count_shards.py"),
    output:
        "results/manifests/{dataset}.shards",
    log:
        "logs/count_shards/{dataset}.log",
    conda:
        "../envs/tables.yaml"
    params:
        shard_clips=SHARD_CLIPS,
    script:
        "../scripts/count_shards.py"


rule embed_shard:
    input:
        unpack(lambda wildcards: tower_files(wildcards.model, "audio")),
        health="results/models/{model}/health.json",
        manifest="results/manifests/{dataset}.parquet",
        code=lambda wildcards: code("embed_shard.py", *family_modules(wildcards.model)),
    output:
        temp("results/embeddings/audio/{dataset}/{model}.shards/{shard}.parquet"),
    log:
        "logs/embed_shard/{dataset}/{model}/{shard}.log",
    wildcard_constraints:
        shard=r"\d+",
        model=one_of(WITH_TOWERS if SHARD_CLIPS else []),
        dataset=one_of(set(CONFIG["datasets"]) - {*RELABELLED}),
    conda:
        "../envs/towers.yaml"
    threads: THREADS_PER_GPU
    resources:
        gpu=GPU,
        mem_mb=growing(6000),
        runtime=growing(60),
    params:
        accept_unhealthy=model_setting("accept_unhealthy"),
        batch_size=CONFIG["embedding"]["batch_size"],
        shard_clips=SHARD_CLIPS,
        device=CONFIG["embedding"]["device"],
        precision=CONFIG["embedding"]["precision"],
    script:
        "../scripts/embed_shard.py"


rule merge_shards:
    input:
        shards=shard_files,
        code=code("merge_shards.py"),
    output:
        "results/embeddings/audio/{dataset}/{model}.parquet",
    log:
        "logs/merge_shards/{dataset}/{model}.log",
    wildcard_constraints:
        model=one_of(WITH_TOWERS if SHARD_CLIPS else []),
        dataset=one_of(set(CONFIG["datasets"]) - {*RELABELLED}),
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/merge_shards.py"


rule embed_text:
    input:
        unpack(lambda wildcards: tower_files(wildcards.model, "text")),
        health="results/models/{model}/health.json",
        definitions=definition_file,
        code=lambda wildcards: code("embed_text.py", *family_modules(wildcards.model)),
    output:
        "results/embeddings/text/{dataset}/{model}/{prompt}.parquet",
    log:
        "logs/embed_text/{dataset}/{model}/{prompt}.log",
    wildcard_constraints:
        model=one_of(WITH_TOWERS),
    conda:
        "../envs/towers.yaml"
    resources:
        gpu=GPU_NAMED,
        mem_mb=growing(3000),
        runtime=growing(10),
    params:
        accept_unhealthy=model_setting("accept_unhealthy"),
        device=CONFIG["embedding"]["device"],
        precision=CONFIG["embedding"]["precision"],
        words=prompt_words,
        names=dataset_names,
        template=prompt_setting("template"),
        templates=prompt_setting("templates", []),
        filler_seeds=prompt_setting("filler_seeds", []),
        mask_label=prompt_setting("mask_label", False),
    script:
        "../scripts/embed_text.py"


rule relabel_audio:
    input:
        embeddings=lambda wildcards: "results/embeddings/audio/{}/{}.parquet".format(
            CONFIG["datasets"][wildcards.dataset]["dataset"], wildcards.model
        ),
        manifest="results/manifests/{dataset}.parquet",
        code=code("relabel_audio.py"),
    output:
        "results/embeddings/audio/{dataset}/{model}.parquet",
    log:
        "logs/relabel_audio/{dataset}/{model}.log",
    wildcard_constraints:
        dataset=one_of(RELABELLED),
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/relabel_audio.py"


rule read_released_audio:
    input:
        folder=f"{DATA_DIR}/released/{{model}}",
        ground_truth=f"{DATA_DIR}/released/tinysol_groundtruth_reordered.csv",
        listing=LISTING,
        code=code("read_released_audio.py"),
    output:
        "results/embeddings/audio/{dataset}/{model}.parquet",
    log:
        "logs/read_released_audio/{dataset}/{model}.log",
    wildcard_constraints:
        model=one_of(RELEASED),
        dataset=one_of(set(CONFIG["datasets"]) - {*RELABELLED}),
    conda:
        "../envs/tables.yaml"
    params:
        system=model_setting("released_system"),
        released_dataset=lambda wildcards: (
            "tinysol" if wildcards.dataset in TINYSOL + RELEASED_TINYSOL else None
        ),
        vocabulary=vocabulary,
    script:
        "../scripts/read_released_audio.py"


rule read_released_text:
    input:
        folder=f"{DATA_DIR}/released/{{model}}",
        listing=LISTING,
        code=code("read_released_text.py"),
    output:
        "results/embeddings/text/{dataset}/{model}/{prompt}.parquet",
    log:
        "logs/read_released_text/{dataset}/{model}/{prompt}.log",
    wildcard_constraints:
        model=one_of(RELEASED),
    conda:
        "../envs/tables.yaml"
    params:
        system=model_setting("released_system"),
        prompt=lambda wildcards: wildcards.prompt,
        labels=vocabulary,
        words=prompt_words,
        template=prompt_setting("template"),
    script:
        "../scripts/read_released_text.py"


rule embed_ontology:
    input:
        unpack(lambda wildcards: tower_files(wildcards.model, "text")),
        health="results/models/{model}/health.json",
        ontology=str(prompts.find_file(CONFIG["ontology"]["file"], PACKAGE)),
        code=lambda wildcards: code(
            "embed_ontology.py", *family_modules(wildcards.model)
        ),
    output:
        "results/embeddings/ontology/{ontology_name}/{model}/{prompt}.parquet",
    log:
        "logs/embed_ontology/{ontology_name}/{model}/{prompt}.log",
    wildcard_constraints:
        model=one_of(WITH_TOWERS),
    conda:
        "../envs/towers.yaml"
    resources:
        gpu=GPU_NAMED,
        mem_mb=growing(3000),
        runtime=growing(10),
    params:
        accept_unhealthy=model_setting("accept_unhealthy"),
        device=CONFIG["embedding"]["device"],
        precision=CONFIG["embedding"]["precision"],
        column=CONFIG["ontology"]["column"],
        root=CONFIG["ontology"]["root"],
        template=prompt_setting("template"),
        filler_seeds=prompt_setting("filler_seeds", []),
    script:
        "../scripts/embed_ontology.py"


rule read_released_ontology:
    input:
        code=code("read_released_ontology.py"),
    output:
        "results/embeddings/ontology/{ontology_name}/{model}/{prompt}.parquet",
    log:
        "logs/read_released_ontology/{ontology_name}/{model}/{prompt}.log",
    wildcard_constraints:
        model=one_of(RELEASED),
    localrule: True
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/read_released_ontology.py"
