"""The page: one self-contained html file that answers the paper's questions for any experiment."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from listenread.files import atomic
from listenread.report import contents, export, job_graph, provenance, sentences
from listenread.report.contents import Contents, FigureFile
from listenread.report.decisions import Decisions, read_decisions, to_base64
from listenread.report.inline import inline_svg
from listenread.report.model_index import model_index
from listenread.report.naming import metric_name
from listenread.report.tidy import read_per_class, read_tidy
from listenread.report.wide import (
    MARKS,
    WideTable,
    beside_the_paper,
    three_digits,
    widen,
)

#: Longer tables hold so many rows as html; the page's script makes the others when asked for.
ROWS_AS_HTML = 300
#: More answers of one kind than these are folded away below the first ones.
SENTENCES_IN_SIGHT = 3


@dataclass(frozen=True)
class TableKind:
    """How a table of the page is made from the tidy table.

    Attributes:
        tasks: whose rows it holds.
        keys: columns of the tidy table that tell the rows apart.
        comparable: those within which values may be compared.
        caption: of the table.
        ranked: whether its best values are marked.
    """

    tasks: tuple[str, ...]
    keys: tuple[str, ...]
    comparable: tuple[str, ...]
    caption: str
    ranked: bool = True


TABLES = {
    "audio_only": TableKind(
        ("audio_only",),
        ("dataset", "protocol", "model", "space"),
        ("dataset", "protocol"),
        "Audio-only classification: the nearest class mean",
    ),
    "probes": TableKind(
        ("linear_probe", "k_nearest"),
        ("dataset", "task", "model", "space"),
        ("dataset",),
        "Probes: classifiers trained on the audio vectors, on held-out folds",
    ),
    "triplets": TableKind(
        ("triplets",),
        ("dataset", "protocol", "space", "model", "prompt"),
        ("dataset", "protocol"),
        "Triplets of instruments whose text vectors are ordered as in the ontology",
    ),
    "ontology_triplets": TableKind(
        ("ontology_triplets",),
        ("dataset", "space", "model", "prompt"),
        ("dataset", "space"),
        "Triplets of all instruments of the ontology",
    ),
    "prompt_effects": TableKind(
        ("prompt_effects",),
        ("dataset", "space", "model", "prompt"),
        ("dataset", "space"),
        "What another wording changes, on the same clips",
    ),
    "zero_shot": TableKind(
        ("zero_shot",),
        ("dataset", "model", "prompt"),
        ("dataset",),
        "Zero-shot classification by prompts",
    ),
    "chance_by_permutation": TableKind(
        ("chance_by_permutation",),
        ("dataset", "model", "prompt"),
        ("dataset",),
        "Zero-shot classification of permuted labels",
        ranked=False,
    ),
    "separation": TableKind(
        ("separation",),
        ("dataset", "space", "model", "prompt"),
        ("dataset", "space"),
        "Separation of matching from other pairs; without a prompt, of pairs of clips",
    ),
    "confidence": TableKind(
        ("confidence",),
        ("dataset", "model", "prompt"),
        ("dataset",),
        "Confidence: the difference of the two largest similarities",
    ),
}
#: Tables of one class, or one anchor of triplets, at a time: tasks, caption.
PER_CLASS = {
    "zero_shot": TableKind(
        ("zero_shot",),
        ("dataset", "label", "model", "prompt"),
        ("dataset", "label"),
        "Zero-shot classification, class by class",
    ),
    "triplets": TableKind(
        ("triplets", "ontology_triplets"),
        ("dataset", "label", "space", "model", "prompt"),
        ("dataset", "label", "space"),
        "Triplets, anchor by anchor (protocol corrected)",
        ranked=False,
    ),
}
#: Longer tables of that kind are left to the file.
PER_CLASS_ROWS = 20_000
_OTHER = ("dataset", "protocol", "space", "model", "prompt")


@dataclass
class Budget:
    """How many bytes may still be put into the page."""

    left: float

    def take(self, size: int) -> bool:
        """Tell whether `size` bytes fit, and count them if so."""
        fits = size <= self.left
        self.left -= size if fits else 0
        return fits


@dataclass(frozen=True)
class Inputs:
    """The files that the page is written from, in the experiment's order.

    Attributes:
        metrics: the tidy table.
        per_class: the same, one class at a time, or None.
        manifests: of the datasets.
        models: the ``model.json`` files, of the systems that have one.
        health: the ``health.json`` files, likewise.
        texts: tables of text vectors, from which prompts are quoted.
        scores: of the prompts that figures are drawn for.
        figures: svg files below ``figures/`` beside the page.
        clips: compact copies of clips, one table per dataset.
        paper: ``paper_comparison.csv``, or None.
    """

    metrics: str | Path
    manifests: Sequence[str | Path]
    models: Sequence[str | Path] = ()
    health: Sequence[str | Path] = ()
    texts: Sequence[str | Path] = ()
    scores: Sequence[str | Path] = ()
    figures: Sequence[str | Path] = ()
    clips: Sequence[str | Path] = ()
    per_class: str | Path | None = None
    paper: str | Path | None = None

    def paths(self) -> list[str | Path]:
        """All of these files."""
        values = vars(self).values()
        several = [path for value in values if isinstance(value, (list, tuple)) for path in value]
        return [*several, *(value for value in values if isinstance(value, (str, Path)))]


def write_report(
    html: str | Path,
    inputs: Inputs,
    *,
    table_files: Iterable[str | Path] = (),
    model_index_files: Iterable[str | Path] = (),
    experiment: str,
    title: str | None,
    prompts: Sequence[str],
    confidence: float,
    resamples: int,
    configuration: Mapping[str, Any],
    embed_megabytes: float,
    records: str | Path,
) -> None:
    """Write the report of an experiment, and its tables as files.

    Args:
        html: the page.
        inputs: what it is written from.
        table_files: ``{table}.tex`` and ``{table}.csv``, to be written; tables as in `TABLES`.
        model_index_files: ``{model}.json``, to be written.
        experiment: its name.
        title: heading of the page; the name where it is None.
        prompts: names of the experiment's prompts.
        confidence: level of the intervals.
        resamples: of the bootstrap.
        configuration: what the page states as the experiment's configuration; its `models` are the
            systems of the experiment, in order.
        embed_megabytes: how much of figures and decisions the page holds at most (10**6 bytes), a
            half for each; what does not fit is linked. Compact clips come on top, their size is
            decided where they are made.
        records: Snakemake's records of the jobs behind the inputs; they need not exist.
    """
    html = Path(html)
    told = _read(
        inputs, html.parent, experiment, title, configuration, prompts, confidence, resamples
    )
    laid_out = lay_out_all(told)
    for path in map(Path, table_files):
        table = laid_out[path.stem]
        _write(path, export.as_csv(table) if path.suffix == ".csv" else _latex(table, path.stem))
    for path in map(Path, model_index_files):
        index = model_index(told.tidy, path.stem)
        _write(path, json.dumps(index, indent=2, ensure_ascii=False) + "\n")
    graph = job_graph.read_job_graph(inputs.paths(), records)
    facts = {
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "jobs": graph,
        "rules": None if graph is None else Markup(job_graph.as_svg(graph)),
        "reproduce": provenance.how_to_reproduce(
            configuration, provenance.commit(Path(__file__).parent)
        ),
        "configuration": provenance.overlay(configuration),
        "ontology": configuration.get("ontology"),
        "docs": Path(os.path.relpath(Path(__file__).parents[2] / "docs", html.parent)).as_posix(),
    }
    _write(html, render(told, laid_out, facts, embed_megabytes * 1e6))


def _read(
    inputs: Inputs,
    folder: Path,
    experiment: str,
    title: str | None,
    configuration: Mapping[str, Any],
    prompts: Sequence[str],
    confidence: float,
    resamples: int,
) -> Contents:
    tidy, unavailable = read_tidy(inputs.metrics)
    decisions = [read_decisions(path) for path in inputs.scores]
    drawn = {one.prompt for one in decisions if one is not None}
    return Contents(
        experiment=experiment,
        title=title or experiment,
        tidy=tidy,
        per_class=read_per_class(inputs.per_class, drawn),
        unavailable=unavailable,
        datasets=[contents.read_dataset(path, folder) for path in inputs.manifests],
        models=contents.read_models(inputs.models, inputs.health, configuration["models"]),
        prompts=contents.read_prompts(inputs.texts, prompts),
        figures=[contents.figure_file(path, folder / "figures") for path in inputs.figures],
        decisions=[found for found in decisions if found is not None],
        sounds={Path(path).stem: contents.read_sounds(path) for path in inputs.clips},
        paper=contents.read_paper(inputs.paper),
        confidence=confidence,
        resamples=resamples,
    )


def lay_out(told: Contents, name: str) -> WideTable:
    """Lay one of `TABLES` out, or the rows of a task that has no table of its own."""
    kind = TABLES.get(name) or TableKind((name,), _OTHER, _OTHER[:3], name.replace("_", " "))
    rows = told.tidy[told.tidy["task"].isin(kind.tasks)]
    return _widen(rows, kind)


def lay_out_per_class(told: Contents) -> dict[str, WideTable | int]:
    """Lay `PER_CLASS` out, or say how long it would be.

    Chance rows are left out: there would be one for each class.
    """
    found: dict[str, WideTable | int] = {}
    for name, kind in PER_CLASS.items():
        rows = told.per_class[told.per_class["task"].isin(kind.tasks)]
        if name == "triplets":
            rows = rows[rows["protocol"] == "corrected"]
        n = len(rows[list(kind.keys)].drop_duplicates())
        if n:
            found[name] = n if n > PER_CLASS_ROWS else _widen(rows.assign(chance=np.nan), kind)
    return found


def _widen(rows: pd.DataFrame, kind: TableKind) -> WideTable:
    table = widen(rows, kind.keys, kind.comparable)
    return table if kind.ranked else replace(table, mark=np.zeros_like(table.mark))


def lay_out_all(told: Contents) -> dict[str, WideTable]:
    """Lay every table out: `TABLES`, then one for each task that has none of its own."""
    tabled = {task for kind in TABLES.values() for task in kind.tasks}
    others = [task for task in told.tidy["task"].unique() if task not in tabled]
    return {name: lay_out(told, name) for name in (*TABLES, *others)}


def render(
    told: Contents, laid_out: Mapping[str, WideTable], facts: Mapping[str, Any], size: float
) -> str:
    """Render the page.

    Args:
        told: what it tells.
        laid_out: its tables.
        facts: about its making: `versions`, `machine`, `jobs`, `rules`, `reproduce`, ...
        size: of figures and decisions in the page at most, in bytes; a half for each.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": job_graph.duration,
        "number": number,
        "metric_name": metric_name,
        "as_json": as_json,
    }
    templates = Path(__file__).with_name("templates")
    return environment.get_template("page.html.j2").render(
        style=Markup((templates / "style.css").read_text(encoding="utf-8")),
        script=Markup((templates / "page.js").read_text(encoding="utf-8")),
        told=told,
        facts=facts,
        tables={name: table for name, table in laid_out.items() if len(table)},
        per_class=lay_out_per_class(told),
        per_class_captions={name: kind.caption for name, kind in PER_CLASS.items()},
        captions={name: kind.caption for name, kind in TABLES.items()},
        other_tables=[name for name in laid_out if name not in TABLES],
        rows_as_html=ROWS_AS_HTML,
        in_sight=SENTENCES_IN_SIGHT,
        table_data=table_data,
        listens=[
            sentences.listens(told.task("audio_only"), told.confidence),
            sentences.probes(told.task("linear_probe"), told.confidence),
        ],
        reads=[
            sentences.reads(told.task("zero_shot"), told.confidence),
            sentences.rewords(told.task("prompt_effects"), told.confidence),
            sentences.triplets(told.task("triplets"), told.confidence),
            sentences.triplets(told.task("ontology_triplets"), told.confidence),
        ],
        meets=[
            sentences.meets(told.task("zero_shot"), told.confidence),
            sentences.knows(told.task("confidence"), told.confidence),
        ],
        compares=[sentences.compares(told.paper)],
        reasons=sentences.reasons(told.paper),
        paper=None if told.paper.empty else beside_the_paper(told.paper),
        missing=sentences.missing(
            len(told.unavailable), sum(len(dataset.skipped) for dataset in told.datasets)
        ),
        figure=partial(_figure, told, Budget(size / 2)),
        viewer=_viewer(told, Budget(size / 2)),
        sound_data=[_sound_data(dataset, told) for dataset in told.datasets],
    )


