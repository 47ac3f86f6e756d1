"""The library behind `import listenread`: models, vectors, scores and tasks without a workflow."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from listenread.audio import loading
from listenread.audio.base import AudioInput
from listenread.entries import load
from listenread.errors import ConfigError, DataError
from listenread.metrics.base import METRICS, Metric, Resampling, Target
from listenread.models.base import TwoTower, Vectors
from listenread.progress import progress
from listenread.scores import cosine_similarities
from listenread.tasks.base import TASKS
from listenread.tasks.memory import MemoryCell
from listenread.tasks.runner import collect
from listenread.tasks.settings import ClassificationSettings

#: The ontology of instruments that the workflow uses too, unless it is told another.
DOKTORSKI = Path(__file__).parent / "resources" / "ontology" / "doktorski.csv"
#: A sound: the path of a file, or a waveform of shape (frames,) or (frames, channels).
Sound = str | Path | np.ndarray


def load_model(
    model: str | Path | type,
    *,
    catalogue: str | Path | None = None,
    mirror: str | None = None,
    options: Mapping[str, Any] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    precision: str = "float32",
) -> TwoTower:
    """Load a model.

    Args:
        model: its name in a catalogue; or the folder of a prepared model, for instance
            ``results/models/mini``; or a class of your own (see docs/own_model.md), itself or as
            ``package.module:Class``.
        catalogue: a file such as ``catalogue/models.yaml``. The model is fetched and converted in
            the folders `data` and `results/models` of the working directory if it is not there.
        mirror: of the downloads, a folder in `wget -x` layout that is looked into first.
        options: of a class of your own.
        device: ``cpu``, a torch device such as ``cuda:0``, or ``auto``.
        threads: CPU threads; None for torch's own choice.
        precision: ``float32``, ``tf32`` or ``bfloat16``.

    Raises:
        ModelError: the folder is not a prepared model, or the model cannot be loaded.
        ConfigError: there is no such class, or no such model in the catalogue.
        DownloadError: a file of the model cannot be fetched.
    """
    from listenread.models import storage
    from listenread.models.catalogue import prepared_model

    if isinstance(model, type) or (isinstance(model, str) and ":" in model):
        found = load(model) if isinstance(model, str) else model
        with tempfile.TemporaryDirectory(prefix="listenread-") as folder:
            description = {"options": dict(options or {})}
            made: TwoTower = found(Path(folder), description, tower="both", device=device)
            return made
    if catalogue is not None:
        model = prepared_model(str(model), catalogue, mirror=mirror)
    return storage.load(model, device=device, threads=threads, precision=precision)


def embed_audio(
    model: TwoTower,
    sounds: Iterable[Sound],
    sample_rate: int | None = None,
    *,
    batch_size: int = 16,
) -> Vectors:
    """Embed sounds, before and after the projection into the joint space.

    Args:
        model: from `load_model`.
        sounds: files of any format that libsndfile reads, or waveforms in [-1, 1]. They are
            averaged to mono, resampled, and cropped or padded as the model wants.
        sample_rate: of the waveforms, in Hz.
        batch_size: rows per forward pass.

    Returns:
        `pre_joint`, shape (n, d_encoder), and `joint`, shape (n, d_joint), L2-normalised; float32.

    Raises:
        DataError: a file cannot be decoded, or a waveform comes without its sample rate.
    """
    from listenread.embed import clip_vectors

    sounds = list(sounds)
    with progress(total=len(sounds), unit="sounds", label="embedding audio") as bar:
        batches = _batches(sounds, sample_rate, model.audio_input, batch_size, bar)
        parts = [vectors for _, vectors in clip_vectors(model.encode_audio, batches)]
    if not parts:
        raise DataError("there is no sound to embed")
    return Vectors(*(np.concatenate(vectors) for vectors in zip(*parts, strict=True)))


def _batches(
    sounds: Sequence[Sound],
    sample_rate: int | None,
    audio_input: AudioInput,
    batch_size: int,
    bar: Any,
) -> Iterable[loading.Batch]:
    clips: list[int] = []
    rows: list[np.ndarray] = []
    for index, sound in enumerate(sounds):
        for row in loading.prepare(_decoded(sound, sample_rate), audio_input):  # (samples,)
            clips.append(index)
            rows.append(row)
            if len(rows) == batch_size:
                yield loading.Batch(np.array(clips, dtype=np.int64), np.stack(rows))
                clips, rows = [], []
        bar.update()
    if rows:
        yield loading.Batch(np.array(clips, dtype=np.int64), np.stack(rows))


def _decoded(sound: Sound, sample_rate: int | None) -> loading.Sound:
    if isinstance(sound, np.ndarray):
        if sample_rate is None:
            raise DataError("waveforms need their `sample_rate`")
        waveform = np.asarray(sound, dtype=np.float32)
        return loading.Sound(waveform.reshape(len(waveform), -1), sample_rate)
    try:
        return loading.decode(Path(sound).read_bytes(), sound)
    except OSError as error:
        raise DataError(f"{sound}: {error.strerror or error}") from error


def embed_text(model: TwoTower, texts: Iterable[str], *, batch_size: int = 64) -> Vectors:
    """Embed texts, before and after the projection into the joint space.

    Args:
        model: from `load_model`.
        texts: what the text tower reads.
        batch_size: texts per forward pass.

    Returns:
        See `embed_audio`.
    """
    texts = list(texts)
    parts = [
        model.encode_text(texts[start : start + batch_size])
        for start in range(0, len(texts), batch_size)
    ]
    if not parts:
        raise DataError("there is no text to embed")
    return Vectors(*(np.concatenate(vectors) for vectors in zip(*parts, strict=True)))


def score(audio: np.ndarray, text: np.ndarray) -> np.ndarray:
    """Compare clips with texts in the joint space.

    Args:
        audio: joint vectors, shape (n, d).
        text: joint vectors, one per class, shape (C, d).

    Returns:
        Cosines, float32, shape (n, C).
    """
    return cosine_similarities(audio, text)


def evaluate(
    scores: np.ndarray,
    labels: Sequence[str] | Sequence[Sequence[str]],
    classes: Sequence[str],
    *,
    metrics: Sequence[str | Metric] | None = None,
    replicates: int = 60,
    confidence_level: float = 0.95,
    seed: int = 2407,
    groups: Sequence[int] | None = None,
) -> pa.Table:
    """Measure a classification: every metric with its interval and its chance level.

    Args:
        scores: shape (n, C), larger for what fits better.
        labels: of each clip its label, or a list of labels.
        classes: the C labels in the order of the columns of `scores`.
        metrics: names, ``package.module:NAME``, or metrics themselves; by default those of
            the task `zero_shot`. Metrics that are not defined for clips with several labels are
            left out for such clips.
        replicates: of the jackknife over groups of clips; 0 for no interval.
        confidence_level: of the intervals.
        seed: of the sets that replicates leave out.
        groups: of each clip; clips of one group are not independent. By default each clip is its
            own group.

    Returns:
        `metric, value, ci_low, ci_high, n, chance, n_groups, interval`, one row for each metric.

    Raises:
        DataError: scores and labels do not fit, or scores are not finite.
        ConfigError: there is no such metric.
    """  # fmt: skip
    from listenread.metrics import classification

    if metrics is None:
        metrics = ClassificationSettings().metrics()
    chosen = [METRICS.find(one) if isinstance(one, str) else one for one in metrics]
    measured = classification.measure(
        np.asarray(scores),
        _target(labels, classes),
        metrics=chosen,
        resampling=Resampling(replicates, confidence_level, seed),
        groups=None if groups is None else np.unique(groups, return_inverse=True)[1],
    )
    names = ("metric", "value", "ci_low", "ci_high", "n", "chance", "n_groups", "interval")
    return pa.table({name: [getattr(one, name) for one in measured] for name in names})


def measure(
    task: str,
    labels: Sequence[str] | Sequence[Sequence[str]],
    classes: Sequence[str],
    *,
    audio: Vectors | None = None,
    text: Vectors | None = None,
    scores: np.ndarray | None = None,
    folds: Sequence[int] | None = None,
    groups: Sequence[int] | None = None,
    ontology: str | Path = DOKTORSKI,
    settings: Mapping[str, Any] | None = None,
    replicates: int = 60,
    confidence_level: float = 0.95,
    seed: int = 2407,
) -> pa.Table:
    """Run a task of the workflow on vectors in memory, with the numbers that the workflow gives.

    Args:
        task: name of a built-in task per model or per prompt, or ``package.module:NAME``.
        labels: of each clip its label, or a list of labels.
        classes: the labels in the order of `text`.
        audio: vectors of the n clips.
        text: vectors of one prompt, a row for each class.
        scores: cosines, shape (n, C); by default those of `audio` and `text` in the joint space.
        folds: of each clip, for tasks that hold clips out.
        groups: of each clip; see `evaluate`.
        ontology: for tasks that relate the labels, see `listenread.ontology.read`; the instruments
            of the paper by default.
        settings: of the task; its defaults otherwise.
        replicates: of the jackknife.
        confidence_level: of the intervals.
        seed: of the sets that replicates leave out.

    Returns:
        Rows of the tidy table: `task, space, prompt, protocol, label, metric, value, ci_low,
        ci_high, n, chance, n_groups, interval, p, replicates`.

    Raises:
        ConfigError: there is no such task, it does not run on vectors in memory, or its settings
            are wrong.
        Unavailable: the task needs something that was not given.
    """
    found = TASKS.find(task)
    if found.per not in ("model", "prompt"):
        raise ConfigError(f"task `{found.name}` runs per {found.per}; it needs the workflow")
    if scores is None and audio is not None and text is not None:
        scores = cosine_similarities(audio.joint, text.joint)
    cell = MemoryCell(
        labels=list(classes),
        targets=_target(labels, classes),
        vectors={"audio": audio, "text": text},
        similarities=scores,
        split=None if folds is None else np.asarray(folds),
        together=None if groups is None else np.unique(groups, return_inverse=True)[1],
        files={"ontology": ontology},
    )
    resampling = Resampling(replicates, confidence_level, seed)
    rows = collect(found, cell, found.settings(**(settings or {})), resampling)
    return pa.Table.from_pylist(rows) if rows else pa.table({})


def list_tasks() -> list[str]:
    """Names of the built-in tasks."""
    return TASKS.names()


def list_metrics() -> list[str]:
    """Names of the built-in metrics."""
    return METRICS.names()


def _target(labels: Sequence[Any], classes: Sequence[str]) -> Target:
    return Target.from_labels(
        [[one] if isinstance(one, str) else list(one) for one in labels], list(classes)
    )
