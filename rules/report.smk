# Figures, compact clips, the page, checksums. In: scores, vectors, the tidy table. Out, in the
# experiment's folder:
#   figures/{name}/{dataset}[/{model}[/{prompt}]].svg, .pdf, and .csv with what is drawn
#   clips/{dataset}.parquet      compact copies of clips, to be heard from the page
#   tables/{task}.tex and .csv   what the page shows, for papers and spreadsheets
#   model_index/{model}.json     results in the shape of a model card's model-index
#   report.html
#   checksums.sha256             checked by `make verify` or `sha256sum -c`
# The page and the health reports are not listed there: they hold times and the machine they were made on.


include: "inputs/report.smk"


for chosen in TASKS.values():
    task = chosen.task
    for per, places in PLACES.items():
        figures = [one for one in task.figures if one.per == per]
        if not figures:
            continue
        rule_name = f"draw_{task.name}_{per}"
        # What draws, not what measures: a metric's code changes no histogram of vectors.
        behind = code(
            "draw.py",
            *(entries.module_of(one.draw) for one in figures),
            *(entries.module_of(one.settings) for one in figures),
        )

        rule:
            name:
                rule_name
            input:
                unpack(figure_inputs(task, figures, per)),
                code=behind,
            output:
                **{one.name: figure(one, per) for one in figures},
            log:
                log_of(rule_name, "experiment", *places),
            benchmark:
                times_of(rule_name, "experiment", *places)
            wildcard_constraints:
                # Triplets of a dataset and those of the ontology are drawn into one folder.
                dataset=one_of(
                    [LAYOUT.ontology_name] if task.per == "ontology" else DATASETS
                ),
            # The page waits for a figure of a whole dataset.
            priority: 2 if per == "dataset" else 0
            conda:
                TABLES_ENV
            params:
                contents=contents_of(behind),
                task=chosen.reference,
                per=per,
                draws=[one.draw for one in figures],
                settings={one.name: LAYOUT.settings(one, chosen) for one in figures},
            script:
                "../scripts/draw.py"


rule encode_clips:
    input:
        manifest=layout.MANIFEST,
        code=clip_code,
    output:
        f"{layout.EXPERIMENT}/clips/{{dataset}}.parquet",
    log:
        log_of("encode_clips", "experiment", "dataset"),
    benchmark:
        times_of("encode_clips", "experiment", "dataset")
    conda:
        TABLES_ENV
    params:
        contents=contents_of(clip_code),
        megabytes=CONSTANTS.report.clip_megabytes / len(EXPERIMENT.datasets),
        seconds=CONSTANTS.report.clip_seconds,
        sample_rate=CONSTANTS.report.clip_sample_rate,
        compression=CONSTANTS.report.clip_compression,
    script:
        "../scripts/encode_clips.py"


REPORT_CODE = code("write_report.py", *map(CONFIG.module_of_task, TASKS)) + [
    os.path.relpath(path) for path in TEMPLATES
]
TABLES = [
    table for chosen in TASKS.values() for table in LAYOUT.table_names(chosen.task)
]


rule write_report:
    input:
        metrics=f"{layout.EXPERIMENT}/metrics.parquet",
        per_class=f"{layout.EXPERIMENT}/per_class.parquet",
        manifests=[layout.MANIFEST.format(dataset=name) for name in EXPERIMENT.datasets],
        models=model_files("model.json"),
        health=model_files("health.json"),
        paper=f"{layout.EXPERIMENT}/paper_comparison.csv",
        audio=LAYOUT.heard(),
        texts=LAYOUT.quoted(),
        scores=[
            layout.SCORES.format(dataset=dataset, model=model, prompt=prompt)
            for dataset, model, prompt in LAYOUT.decided()
        ],
        figures=[
            f"{layout.FIGURES}/{one.stem}.svg".format(experiment=EXPERIMENT.name)
            for one in LAYOUT.figures()
        ],
        clips=[
            f"{layout.EXPERIMENT}/clips/{name}.parquet".format(
                experiment=EXPERIMENT.name
            )
            for name in EXPERIMENT.datasets
        ],
        code=REPORT_CODE,
    output:
        html=report(
            f"{layout.EXPERIMENT}/report.html",
            caption=f"{CAPTIONS}/report.rst",
            category="report",
        ),
        tables=report(
            expand(
                f"{layout.EXPERIMENT}/tables/{{task}}.{{suffix}}",
                task=TABLES,
                suffix=["csv", "tex"],
                allow_missing=True,
            ),
            caption=f"{CAPTIONS}/table.rst",
            category="tables",
        ),
        model_index=expand(
            f"{layout.EXPERIMENT}/model_index/{{model}}.json",
            model=EXPERIMENT.models,
            allow_missing=True,
        ),
    log:
        log_of("write_report", "experiment"),
    benchmark:
        times_of("write_report", "experiment")
    conda:
        TABLES_ENV
    params:
        contents=contents_of(REPORT_CODE),
        tasks={one.reference: one.settings.plain() for one in TASKS.values()},
        title=EXPERIMENT.title,
        prompts=EXPERIMENT.prompts,
        confidence_level=CONSTANTS.metrics.confidence_level,
        equivalence_margin=CONSTANTS.metrics.equivalence_margin,
        replicates=CONSTANTS.metrics.replicates,
        configuration=CONFIG.stated(),
        embed_megabytes=CONSTANTS.report.embed_megabytes,
        figures=[
            [one.figure.name, one.dataset, one.model, one.prompt]
            for one in LAYOUT.figures()
        ],
        decided=LAYOUT.decided(),
        left_out=CONFIG.left_out(),
        licences=CONFIG.licences(),
        known=LAYOUT.known_names(),
    script:
        "../scripts/write_report.py"


rule write_checksums:
    input:
        files=LAYOUT.listed_files(),
        lists=model_files("checksums.sha256"),
        code=code("write_checksums.py"),
    output:
        f"{layout.EXPERIMENT}/checksums.sha256",
    log:
        log_of("write_checksums", "experiment"),
    benchmark:
        times_of("write_checksums", "experiment")
    conda:
        TABLES_ENV
    params:
        contents=contents_of(code("write_checksums.py")),
    script:
        "../scripts/write_checksums.py"
