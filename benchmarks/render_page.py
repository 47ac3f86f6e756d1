"""Time, size and memory of the report page for an experiment of a given size.

    python benchmarks/render_page.py --models 30 --datasets 10 --prompts 200

The experiment is made up: its tables have the shape of real ones and random numbers. What is timed
is the job `write_report`, from files to files. Prints one line.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common
from listenread.datasets.base import ClipRow
from listenread.datasets.manifest import Checked, Manifest, manifest_table, write_manifest
from listenread.figures.base import figure_path
from listenread.files import tables
from listenread.metrics.classification import OF_CLASS
from listenread.report.page import Inputs, write_report
from listenread.tasks.base import TASKS
from listenread.tasks.tidy import PER_CLASS, REPLICATES, TIDY

#: The largest experiment that a page is promised for, and how soon it must be there.
WHOLE, LIMIT_SECONDS = {"models": 30, "datasets": 10, "prompts": 200}, 60.0
CLASSES = [f"class {letter}" for letter in "abcdefghijklmn"]
CLIPS = 140
DRAWN_PROMPTS = 4
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0L9 9"/></svg>'
TASK = TASKS.find("zero_shot")
SETTINGS = TASK.settings()
METRICS = [metric.name for metric in SETTINGS.metrics()]
_BY_CLASS = [one.metric.name for one in OF_CLASS] + [f"top_{k}" for k in SETTINGS.top_k if k > 1]
#: Figures of one prompt each.
_DRAWN = [figure.name for figure in TASK.figures if figure.per == "prompt"]


def write_inputs(
    folder: Path, names: dict[str, list[str]], drawn: Sequence[tuple[str, ...]], seed: int = 0
) -> Inputs:
    """Write the tables of a made-up experiment into ``folder/experiment`` and its neighbours.

    Args:
        folder: of everything.
        names: of each `dataset`, `model` and `prompt`.
        drawn: dataset, model and prompt of the cells that have figures.
        seed: of the numbers.
    """
    generator = np.random.default_rng(seed)
    experiment = folder / "experiment"
    tables.write(experiment / "metrics.parquet", _tidy(names, generator), unavailable_cells=[])
    tables.write(experiment / "per_class.parquet", _tidy(names, generator, by_class=True))
    for dataset in names["dataset"]:
        _write_manifest(folder / "manifests" / f"{dataset}.parquet")
    for cell in drawn:
        _write_scores(folder.joinpath("scores", *cell[:2], f"{cell[2]}.parquet"), generator)
    figures = [
        experiment / "figures" / f"{figure_path(*shown)}.svg" for shown in shown_figures(drawn)
    ]
    for figure in figures:
        figure.parent.mkdir(parents=True, exist_ok=True)
        figure.write_text(SVG)
        figure.with_suffix(".csv").write_text("x,y\n0,0\n")
    return Inputs(
        metrics=experiment / "metrics.parquet",
        per_class=experiment / "per_class.parquet",
        manifests=sorted((folder / "manifests").glob("*.parquet")),
        scores=[folder.joinpath("scores", *cell[:2], f"{cell[2]}.parquet") for cell in drawn],
        figures=figures,
    )


def shown_figures(drawn: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Name, dataset, model and prompt of each figure."""
    return [(name, *cell) for name in _DRAWN for cell in drawn]