def number(value: float) -> str:
    """Write a metric's value as tables do, with three digits.

    >>> number(0.45284), number(float("nan"))
    ('0.453', '—')
    """
    return "—" if np.isnan(value) else three_digits(value)


def as_json(value: Any) -> Markup:
    """Write JSON that may stand in a ``<script>`` element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def table_data(table: WideTable) -> dict[str, Any]:
    """Give a long table to the page's script: keys by index, numbers as float32 in base64."""
    columns = list(zip(*table.keys, strict=True))
    names = [list(dict.fromkeys(column)) for column in columns]
    index = [{name: i for i, name in enumerate(known)} for known in names]
    keys = np.array([[i[k] for i, k in zip(index, key, strict=True)] for key in table.keys])
    return {
        "names": names,
        "keys": to_base64(keys, "<u4"),
        "value": to_base64(table.value, "<f4"),
        "low": to_base64(table.low, "<f4"),
        "high": to_base64(table.high, "<f4"),
        "mark": to_base64(table.mark, "u1"),
        "chance": to_base64(table.chance, "u1"),
        "marks": MARKS,
    }


_WHAT = {
    "similarity": "Similarities of clips with the prompts of their own class and of the others",
    "audio_similarity": "Similarities of clips with clips of the same class and of others",
    "confidence": "Difference of the two largest similarities, and the share that is right",
    "confusion": "Confusion matrix",
    "map": "Clips, class means and prompts on two principal axes",
    "depth": "Triplet accuracy by the levels of the ontology that anchor and negative share",
    "prompts": "Top-1 of every prompt and system, with intervals",
}

