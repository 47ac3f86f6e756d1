# Figures and the page. In: scores, vectors, the tidy table. Out, in the experiment's folder:
#   figures/{kind}/{dataset}/{model}[/{prompt}].svg, .pdf, and .csv with what is drawn
#   tables/{audio_only,zero_shot}.tex and .csv
#   report.html

FIGURES = f"{EXPERIMENT_DIR}/figures"
FIGURE_PROMPTS = EXPERIMENT["prompts"][: CONFIG["report"]["figure_prompts"]]


def figure_files(wildcards=None):
    """Every figure of the experiment, as svg; pdf and csv lie beside it."""
    systems = {"dataset": EXPERIMENT["datasets"], "model": EXPERIMENT["models"]}
    files = []
    if "audio_only" in EXPERIMENT["tasks"]:
        files += expand(
            f"{FIGURES}/audio_similarity/{{dataset}}/{{model}}.svg", **systems
        )
    if "zero_shot" in EXPERIMENT["tasks"]:
        files += expand(
            f"{FIGURES}/{{kind}}/{{dataset}}/{{model}}/{{prompt}}.svg",
            kind=["similarity", "confusion"],
            prompt=FIGURE_PROMPTS,
            **systems,
        )
    return files


def quoted_texts(wildcards=None):
    """Text vectors of the first dataset: what the page quotes prompts from."""
    if "zero_shot" not in EXPERIMENT["tasks"]:
        return []
    return expand(
        f"results/embeddings/text/{EXPERIMENT['datasets'][0]}/{{model}}/{{prompt}}.parquet",
        model=EXPERIMENT["models"],
        prompt=EXPERIMENT["prompts"],
    )


def stated_configuration(wildcards=None):
    """What the page states: the experiment, its entries of the catalogues, and the constants."""
    stated = {
        key: CONFIG[key] for key in ("experiment", "embedding", "metrics", "report")
    }
    for catalogue in ("datasets", "models", "prompts"):
        stated[catalogue] = {
            name: CONFIG[catalogue][name] for name in EXPERIMENT[catalogue]
        }
    return stated


rule draw_prompt_figures:
    input:
        scores="results/scores/{dataset}/{model}/{prompt}.parquet",
        code=code("draw_prompt_figures.py"),
    output:
        similarity="results/experiments/{experiment}/figures/similarity/{dataset}/{model}/{prompt}.svg",
        confusion="results/experiments/{experiment}/figures/confusion/{dataset}/{model}/{prompt}.svg",
        rest=multiext(
            "results/experiments/{experiment}/figures/similarity/{dataset}/{model}/{prompt}",
            ".pdf",
            ".csv",
        )
        + multiext(
            "results/experiments/{experiment}/figures/confusion/{dataset}/{model}/{prompt}",
            ".pdf",
            ".csv",
        ),
    log:
        "logs/draw_prompt_figures/{experiment}/{dataset}/{model}/{prompt}.log",
    params:
        bins=CONFIG["report"]["histogram_bins"],
    script:
        "../scripts/draw_prompt_figures.py"


rule draw_audio_figures:
    input:
        embeddings="results/embeddings/audio/{dataset}/{model}.parquet",
        manifest="results/manifests/{dataset}.parquet",
        code=code("draw_audio_figures.py"),
    output:
        similarity="results/experiments/{experiment}/figures/audio_similarity/{dataset}/{model}.svg",
        rest=multiext(
            "results/experiments/{experiment}/figures/audio_similarity/{dataset}/{model}",
            ".pdf",
            ".csv",
        ),
    log:
        "logs/draw_audio_figures/{experiment}/{dataset}/{model}.log",
    params:
        bins=CONFIG["report"]["histogram_bins"],
    script:
        "../scripts/draw_audio_figures.py"


rule write_report:
    input:
        metrics="results/experiments/{experiment}/metrics.parquet",
        manifests=expand(
            "results/manifests/{dataset}.parquet", dataset=EXPERIMENT["datasets"]
        ),
        models=expand("results/models/{model}/model.json", model=EXPERIMENT["models"]),
        texts=quoted_texts,
        figures=figure_files,
        templates=sorted(
            os.path.relpath(path)
            for path in (PROJECT / "listenread/report/templates").iterdir()
        ),
        code=code("write_report.py"),
    output:
        html="results/experiments/{experiment}/report.html",
        tables=multiext(
            "results/experiments/{experiment}/tables/audio_only", ".tex", ".csv"
        )
        + multiext("results/experiments/{experiment}/tables/zero_shot", ".tex", ".csv"),
    log:
        "logs/write_report/{experiment}.log",
    params:
        title=EXPERIMENT["title"],
        prompts=EXPERIMENT["prompts"],
        confidence=CONFIG["metrics"]["confidence"],
        resamples=CONFIG["metrics"]["resamples"],
        configuration=stated_configuration,
    script:
        "../scripts/write_report.py"
