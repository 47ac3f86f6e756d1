"""Load everything that the page is written from."""

import base64
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from listenread.datasets.manifest import read_manifest
from listenread.datasets.notes import counted, note
from listenread.figures.base import figure_path
from listenread.files import tables
from listenread.files.tables import UNAVAILABLE
from listenread.metrics.base import Metric
from listenread.report.decisions import Decisions
from listenread.tasks.base import TASKS, Table, Task
from listenread.tasks.claims import Reading

#: Columns of a table of texts that the page needs.
_OF_TEXTS = ("label", "text", "variant", "tokens", "tokens_read")


@dataclass(frozen=True)
class Dataset:
    """A dataset as the page presents it.

    Attributes:
        name: in the configuration.
        classes: the labels in vocabulary order.
        clip_ids: of the n evaluated clips.
        labels: of each clip.
        links: path of each clip's file from the folder of the page; None where it does not exist.
        seconds: median duration of a clip; NaN where it is unknown.
        skipped: clips left out, each with `clip_id`, `path`, `reason`.
        notes: peculiarities that are not errors.
        made_by: the rest of its manifest's metadata.
        n_groups: how many groups of dependent clips there are; a clip of which that is not known is
            one of its own.
        groups: what makes clips dependent, in words.
    """

    name: str
    classes: list[str]
    clip_ids: list[str]
    labels: list[list[str]]
    links: list[str | None]
    seconds: float
    skipped: list[dict[str, str]]
    notes: list[str]
    made_by: dict[str, Any]
    n_groups: int = 0
    groups: str = ""

    @property
    def clips_of(self) -> dict[str, int]:
        """Label -> number of clips, in vocabulary order."""
        counts = Counter(name for labels in self.labels for name in labels)
        return {name: counts[name] for name in self.classes}


@dataclass(frozen=True)
class Model:
    """A model as the page presents it.

    Attributes:
        name: in the configuration.
        description: its ``model.json``; its entry in the configuration where it has none.
        health: its ``health.json``, or None where there is none.
        resampler: what its clips were resampled by; None where it hears none.
    """

    name: str
    description: dict[str, Any]
    health: dict[str, Any] | None = None
    resampler: str | None = None

    @property
    def failures(self) -> list[str]:
        """Checks of the health gate that failed, one sentence each."""
        return [] if self.health is None else self.health["failures"]


@dataclass(frozen=True)
class Prompt:
    """A prompt as the page presents it.

    Attributes:
        name: in the configuration.
        variants: number of its variants.
        example: its text for one class; None where no model read it.
        remarks: what towers do not read of it, and labels that they cannot tell apart, in
            sentences.
    """

    name: str
    variants: int
    example: str | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class FigureFile:
    """A figure and what it shows; the pdf and the csv are next to the svg."""

    name: str
    dataset: str
    model: str | None
    prompt: str | None
    svg: Path

    @property
    def key(self) -> str:
        """What identifies the figure, and its path from ``figures/`` without a suffix."""
        return figure_path(self.name, self.dataset, self.model, self.prompt)

    @property
    def is_drawn(self) -> bool:
        """Whether there was something to draw; otherwise the figure and its csv give the reason."""
        with self.svg.with_suffix(".csv").open(encoding="utf-8") as file:
            return file.readline().strip() != UNAVAILABLE


@dataclass(frozen=True)
class MeasuredTask:
    """A task of the experiment and the metrics that it was asked for.

    Attributes:
        task: the task.
        metrics: name -> metric, in the order of columns.
    """

    task: Task
    metrics: dict[str, Metric]

    @property
    def tables(self) -> list[Table]:
        """Its tables; one with all of its rows where it has none of its own."""
        keys = ("dataset", "protocol", "space", "model", "prompt")
        other = Table(self.task.name, keys, keys[:3], self.task.title)
        return list(self.task.tables) or [other]

    @property
    def row_tasks_of_results(self) -> list[str]:
        """Values of the column `task` that are results of a model, which a ranking may compare."""
        no_results = {
            name for table in self.task.tables if not table.ranked for name in table.row_tasks
        }
        return [name for name in self.task.all_row_tasks if name not in no_results]