_WIDE = frozenset({"audio_similarity", "confidence", "depth", "map", "prompts"})


def describe_figure(figure: FigureFile, variants: int = 1) -> str:
    """Say in words what a figure shows, for its caption and for those who do not see it.

    Args:
        figure: the figure.
        variants: of its prompt.
    """
    system = f"{figure.model} on {figure.dataset}" if figure.model else figure.dataset
    prompt = f", prompt “{figure.prompt}”" if figure.prompt else ""
    which = ""
    if prompt and variants > 1:
        pooled = figure.kind == "similarity"
        which = (
            f" (its {variants} variants pooled)"
            if pooled
            else f", the first of {variants} variants"
        )
    return f"{_WHAT.get(figure.kind, figure.kind)}: {system}{prompt}{which}"


def _figure(told: Contents, budget: Budget, figure: FigureFile) -> dict[str, Any]:
    """A figure for the page: its svg where it fits, else a link to its file."""
    variants = {prompt.name: prompt.variants for prompt in told.prompts}
    caption = describe_figure(figure, variants.get(figure.prompt, 1))
    stem = f"figures/{figure.key}"
    drawn = None
    if budget.take(figure.svg.stat().st_size):
        prefix = f"f{told.figures.index(figure)}-"
        drawn = Markup(inline_svg(figure.svg.read_text(encoding="utf-8"), prefix, caption))
    wide = figure.kind in _WIDE
    return {"svg": drawn, "caption": caption, "stem": stem, "key": figure.key, "wide": wide}


