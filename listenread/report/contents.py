"""What the page tells: the files of an experiment, read once and put into words' reach."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from listenread import tables
from listenread.datasets.base import read_manifest
from listenread.tidy import TIDY


@dataclass(frozen=True)
class Dataset:
    """A dataset as the page presents it.

    Attributes:
        name: in the configuration.
        clips: how many were evaluated.
        seconds: median duration of a clip.
        classes: label -> number of clips, in vocabulary order.
        skipped: clips left out, each with `clip_id`, `path`, `reason`.
        notes: peculiarities that are no errors.
    """

    name: str
    clips: int
    seconds: float
    classes: dict[str, int]
    skipped: list[dict[str, str]]
    notes: list[str]


@dataclass(frozen=True)
class Model:
    """A system as the page presents it: its name and its `model.json`."""

    name: str
    description: dict[str, Any]


@dataclass(frozen=True)
class Prompt:
    """A prompt as the page presents it.

    Attributes:
        name: in the configuration.
        variants: how many ways of saying it there are.
        example: what a text tower read for one class, or None where no system could.
    """

    name: str
    variants: int
    example: str | None


@dataclass(frozen=True)
class FigureFile:
    """A figure and what it shows; the pdf and the csv lie beside the svg."""

    kind: str
    dataset: str
    model: str | None
    prompt: str | None
    svg: Path

    @property
    def stem(self) -> str:
        """Path of the figure from the page, without a suffix."""
        places = (self.kind, self.dataset, self.model, self.prompt)
        return "/".join(["figures", *(place for place in places if place)])


@dataclass(frozen=True)
class Contents:
    """Everything that the page is written from.

    Attributes:
        tidy: the tidy table of the experiment.
        unavailable: cells that are empty on purpose: dataset, model, task, prompt, why.
        confidence: level of the intervals.
        resamples: of the bootstrap; 0 where there are no intervals.
    """

    experiment: str
    title: str
    tidy: pd.DataFrame
    unavailable: list[dict[str, Any]]
    datasets: list[Dataset]
    models: list[Model]
    prompts: list[Prompt]
    figures: list[FigureFile]
    confidence: float
    resamples: int

    def task(self, task: str) -> pd.DataFrame:
        """Rows of the tidy table that belong to one task."""
        return self.tidy[self.tidy["task"] == task]

    def figures_of(self, kind: str) -> list[FigureFile]:
        """Figures of one kind, in the order of the experiment."""
        return [figure for figure in self.figures if figure.kind == kind]


def read_tidy(path: str | Path) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Read the tidy table of an experiment and the cells that it misses on purpose."""
    table = tables.read(path, TIDY.names)
    return table.data.to_pandas(), table.made_by.get("unavailable_cells", [])


def read_dataset(path: str | Path) -> Dataset:
    """Read what the page says about a dataset from its manifest, which is named like it."""
    manifest = read_manifest(path)
    counts = pd.Series(manifest.table["label"].to_pylist()).value_counts()
    return Dataset(
        name=Path(path).stem,
        clips=len(manifest),
        seconds=float(pd.Series(manifest.table["duration_s"].to_numpy()).median()),
        classes={label: int(counts.get(label, 0)) for label in manifest.vocabulary},
        skipped=manifest.skipped,
        notes=manifest.notes,
    )


def read_model(path: str | Path) -> Model:
    """Read a ``model.json``; its folder is named like the model."""
    return Model(Path(path).parent.name, json.loads(Path(path).read_text(encoding="utf-8")))


def read_prompts(paths: Iterable[str | Path], names: Sequence[str]) -> list[Prompt]:
    """Find an example of each prompt in the texts that the systems read.

    Args:
        paths: tables of text vectors, each named like its prompt, in any number for a prompt; the
            first one that is not empty serves.
        names: the prompts of the experiment.
    """
    found: dict[str, Prompt] = {}
    for path in paths:
        name = Path(path).stem
        if name in found:
            continue
        texts = tables.read(path, ["label", "text"])
        if texts.unavailable is None:
            variants = 1
            if "variant" in texts.data.column_names:
                variants = len(set(texts.data["variant"].to_pylist()))
            found[name] = Prompt(name, variants, texts.data["text"][0].as_py())
    return [found.get(name, Prompt(name, 1, None)) for name in names]


def figure_file(path: str | Path, folder: str | Path) -> FigureFile:
    """Tell from a figure's place what it shows: ``{kind}/{dataset}[/{model}[/{prompt}]].svg``."""
    path = Path(path)
    kind, dataset, *rest = path.relative_to(folder).with_suffix("").parts
    model, prompt = (*rest, None, None)[:2]
    return FigureFile(kind, dataset, model, prompt, path)


def configuration_lines(configuration: Mapping[str, Any]) -> str:
    """Write a configuration as indented JSON, which every YAML reader takes."""
    return json.dumps(configuration, indent=2, ensure_ascii=False)
