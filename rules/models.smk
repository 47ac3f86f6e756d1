# Models. In: checkpoints, repositories, released vectors, or captions to train on. Out, for each:
#   results/models/{model}/model.json                 family, sizes, audio input, provenance
#   results/models/{model}/audio_tower.safetensors    (families with weights)
#   results/models/{model}/text_tower.safetensors
#   results/models/{model}/tokenizer.json
#   results/models/{model}/health.json                what `check_model` found


include: "inputs/models.smk"


rule fetch_checkpoint:
    input:
        code=code("fetch_checkpoint.py"),
    output:
        f"{DATA_DIR}/checkpoints/{{model}}.pt",
    log:
        "logs/fetch_checkpoint/{model}.log",
    wildcard_constraints:
        model=one_of(with_url("checkpoint")),
    cache: SHARED
    localrule: True
    conda:
        "../envs/towers.yaml"
    params:
        file=model_setting("checkpoint"),
        mirror=CONFIG["mirror"],
    script:
        "../scripts/fetch_checkpoint.py"


rule fetch_tokenizer:
    input:
        code=code("fetch_tokenizer.py"),
    output:
        f"{DATA_DIR}/checkpoints/{{model}}.tokenizer.json",
    log:
        "logs/fetch_tokenizer/{model}.log",
    wildcard_constraints:
        model=one_of(with_url("tokenizer")),
    localrule: True
    conda:
        "../envs/towers.yaml"
    params:
        file=model_setting("tokenizer"),
        mirror=CONFIG["mirror"],
    script:
        "../scripts/fetch_tokenizer.py"


rule fetch_repository:
    input:
        code=code("fetch_repository.py"),
    output:
        directory(f"{DATA_DIR}/repositories/{{model}}"),
    log:
        "logs/fetch_repository/{model}.log",
    wildcard_constraints:
        model=one_of([name for name in HF_CLAP if MODELS[name].get("repository")]),
    localrule: True
    conda:
        "../envs/towers.yaml"
    params:
        repository=model_setting("repository"),
        revision=model_setting("revision"),
        mirror=CONFIG["mirror"],
    script:
        "../scripts/fetch_repository.py"


rule convert_laion_clap:
    input:
        checkpoint=file_of("checkpoint", ".pt"),
        tokenizer=file_of("tokenizer", ".tokenizer.json"),
        code=code("convert_laion_clap.py"),
    output:
        description="results/models/{model}/model.json",
        audio_tower="results/models/{model}/audio_tower.safetensors",
        text_tower="results/models/{model}/text_tower.safetensors",
        tokenizer="results/models/{model}/tokenizer.json",
    log:
        "logs/convert_laion_clap/{model}.log",
    wildcard_constraints:
        model=one_of(LAION_CLAP),
    cache: SHARED
    conda:
        "../envs/towers.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        audio_model=model_setting("audio_model"),
        cropping=model_setting("cropping"),
    script:
        "../scripts/convert_laion_clap.py"


rule convert_hf_clap:
    input:
        snapshot=lambda wildcards: MODELS[wildcards.model].get("snapshot")
        or f"{DATA_DIR}/repositories/{wildcards.model}",
        code=code("convert_hf_clap.py"),
    output:
        description="results/models/{model}/model.json",
        audio_tower="results/models/{model}/audio_tower.safetensors",
        text_tower="results/models/{model}/text_tower.safetensors",
        tokenizer="results/models/{model}/tokenizer.json",
    log:
        "logs/convert_hf_clap/{model}.log",
    wildcard_constraints:
        model=one_of(HF_CLAP),
    cache: SHARED
    conda:
        "../envs/towers.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        cropping=model_setting("cropping"),
    script:
        "../scripts/convert_hf_clap.py"