def read_tasks(chosen: Mapping[str, Mapping[str, Any]]) -> list[MeasuredTask]:
    """Find the tasks of an experiment.

    Args:
        chosen: name, or ``package.module:NAME``, of each task -> its settings.
    """
    found = []
    for reference, settings in chosen.items():
        task = TASKS.find(reference)
        metrics = task.metrics(task.settings(**settings))
        found.append(MeasuredTask(task, {metric.name: metric for metric in metrics}))
    return found


@dataclass(frozen=True)
class Contents:
    """Everything that the page is written from.

    Attributes:
        experiment: its name.
        tasks: what it measured, in the order of the configuration.
        title: heading of the page.
        tidy: the tidy table of the experiment.
        per_class: the same with a `label`, for one class or one anchor of triplets at a time, of
            the prompts that figures are drawn for.
        unavailable: cells that are empty on purpose: dataset, model, task, prompt, why.
        datasets: in the experiment's order, as are `models`, `prompts` and `figures`.
        models: see `datasets`.
        heard: dataset -> notes on what its models do not hear.
        prompts: see `datasets`.
        figures: see `datasets`.
        left_out: model -> titles of the tasks that it lacks a tower for.
        licences: ``datasets`` and ``models`` -> name -> licence, as far as it is known.
        decisions: of the prompts that figures are drawn for.
        sounds: dataset -> clip_id -> compact copy as base64 of an MP3 file.
        paper: comparison with published numbers, one row each; empty where there is none.
        reading: level of the intervals, and what is called no difference.
        replicates: of the jackknife; 0 where there are no intervals.
    """

    experiment: str
    tasks: list[MeasuredTask]
    title: str
    tidy: pd.DataFrame
    per_class: pd.DataFrame
    unavailable: list[dict[str, Any]]
    datasets: list[Dataset]
    models: list[Model]
    heard: Mapping[str, Sequence[str]]
    prompts: list[Prompt]
    figures: list[FigureFile]
    left_out: Mapping[str, Sequence[str]]
    licences: Mapping[str, Mapping[str, str]]
    decisions: list[Decisions]
    sounds: dict[str, dict[str, str]]
    paper: pd.DataFrame
    reading: Reading
    replicates: int

    def figures_of(self, name: str, task: Task | None = None) -> list[FigureFile]:
        """Figures of one name that show something, in the order of the experiment.

        Args:
            name: of the figures.
            task: whose figures are wanted: two tasks may share a figure if one of them runs on the
                ontology, whose name then stands in place of a dataset's. None for both.
        """
        datasets = {dataset.name for dataset in self.datasets}
        return [
            figure
            for figure in self.figures
            if figure.name == name
            and (task is None or (figure.dataset in datasets) == (task.per != "ontology"))
            and figure.is_drawn
        ]

    def state(self, model: Model) -> str:
        """Say whether a model could be evaluated."""
        numbers = (self.tidy["model"] == model.name).any()
        if model.failures:
            accepted = ", but evaluated nevertheless" if numbers else ""
            return f"unhealthy{accepted}: {'; '.join(model.failures)}"
        holes = any(cell.get("model") == model.name for cell in self.unavailable)
        if numbers:
            return "evaluated in part" if holes else "evaluated"
        return "no number could be computed"

    @property
    def why_missing(self) -> list[dict[str, Any]]:
        """Cells without numbers, those of one dataset, model, task and reason put together."""
        together: dict[tuple, list[str]] = {}
        for cell in self.unavailable:
            key = tuple(cell.get(name) or "" for name in ("dataset", "model", "task", "why"))
            together.setdefault(key, []).append(cell.get("prompt") or "")
        return [
            {"dataset": dataset, "model": model, "task": task, "why": why, "prompts": prompts}
            for (dataset, model, task, why), prompts in together.items()
        ]


