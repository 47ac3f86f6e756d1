"""Pairs of a clip and a caption for each step of a training run.

What is drawn for a step depends on the seed and the step alone, so that a run that was killed goes
on with exactly the pairs that it would have had.
"""

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tokenizers import Tokenizer

from listenread.audio import loading
from listenread.audio.base import AudioInput
from listenread.errors import DataError, ModelError
from listenread.files import tables
from listenread.models.common import tokenization
from listenread.models.muscall.training.settings import TrainingSettings
from listenread.progress import progress

Row = Mapping[str, Any]
DrawCaption = Callable[[Row, np.random.Generator], str]

# one stream of random numbers for each purpose
SPLIT, VOCABULARY, VALIDATION, EPOCH, STEP = range(5)
#: Samples of the Fourier transform that the phase vocoder works on, torchaudio's default.
_VOCODER_FFT = 512


class Pairs(NamedTuple):
    """A batch of pairs.

    Attributes:
        waveforms: float32, shape (batch, samples).
        token_ids: int64, shape (batch, longest text of the batch).
    """

    waveforms: np.ndarray
    token_ids: np.ndarray


def read_rows(manifest_path: str | Path, settings: TrainingSettings) -> list[Row]:
    """Rows of a captioned manifest, as mappings.

    Raises:
        ListenreadError: the file is not a manifest, has no row, or misses a column that the
            settings name.
    """
    named = [settings.one_per, settings.split]
    if ":" not in settings.captions:
        named.append(settings.captions)
    table = tables.read(manifest_path, ["clip_id", "path", *filter(None, named)])
    rows = table.data.to_pylist()
    if not rows:
        raise DataError(
            f"{manifest_path} has no clip to train on. {table.unavailable or ''}".strip()
        )
    return rows


def caption_function(captions: str, rows: Sequence[Row]) -> DrawCaption:
    """Find how captions are drawn: see `TrainingSettings.captions`.

    Raises:
        ModelError: there is no such function, or a clip has no caption.
    """
    module_name, separator, function_name = captions.partition(":")
    if separator:
        try:
            return getattr(importlib.import_module(module_name), function_name)
        except (ImportError, AttributeError) as error:
            raise ModelError(f"captions: {captions!r} cannot be imported: {error}.") from error
    without = [row["clip_id"] for row in rows if not row.get(captions)]
    if without:
        raise ModelError(
            f"captions: {len(without)} of {len(rows)} clips have no {captions!r}, the first is "
            f"{without[0]!r}."
        )
    return lambda row, _rng: row[captions]


def caption_source(captions: str) -> str:
    """Source text of a caption function's module; empty for a column of the manifest."""
    module_name, separator, _ = captions.partition(":")
    return inspect.getsource(importlib.import_module(module_name)) if separator else ""


def make_tokenizer(
    settings: TrainingSettings, rows: Sequence[Row], draw_caption: DrawCaption
) -> Tokenizer:
    """Load the tokenizer that the settings name, or make a word-level one of the captions."""
    if settings.tokenizer is not None:
        return tokenization.load(settings.tokenizer)
    rng = np.random.default_rng([settings.seed, VOCABULARY])
    times = settings.tokenizer_captions if ":" in settings.captions else 1
    return tokenization.train_word_level(
        draw_caption(row, rng) for _ in range(times) for row in rows
    )


def split_rows(rows: Sequence[Row], settings: TrainingSettings) -> tuple[list[Row], list[Row]]:
    """Rows to train on, and held-out rows for retrieval.

    Raises:
        ModelError: there are too few of either.
    """
    if settings.split is not None:
        train = [row for row in rows if row.get(settings.split) == "train"]
        validation = [row for row in rows if row.get(settings.split) == "validation"]
        validation = validation[: settings.validation_pairs]
    else:
        order = np.random.default_rng([settings.seed, SPLIT]).permutation(len(rows))
        if settings.one_per is not None:
            order = _round_robin(order, [row[settings.one_per] for row in rows])
        held_out = set(order[: settings.validation_pairs])
        validation = [rows[i] for i in order[: settings.validation_pairs]]
        train = [row for i, row in enumerate(rows) if i not in held_out]
    groups = len({row[settings.one_per] for row in train}) if settings.one_per else len(train)
    if groups < settings.batch_size or len(validation) < 2:
        what = f"values of {settings.one_per!r}" if settings.one_per else "clips"
        raise ModelError(
            f"{groups} {what} to train on and {len(validation)} held-out pairs do not do: "
            f"batch_size is {settings.batch_size}, and two pairs at least must be held out."
        )
    return train, validation