rule convert_muscall:
    input:
        checkpoint=file_of("checkpoint", ".pt"),
        tokenizer=file_of("tokenizer", ".tokenizer.json"),
        code=code("convert_muscall.py"),
    output:
        description="results/models/{model}/model.json",
        audio_tower="results/models/{model}/audio_tower.safetensors",
        text_tower="results/models/{model}/text_tower.safetensors",
        tokenizer="results/models/{model}/tokenizer.json",
    log:
        "logs/convert_muscall/{model}.log",
    wildcard_constraints:
        model=one_of(MUSCALL_CHECKPOINTS),
    cache: SHARED
    conda:
        "../envs/towers.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        sizes=model_setting("sizes"),
    script:
        "../scripts/convert_muscall.py"


rule train_muscall:
    input:
        captions=lambda wildcards: "results/manifests/{}.parquet".format(
            model_setting("train", "dataset")(wildcards)
        ),
        tokenizer=own_tokenizer,
        code=lambda wildcards: code(
            "train_muscall.py", *caption_modules(wildcards.model)
        ),
    output:
        description="results/models/{model}/model.json",
        audio_tower="results/models/{model}/audio_tower.safetensors",
        text_tower="results/models/{model}/text_tower.safetensors",
        tokenizer="results/models/{model}/tokenizer.json",
        curves="results/models/{model}/training.csv",
    log:
        "logs/train_muscall/{model}.log",
    wildcard_constraints:
        model=one_of(TRAINED),
    cache: SHARED
    conda:
        "../envs/towers.yaml"
    threads: lambda wildcards: model_setting("train", "threads")(wildcards)
    resources:
        gpu=GPU,
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        sizes=model_setting("sizes"),
        training=lambda wildcards: {
            key: value
            for key, value in model_setting("train")(wildcards).items()
            if key not in {"dataset", "threads"}
        },
        device=CONFIG["embedding"]["device"],
        checkpoint_dir=lambda wildcards: f"{DATA_DIR}/checkpoints/{wildcards.model}",
    script:
        "../scripts/train_muscall.py"


rule prepare_own:
    input:
        code=lambda wildcards: code("prepare_own.py", *family_modules(wildcards.model)),
    output:
        "results/models/{model}/model.json",
    log:
        "logs/prepare_own/{model}.log",
    wildcard_constraints:
        model=one_of(OWN),
    conda:
        "../envs/towers.yaml"
    params:
        family=model_setting("family"),
        options=model_setting("options"),
    script:
        "../scripts/prepare_own.py"


rule fetch_released:
    input:
        listing=LISTING,
        code=code("fetch_released.py"),
    output:
        folder=directory(f"{DATA_DIR}/released/{{model}}"),
        description="results/models/{model}/model.json",
    log:
        "logs/fetch_released/{model}.log",
    wildcard_constraints:
        model=one_of(RELEASED),
    localrule: True
    conda:
        "../envs/towers.yaml"
    params:
        system=model_setting("released_system"),
        base_url=CONFIG["released"]["url"],
        mirror=CONFIG["mirror"],
        retries=CONFIG["released"]["retries"],
    script:
        "../scripts/fetch_released.py"


rule check_model:
    input:
        unpack(lambda wildcards: tower_files(wildcards.model, "audio", "text")),
        known_answers=known_answers,
        code=lambda wildcards: code("check_model.py", *family_modules(wildcards.model)),
    output:
        "results/models/{model}/health.json",
    log:
        "logs/check_model/{model}.log",
    wildcard_constraints:
        model=one_of(WITH_TOWERS),
    conda:
        "../envs/towers.yaml"
    resources:
        gpu=GPU_NAMED,
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        device=CONFIG["embedding"]["device"],
        precision=CONFIG["embedding"]["precision"],
        limits=CONFIG["health"],
    script:
        "../scripts/check_model.py"


# Asked for by name: snakemake results/models/music_clap/verification.json
rule verify_model:
    input:
        unpack(lambda wildcards: tower_files(wildcards.model, "audio", "text")),
        checkpoint=file_of("checkpoint", ".pt"),
        code=lambda wildcards: code("verify_model.py", *family_modules(wildcards.model)),
    output:
        "results/models/{model}/verification.json",
    log:
        "logs/verify_model/{model}.log",
    wildcard_constraints:
        model=one_of(LAION_CLAP),
    conda:
        "../envs/towers.yaml"
    threads: workflow.cores
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    script:
        "../scripts/verify_model.py"
