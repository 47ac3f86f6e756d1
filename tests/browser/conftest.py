"""A small experiment, written through the workflow's functions, and a browser for its report."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from listenread.datasets.base import ClipRow
from listenread.datasets.checking import build_manifest
from listenread.datasets.manifest import read_manifest, write_manifest
from listenread.datasets.notes import note
from listenread.figures.base import figure_path
from listenread.figures.runner import draw_figures
from listenread.files import tables
from listenread.report.listening import encode_clips
from listenread.report.page import Inputs, write_report
from listenread.scores import score_prompt
from listenread.tasks import tidy
from listenread.tasks.base import TASKS
from listenread.tasks.cell import Cell, cell_of
from listenread.tasks.runner import measure_cell

if TYPE_CHECKING:
    from selenium import webdriver

CLASSES = ["Bass Tuba", "Cello", "Flute", "Oboe", "Violin <2>"]
TEMPLATES = {"track": "A {} track", "negated": "A no {} track", "context": "{} lorem & ipsum."}
DRAWN = ["track", "context"]
SICKNESS = "text tower: its vectors are all the same"
TITLE = "A trial & <its> report"
CLIPS_PER_CLASS = 8
REPLICATES = 200
RESAMPLING = {"n": REPLICATES, "confidence_level": 0.95, "seed": 1}
#: Tasks of the experiment with their settings.
SETTINGS: dict[str, dict[str, Any]] = {
    "audio_only": {"top_k": [1, 2, 5]},
    "audio_separation": {"bins": 50},
    "zero_shot": {"top_k": [1, 2, 5], "permutations": 20},
    "margin": {},
    "separation": {"bins": 50},
    "prompt_effects": {"top_k": [1, 2, 5]},
}
#: What figures take from the sections `report` and `metrics` of the configuration.
CONSTANTS = {
    "histogram_bins": 20, "reliability_bins": 4, "max_others": 100, "top_k": [1, 2, 5],
    "replicates": REPLICATES, "confidence_level": 0.95, "seed": 1,
}  # fmt: skip
PAIR = {"prompt": "negated", "reference": "track"}
LEFT_OUT = "Triplets of <instruments>"


@dataclass(frozen=True)
class Experiment:
    """Where a written experiment lies."""

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        return self.root / "results" / "experiments" / self.name

    @property
    def report(self) -> Path:
        return self.folder / "report.html"


#: Files that a note of a dataset names.
UNUSED = [f"<take> {number}.mp4" for number in range(700)]


def write_experiment(root: Path, *, sick: bool = True) -> Experiment:
    """Write two datasets, two models, an unhealthy one, three prompts, figures and the page."""
    with contextlib.chdir(root):  # manifests hold paths from the working directory
        return _write_experiment(root, sick)


def _write_experiment(root: Path, sick: bool) -> Experiment:
    experiment = Experiment(root, "trial")
    models = ["sharp", "dull"] + (["sick"] if sick else [])
    datasets = ["notes", "other_notes"]
    generator = np.random.default_rng(3)
    for number, dataset in enumerate(datasets):
        _write_dataset(root, dataset, generator, skip=number == 0)
        for model in models:
            _write_vectors(root, dataset, model, generator)
            _score(root, dataset, model)
            _measure(root, {"dataset": dataset, "model": model})
    for model in models:
        _write_model(root, model)
    _gather(experiment)
    figures = _draw(experiment, datasets, models)
    _write_paper(experiment)
    _write_times(root)
    _write_page(experiment, datasets, models, figures)
    return experiment


def _write_model(root: Path, model: str) -> None:
    folder = root / "results" / "models" / model
    folder.mkdir(parents=True)
    audio_input = {"sample_rate": 16000, "clip_seconds": 2.56}
    description = {"family": "muscall", "audio_input": audio_input}
    (folder / "model.json").write_text(json.dumps(description))
    failures = [SICKNESS] if model == "sick" else []
    (folder / "health.json").write_text(
        json.dumps({"healthy": not failures, "failures": failures, "checks": [], "limits": {}})
    )


def _write_dataset(root: Path, name: str, generator: np.random.Generator, skip: bool) -> None:
    folder = root / "data" / name
    folder.mkdir(parents=True)
    rows = []
    for position in range(CLIPS_PER_CLASS * len(CLASSES)):
        label = CLASSES[position % len(CLASSES)]
        path = folder / f"{position:03d} #1 what? 50%20.flac"  # as TinySOL's F#1, and worse
        time = np.arange(8000) / 16000
        tone = 0.3 * np.sin(2 * np.pi * (200 + 10 * position) * time)
        soundfile.write(path, tone + generator.normal(0, 0.01, time.shape), 16000)
        rows.append(ClipRow(path.stem[:3], path, (label,), fold=position % 3))
    if skip:
        broken = folder / "broken.flac"
        broken.write_bytes(b"no sound at all")
        rows.append(ClipRow("broken & <odd>", broken, (CLASSES[0],), fold=0))
    manifest = build_manifest(rows, CLASSES, on_bad_audio="skip", working_directory=root)
    if skip:
        manifest.notes.append(note("700 files are not used", UNUSED))
    write_manifest(root / "results" / "manifests" / f"{name}.parquet", manifest)


def _write_vectors(root: Path, dataset: str, model: str, generator: np.random.Generator) -> None:
    embeddings = root / "results" / "embeddings"
    clips = read_manifest(root / "results" / "manifests" / f"{dataset}.parquet").table
    centres = generator.normal(size=(len(CLASSES), 16))
    noise = {"sharp": 1.2, "dull": 4.0, "sick": 0.0}[model]
    audio = np.array([centres[CLASSES.index(label)] for (label,) in clips["labels"].to_pylist()])
    audio = audio + generator.normal(0, noise, audio.shape)
    keys = {"clip_id": clips["clip_id"]}
    _write_spaces(embeddings / "audio" / dataset / f"{model}.parquet", model, keys, audio)
    for name, template in TEMPLATES.items():
        variants = 3 if name == "context" else 1
        texts = [template.format(label.lower()) for _ in range(variants) for label in CLASSES]
        keys = {"label": CLASSES * variants, "text": texts}
        if variants > 1:
            keys["variant"] = np.repeat(np.arange(variants), len(CLASSES))
        text = np.tile(centres, (variants, 1)) + generator.normal(0, 1, (len(texts), 16))
        _write_spaces(embeddings / "text" / dataset / model / f"{name}.parquet", model, keys, text)


def _write_spaces(path: Path, model: str, keys: dict, vectors: np.ndarray) -> None:
    if model == "sick":
        return tables.write_unavailable(path, f"unhealthy: {SICKNESS}")
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    spaces = {"pre_joint": tables.vectors(np.tile(vectors, 2)), "joint": tables.vectors(unit)}
    tables.write(path, {**keys, **spaces})


def _files(root: Path, dataset: str, model: str, prompt: str | None = None) -> dict[str, Path]:
    """What a task can read of a cell."""
    results, place = root / "results", Path(dataset, model)
    files = {
        "manifest": results / "manifests" / f"{dataset}.parquet",
        "audio": results / "embeddings" / "audio" / f"{place}.parquet",
    }
    if prompt is not None:
        files["text"] = results / "embeddings" / "text" / place / f"{prompt}.parquet"
        files["scores"] = results / "scores" / place / f"{prompt}.parquet"
    return files


def _score(root: Path, dataset: str, model: str) -> None:
    for prompt in TEMPLATES:
        files = _files(root, dataset, model, prompt)
        score_prompt(files["audio"], files["text"], files["scores"])


def _measure(root: Path, keys: dict[str, str]) -> None:
    place = Path(keys["dataset"], keys["model"])
    for name, settings in SETTINGS.items():
        task = TASKS.find(name)
        for wildcards in {"model": [{}], "pair": [PAIR]}.get(
            task.per, [{"prompt": prompt} for prompt in TEMPLATES]
        ):
            files = _files(root, **keys, prompt=wildcards.get("prompt"))
            if task.per == "pair":
                other = _files(root, **keys, prompt=wildcards["reference"])
                files |= {f"reference_{what}": other[what] for what in ("scores", "text")}
            measured = place.joinpath(name, "-".join(wildcards.values()) or "all")
            measure_cell(
                name,
                cell_of({**keys, **wildcards}, files),
                settings,
                RESAMPLING,
                root / "results" / "metrics" / f"{measured}.parquet",
                root / "results" / "per_class" / f"{measured}.parquet" if task.per_class else None,
            )


def _gather(experiment: Experiment) -> None:
    for name, folder, schema in (
        ("metrics", "metrics", tidy.TIDY),
        ("per_class", "per_class", tidy.PER_CLASS),
    ):
        cells = sorted((experiment.root / "results" / folder).rglob("*.parquet"))
        outputs = [experiment.folder / f"{name}.{end}" for end in ("parquet", "csv")]
        tidy.gather(cells, *outputs, schema)


def _draw(
    experiment: Experiment, datasets: list[str], models: list[str]
) -> list[tuple[str, str, str | None, str | None]]:
    """Draw every figure of every task; give the names and places, in the order of the tasks."""
    root = experiment.root
    for dataset in datasets:
        encode_clips(
            root / "results" / "manifests" / f"{dataset}.parquet",
            experiment.folder / "clips" / f"{dataset}.parquet",
            megabytes=0.06,
            seconds=0.4,
            sample_rate=22050,
            compression=0.9,
        )
    places: dict[str, list[tuple[str, ...]]] = {
        "dataset": [(dataset,) for dataset in datasets],
        "model": list(product(datasets, models)),
        "prompt": list(product(datasets, models, DRAWN)),
    }
    drawn = []
    for name, (per, where) in product(SETTINGS, places.items()):
        figures = [figure for figure in TASKS.find(name).figures if figure.per == per]
        settings = {
            one.name: {key: CONSTANTS[key] for key in one.settings.model_fields} for one in figures
        }
        for place in where if figures else ():
            keys = dict(zip(("dataset", "model", "prompt"), place, strict=False))
            files: dict[str, Any] = _files(root, **keys) if "model" in keys else {}
            cells = (root / "results" / "metrics" / place[0]).rglob(f"{name}/*.parquet")
            files["metrics"] = sorted(cells)
            svgs = {
                one.name: experiment.folder / "figures" / f"{figure_path(one.name, *place)}.svg"
                for one in figures
            }
            draw_figures(name, per, Cell(keys, files), settings, svgs)
            drawn += [(one.name, *place, *[None] * (3 - len(place))) for one in figures]
    return drawn


def _write_paper(experiment: Experiment) -> None:
    keys = {"system": "Sharp", "task": "zero_shot", "space": "joint", "prompt": "track"}
    rows = [
        ("top_1", 0.7, 0.7, 0.6, 0.8, 0.0, "same to the digit"),
        ("top_5", 0.9, 0.95, 0.85, 0.99, 0.05, "inside the interval"),
        ("f1_weighted", 0.2, 0.5, 0.4, 0.6, 0.3, "differs: another <reading> of the paper"),
        ("roc_auc_macro", 0.8, None, None, None, None, "not computed: not released"),
    ]
    names = ["metric", "published", "ours", "ci_low", "ci_high", "delta", "verdict"]
    table = pd.DataFrame([keys | dict(zip(names, row, strict=True)) for row in rows])
    table.assign(note="").to_csv(experiment.folder / "paper_comparison.csv", index=False)


def _write_times(root: Path) -> None:
    """Benchmark files of two jobs, one of them of another experiment."""
    for dataset in ("notes", "of_others"):
        file = root / "logs" / "embed_audio" / dataset / "sharp.benchmark.tsv"
        file.parent.mkdir(parents=True)
        file.write_text("s\th:m:s\tmax_rss\n75.0\t0:01:15\t612.4\n")


def _write_page(
    experiment: Experiment,
    datasets: list[str],
    models: list[str],
    figures: list[tuple[str, str, str | None, str | None]],
) -> None:
    results, folder = experiment.root / "results", experiment.folder
    cells = [
        (dataset, model, prompt) for dataset in datasets for model in models for prompt in DRAWN
    ]
    write_report(
        experiment.report,
        Inputs(
            metrics=folder / "metrics.parquet",
            manifests=[results / "manifests" / f"{name}.parquet" for name in datasets],
            models=[results / "models" / name / "model.json" for name in models],
            health=[results / "models" / name / "health.json" for name in models],
            texts=[
                results / "embeddings" / "text" / datasets[0] / model / f"{prompt}.parquet"
                for model in models
                for prompt in TEMPLATES
            ],
            scores=[results.joinpath("scores", *cell[:2], f"{cell[2]}.parquet") for cell in cells],
            figures=[folder / "figures" / f"{figure_path(*figure)}.svg" for figure in figures],
            per_class=folder / "per_class.parquet",
            paper=folder / "paper_comparison.csv",
            clips=[folder / "clips" / f"{name}.parquet" for name in datasets],
        ),
        table_files=[
            folder / "tables" / f"{TASKS.find(name).tables[0].name}.{end}"
            for name in SETTINGS
            for end in ("tex", "csv")
        ],
        model_index_files=[folder / "model_index" / f"{name}.json" for name in models],
        tasks=SETTINGS,
        experiment=experiment.name,
        title=TITLE,
        prompts=list(TEMPLATES),
        confidence_level=RESAMPLING["confidence_level"],
        equivalence_margin=0.02,
        replicates=REPLICATES,
        configuration={
            "experiment": {"name": "trial", "models": models},
            "models": {name: {} for name in models},
        },
        embed_megabytes=5,
        figures=figures,
        decided=cells,
        left_out={"dull": [LEFT_OUT]},
        licences={"datasets": {"notes": "CC <BY>"}, "models": dict.fromkeys(models, "GPL-3.0")},
        logs=experiment.root / "logs",
        known=[*datasets, *models, *TEMPLATES],
    )


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return write_experiment(tmp_path_factory.mktemp("experiment"))


@pytest.fixture
def page(browser: "webdriver.Chrome", experiment: Experiment) -> Iterator["webdriver.Chrome"]:
    """The report, freshly opened at desktop width in light colours, with empty logs."""
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(experiment.report.as_uri())
    yield browser
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_script("localStorage.clear()")
