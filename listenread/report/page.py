"""The page: one self-contained html file that answers the paper's questions for any experiment."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from listenread.figures.base import Figure
from listenread.files import atomic
from listenread.report import contents, export, provenance, summary, timings
from listenread.report.contents import Contents, FigureFile, MeasuredTask
from listenread.report.decisions import Decisions, read_decisions, to_base64
from listenread.report.heard import read_heard
from listenread.report.inline import inline_svg
from listenread.report.model_index import model_index
from listenread.report.tidy import read_per_class, read_tidy
from listenread.report.wide import FEW, MARKS, WideTable, compared_with_paper, widen
from listenread.tasks.base import Table
from listenread.tasks.cell import Cell
from listenread.tasks.claims import Reading
from listenread.tasks.words import three_digits

#: Rows that a table has as html; the page's script adds the rest on request.
ROWS_AS_HTML = 300
#: Answers of one kind that are in sight; the rest is folded away.
SENTENCES_IN_SIGHT = 3
#: Longer tables of classes or anchors are only linked.
PER_CLASS_ROWS = 20_000
#: The page's questions in order, and their headings.
QUESTIONS = {
    "listens": "Does it listen?",
    "reads": "Does it read?",
    "meets": "Do the two meet?",
}


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
        models: the ``model.json`` files, of the models that have one.
        health: the ``health.json`` files, of the models that have one.
        audio: tables of audio vectors, which say what was heard.
        texts: tables of text vectors, from which prompts are quoted.
        scores: of the prompts that figures are drawn for.
        figures: svg files below ``figures/`` next to the page.
        clips: compact copies of clips, one table per dataset.
        paper: ``paper_comparison.csv``, or None.
    """

    metrics: str | Path
    manifests: Sequence[str | Path]
    models: Sequence[str | Path] = ()
    health: Sequence[str | Path] = ()
    audio: Sequence[str | Path] = ()
    texts: Sequence[str | Path] = ()
    scores: Sequence[str | Path] = ()
    figures: Sequence[str | Path] = ()
    clips: Sequence[str | Path] = ()
    per_class: str | Path | None = None
    paper: str | Path | None = None


def write_report(
    html: str | Path,
    inputs: Inputs,
    *,
    table_files: Iterable[str | Path] = (),
    model_index_files: Iterable[str | Path] = (),
    tasks: Mapping[str, Mapping[str, Any]],
    experiment: str,
    title: str | None,
    prompts: Sequence[str],
    confidence_level: float,
    equivalence_margin: float,
    replicates: int,
    configuration: Mapping[str, Any],
    embed_megabytes: float,
    figures: Sequence[tuple[str, str, str | None, str | None]] = (),
    decided: Sequence[Sequence[str]] = (),
    left_out: Mapping[str, Sequence[str]] | None = None,
    licences: Mapping[str, Mapping[str, str]] | None = None,
    logs: str | Path = "logs",
    known: Sequence[str] = (),
) -> None:
    """Write the report of an experiment, and its tables as files.

    Args:
        html: the page.
        inputs: what it is written from.
        table_files: ``{table}.tex`` and ``{table}.csv``, to be written.
        model_index_files: ``{model}.json``, to be written.
        tasks: name, or ``package.module:NAME``, of each task -> its settings.
        experiment: its name.
        title: heading of the page; the name where it is None.
        prompts: names of the experiment's prompts.
        confidence_level: of the intervals.
        equivalence_margin: see `listenread.tasks.claims.Reading`.
        replicates: of the jackknife.
        configuration: what the page states as the experiment's configuration; of its `models`,
            those of its `experiment` are evaluated, in this order.
        embed_megabytes: how much of figures and decisions the page holds at most (10**6 bytes), a
            half for each; what does not fit is linked. Compact clips are not counted here: their
            size is limited where they are made.
        figures: name, dataset, model and prompt of each of `Inputs.figures`.
        decided: dataset, model and prompt of each of `Inputs.scores`.
        left_out: model -> titles of the tasks that it lacks a tower for.
        licences: ``datasets`` and ``models`` -> name -> licence.
        logs: folder of Snakemake's logs and benchmark files; it need not exist.
        known: names that occur in the paths of the experiment's logs.
    """
    html = Path(html)
    told = _read(
        inputs,
        html.parent,
        experiment=experiment,
        title=title or experiment,
        tasks=contents.read_tasks(tasks),
        catalogue={
            name: configuration["models"][name] for name in configuration["experiment"]["models"]
        },
        prompts=prompts,
        reading=Reading(confidence_level, equivalence_margin),
        replicates=replicates,
        figures=figures,
        decided=decided,
        left_out=left_out or {},
        licences=licences or {"datasets": {}, "models": {}},
    )
    laid_out = lay_out_all(told)
    for path in map(Path, table_files):
        laid = laid_out[path.stem]
        if laid.wide is None:
            raise TypeError(f"{path}: the table is too long to be laid out")
        text = export.as_csv(laid.wide) if path.suffix == ".csv" else _latex(laid.table, laid.wide)
        _write(path, text)
    for path in map(Path, model_index_files):
        index = model_index(told.tidy, path.stem, told.tasks)
        _write(path, json.dumps(index, indent=2, ensure_ascii=False) + "\n")
    facts = {
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "timings": timings.read_timings(logs, known),
        "reproduce": provenance.how_to_reproduce(
            configuration, provenance.commit(Path(__file__).parent)
        ),
        "docs": provenance.docs(html.parent),
    }
    _write(html, render(told, laid_out, facts, embed_megabytes * 1e6))