def _round_robin(order: np.ndarray, values: Sequence[Any]) -> np.ndarray:
    """Reorder so that every value comes once before any comes twice."""
    seen: dict[Any, int] = {}
    turns = []
    for i in order:
        turns.append(seen.get(values[i], 0))
        seen[values[i]] = turns[-1] + 1
    return order[np.argsort(turns, kind="stable")]


class Clips:
    """Decoded mono clips at the tower's sample rate, in memory as far as they fit."""

    def __init__(
        self, rows: Sequence[Row], audio_input: AudioInput, settings: TrainingSettings, workers: int
    ):
        self.rows, self.rate = rows, audio_input.sample_rate
        self.longest = None
        if settings.crop == settings.sizes.audio.cropping == "first":
            self.longest = int(np.ceil(audio_input.samples * (1 + settings.resample))) + 1
        self.kept: list[np.ndarray] | None = None
        if self._megabytes() <= settings.memory_mb:
            with ThreadPoolExecutor(workers) as pool:
                decoded = pool.map(self._decode, rows)
                bar = progress(decoded, total=len(rows), unit="clips", label="decoding audio")
                self.kept = list(bar)

    def _megabytes(self) -> float:
        seconds = sum(row.get("duration_s") or np.inf for row in self.rows)
        if self.longest is not None:
            seconds = min(seconds, len(self.rows) * self.longest / self.rate)
        return seconds * self.rate * 4 / 1e6

    def __getitem__(self, index: int) -> np.ndarray:
        """Waveform of a clip: float32, shape (samples,), as long as the clip is."""
        return self.kept[index] if self.kept is not None else self._decode(self.rows[index])

    def _decode(self, row: Row) -> np.ndarray:
        path = Path(row["path"])
        name = f"clip {row['clip_id']!r} ({path})"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DataError(
                f"{name}: {error.strerror or error}; make the manifest again"
            ) from error
        sound = loading.decode(content, name)
        waveform = loading.mono(sound.waveform)
        if self.longest is not None:
            needed = int(np.ceil(self.longest * sound.sample_rate / self.rate)) + 1
            waveform = waveform[:needed]
        waveform = loading.resample(waveform, sound.sample_rate, self.rate)
        return np.ascontiguousarray(waveform[: self.longest], dtype=np.float32)


def augment(waveform: np.ndarray, settings: TrainingSettings, rng: np.random.Generator, rate: int):
    """Change a waveform as the settings say; its length may change."""
    if settings.resample:
        speed = 1.0 + rng.uniform(-settings.resample, settings.resample)
        waveform = loading.resample(waveform, rate * speed, rate)
    if rng.random() < settings.pitch_shift_p:
        semitones = int(rng.integers(1, settings.pitch_shift_semitones + 1) * rng.choice([-1, 1]))
        waveform = _transpose(waveform, semitones, rate)
    if settings.gain_db:
        level = rng.uniform(-settings.gain_db, settings.gain_db)
        waveform = waveform * np.float32(10 ** (level / 20))
    if rng.random() < settings.noise_p:
        snr_db = rng.uniform(*settings.noise_snr_db)
        rms = float(np.sqrt(np.mean(np.square(waveform), dtype=np.float64)))
        noise = rng.standard_normal(len(waveform), dtype=np.float32)
        waveform = waveform + noise * np.float32(rms * 10 ** (-snr_db / 20))
    return waveform