def read_dataset(path: str | Path, page_folder: str | Path) -> Dataset:
    """Read what the page says about a dataset from its manifest, which is named like it.

    Args:
        path: the manifest.
        page_folder: where links to the clips start.
    """
    manifest = read_manifest(path)
    said = ("vocabulary", "skipped", "notes", "groups")
    made_by = {name: fact for name, fact in tables.read(path).made_by.items() if name not in said}
    return Dataset(
        name=Path(path).stem,
        classes=manifest.vocabulary,
        clip_ids=manifest.table["clip_id"].to_pylist(),
        labels=manifest.table["labels"].to_pylist(),
        links=[_link(clip.path, page_folder) for clip in manifest.clips],
        seconds=float(manifest.table["duration_s"].to_pandas().median()),
        skipped=manifest.skipped,
        notes=manifest.notes,
        made_by=made_by,
        n_groups=len(set(manifest.group_numbers())),
        groups=manifest.groups,
    )


def _link(path: Path, folder: str | Path) -> str | None:
    return Path(os.path.relpath(path, folder)).as_posix() if path.is_file() else None


def read_models(
    paths: Iterable[str | Path],
    health_paths: Iterable[str | Path],
    catalogue: Mapping[str, dict[str, Any]],
) -> list[Model]:
    """Read what the page says about the models.

    Args:
        paths: ``{model}/model.json``, for those that have one.
        health_paths: ``{model}/health.json``, for those that have one.
        catalogue: all models, in the experiment's order, with their entries in the configuration.
    """
    descriptions, health = (
        {Path(path).parent.name: json.loads(Path(path).read_text("utf-8")) for path in files}
        for files in (paths, health_paths)
    )
    return [
        Model(name, descriptions.get(name, entry), health.get(name), entry.get("resampler"))
        for name, entry in catalogue.items()
    ]


def read_prompts(paths: Iterable[str | Path], names: Sequence[str]) -> list[Prompt]:
    """Find an example of each prompt in the texts that the models read.

    Args:
        paths: tables of text vectors, each named like its prompt; of several for one prompt,
            the first that is not empty is used.
        names: the prompts of the experiment.
    """
    found: dict[str, Prompt] = {}
    for path in map(Path, paths):
        name = path.stem
        texts = tables.read(path, ["label", "text"], only=_OF_TEXTS)
        if texts.unavailable is not None:
            continue
        known = found.get(name)
        if known is None:
            variants = 1
            if "variant" in texts.data.column_names:
                variants = len(set(texts.data["variant"].to_pylist()))
            known = Prompt(name, variants, texts.data["text"][0].as_py())
        said = _said_of_texts(texts, f"{path.parent.name} on {path.parent.parent.name}")
        found[name] = replace(known, remarks=(*known.remarks, *said))
    return [found.get(name, Prompt(name, 1, None)) for name in names]


def _said_of_texts(texts: tables.Table, whose: str) -> list[str]:
    """Say which labels a tower cannot tell apart, and which texts it does not read to their end."""
    said = []
    if "same_texts" in texts.made_by:
        said.append(f"For {whose} {texts.made_by['same_texts']}: none can be told from the others.")
    if "tokens" in texts.data.column_names:
        labels, tokens, read = (
            texts.data[name].to_pylist() for name in ("label", "tokens", "tokens_read")
        )
        cut = dict.fromkeys(
            label for label, all_of, some in zip(labels, tokens, read, strict=True) if all_of > some
        )
        if cut:
            said.append(
                note(
                    f"{whose} reads the first {max(read)} of up to {max(tokens)} tokens of the "
                    f"{counted(len(cut), 'label')}",
                    list(cut),
                )
            )
    return said


def read_sounds(path: str | Path) -> dict[str, str]:
    """Read the compact copies of a dataset's clips: clip_id -> base64 of an MP3 file."""
    table = tables.read(path, ["clip_id", "mp3"]).data
    copies = zip(table["clip_id"].to_pylist(), table["mp3"].to_pylist(), strict=True)
    return {clip_id: base64.b64encode(copy).decode("ascii") for clip_id, copy in copies}


def read_paper(path: str | Path | None) -> pd.DataFrame:
    """Read the comparison with published numbers; empty where there is none."""
    return pd.DataFrame() if path is None else pd.read_csv(path)
