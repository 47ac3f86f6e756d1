"""Where the files of the workflow are, and which of them an experiment has."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from listenread.figures.base import Figure, figure_path
from listenread.tasks.base import Task
from listenread.workflow.config import ChosenTask, Configuration

MANIFEST = "results/manifests/{dataset}.parquet"
AUDIO = "results/embeddings/audio/{dataset}/{model}.parquet"
SHARD = "results/embeddings/audio/{dataset}/{model}.shards/{shard}.parquet"
TEXT = "results/embeddings/text/{dataset}/{model}/{prompt}.parquet"
ONTOLOGY_TEXT = "results/embeddings/ontology/{ontology_name}/{model}/{prompt}.parquet"
SCORES = "results/scores/{dataset}/{model}/{prompt}.parquet"
MODEL = "results/models/{model}"
EXPERIMENT = "results/experiments/{experiment}"
FIGURES = EXPERIMENT + "/figures"
#: The files of a figure.
DRAWN_AS = ("svg", "pdf", "csv")

#: How the paths of all that the workflow makes of its material begin.
MADE = tuple(
    f"results/{folder}/"
    for folder in ("manifests", "embeddings", "scores", "metrics", "models", "experiments")
)

#: What a task can read -> its file, for a task that runs on a dataset.
READ = {
    "manifest": MANIFEST,
    "scores": SCORES,
    "audio": AUDIO,
    "text": TEXT,
    "ontology_text": ONTOLOGY_TEXT,
}
#: Wildcards of the tables of a task, by what it runs for.
_CELLS = {
    "model": "results/metrics/{{dataset}}/{{model}}/{task}.parquet",
    "prompt": "results/metrics/{{dataset}}/{{model}}/{task}/{{prompt}}.parquet",
    "pair": "results/metrics/{{dataset}}/{{model}}/{task}/{{prompt}}/{{reference}}.parquet",
    "ontology": "results/metrics/{task}/{{ontology_name}}/{{model}}/{{prompt}}.parquet",
    "experiment": "results/experiments/{{experiment}}/tasks/{task}.parquet",
}
_PER_CLASS = {
    **_CELLS,
    "ontology": _CELLS["ontology"].replace("{{prompt}}", "per_class/{{prompt}}"),
}


def metrics_path(task: Task) -> str:
    """Path of the tidy table of a task, with the wildcards of its cells."""
    return _CELLS[task.per].format(task=task.name)


def per_class_path(task: Task) -> str:
    """Path of the table of classes or anchors of a task, with wildcards."""
    name = task.name if task.per == "ontology" else f"{task.name}_per_class"
    return _PER_CLASS[task.per].format(task=name)


def under_former_names(tasks: Iterable[Task], folder: Path = Path()) -> list[str]:
    """Say which tables belong to former names of some tasks; they stay, and are not read.

    Args:
        tasks: to look for.
        folder: that holds ``results/``.
    """
    found = []
    for task in tasks:
        for former in task.renamed_from:
            renamed = replace(task, name=former)
            for path in (metrics_path(renamed), per_class_path(renamed)):
                pattern = re.sub(r"\{\w+\}", "*", path)
                if next(folder.glob(pattern), None) is not None:
                    found.append(
                        f"The task `{task.name}` was called `{former}`, whose results stay in "
                        f"{pattern}; nothing reads them now."
                    )
    return found


@dataclass(frozen=True)
class Drawn:
    """A figure of an experiment: what it is, of what, and its path below ``figures/``."""

    figure: Figure
    task: ChosenTask
    dataset: str
    model: str | None = None
    prompt: str | None = None

    @property
    def stem(self) -> str:
        """Its path below ``figures/``, without a suffix."""
        return figure_path(self.figure.name, self.dataset, self.model, self.prompt)


@dataclass(frozen=True)
class Layout:
    """The files of the experiment that a configuration describes."""

    config: Configuration

    @property
    def ontology_name(self) -> str:
        """How paths and tables call the ontology."""
        return Path(self.config.constants.ontology.file).stem

    def models_for(self, task: Task) -> list[str]:
        """Models of the experiment that have the towers that a task needs."""
        names = self.config.constants.experiment.models
        return [name for name in names if self.config.models[name].can(task)]

    def cells(self, task: Task) -> Iterator[dict[str, str]]:
        """Wildcard values of the cells of a task, in the order of the experiment."""
        experiment = self.config.constants.experiment
        if task.per == "experiment":
            yield {"experiment": experiment.name}
        elif task.per == "ontology":
            for model in self.models_for(task):
                for prompt in self.config.prompts_for_ontology():
                    yield {"ontology_name": self.ontology_name, "model": model, "prompt": prompt}
        else:
            for dataset in experiment.datasets:
                for model in self.models_for(task):
                    yield from self._cells_of(task, {"dataset": dataset, "model": model})

    def _cells_of(self, task: Task, cell: dict[str, str]) -> Iterator[dict[str, str]]:
        if task.per == "model":
            yield cell
        elif task.per == "prompt":
            yield from (
                cell | {"prompt": name} for name in self.config.prompts_for(cell["dataset"])
            )
        else:
            for prompt, reference in self.config.pairs_for(cell["dataset"]):
                yield cell | {"prompt": prompt, "reference": reference}

    def metric_files(self) -> list[str]:
        """Tidy tables of the experiment, in the order in which they are put together.

        Dataset by dataset and model by model, the tasks in their order; then tasks that run for the
        ontology or the whole experiment.
        """
        return [metrics_path(task).format(**cell) for task, cell in self._in_order()]

    def per_class_files(self) -> list[str]:
        """Tables of classes and anchors, in the same order."""
        return [
            per_class_path(task).format(**cell) for task, cell in self._in_order() if task.per_class
        ]

    def _in_order(self) -> Iterator[tuple[Task, dict[str, str]]]:
        experiment = self.config.constants.experiment
        tasks = [one.task for one in self.config.tasks.values()]
        for dataset in experiment.datasets:
            for model in experiment.models:
                for task in tasks:
                    if task.per in ("model", "prompt", "pair") and model in self.models_for(task):
                        cell = {"dataset": dataset, "model": model}
                        yield from ((task, one) for one in self._cells_of(task, cell))
        for task in tasks:
            if task.per in ("ontology", "experiment"):
                yield from ((task, cell) for cell in self.cells(task))

    def drawn_prompts(self, dataset: str) -> list[str]:
        """The first prompts that a dataset is asked: those that figures are drawn for."""
        most = self.config.constants.report.figure_prompts
        if dataset == self.ontology_name:
            return self.config.prompts_for_ontology()[:most]
        return self.config.prompts_for(dataset)[:most]

    def figures(self) -> list[Drawn]:
        """Every figure of the experiment, in the order of its tasks."""
        return [drawn for task in self.config.tasks.values() for drawn in self._figures_of(task)]

    def _figures_of(self, chosen: ChosenTask) -> Iterator[Drawn]:
        task, experiment = chosen.task, self.config.constants.experiment
        datasets = [self.ontology_name] if task.per == "ontology" else experiment.datasets
        for figure in task.figures:
            for dataset in datasets:
                if figure.per == "dataset":
                    yield Drawn(figure, chosen, dataset)
                    continue
                for model in self.models_for(task):
                    if figure.per == "model":
                        yield Drawn(figure, chosen, dataset, model)
                        continue
                    for prompt in self.drawn_prompts(dataset):
                        yield Drawn(figure, chosen, dataset, model, prompt)

    def drawn_metrics(self, task: Task, per: str, names: dict[str, str]) -> list[str]:
        """Tidy tables of a task that a figure of a dataset, or of one model of it, reads.

        A figure of a dataset reads those of all models and prompts; one of a model those of the
        prompts that figures are drawn for.
        """
        dataset = names["dataset"]
        prompts = set(self.drawn_prompts(dataset))
        found = []
        for cell in self.cells(task):
            here = cell.get("dataset", cell.get("ontology_name")) == dataset
            chosen = per == "dataset" or (
                cell.get("model") == names["model"] and cell.get("prompt", "") in {*prompts, ""}
            )
            if here and chosen:
                found.append(metrics_path(task).format(**cell))
        return found

    def table_names(self, task: Task) -> list[str]:
        """Names of the tables of a task that are written as files: its main one."""
        return [task.tables[0].name if task.tables else task.name]

    def parts(self, what: str) -> list[dict[str, str]]:
        """Cells of the whole experiment that have a manifest, scores, text or audio vectors."""
        experiment = self.config.constants.experiment
        if what == "manifest":
            return [{"dataset": dataset} for dataset in experiment.datasets]
        cells = [
            {"dataset": dataset, "model": model}
            for dataset in experiment.datasets
            for model in experiment.models
        ]
        if what == "audio":
            return cells
        return [
            cell | {"prompt": prompt}
            for cell in cells
            for prompt in self.config.prompts_for(cell["dataset"])
        ]

    def part_keys(self, task: Task) -> dict[str, list[dict[str, str]]]:
        """What a task per experiment reads -> the cells, in the order of the files."""
        if task.per != "experiment":
            return {}
        return {what: self.parts(what) for what in ("manifest", *task.reads) if what in READ}

    def quoted(self) -> list[str]:
        """Text vectors that the page quotes prompts from: of the first dataset that is asked."""
        first: dict[str, str] = {}
        if self.uses_scores():
            for dataset in self.config.constants.experiment.datasets:
                for prompt in self.config.prompts_for(dataset):
                    first.setdefault(prompt, dataset)
        return [
            TEXT.format(dataset=dataset, model=model, prompt=prompt)
            for prompt, dataset in first.items()
            for model in self.config.constants.experiment.models
            if self._reads(model)
        ]

    def heard(self) -> list[str]:
        """Audio vectors of the experiment's models that hear the clips for one of its tasks."""
        listening = [
            one.task
            for one in self.config.tasks.values()
            if {"audio", "scores"} & {*one.task.reads}
        ]
        return [
            AUDIO.format(**cell)
            for cell in self.parts("audio")
            if "audio" in (model := self.config.models[cell["model"]]).family.towers
            and any(model.can(task) for task in listening)
        ]

    def _reads(self, model: str) -> bool:
        family = self.config.models[model].family
        return family.vectors is not None or "text" in family.towers

    def listed_files(self) -> list[str]:
        """Manifests, vectors, similarities and metrics of the experiment, and its tables."""
        experiment = self.config.constants.experiment
        files = [MANIFEST.format(dataset=name) for name in experiment.datasets]
        for dataset in experiment.datasets:
            for model in experiment.models:
                family = self.config.models[model].family
                listens = family.vectors is not None or "audio" in family.towers
                names = {"dataset": dataset, "model": model}
                for prompt in self.config.prompts_for(dataset):
                    if listens:
                        files.append(AUDIO.format(**names))
                    if self._reads(model):
                        files.append(TEXT.format(prompt=prompt, **names))
                    if listens and self._reads(model):
                        files.append(SCORES.format(prompt=prompt, **names))
        folder = EXPERIMENT.format(experiment=experiment.name)
        names_of_tables = ("metrics.parquet", "metrics.csv", "paper_comparison.csv")
        return [
            *dict.fromkeys(files + self.metric_files()),
            *(f"{folder}/{name}" for name in names_of_tables),
        ]

    def shown_files(self) -> list[str]:
        """Figures, tables, clips and model indices of the experiment, which the page shows."""
        experiment = self.config.constants.experiment
        folder = EXPERIMENT.format(experiment=experiment.name)
        tasks = [one.task for one in self.config.tasks.values()]
        tables = [name for task in tasks for name in self.table_names(task)]
        return [
            *(f"{folder}/figures/{one.stem}.{end}" for one in self.figures() for end in DRAWN_AS),
            *(f"{folder}/tables/{name}.{end}" for name in tables for end in ("csv", "tex")),
            *(f"{folder}/clips/{name}.parquet" for name in experiment.datasets),
            *(f"{folder}/model_index/{name}.json" for name in experiment.models),
            *(
                metrics_path(task).format(experiment=experiment.name)
                for task in tasks
                if task.per == "experiment"
            ),
        ]

    def known_names(self) -> list[str]:
        """Names of datasets, models, prompts and so on that belong to the experiment.

        Those that it is made from are among them: what datasets are derived from, and what models
        are trained on.
        """
        experiment = self.config.constants.experiment
        names = [
            experiment.name,
            *experiment.datasets,
            *experiment.models,
            *experiment.prompts,
            self.ontology_name,
            *self.config.behind(),
        ]
        return list(dict.fromkeys(names))

    def uses_scores(self) -> bool:
        """Whether a task of the experiment reads scores for each prompt."""
        tasks = (one.task for one in self.config.tasks.values())
        return any(task.per == "prompt" and "scores" in task.reads for task in tasks)

    def decided(self) -> list[tuple[str, str, str]]:
        """Dataset, model and prompt of the scores that the page's viewer shows."""
        if not self.uses_scores():
            return []
        experiment = self.config.constants.experiment
        both = [
            name
            for name in experiment.models
            if self.config.models[name].family.vectors is not None
            or self.config.models[name].family.towers >= {"audio", "text"}
        ]
        return [
            (dataset, model, prompt)
            for dataset in experiment.datasets
            for model in both
            for prompt in self.drawn_prompts(dataset)
        ]

    def settings(self, figure: Figure, task: ChosenTask) -> dict[str, Any]:
        """Settings of a figure: constants of the sections `report` and `metrics` that it uses."""
        constants = self.config.constants
        known = {**constants.metrics.plain(), **constants.report.plain()}
        return {name: known[name] for name in figure.settings.model_fields if name in known}