def _read(
    inputs: Inputs,
    folder: Path,
    *,
    catalogue: Mapping[str, dict[str, Any]],
    prompts: Sequence[str],
    figures: Sequence[tuple[str, str, str | None, str | None]],
    decided: Sequence[Sequence[str]],
    **told: Any,
) -> Contents:
    tidy, unavailable = read_tidy(inputs.metrics)
    of_dataset = {Path(path).stem: Cell({}, {"manifest": path}) for path in inputs.manifests}
    decisions = []
    for keys, path in zip(decided, inputs.scores, strict=True):
        cell = of_dataset[keys[0]]  # which keeps the manifest
        cell.keys = dict(zip(("dataset", "model", "prompt"), keys, strict=True))
        cell.files = {**cell.files, "scores": path}
        decisions.append(read_decisions(cell))
    drawn = {one.prompt for one in decisions if one is not None}
    models = contents.read_models(inputs.models, inputs.health, catalogue)
    descriptions = {model.name: model.description for model in models}
    return Contents(
        **told,
        tidy=tidy,
        per_class=read_per_class(inputs.per_class, drawn),
        unavailable=unavailable,
        datasets=[contents.read_dataset(path, folder) for path in inputs.manifests],
        models=models,
        heard=read_heard(inputs.audio, inputs.manifests, descriptions),
        prompts=contents.read_prompts(inputs.texts, prompts),
        figures=[
            FigureFile(*places, Path(path))
            for places, path in zip(figures, inputs.figures, strict=True)
        ],
        decisions=[found for found in decisions if found is not None],
        sounds={Path(path).stem: contents.read_sounds(path) for path in inputs.clips},
        paper=contents.read_paper(inputs.paper),
    )


@dataclass(frozen=True)
class LaidOut:
    """A table of the page.

    Attributes:
        table: how it is laid out.
        wide: the table; None where it would be too long for a page.
        rows: how many it has.
        id: of its element.
        file: where all of its rows are, from the page; None where they are in ``tables/``.
    """

    table: Table
    wide: WideTable | None
    rows: int
    id: str
    file: str | None = None


def lay_out(told: Contents, measured: MeasuredTask, table: Table) -> WideTable:
    """Lay rows of the tidy table out."""
    names = table.row_tasks or measured.task.all_row_tasks
    return _widen(told, told.tidy[told.tidy["task"].isin(names)], measured, table)


def lay_out_per_class(told: Contents, measured: MeasuredTask) -> LaidOut | None:
    """Lay the rows of classes or anchors out; None where there are none.

    Chance rows are left out: there would be one for each class.
    """
    table = measured.task.per_class_table
    if table is None:
        return None
    names = table.row_tasks or measured.task.all_row_tasks
    rows = told.per_class[told.per_class["task"].isin(names)]
    if table.protocol:
        rows = rows[rows["protocol"] == table.protocol]
    n = len(rows[list(table.keys)].drop_duplicates())
    if not n:
        return None
    wide = None if n > PER_CLASS_ROWS else _widen(told, rows.assign(chance=np.nan), measured, table)
    return LaidOut(table, wide, n, f"per_class_{table.name}", "per_class.csv")


def _widen(told: Contents, rows: pd.DataFrame, measured: MeasuredTask, table: Table) -> WideTable:
    metrics = list(measured.metrics.values())
    return widen(
        rows,
        table.keys,
        table.comparable,
        metrics,
        ranked=table.ranked,
        level_of_tests=told.reading.level,
    )


def lay_out_all(told: Contents) -> dict[str, LaidOut]:
    """Lay all tables of all tasks out, by name; the first of each task has files of its own."""
    found = {}
    for measured in told.tasks:
        for number, table in enumerate(measured.tables):
            wide = lay_out(told, measured, table)
            file = None if number == 0 else "metrics.csv"
            found[table.name] = LaidOut(table, wide, len(wide), table.name, file)
    return found


def sections(told: Contents, laid_out: Mapping[str, LaidOut]) -> list[dict[str, Any]]:
    """What stands below each question: its answers, then task by task tables and figures.

    Figures that a task gives to a question other than its own come first.
    """
    return [
        {
            "question": question,
            "heading": heading,
            "answers": _answers(told, question),
            "figures": [
                figure
                for measured in told.tasks
                for figure in measured.task.figures
                if figure.question == question != measured.task.question
            ],
            "tasks": [_part(told, measured, question, laid_out) for measured in told.tasks],
        }
        for question, heading in QUESTIONS.items()
    ]


