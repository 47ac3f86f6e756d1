"""What a model must pass before anything is scored.

Two failures that were met in the wild made wrong tables without any error: a tokenizer of 5
entries, which gives every prompt the same vector, and a text tower whose vectors are nearly
constant. Every check measures something, compares it with a limit and says both; a model that fails
raises nothing.
"""

import json
import math
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from listenread.audio.base import AudioInput
from listenread.errors import ListenreadError, Unavailable
from listenread.files import atomic, tables
from listenread.models import storage
from listenread.models.base import HealthLimits, LoadTower, TwoTower, Vectors, find_family
from listenread.models.common.device import resolve_device

DEFAULT_LIMITS = HealthLimits()
#: Texts whose vectors must differ: instruments that any audio-text model has words for.
PROBE_TEXTS = tuple(
    f"A {label} track"
    for label in (
        "bass tuba",
        "french horn",
        "trombone",
        "trumpet",
        "accordion",
        "contrabass",
        "violin",
        "viola",
        "cello",
        "bassoon",
        "clarinet",
        "flute",
        "oboe",
        "alto saxophone",
    )
)

DEFAULT_LIMITS = HealthLimits()


class KnownAnswers(NamedTuple):
    """Vectors that a model is known to give, e.g. those that its authors released.

    Attributes:
        texts: what was embedded.
        joint: float32, shape (texts, d_joint).
        missing: why there are none; None where there are.
    """

    texts: Sequence[str] = ()
    joint: np.ndarray | None = None
    missing: str | None = None


#: Placeholder where no reference vectors exist.
NO_KNOWN_ANSWERS = KnownAnswers(missing="there are none for this model")


class Check(NamedTuple):
    """One check of a model.

    Attributes:
        name: what was checked.
        passed: whether it is within the limit, or None where it does not apply.
        measured: the value, or None where there is none (or none that is finite).
        limit: what it was compared with.
        message: the outcome in words, with the value and the limit.
    """

    name: str
    passed: bool | None
    measured: float | None
    limit: float | None
    message: str


class _Tower(NamedTuple):
    """A tower with its probes, which are embedded by their numbers."""

    name: str
    encode: Callable[[list[int]], Vectors]
    probes: int
    largest_mean_cosine: float


def probe_clips(audio_input: AudioInput, seed: int = 0) -> np.ndarray:
    """Make six sounds of different kinds: low and high tones, noise, a sweep, clicks, a tremolo.

    Args:
        audio_input: what the audio tower wants.
        seed: of the noise.

    Returns:
        float32, shape (6, `audio_input.samples`), in [-1, 1].
    """
    time = np.arange(audio_input.samples) / audio_input.sample_rate
    random = np.random.default_rng(seed)
    noise = random.standard_normal(audio_input.samples)
    seconds = audio_input.clip_seconds

    def tone(frequency: float, partials: int) -> np.ndarray:
        orders = [k for k in range(1, partials + 1) if k * frequency < audio_input.sample_rate / 2]
        # `sum` starts at 0, which is all that is left without a partial
        return np.asarray(sum(np.sin(2 * np.pi * frequency * k * time) / k for k in orders))

    sounds = [
        tone(110.0, 20),
        tone(1760.0, 2),
        noise,
        np.sin(2 * np.pi * (100.0 + 2000.0 * time / seconds) * time),
        (time % 0.25 < 0.002) * noise,
        tone(330.0, 8) * (1 + np.sin(2 * np.pi * 6.0 * time)),
    ]
    return np.stack([0.7 * sound / np.abs(sound).max() for sound in sounds]).astype(np.float32)


def check_model(
    model: TwoTower,
    *,
    limits: HealthLimits = DEFAULT_LIMITS,
    texts: Sequence[str] = PROBE_TEXTS,
    clips: np.ndarray | None = None,
    known_answers: KnownAnswers = NO_KNOWN_ANSWERS,
    in_float32: TwoTower | None = None,
    towers: Collection[str] = ("audio", "text"),
) -> dict[str, Any]:
    """Measure whether a model can be trusted with anything.

    Args:
        model: with both towers, in the precision and on the device in use.
        limits: see `HealthLimits`.
        texts: different prompts, at least two.
        clips: different sounds, float32, shape (n, `model.audio_input.samples`), at least two;
            default: `probe_clips`.
        known_answers: texts with the vectors that the model is known to give.
        in_float32: the same model in float32 on the CPU, to compare the precision in use with; None
            where that is what is in use.
        towers: those that the model has.

    Returns:
        For ``health.json``: ``healthy`` (bool), ``failures`` (sentences, each with the measured
        value and its limit), ``checks`` (every one as a mapping) and ``limits``.
    """
    texts = list(dict.fromkeys(texts))
    if "audio" in towers and clips is None:
        clips = probe_clips(model.audio_input)
    checked: list[_Tower] = []
    checks: list[Check] = []
    if "text" in towers:
        checks += _check_tokenizer(model, texts, limits)
        checked.append(
            _Tower(
                "text",
                lambda rows: model.encode_text([texts[i] for i in rows]),
                len(texts),
                limits.largest_mean_text_cosine,
            )
        )
    if "audio" in towers and clips is not None:
        sounds = clips
        checked.append(
            _Tower(
                "audio",
                lambda rows: model.encode_audio(sounds[rows]),
                len(sounds),
                limits.largest_mean_audio_cosine,
            )
        )
    for tower in checked:
        checks += _attempt(f"{tower.name} tower", partial(_check_tower, tower, limits))
    if "text" in towers:
        checks += _attempt("known answers", lambda: [_check_known(model, known_answers, limits)])
    checks += _attempt(
        "precision", lambda: [_check_precision(model, in_float32, texts, clips, limits, towers)]
    )
    return _verdict(checks, limits)


