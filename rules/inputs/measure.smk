# What tasks read.


def cell_inputs(task):
    """A function for `input`: what a task reads in one of its cells."""

    def files(wildcards):
        names = dict(wildcards.items())
        if task.per == "experiment":
            return {
                what: [layout.READ[what].format(**cell) for cell in cells]
                for what, cells in LAYOUT.part_keys(task).items()
            }
        found = {}
        if task.per != "ontology":
            found["manifest"] = layout.MANIFEST.format(**names)
        for what in task.reads:
            if what == "ontology":
                found[what] = ONTOLOGY
            elif task.per == "pair" and what in ("scores", "text"):
                found[what] = layout.READ[what].format(**names)
                others = {**names, "prompt": names["reference"]}
                found[f"reference_{what}"] = layout.READ[what].format(**others)
            else:
                found[what] = layout.READ[what].format(**names)
        return found

    return files


def label_names(wildcards):
    """Label -> its words in every spelling; nothing for a task of the ontology."""
    dataset = dict(wildcards.items()).get("dataset")
    return DATASETS[dataset].names if dataset else {}
