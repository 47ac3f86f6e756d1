"""A small experiment, written through the workflow's functions, and a browser for its report."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import soundfile
from listenread.datasets.rows import ClipRow
from listenread.tasks.confidence import measure_confidence

from listenread.datasets.base import ClipRow
from listenread.datasets.checking import build_manifest
from listenread.datasets.manifest import write_manifest
from listenread.figures import confusion, map, margin, prompts, similarity
from listenread.files import tables
from listenread.report.listening import encode_clips
from listenread.report.page import TABLES, Inputs, write_report
from listenread.scores import score_prompt
from listenread.tasks import tidy
from listenread.tasks.audio_only import measure_audio_only
from listenread.tasks.prompt_effects import compare_prompts
from listenread.tasks.separation import measure_separation
from listenread.tasks.zero_shot import measure_zero_shot

if TYPE_CHECKING:
    from selenium import webdriver

CLASSES = ["Bass Tuba", "Cello", "Flute", "Oboe", "Violin <2>"]
TEMPLATES = {"track": "A {} track", "negated": "A no {} track", "context": "{} lorem & ipsum."}
DRAWN = ["track", "context"]
SICKNESS = "text tower: its vectors are all the same"
TITLE = "A trial & <its> report"
CLIPS_PER_CLASS = 8
RESAMPLES = 200
BOOTSTRAP = {"resamples": RESAMPLES, "confidence": 0.95, "seed": 1}
METRICS = {"top_k": [1, 2, 5], **BOOTSTRAP}


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


def write_experiment(root: Path, *, sick: bool = True) -> Experiment:
    """Write two datasets, two systems, an unhealthy one, three prompts, figures and the page."""
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
            _measure(root, {"dataset": dataset, "model": model})
    for model in models:
        _write_model(root, model)
    _gather(experiment)
    _draw(experiment, datasets, models)
    _write_paper(experiment)
    _write_page(experiment, datasets, models)
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
        path = folder / f"{position:03d}.flac"
        time = np.arange(8000) / 16000
        tone = 0.3 * np.sin(2 * np.pi * (200 + 10 * position) * time)
        soundfile.write(path, tone + generator.normal(0, 0.01, time.shape), 16000)
        rows.append(ClipRow(path.stem, path, (label,), fold=position % 3))
    if skip:
        broken = folder / "broken.flac"
        broken.write_bytes(b"no sound at all")
        rows.append(ClipRow("broken & <odd>", broken, (CLASSES[0],), fold=0))
    manifest = build_manifest(rows, CLASSES, on_bad_audio="skip", working_directory=root)
    write_manifest(root / "results" / "manifests" / f"{name}.parquet", manifest)


def _write_vectors(root: Path, dataset: str, model: str, generator: np.random.Generator) -> None:
    embeddings = root / "results" / "embeddings"
    clips = tables.read(root / "results" / "manifests" / f"{dataset}.parquet").data
    centres = generator.normal(size=(len(CLASSES), 16))
    noise = {"sharp": 1.2, "dull": 4.0, "sick": 0.0}[model]
    audio = np.array([centres[CLASSES.index(label)] for label in clips["label"].to_pylist()])
    audio = audio + generator.normal(0, noise, audio.shape)
    keys = {"clip_id": clips["clip_id"], "label": clips["label"]}
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


def _measure(root: Path, cell: dict[str, str]) -> None:
    results, place = root / "results", Path(cell["dataset"], cell["model"])
    metrics = results / "metrics" / place
    audio = results / "embeddings" / "audio" / f"{place}.parquet"
    manifest = results / "manifests" / f"{cell['dataset']}.parquet"
    measure_audio_only(audio, manifest, metrics / "audio_only.parquet", **cell, **METRICS)
    for prompt in TEMPLATES:
        text = results / "embeddings" / "text" / place / f"{prompt}.parquet"
        scores = results / "scores" / place / f"{prompt}.parquet"
        score_prompt(audio, text, scores)
        own = {**cell, "prompt": prompt}
        measure_zero_shot(
            scores,
            metrics / f"zero_shot/{prompt}.parquet",
            results / "metrics_per_class" / place / f"zero_shot/{prompt}.parquet",
            permutations=20,
            **own,
            **METRICS,
        )
        measure_confidence(scores, metrics / f"confidence/{prompt}.parquet", **own, **BOOTSTRAP)
        measure_separation(
            scores,
            audio,
            text,
            metrics / f"separation/{prompt}.parquet",
            bins=50,
            **own,
            **BOOTSTRAP,
        )
    compare_prompts(
        [results / "scores" / place / f"{prompt}.parquet" for prompt in ("negated", "track")],
        [
            results / "embeddings" / "text" / place / f"{prompt}.parquet"
            for prompt in ("negated", "track")
        ],
        metrics / "prompt_effects/negated/track.parquet",
        **cell,
        prompt="negated",
        reference="track",
        **METRICS,
    )


def _gather(experiment: Experiment) -> None:
    cells = sorted((experiment.root / "results" / "metrics").rglob("*.parquet"))
    tidy.gather(cells, experiment.folder / "metrics.parquet", experiment.folder / "metrics.csv")


def _draw(experiment: Experiment, datasets: list[str], models: list[str]) -> None:
    results, figures = experiment.root / "results", experiment.folder / "figures"
    for dataset in datasets:
        manifest = results / "manifests" / f"{dataset}.parquet"
        cells = results / "metrics" / dataset
        prompts.draw(
            [path for model in models for path in sorted(cells.glob(f"{model}/zero_shot/*"))],
            figures / "prompts" / f"{dataset}.svg",
            dataset=dataset,
            metric="top_1",
        )
        encode_clips(
            manifest,
            experiment.folder / "clips" / f"{dataset}.parquet",
            megabytes=0.06,
            seconds=0.4,
            sample_rate=22050,
            compression=0.9,
        )
        for model in models:
            audio = results / "embeddings" / "audio" / dataset / f"{model}.parquet"
            similarity.draw_audio_only(
                audio,
                figures / "audio_similarity" / dataset / f"{model}.svg",
                bins=20,
                max_others=100,
                seed=1,
            )
            for prompt in DRAWN:
                place = f"{dataset}/{model}/{prompt}"
                scores = results / "scores" / f"{place}.parquet"
                text = results / "embeddings" / "text" / f"{place}.parquet"
                similarity.draw_text_audio(scores, figures / "similarity" / f"{place}.svg", bins=20)
                confusion.draw(scores, figures / "confusion" / f"{place}.svg")
                map.draw(audio, text, figures / "map" / f"{place}.svg")
                margin.draw(
                    scores,
                    figures / "confidence" / f"{place}.svg",
                    histogram_bins=20,
                    reliability_bins=4,
                    resamples=RESAMPLES,
                    confidence=0.95,
                    seed=1,
                )


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


def _write_page(experiment: Experiment, datasets: list[str], models: list[str]) -> None:
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
            figures=sorted((folder / "figures").rglob("*.svg")),
            paper=folder / "paper_comparison.csv",
            clips=[folder / "clips" / f"{name}.parquet" for name in datasets],
        ),
        table_files=[
            folder / "tables" / f"{name}.{end}"
            for name in TABLES
            if name != "triplets"
            for end in ("tex", "csv")
        ],
        model_index_files=[folder / "model_index" / f"{name}.json" for name in models],
        experiment=experiment.name,
        title=TITLE,
        prompts=list(TEMPLATES),
        confidence=METRICS["confidence"],
        resamples=RESAMPLES,
        configuration={"experiment": {"name": "trial"}, "models": {name: {} for name in models}},
        embed_megabytes=5,
        records=experiment.root / ".snakemake" / "metadata",
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