def check_prepared_model(
    model_dir: str | Path,
    output: str | Path,
    *,
    device: str = "cpu",
    threads: int | None = None,
    precision: str = "float32",
    limits: HealthLimits = DEFAULT_LIMITS,
    texts: Sequence[str] = PROBE_TEXTS,
    known_answers_path: str | Path | None = None,
) -> dict[str, Any]:
    """Load a prepared model, check it and write its ``health.json``.

    A model that cannot be loaded is unhealthy, and the reason is why.

    Args:
        model_dir: a prepared model.
        output: the JSON file to write.
        device: where it will be used; on a GPU it is compared with the CPU.
        threads: CPU threads.
        precision: what it will compute in; it is compared with float32 on the CPU.
        limits: see `HealthLimits`.
        texts: different prompts.
        known_answers_path: a table with columns `text, joint`, e.g. released text vectors.

    Returns:
        See `check_model`.
    """
    try:
        device = resolve_device(device)
        towers = find_family(storage.describe(model_dir)["family"]).towers
        tower: LoadTower = "both" if len(towers) == 2 else next(iter(towers))
        model = storage.load(model_dir, tower, device, threads, precision)
        reference_itself = device == "cpu" and precision == "float32"
        in_float32 = None if reference_itself else storage.load(model_dir, tower, threads=threads)
        known = NO_KNOWN_ANSWERS
        if known_answers_path is not None:
            known = read_known_answers(known_answers_path)
    except ListenreadError as error:
        health = _verdict([Check("loading", False, None, None, str(error))], limits)
    else:
        health = check_model(
            model,
            limits=limits,
            texts=texts,
            known_answers=known,
            in_float32=in_float32,
            towers=towers,
        )
    text = json.dumps(health, indent=2, ensure_ascii=False, allow_nan=False)
    atomic.write_text(output, f"{text}\n")
    return health


def read_known_answers(path: str | Path) -> KnownAnswers:
    """Read known answers from a text embeddings table; one that is empty on purpose says why."""
    table = tables.read(path, ["text", "joint"])
    if table.unavailable:
        return KnownAnswers(missing=table.unavailable)
    return KnownAnswers(table.data["text"].to_pylist(), tables.to_numpy(table.data["joint"]))


def _verdict(checks: Sequence[Check], limits: HealthLimits) -> dict[str, Any]:
    failures = [f"{check.name}: {check.message}" for check in checks if check.passed is False]
    return {
        "healthy": not failures,
        "failures": failures,
        "checks": [check._asdict() for check in checks],
        "limits": limits.plain(),
    }


def _attempt(name: str, measure: Callable[[], list[Check]]) -> list[Check]:
    """A tower that breaks down is unhealthy; it must not take the run with it."""
    try:
        return measure()
    except Exception as error:
        message = f"broke down with {type(error).__name__}: {error}"
        return [Check(name, False, None, None, message)]


def _at_most(name: str, measured: float, limit: float, what: str) -> Check:
    passed = bool(measured <= limit)  # False for NaN
    said = f"{what} is {measured:.6g}; the limit is {limit:.6g}"
    return Check(name, passed, float(measured) if math.isfinite(measured) else None, limit, said)


def _at_least(name: str, measured: float, limit: float, what: str) -> Check:
    passed = bool(measured >= limit)
    said = f"{what} is {measured:.6g}; it must be at least {limit:.6g}"
    return Check(name, passed, float(measured) if math.isfinite(measured) else None, limit, said)


def _check_tokenizer(model: TwoTower, texts: list[str], limits: HealthLimits) -> list[Check]:
    """Families that show their tokenizer (attribute `tokenizer`, of the tokenizers library)."""
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is None:
        message = "not checked: the model shows no attribute `tokenizer`"
        return [Check("tokenizer", None, None, None, message)]
    size = tokenizer.get_vocab_size()
    ids = {tuple(encoding.ids) for encoding in tokenizer.encode_batch(texts)}
    return [
        _at_least("tokenizer", size, limits.smallest_vocabulary, "its number of tokens"),
        _at_least(
            "token ids",
            len(ids),
            len(texts),
            f"the number of different token ids of {len(texts)} texts",
        ),
    ]


