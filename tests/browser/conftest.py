"""A small experiment, written through the workflow's functions, and a browser for its report."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from listenread import measure, tables
from listenread.datasets.base import ClipRow, build_manifest, write_manifest
from listenread.report import confusion, margins, prompt_intervals, similarity, vector_map
from listenread.report.listening import encode_clips
from listenread.report.page import Inputs, write_report
from listenread.scores import score_prompt

if TYPE_CHECKING:
    from selenium import webdriver

CLASSES = ["Bass Tuba", "Cello", "Flute", "Oboe", "Violin <2>"]
TEMPLATES = {"track": "A {} track", "negated": "A no {} track", "context": "{} lorem & ipsum."}
DRAWN = ["track", "context"]
TITLE = "A trial & <its> report"
CLIPS_PER_CLASS = 8
RESAMPLES = 200
METRICS = {"top_k": [1, 2, 5], "resamples": RESAMPLES, "confidence": 0.95, "seed": 1}


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
            _write_cells(root, dataset, model, generator)
    for model in models:
        path = root / "results" / "models" / model / "model.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        audio_input = {"sample_rate": 16000, "clip_seconds": 2.56}
        path.write_text(json.dumps({"family": "muscall", "audio_input": audio_input}))
    _gather(experiment)
    _draw(experiment, datasets, models)
    _write_page(experiment, datasets, models)
    return experiment


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
        rows.append(ClipRow(path.stem, path, label, fold=position % 3))
    if skip:
        broken = folder / "broken.flac"
        broken.write_bytes(b"no sound at all")
        rows.append(ClipRow("broken & <odd>", broken, CLASSES[0], fold=0))
    manifest = build_manifest(rows, CLASSES, on_bad_audio="skip", working_directory=root)
    write_manifest(root / "results" / "manifests" / f"{name}.parquet", manifest)


def _write_cells(root: Path, dataset: str, model: str, generator: np.random.Generator) -> None:
    results = root / "results"
    manifest_path = results / "manifests" / f"{dataset}.parquet"
    audio_path = results / "embeddings" / "audio" / dataset / f"{model}.parquet"
    cells = results / "metrics" / dataset / model
    labels = tables.read(manifest_path).data["label"].to_pylist()
    centres = generator.normal(size=(len(CLASSES), 16))
    noise = {"sharp": 1.2, "dull": 4.0, "sick": 0.0}[model]
    vectors = np.array([centres[CLASSES.index(label)] for label in labels])
    vectors = vectors + generator.normal(0, noise, vectors.shape)
    manifest = tables.read(manifest_path).data
    if model == "sick":
        tables.write_unavailable(audio_path, "its vectors are all the same")
    else:
        tables.write(
            audio_path,
            {
                "clip_id": manifest["clip_id"],
                "label": manifest["label"],
                "pre_joint": tables.vectors(np.tile(vectors, 2)),
                "joint": tables.vectors(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)),
            },
        )
    measure.measure_audio_only(
        audio_path,
        manifest_path,
        cells / "audio_only.parquet",
        dataset=dataset,
        model=model,
        **METRICS,
    )
    for name, template in TEMPLATES.items():
        text_path = results / "embeddings" / "text" / dataset / model / f"{name}.parquet"
        variants = 3 if name == "context" else 1
        texts = [template.format(label.lower()) for _ in range(variants) for label in CLASSES]
        text_vectors = np.tile(centres, (variants, 1))
        text_vectors = text_vectors + generator.normal(0, 1, text_vectors.shape)
        columns = {"label": CLASSES * variants, "text": texts}
        if variants > 1:
            columns["variant"] = np.repeat(np.arange(variants), len(CLASSES))
        unit = text_vectors / np.linalg.norm(text_vectors, axis=1, keepdims=True)
        if model == "sick":
            tables.write_unavailable(text_path, "its vectors are all the same")
        else:
            tables.write(
                text_path,
                {
                    **columns,
                    "pre_joint": tables.vectors(text_vectors),
                    "joint": tables.vectors(unit),
                },
            )
        scores_path = results / "scores" / dataset / model / f"{name}.parquet"
        score_prompt(audio_path, text_path, scores_path)
        measure.measure_zero_shot(
            scores_path,
            cells / "zero_shot" / f"{name}.parquet",
            dataset=dataset,
            model=model,
            prompt=name,
            **METRICS,
        )


def _gather(experiment: Experiment) -> None:
    cells = sorted((experiment.root / "results" / "metrics").rglob("*.parquet"))
    measure.gather(cells, experiment.folder / "metrics.parquet", experiment.folder / "metrics.csv")


def _draw(experiment: Experiment, datasets: list[str], models: list[str]) -> None:
    results, figures = experiment.root / "results", experiment.folder / "figures"
    for dataset in datasets:
        manifest = results / "manifests" / f"{dataset}.parquet"
        metrics = experiment.folder / "metrics.parquet"
        prompt_intervals.draw(
            metrics, figures / "prompts" / f"{dataset}.svg", dataset=dataset, metric="top_1"
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
                vector_map.draw(audio, text, figures / "map" / f"{place}.svg")
                margins.draw(
                    scores,
                    figures / "confidence" / f"{place}.svg",
                    histogram_bins=20,
                    reliability_bins=4,
                    resamples=RESAMPLES,
                    confidence=0.95,
                    seed=1,
                )


def _write_page(experiment: Experiment, datasets: list[str], models: list[str]) -> None:
    results, folder = experiment.root / "results", experiment.folder
    root_logs = experiment.root / "logs" / "benchmarks"
    cells = [
        (dataset, model, prompt) for dataset in datasets for model in models for prompt in DRAWN
    ]
    write_report(
        experiment.report,
        Inputs(
            metrics=folder / "metrics.parquet",
            manifests=[results / "manifests" / f"{name}.parquet" for name in datasets],
            models=[results / "models" / name / "model.json" for name in models],
            texts=[
                results / "embeddings" / "text" / datasets[0] / model / f"{prompt}.parquet"
                for model in models
                for prompt in TEMPLATES
            ],
            scores=[results.joinpath("scores", *cell[:2], f"{cell[2]}.parquet") for cell in cells],
            figures=sorted((folder / "figures").rglob("*.svg")),
            clips=[folder / "clips" / f"{name}.parquet" for name in datasets],
        ),
        table_files=[
            folder / "tables" / f"{name}.{end}"
            for name in ("audio_only", "zero_shot")
            for end in ("tex", "csv")
        ],
        model_index_files=[folder / "model_index" / f"{name}.json" for name in models],
        experiment=experiment.name,
        title=TITLE,
        prompts=list(TEMPLATES),
        confidence=METRICS["confidence"],
        resamples=RESAMPLES,
        configuration={"experiment": {"name": "trial"}},
        embed_megabytes=5,
        benchmarks=root_logs,
    )


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return write_experiment(tmp_path_factory.mktemp("experiment"))


CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1400,1000",
    "--autoplay-policy=no-user-gesture-required",
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["webdriver.Chrome"]:
    """Headless Chromium with a fresh profile; skipped where it or its driver is absent."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("Chromium or chromedriver is absent (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*CHROMIUM_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    started = webdriver.Chrome(options=options, service=service)
    started.set_script_timeout(60)
    yield started
    started.quit()


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