def _answers(told: Contents, question: str) -> list[list[str]]:
    return [
        answer.sentences(
            told.tidy[told.tidy["task"] == (answer.row_task or measured.task.all_row_tasks[0])],
            told.reading,
        )
        for measured in told.tasks
        for answer in measured.task.answers
        if answer.question == question
    ]


def _part(
    told: Contents, measured: MeasuredTask, question: str, laid_out: Mapping[str, LaidOut]
) -> dict[str, Any]:
    task = measured.task
    tables = [
        laid_out[table.name]
        for table in measured.tables
        if (table.question or task.question) == question and laid_out[table.name].rows
    ]
    own = task.question == question
    return {
        "task": task,
        "tables": [one for one in tables if one.table.folded is None],
        "folded": [one for one in tables if one.table.folded is not None],
        "per_class": lay_out_per_class(told, measured) if own else None,
        "figures": [figure for figure in task.figures if own and figure.question == question],
    }


def render(
    told: Contents, laid_out: Mapping[str, LaidOut], facts: Mapping[str, Any], size: float
) -> str:
    """Render the page.

    Args:
        told: what it tells.
        laid_out: its tables.
        facts: about its making: `versions`, `machine`, `timings`, `reproduce`, `docs`.
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
        "duration": timings.duration,
        "number": number,
        "as_json": as_json,
    }
    templates = Path(__file__).with_name("templates")
    viewed = _viewed(told)
    return environment.get_template("page.html.j2").render(
        style=Markup((templates / "style.css").read_text(encoding="utf-8")),
        script=Markup((templates / "page.js").read_text(encoding="utf-8")),
        told=told,
        facts=facts,
        sections=sections(told, laid_out),
        rows_as_html=ROWS_AS_HTML,
        in_sight=SENTENCES_IN_SIGHT,
        table_data=table_data,
        compares=[summary.compares(told.paper)],
        reasons=summary.reasons(told.paper),
        paper=None if told.paper.empty else compared_with_paper(told.paper),
        missing=summary.missing(
            len(told.unavailable), sum(len(dataset.skipped) for dataset in told.datasets)
        ),
        figure=partial(_figure, told, Budget(size / 2)),
        viewed=viewed,
        viewer=_viewer(told, Budget(size / 2)),
        sound_data=[_sound_data(dataset, told) for dataset in told.datasets],
    )


def _viewed(told: Contents) -> list[Figure]:
    """Figures of one prompt that the page's viewer shows."""
    return [
        figure
        for measured in told.tasks
        for figure in measured.task.figures
        if figure.question is None and figure.per == "prompt"
    ]


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
        "few": FEW,
    }


def describe_figure(shown: FigureFile, figure: Figure, variants: int = 1) -> str:
    """Say in words what a figure shows, for its caption and for screen readers.

    Args:
        shown: its files.
        figure: how it is described by its task.
        variants: of its prompt.
    """
    cell = f"{shown.model} on {shown.dataset}" if shown.model else shown.dataset
    prompt = f", prompt “{shown.prompt}”" if shown.prompt else ""
    which = ""
    if prompt and variants > 1:
        which = (
            f" (its {variants} variants pooled)"
            if figure.pools_variants
            else f", the first of {variants} variants"
        )
    return f"{figure.caption}: {cell}{prompt}{which}"


def _figure(told: Contents, budget: Budget, shown: FigureFile) -> dict[str, Any]:
    """A figure for the page: its svg where it fits, else a link to its file."""
    figure = next(
        one for measured in told.tasks for one in measured.task.figures if one.name == shown.name
    )
    variants = {prompt.name: prompt.variants for prompt in told.prompts}
    caption = describe_figure(shown, figure, variants.get(shown.prompt or "", 1))
    drawn = None
    if budget.take(shown.svg.stat().st_size):
        prefix = f"f{told.figures.index(shown)}-"
        drawn = Markup(inline_svg(shown.svg.read_text(encoding="utf-8"), prefix, caption))
    return {
        "svg": drawn,
        "caption": caption,
        "stem": f"figures/{shown.key}",
        "key": shown.key,
        "wide": figure.wide,
    }


def _viewer(told: Contents, budget: Budget) -> dict[str, Any]:
    """Data of the viewer of one model and prompt."""
    cells = []
    for one in told.decisions:
        cell: dict[str, Any] = {"dataset": one.dataset, "model": one.model, "prompt": one.prompt}
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
    index = {name: i for i, name in enumerate(dataset.classes)}
    return {
        "name": dataset.name,
        "classes": dataset.classes,
        "ids": dataset.clip_ids,
        # The viewer shows decisions, which exist only if every clip has one label.
        "labels": [index[labels[0]] if labels else -1 for labels in dataset.labels],
        "links": dataset.links,
        "sounds": {i: sounds[name] for i, name in enumerate(dataset.clip_ids) if name in sounds},
    }


def _latex(table: Table, wide: WideTable) -> str:
    label = f"tab:{table.name.replace('_', '-')}"
    return export.latex(wide, f"{table.caption}.", label)


def _write(path: Path, text: str) -> None:
    atomic.write_text(path, text)
