"""The page: one self-contained html file that answers the paper's questions for any experiment."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import jinja2

from listenread import __version__
from listenread.report import contents, export, sentences
from listenread.report.contents import Contents, FigureFile
from listenread.report.inline import inline_svg
from listenread.report.wide import WideTable, metric_name, metrics_of, widen

#: Packages whose versions the page states.
_PACKAGES = ("snakemake", "torch", "transformers", "numpy", "pyarrow", "scikit-learn", "soundfile")
_TABLES = {
    # name of the table: task, key columns, columns within which values may be compared
    "audio_only": (
        "audio_only",
        ("dataset", "protocol", "model", "space"),
        ("dataset", "protocol"),
    ),
    "zero_shot": ("zero_shot", ("dataset", "model", "prompt"), ("dataset",)),
}
_CAPTIONS = {
    "audio_only": "Audio-only classification by class prototypes, with bootstrap intervals.",
    "zero_shot": "Zero-shot classification by prompts, with bootstrap intervals.",
}


def write_report(
    html: str | Path,
    table_files: Sequence[str | Path],
    *,
    experiment: str,
    title: str | None,
    metrics_path: str | Path,
    manifest_paths: Iterable[str | Path],
    model_paths: Iterable[str | Path],
    text_paths: Iterable[str | Path],
    figure_paths: Iterable[str | Path],
    prompts: Sequence[str],
    confidence: float,
    resamples: int,
    configuration: Mapping[str, Any],
) -> None:
    """Write the report of an experiment, and its tables as LaTeX and csv.

    Args:
        html: the page.
        table_files: ``{table}.tex`` and ``{table}.csv``, for `audio_only` and `zero_shot`.
        experiment: its name.
        title: heading of the page; the name where it is None.
        metrics_path: the tidy table.
        manifest_paths: of the datasets, in the experiment's order.
        model_paths: the ``model.json`` files, likewise.
        text_paths: tables of text vectors, from which prompts are quoted.
        figure_paths: svg files below ``figures/`` beside the page.
        prompts: names of the experiment's prompts.
        confidence: level of the intervals.
        resamples: of the bootstrap.
        configuration: what the page states as the experiment's configuration.
    """
    html = Path(html)
    tidy, unavailable = contents.read_tidy(metrics_path)
    told = Contents(
        experiment=experiment,
        title=title or experiment,
        tidy=tidy,
        unavailable=unavailable,
        datasets=[contents.read_dataset(path) for path in manifest_paths],
        models=[contents.read_model(path) for path in model_paths],
        prompts=contents.read_prompts(text_paths, prompts),
        figures=[contents.figure_file(path, html.parent / "figures") for path in figure_paths],
        confidence=confidence,
        resamples=resamples,
    )
    laid_out = {name: lay_out(told, name) for name in _TABLES}
    for path in map(Path, table_files):
        table = laid_out[path.stem]
        _write(path, export.as_csv(table) if path.suffix == ".csv" else _latex(table, path.stem))
    _write(html, render(told, laid_out, configuration))


def lay_out(told: Contents, name: str) -> WideTable:
    """Lay one of the page's tables out."""
    task, keys, comparable = _TABLES[name]
    rows = told.task(task)
    return widen(rows, keys, metrics_of(rows), comparable)


def render(
    told: Contents, laid_out: Mapping[str, WideTable], configuration: Mapping[str, Any]
) -> str:
    """Render the page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=jinja2.select_autoescape(["html", "html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "metric_name": metric_name,
        "percent": sentences.percent,
        "is_number": is_number,
    }
    return environment.get_template("page.html.j2").render(
        told=told,
        tables=laid_out,
        listens=sentences.audio_only(told.task("audio_only"), told.confidence),
        meets=sentences.zero_shot(told.task("zero_shot"), told.confidence),
        figure=lambda figure: _figure(figure, told),
        configuration=contents.configuration_lines(configuration),
        versions=_versions(),
    )


def number(value: float) -> str:
    """Write a metric's value as tables do, with three digits.

    >>> number(0.45284), number(float("nan"))
    ('0.453', '—')
    """
    return f"{value:.3f}" if is_number(value) else "—"


def is_number(value: float | None) -> bool:
    """Tell whether there is a value: not None, not NaN."""
    return value is not None and value == value


def describe_figure(figure: FigureFile) -> str:
    """Say in words what a figure shows, for those who do not see it and for its caption."""
    system = f"{figure.model} on {figure.dataset}" if figure.model else figure.dataset
    prompt = f", prompt “{figure.prompt}”" if figure.prompt else ""
    what = {
        "similarity": "Similarities of clips with the prompt of their own class and of the others",
        "audio_similarity": "Similarities of clips with the mean vector of each class",
        "confusion": "Confusion matrix",
    }
    return f"{what.get(figure.kind, figure.kind)}: {system}{prompt}"


def _figure(figure: FigureFile, told: Contents) -> dict[str, str]:
    prefix = f"f{told.figures.index(figure)}-"
    caption = describe_figure(figure)
    return {
        "svg": jinja2.filters.Markup(
            inline_svg(figure.svg.read_text(encoding="utf-8"), prefix, caption)
        ),
        "caption": caption,
        "stem": figure.stem,
    }


def _latex(table: WideTable, name: str) -> str:
    return export.latex(table, _CAPTIONS[name], f"tab:{name.replace('_', '-')}")


def _versions() -> dict[str, str]:
    """Versions of what made the page and, in all likelihood, of what made the numbers."""
    versions = {"listenread": __version__, "Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