def _check_tower(tower: _Tower, limits: HealthLimits) -> list[Check]:
    rows = list(range(tower.probes))
    vectors = tower.encode(rows)
    bad = sum(int((~np.isfinite(part)).sum()) for part in vectors)
    norms = np.linalg.norm(vectors.joint.astype(np.float64), axis=1)
    smallest = np.linalg.norm(vectors.pre_joint.astype(np.float64), axis=1).min()
    repeated = _relative_difference(tower.encode(rows), vectors)
    others = [rows[:1], rows[-1:], rows[-2::-2]]
    batched = max(_relative_difference(tower.encode(some), vectors, some) for some in others)
    name = tower.name
    return [
        _at_most(f"{name} values", bad, 0, "the number of values that are not finite"),
        _at_most(
            f"{name} norms",
            float(np.abs(norms - 1).max()),
            limits.largest_norm_error,
            "the largest distance of a joint vector's norm from 1",
        ),
        _at_least(
            f"{name} pre-joint norms",
            float(smallest),
            float(np.finfo(np.float32).tiny),
            "the smallest norm of a pre-joint vector",
        ),
        _at_most(
            f"{name} spread",
            _mean_cosine(vectors.joint),
            tower.largest_mean_cosine,
            f"the mean cosine of the vectors of {tower.probes} different {_PROBES[name]}",
        ),
        _at_most(
            f"{name} repeatability",
            repeated,
            limits.largest_repeat_error,
            "the relative difference of two vectors of the same input",
        ),
        _at_most(
            f"{name} batches",
            batched,
            limits.largest_batch_error,
            "the relative difference of vectors from batches of another size or order",
        ),
    ]


_PROBES = {"text": "prompts", "audio": "sounds"}


def _mean_cosine(vectors: np.ndarray) -> float:
    """Mean over all pairs of different vectors."""
    vectors = vectors.astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    n = len(vectors)
    return float((np.square(vectors.sum(axis=0)).sum() - n) / (n * (n - 1)))


def _relative_difference(
    vectors: Vectors, wanted: Vectors, rows: Sequence[int] | None = None
) -> float:
    """Largest norm of a difference over the norm of what is wanted, in either space.

    Args:
        vectors: to be compared.
        wanted: what with.
        rows: of `wanted` that `vectors` are about; default: all.
    """
    largest = 0.0
    chosen = slice(None) if rows is None else list(rows)
    for part, other in zip(vectors, wanted, strict=True):
        part, other = part.astype(np.float64), other[chosen].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios = np.linalg.norm(part - other, axis=1) / np.linalg.norm(other, axis=1)
        largest = float(np.maximum(largest, ratios.max()))  # NaN stays NaN
    return largest


def _check_known(model: TwoTower, known: KnownAnswers, limits: HealthLimits) -> Check:
    if known.missing is not None:
        return Check("known answers", None, None, None, f"not checked: {known.missing}")
    ours = model.encode_text(list(known.texts)).joint.astype(np.float64)
    theirs = np.asarray(known.joint, dtype=np.float64)
    if ours.shape != theirs.shape:
        message = f"vectors of {ours.shape[1]} numbers were given, {theirs.shape[1]} are known"
        return Check("known answers", False, None, None, message)
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return _at_least(
        "known answers",
        float(((ours * theirs).sum(axis=1) / norms).min()),
        limits.smallest_known_cosine,
        f"the smallest cosine with the {len(theirs)} known vectors",
    )


def _check_precision(
    model: TwoTower,
    in_float32: TwoTower | None,
    texts: list[str],
    clips: np.ndarray | None,
    limits: HealthLimits,
    towers: Collection[str],
) -> Check:
    if in_float32 is None:
        return Check("precision", None, None, None, "not checked: float32 on the CPU is in use")
    differences = []
    if "text" in towers:
        differences.append(
            _relative_difference(model.encode_text(texts), in_float32.encode_text(texts))
        )
    if "audio" in towers and clips is not None:
        differences.append(
            _relative_difference(model.encode_audio(clips), in_float32.encode_audio(clips))
        )
    return _at_most(
        "precision",
        float(np.max(differences)),
        limits.largest_precision_error,
        "the relative difference from float32 on the CPU",
    )


def refuse_unhealthy(health_path: str | Path, accept_unhealthy: bool) -> None:
    """Refuse a model that failed the health gate.

    Args:
        health_path: its ``health.json``.
        accept_unhealthy: whether it is evaluated all the same.

    Raises:
        Unavailable: it failed, and why.
    """
    found = json.loads(Path(health_path).read_text(encoding="utf-8"))
    if not found["healthy"] and not accept_unhealthy:
        raise Unavailable("unhealthy: " + "; ".join(found["failures"]))