def _tidy(
    names: dict[str, list[str]], generator: np.random.Generator, by_class: bool = False
) -> pa.Table:
    keys = [*names.values(), _BY_CLASS if by_class else METRICS]
    columns = ["dataset", "model", "prompt", "metric"]
    if by_class:
        keys.append(CLASSES)
        columns.append("label")
    shape = tuple(len(values) for values in keys)
    index = np.indices(shape).reshape(len(keys), -1)
    found: dict[str, Any] = {
        column: pa.DictionaryArray.from_arrays(pa.array(i), values).dictionary_decode()
        for column, i, values in zip(columns, index, keys, strict=True)
    }
    n = index.shape[1]
    value = generator.random(n)
    found |= {"task": [TASK.name] * n, "space": ["joint"] * n, "protocol": ["published"] * n}
    found |= {"value": value, "ci_low": value - 0.02, "ci_high": value + 0.02}
    found |= {"n": np.full(n, CLIPS), "chance": np.full(n, 1 / len(CLASSES))}
    found |= {"n_groups": np.full(n, CLIPS), "interval": ["jackknife"] * n}
    found |= {"p": np.full(n, 0.01)}
    if not by_class:
        replicates = value[:, None] + 0.002 * generator.normal(size=(n, 60))
        found[REPLICATES] = pa.FixedSizeListArray.from_arrays(replicates.ravel(), 60)
    return pa.table(found).select((PER_CLASS if by_class else TIDY).names)


def _write_manifest(path: Path) -> None:
    rows = [
        ClipRow(f"clip-{i}", Path(f"absent/clip-{i}.wav"), (CLASSES[i % len(CLASSES)],), fold=0)
        for i in range(CLIPS)
    ]
    table = manifest_table(rows, [Checked(3.0, 44100, "0" * 64)] * CLIPS, path.parent)
    write_manifest(path, Manifest(table, CLASSES))


def _write_scores(path: Path, generator: np.random.Generator) -> None:
    scores = generator.random((CLIPS, len(CLASSES)), dtype=np.float32)
    ids = [f"clip-{i}" for i in range(CLIPS)]
    tables.write(path, {"clip_id": ids} | dict(zip(CLASSES, scores.T, strict=True)))


def render(folder: Path, models: int, datasets: int, prompts: int) -> tuple[Path, float]:
    """Write the page of a made-up experiment; return it and the seconds that it took."""
    names = {
        "dataset": [f"dataset_{i}" for i in range(datasets)],
        "model": [f"model_{i}" for i in range(models)],
        "prompt": [f"prompt_{i}" for i in range(prompts)],
    }
    drawn = list(product(names["dataset"], names["model"], names["prompt"][:DRAWN_PROMPTS]))
    inputs = write_inputs(folder, names, drawn)
    page = folder / "experiment" / "report.html"
    started = time.perf_counter()
    write_report(
        page,
        inputs,
        table_files=[page.with_name("tables") / f"zero_shot.{end}" for end in ("csv", "tex")],
        tasks={TASK.name: SETTINGS.plain()},
        experiment="experiment",
        title="An experiment of size",
        prompts=names["prompt"],
        confidence_level=0.95,
        equivalence_margin=0.02,
        replicates=60,
        configuration={
            "experiment": {"models": names["model"]},
            "models": {name: {} for name in names["model"]},
        },
        embed_megabytes=5,
        figures=shown_figures(drawn),
        decided=drawn,
        logs=folder / "no logs",
    )
    return page, time.perf_counter() - started


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    """Measure one size; return rows for the table of all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, most in WHOLE.items():
        parser.add_argument(f"--{name}", type=int, default=most)
    size = vars(parser.parse_args(argv))
    with tempfile.TemporaryDirectory() as folder:
        page, seconds = render(Path(folder), **size)
        megabytes = page.stat().st_size / 1e6
    peak = common.peak_gib()
    words = " x ".join(f"{value} {name}" for name, value in size.items())
    print(f"{words}: {seconds:.1f} s, page of {megabytes:.1f} MB, peak {peak:.2f} GiB")
    row = {"reference": None, "ratio": None, "limit": None, "note": "write_report, one thread"}
    time_row = row | {"reference": LIMIT_SECONDS, "ratio": LIMIT_SECONDS / seconds, "limit": 1.0}
    return [
        time_row | {"name": f"page of {words}: time", "ours": seconds, "unit": "s"},
        row | {"name": f"page of {words}: size", "ours": megabytes, "unit": "MB"},
    ]


if __name__ == "__main__":
    main()