def _viewer(told: Contents, budget: Budget) -> dict[str, Any]:
    """What the part of the page needs that looks into one system and prompt."""
    cells = []
    for one in told.decisions:
        cell = {"dataset": one.dataset, "model": one.model, "prompt": one.prompt}
        cell |= {"variants": one.variants, "confusion": one.confusion.tolist()}
        cell["decisions"] = one.as_json() if budget.take(one.bytes) else None
        cells.append(cell)
    return {"cells": cells, "first": _matrix(told, told.decisions[0]) if cells else None}


def _matrix(told: Contents, decisions: Decisions) -> dict[str, Any]:
    """A confusion matrix for readers without scripts."""
    classes = next(d.classes for d in told.datasets if d.name == decisions.dataset)
    support = np.maximum(decisions.confusion.sum(axis=1, keepdims=True), 1)
    shares = decisions.confusion / support
    rows = [
        (
            name,
            [
                {"clips": int(n), "heat": heat(share), "share": share}
                for n, share in zip(*row, strict=True)
            ],
        )
        for name, row in zip(classes, zip(decisions.confusion, shares, strict=True), strict=True)
    ]
    return {"classes": classes, "rows": rows, "of": decisions}


def heat(share: float) -> int:
    """Step of the colour scale for a share, 0 to 5; the page's script has the same steps.

    >>> [heat(share) for share in (0, 0.001, 0.1, 0.25, 0.5, 1)]
    [0, 1, 2, 3, 4, 5]
    """
    return 0 if share == 0 else 1 + sum(share >= step for step in (0.1, 0.25, 0.5, 0.75))


def _sound_data(dataset: contents.Dataset, told: Contents) -> dict[str, Any]:
    sounds = told.sounds.get(dataset.name, {})
    return {
        "name": dataset.name,
        "classes": dataset.classes,
        "ids": dataset.clip_ids,
        "labels": dataset.labels,
        "links": dataset.links,
        "sounds": {i: sounds[name] for i, name in enumerate(dataset.clip_ids) if name in sounds},
    }


def _latex(table: WideTable, task: str) -> str:
    caption = TABLES[task].caption if task in TABLES else task.replace("_", " ")
    return export.latex(table, f"{caption}.", f"tab:{task.replace('_', '-')}")


def _write(path: Path, text: str) -> None:
    atomic.write_text(path, text)
