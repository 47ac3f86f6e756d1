# Similarities and metrics. In: vectors, manifests, an ontology. Out:
#   results/scores/{dataset}/{model}/{prompt}.parquet
#   results/metrics/{dataset}/{model}/{task}.parquet                 tasks per model
#   results/metrics/{dataset}/{model}/{task}/{prompt}.parquet        tasks per prompt
#   results/metrics/{dataset}/{model}/{task}/{prompt}/{reference}.parquet   per pair of prompts
#   results/metrics/{dataset}/{model}/{task}_per_class/...           one class, or anchor, at a time
#   results/metrics/{task}/{ontology_name}/{model}/{prompt}.parquet  tasks of the whole ontology
#   results/experiments/{experiment}/metrics.parquet and .csv        all of an experiment, together
#   results/experiments/{experiment}/per_class.parquet and .csv      its classes and anchors
#   results/experiments/{experiment}/paper_comparison.csv            with the published numbers


include: "inputs/measure.smk"


rule score_prompt:
    input:
        audio=layout.AUDIO,
        text=layout.TEXT,
        code=code("score_prompt.py"),
    output:
        layout.SCORES,
    log:
        log_of("score_prompt", "dataset", "model", "prompt"),
    benchmark:
        times_of("score_prompt", "dataset", "model", "prompt")
    conda:
        TABLES_ENV
    params:
        contents=contents_of(code("score_prompt.py")),
    script:
        "../scripts/score_prompt.py"


for chosen in TASKS.values():
    task = chosen.task
    names = re.findall(r"\{(\w+)\}", layout.metrics_path(task))
    behind = code(
        "measure.py",
        CONFIG.module_of_task(task.name),
        *CONFIG.metric_modules(task.name),
    )

    rule:
        name:
            f"measure_{task.name}"
        input:
            unpack(cell_inputs(task)),
            code=behind,
        output:
            **({"per_class": layout.per_class_path(task)} if task.per_class else {}),
            tidy=layout.metrics_path(task),
        log:
            log_of(f"measure_{task.name}", *names),
        benchmark:
            times_of(f"measure_{task.name}", *names)
        priority: task.priority
        conda:
            TABLES_ENV
        resources:
            mem_mb=growing(task.megabytes),
            runtime=growing(task.minutes),
        params:
            contents=contents_of(cell_inputs(task), behind),
            task=chosen.reference,
            settings=chosen.settings.plain(),
            resampling=RESAMPLING,
            names=label_names if "ontology" in task.reads else {},
            ontology=(
                {"column": CONSTANTS.ontology.column, "root": CONSTANTS.ontology.root}
                if "ontology" in task.reads
                else {}
            ),
            parts=LAYOUT.part_keys(task),
        script:
            "../scripts/measure.py"


rule gather_metrics:
    input:
        metrics=LAYOUT.metric_files(),
        per_class=LAYOUT.per_class_files(),
        code=code("gather_metrics.py"),
    output:
        parquet=f"{layout.EXPERIMENT}/metrics.parquet",
        csv=f"{layout.EXPERIMENT}/metrics.csv",
        per_class_parquet=f"{layout.EXPERIMENT}/per_class.parquet",
        per_class_csv=f"{layout.EXPERIMENT}/per_class.csv",
    log:
        log_of("gather_metrics", "experiment"),
    benchmark:
        times_of("gather_metrics", "experiment")
    conda:
        TABLES_ENV
    params:
        contents=contents_of(code("gather_metrics.py")),
    script:
        "../scripts/gather_metrics.py"


rule compare_with_paper:
    input:
        metrics=f"{layout.EXPERIMENT}/metrics.parquet",
        published=PUBLISHED,
        code=code("compare_with_paper.py"),
    output:
        f"{layout.EXPERIMENT}/paper_comparison.csv",
    log:
        log_of("compare_with_paper", "experiment"),
    benchmark:
        times_of("compare_with_paper", "experiment")
    conda:
        TABLES_ENV
    params:
        contents=contents_of(PUBLISHED, code("compare_with_paper.py")),
        systems={
            name: MODELS[name].settings.system
            for name in EXPERIMENT.models
            if MODELS[name].settings.system
        },
        datasets=[
            name for name in EXPERIMENT.datasets if DATASETS[name].kind.of_the_paper
        ],
    script:
        "../scripts/compare_with_paper.py"
