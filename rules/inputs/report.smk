# What the report draws and states.

FIGURES = "results/experiments/{experiment}/figures"
CAPTIONS = "../listenread/report/captions"
TEMPLATES = sorted((PROJECT / "listenread" / "report" / "templates").iterdir())


def figure(kind, place):
    """A figure's three files, the svg first, for Snakemake's own report too."""
    path = f"{FIGURES}/{kind}/{place}"
    shown = report(
        f"{path}.svg",
        caption=f"{CAPTIONS}/{kind}.rst",
        category=kind.replace("_", " "),
        labels={
            part: f"{{{part}}}"
            for part in ("dataset", "model", "prompt")
            if part in place
        },
    )
    return [shown, f"{path}.pdf", f"{path}.csv"]


def drawn_prompts(dataset):
    """The first prompts that a dataset is asked: those that figures are drawn for."""
    return configuration.prompts_for(CONFIG, dataset)[
        : CONFIG["report"]["figure_prompts"]
    ]


def figure_files(wildcards):
    """Every figure of the experiment, as svg; pdf and csv lie beside it."""
    stems = []
    for dataset in EXPERIMENT["datasets"]:
        systems = [f"{dataset}/{model}" for model in EXPERIMENT["models"]]
        if "audio_only" in EXPERIMENT["tasks"]:
            stems += [f"audio_similarity/{system}" for system in systems]
        if "triplets" in EXPERIMENT["tasks"]:
            stems += [f"depth/{system}" for system in systems]
        if "zero_shot" in EXPERIMENT["tasks"]:
            stems.append(f"prompts/{dataset}")
            stems += [
                f"{kind}/{system}/{prompt}"
                for kind in ("similarity", "confusion", "confidence", "map")
                for system in systems
                for prompt in drawn_prompts(dataset)
            ]
    if "ontology_triplets" in EXPERIMENT["tasks"]:
        stems += [f"depth/{ONTOLOGY_NAME}/{model}" for model in EXPERIMENT["models"]]
    folder = FIGURES.format(experiment=wildcards.experiment)
    return [f"{folder}/{stem}.svg" for stem in stems]


def zero_shot_metrics(wildcards):
    """Zero-shot of a dataset's systems and prompts, in the experiment's order."""
    return expand(
        f"{METRICS}/zero_shot/{{prompt}}.parquet",
        dataset=wildcards.dataset,
        model=EXPERIMENT["models"],
        prompt=configuration.prompts_for(CONFIG, wildcards.dataset),
    )


def triplet_metrics(wildcards):
    """Triplets of a system for the prompts that figures are drawn for."""
    dataset, most = wildcards.dataset, CONFIG["report"]["figure_prompts"]
    if dataset in CONFIG["datasets"]:
        template, asked = f"{METRICS}/triplets/{{prompt}}.parquet", drawn_prompts(
            dataset
        )
    else:
        template = f"{ONTOLOGY_METRICS}/{{prompt}}.parquet"
        asked = configuration.prompts_for_ontology(CONFIG)[:most]
    cell = {"model": wildcards.model, "dataset": dataset, "ontology_name": dataset}
    return [template.format(**cell, prompt=prompt) for prompt in asked]


def drawn_scores(wildcards):
    """Scores of the prompts that figures are drawn for."""
    return [
        f"results/scores/{dataset}/{model}/{prompt}.parquet"
        for dataset in EXPERIMENT["datasets"]
        for model in EXPERIMENT["models"]
        for prompt in drawn_prompts(dataset)
        if "zero_shot" in EXPERIMENT["tasks"]
    ]


def quoted_texts(wildcards):
    """Text vectors that the page quotes prompts from: those of the first dataset that is asked."""
    first = {}
    for dataset in EXPERIMENT["datasets"] if "zero_shot" in EXPERIMENT["tasks"] else []:
        for prompt in configuration.prompts_for(CONFIG, dataset):
            first.setdefault(prompt, dataset)
    return [
        f"results/embeddings/text/{dataset}/{model}/{prompt}.parquet"
        for prompt, dataset in first.items()
        for model in EXPERIMENT["models"]
    ]


def model_files(name):
    """The files of this name of the experiment's models that have towers."""
    towers = [model for model in EXPERIMENT["models"] if model in WITH_TOWERS]
    return [f"results/models/{model}/{name}" for model in towers]


def stated_configuration(wildcards):
    """What the page states, and what reproduces it: all that the numbers depend on."""
    constants = ("experiment", "embedding", "metrics", "health", "ontology", "report")
    stated = {key: CONFIG[key] for key in (*constants, "released", "prompt_pairs")}
    behind = {
        "datasets": [
            *(
                CONFIG["datasets"][name].get("dataset")
                for name in EXPERIMENT["datasets"]
            ),
            *(
                MODELS[name].get("train", {}).get("dataset")
                for name in EXPERIMENT["models"]
            ),
        ]
    }
    for catalogue in ("datasets", "models", "prompts"):
        names = [*EXPERIMENT[catalogue], *filter(None, behind.get(catalogue, []))]
        stated[catalogue] = {name: CONFIG[catalogue][name] for name in names}
    return stated
