# Datasets. In: downloads, a SoundFont, or folders of one's own. Out:
#   {data_dir}/{dataset}/            audio and metadata of datasets that are fetched or rendered
#   results/manifests/{dataset}.parquet


include: "inputs/data.smk"


rule fetch_metadata:
    input:
        code=code("fetch_metadata.py"),
    output:
        f"{DATA_DIR}/{{dataset}}/metadata.csv",
    log:
        "logs/fetch_metadata/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(TINYSOL + RELEASED_TINYSOL),
    localrule: True
    conda:
        "../envs/towers.yaml"
    params:
        file=setting("metadata"),
        mirror=CONFIG["mirror"],
    script:
        "../scripts/fetch_metadata.py"


rule fetch_tinysol:
    input:
        code=code("fetch_tinysol.py"),
    output:
        directory(f"{DATA_DIR}/{{dataset}}/audio"),
    log:
        "logs/fetch_tinysol/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(TINYSOL),
    localrule: True
    conda:
        "../envs/towers.yaml"
    params:
        file=setting("archive"),
        max_bytes=setting("max_extracted_bytes"),
        downloads=f"{DATA_DIR}/downloads",
        mirror=CONFIG["mirror"],
    script:
        "../scripts/fetch_tinysol.py"


rule fetch_magnatagatune:
    input:
        code=code("fetch_magnatagatune.py"),
    output:
        directory(f"{DATA_DIR}/{{dataset}}/audio"),
    log:
        "logs/fetch_magnatagatune/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(MAGNATAGATUNE),
    localrule: True
    conda:
        "../envs/towers.yaml"
    params:
        parts=setting("parts"),
        max_bytes=setting("max_extracted_bytes"),
        downloads=f"{DATA_DIR}/downloads",
        mirror=CONFIG["mirror"],
    script:
        "../scripts/fetch_magnatagatune.py"


rule fetch_captions:
    input:
        code=code("fetch_captions.py"),
    output:
        directory(f"{DATA_DIR}/{{dataset}}/captions"),
    log:
        "logs/fetch_captions/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(MAGNATAGATUNE),
    localrule: True
    conda:
        "../envs/towers.yaml"
    params:
        repository=setting("captions", "repository"),
        revision=setting("captions", "revision"),
        mirror=CONFIG["mirror"],
    script:
        "../scripts/fetch_captions.py"


rule fetch_ground_truth:
    input:
        listing=str(PACKAGE / "resources" / "released_files.csv"),
        code=code("fetch_ground_truth.py"),
    output:
        f"{DATA_DIR}/released/tinysol_groundtruth_reordered.csv",
    log:
        "logs/fetch_ground_truth.log",
    localrule: True
    conda:
        "../envs/towers.yaml"
    params:
        path="tinysol_groundtruth_reordered.csv",
        base_url=CONFIG["released"]["url"],
        mirror=CONFIG["mirror"],
        retries=CONFIG["released"]["retries"],
    script:
        "../scripts/fetch_ground_truth.py"


rule render_gm_notes:
    input:
        code=code("render_gm_notes.py"),
    output:
        audio=directory(f"{DATA_DIR}/{{dataset}}/audio"),
        metadata=f"{DATA_DIR}/{{dataset}}/metadata.csv",
    log:
        "logs/render_gm_notes/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(named("datasets", loader=["gm_notes"])),
    conda:
        "../envs/towers.yaml"
    threads: workflow.cores
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        soundfont=setting("soundfont", "path"),
        sha256=setting("soundfont", "sha256"),
        midi_note_step=setting("midi_note_step"),
        midi_note_offset=setting("midi_note_offset"),
        velocities=setting("velocities"),
        seconds=setting("seconds"),
        release_seconds=setting("release_seconds"),
        gain_db=setting("gain_db"),
        silence_dbfs=setting("silence_dbfs"),
        folds=setting("folds"),
    script:
        "../scripts/render_gm_notes.py"


rule render_gm_captions:
    input:
        code=code("render_gm_captions.py"),
    output:
        audio=directory(f"{DATA_DIR}/{{dataset}}/audio"),
        metadata=f"{DATA_DIR}/{{dataset}}/metadata.csv",
    log:
        "logs/render_gm_captions/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(named("datasets", loader=["gm_captions"])),
    conda:
        "../envs/towers.yaml"
    threads: workflow.cores
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        soundfont=setting("soundfont", "path"),
        sha256=setting("soundfont", "sha256"),
        midi_note_step=setting("midi_note_step"),
        midi_note_offset=setting("midi_note_offset"),
        velocities=setting("velocities"),
        evaluated_velocities=setting("evaluated_velocities"),
        notes_per_program=setting("notes_per_program"),
        seconds=setting("seconds"),
        release_seconds=setting("release_seconds"),
        sample_rate=setting("sample_rate"),
        gain_db=setting("gain_db"),
        silence_dbfs=setting("silence_dbfs"),
        seed=setting("seed"),
    script:
        "../scripts/render_gm_captions.py"


rule build_manifest:
    input:
        unpack(dataset_files),
        code=lambda wildcards: code(
            "build_manifest.py",
            f"listenread.datasets.{CONFIG['datasets'][wildcards.dataset]['loader']}",
        ),
    output:
        "results/manifests/{dataset}.parquet",
    log:
        "logs/build_manifest/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(set(CONFIG["datasets"]) - {*RELEASED_TINYSOL, *RELABELLED}),
    conda:
        "../envs/towers.yaml"
    threads: workflow.cores
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        loader=setting("loader"),
        options=lambda wildcards: {
            key: CONFIG["datasets"][wildcards.dataset][key]
            for key in ("official",)
            if key in CONFIG["datasets"][wildcards.dataset]
        },
        root=lambda wildcards: dataset_root(wildcards.dataset),
        metadata=lambda wildcards: dataset_metadata(wildcards.dataset),
        vocabulary=lambda wildcards: list(
            CONFIG["datasets"][wildcards.dataset].get("vocabulary") or []
        ),
        on_bad_audio=setting("on_bad_audio"),
        limits=setting("audio_limits"),
    script:
        "../scripts/build_manifest.py"


rule build_released_manifest:
    input:
        ground_truth=f"{DATA_DIR}/released/tinysol_groundtruth_reordered.csv",
        metadata=f"{DATA_DIR}/{{dataset}}/metadata.csv",
        listing=str(PACKAGE / "resources" / "released_files.csv"),
        code=code("build_released_manifest.py"),
    output:
        "results/manifests/{dataset}.parquet",
    log:
        "logs/build_released_manifest/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(RELEASED_TINYSOL),
    conda:
        "../envs/towers.yaml"
    params:
        vocabulary=lambda wildcards: list(
            CONFIG["datasets"][wildcards.dataset]["vocabulary"]
        ),
    script:
        "../scripts/build_released_manifest.py"


rule relabel_manifest:
    input:
        manifest=lambda wildcards: "results/manifests/{}.parquet".format(
            CONFIG["datasets"][wildcards.dataset]["dataset"]
        ),
        code=code("relabel_manifest.py"),
    output:
        "results/manifests/{dataset}.parquet",
    log:
        "logs/relabel_manifest/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(RELABELLED),
    conda:
        "../envs/tables.yaml"
    params:
        column=setting("column"),
        vocabulary=lambda wildcards: list(
            CONFIG["datasets"][wildcards.dataset]["vocabulary"]
        ),
    script:
        "../scripts/relabel_manifest.py"
