# What figures and the page read.

CAPTIONS = "../listenread/report/captions"
TEMPLATES = sorted((PACKAGE / "report" / "templates").iterdir())
PLACES = {
    "prompt": ("dataset", "model", "prompt"),
    "model": ("dataset", "model"),
    "dataset": ("dataset",),
}


def figure(one, per):
    """A figure's three files, the svg first, for Snakemake's own report too."""
    places = PLACES[per]
    path = Path(layout.FIGURES, one.name, *(f"{{{name}}}" for name in places))
    shown = report(
        f"{path}.svg",
        caption=f"{CAPTIONS}/figure.rst",
        category=one.name.replace("_", " "),
        labels={name: f"{{{name}}}" for name in places},
    )
    return [shown, f"{path}.pdf", f"{path}.csv"]


def figure_inputs(task, figures, per):
    """A function for `input`: what some figures of a task read."""

    def files(wildcards):
        names = dict(wildcards.items())
        reads = {what for one in figures for what in one.reads}
        found = {
            what: layout.READ[what].format(**names)
            for what in sorted(reads - {"metrics"})
        }
        if task.per != "ontology":
            found["manifest"] = layout.MANIFEST.format(**names)
        if "metrics" in reads:
            found["metrics"] = LAYOUT.drawn_metrics(task, per, names)
        return found

    return files


def clip_code(wildcards):
    """The code that makes compact copies, and what degrades the clips of the dataset."""
    dataset = DATASETS[wildcards.dataset]
    return code("encode_clips.py", *dataset.kind.code(dataset.settings))


def model_files(name, models=WITH_TOWERS):
    """The files of this name of the experiment's models, of those that have one."""
    return [
        f"{layout.MODEL}/{name}".format(model=model)
        for model in EXPERIMENT.models
        if model in models
    ]