def _transpose(waveform: np.ndarray, semitones: int, rate: int) -> np.ndarray:
    """Change the pitch and keep the length: stretch by a phase vocoder, then play faster or slower.

    torchaudio's `pitch_shift` does the same, but resamples between rates that are nearly coprime,
    which took it seconds for a clip of seconds.
    """
    import torch
    from torchaudio.functional import phase_vocoder

    n_fft, hop = _VOCODER_FFT, _VOCODER_FFT // 4
    speed = 2.0 ** (-semitones / 12)
    window = torch.hann_window(n_fft)
    spectrum = torch.stft(
        torch.from_numpy(waveform), n_fft, hop, window=window, return_complex=True
    )
    advance = torch.linspace(0, np.pi * hop, n_fft // 2 + 1)[:, None]
    stretched = torch.istft(
        phase_vocoder(spectrum, speed, advance),
        n_fft,
        hop,
        window=window,
        length=round(len(waveform) / speed),
    )
    shifted = loading.resample(stretched.numpy(), rate / speed, rate)[: len(waveform)]
    return loading.pad(shifted, len(waveform), "zeros").astype(np.float32)


def cut(waveform: np.ndarray, samples: int, crop: str, rng: np.random.Generator) -> np.ndarray:
    """Crop a waveform to `samples`, or fill it with zeros at the end."""
    spare = len(waveform) - samples
    if spare <= 0:
        return loading.pad(waveform, samples, "zeros")
    start = {"first": 0, "centre": spare // 2}.get(crop)
    if start is None:
        start = int(rng.integers(spare + 1))
    return waveform[start : start + samples]


class PairSource:
    """Batches of training pairs, each a function of the seed and its step."""

    def __init__(
        self,
        rows: Sequence[Row],
        draw_caption: DrawCaption,
        tokenizer: Tokenizer,
        settings: TrainingSettings,
        workers: int,
    ):
        self.rows, self.draw_caption, self.tokenizer = rows, draw_caption, tokenizer
        self.settings, self.audio_input = settings, settings.sizes.audio.audio_input
        self.clips = Clips(rows, self.audio_input, settings, workers)
        self.pool = ThreadPoolExecutor(workers, thread_name_prefix="pairs")
        self.groups = self._groups()

    def _groups(self) -> list[np.ndarray]:
        groups: dict[Any, list[int]] = {}
        for i, row in enumerate(self.rows):
            group = row[self.settings.one_per] if self.settings.one_per else i
            groups.setdefault(group, []).append(i)
        return [np.array(members) for members in groups.values()]

    def indices(self, step: int) -> np.ndarray:
        """Clips of a step: epochs over shuffled groups, from each group a clip at random."""
        size, seed = self.settings.batch_size, self.settings.seed
        epoch, batch = divmod(step, len(self.groups) // size)
        order = np.random.default_rng([seed, EPOCH, epoch]).permutation(len(self.groups))
        rng = np.random.default_rng([seed, STEP, step])
        chosen = order[batch * size : (batch + 1) * size]
        return np.array([rng.choice(self.groups[group]) for group in chosen])

    def pairs(self, step: int) -> Pairs:
        """Pairs of a training step."""
        indices = self.indices(step)
        seeds = [[self.settings.seed, STEP, step, i] for i in range(len(indices))]
        return self._batch(*zip(*self._map(self._pair, indices, seeds), strict=True))

    def _pair(self, index: int, seed: list[int]) -> tuple[np.ndarray, str]:
        rng = np.random.default_rng(seed)
        waveform = augment(self.clips[index], self.settings, rng, self.audio_input.sample_rate)
        waveform = cut(waveform, self.audio_input.samples, self.settings.crop, rng)
        return waveform, self.draw_caption(self.rows[index], rng)

    def in_order(self, batch_size: int) -> Iterator[Pairs]:
        """Give all pairs once, not augmented and cropped as at inference, to measure retrieval."""
        for start in range(0, len(self.rows), batch_size):
            indices = range(start, min(start + batch_size, len(self.rows)))
            yield self._batch(*zip(*self._map(self._plain_pair, indices), strict=True))

    def _plain_pair(self, index: int) -> tuple[np.ndarray, str]:
        rng = np.random.default_rng([self.settings.seed, VALIDATION, index])
        crop = self.settings.sizes.audio.cropping
        waveform = cut(self.clips[index], self.audio_input.samples, crop, rng)
        return waveform, self.draw_caption(self.rows[index], rng)

    def _map(self, function: Callable[..., Any], *arguments: Iterable[Any]) -> Iterable[Any]:
        # pitch shifts and decoding are slow enough for threads, a look into memory is not
        light = self.clips.kept is not None and not self.settings.pitch_shift_p
        return (map if light else self.pool.map)(function, *arguments)

    def _batch(self, waveforms: Sequence[np.ndarray], captions: Sequence[str]) -> Pairs:
        sizes = self.settings.sizes.text
        ids = tokenization.encode(self.tokenizer, list(captions), sizes.max_tokens)
        # what follows the end of every text changes nothing, and costs time
        longest = int(ids.argmax(axis=1).max()) + 1
        return Pairs(np.stack(waveforms), ids[:, :longest])
