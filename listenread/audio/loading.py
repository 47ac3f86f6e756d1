"""Audio files in, batches of waveforms for a tower out.

The chain of a clip is: decode -> mean of the channels -> (degrade) -> resample -> (quantise) ->
crop or pad. What a tower wants is described by `listenread.audio.base.AudioInput`.
"""

import contextlib
import hashlib
import io
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import soundfile
import soxr

from listenread.audio import flac, mpeg, ogg
from listenread.audio.base import AudioInput, ClipFile, Resampler
from listenread.errors import DataError

#: See `listenread.audio.base.Resampler`.
RESAMPLERS = get_args(Resampler)
#: How libsndfile's log says that a chunk of sound ends with the file: that of WAV, CAF and AIFF
#: files, of AU, W64 and RF64.
_SHORT_CHUNK = r"^\s*(?:data|SSND|Data Size|riff|Riff size)\s*:\s*(\d+) \(should be (\d+)\)"
#: Programs that write to a pipe announce about 2 or 4 GiB, as they do not know the length.
_UNKNOWN_LENGTH = 2**31 - 2**16
#: What libsndfile says of a stream that does not announce its length.
_UNKNOWN_FRAMES = 2**63 - 1
#: Values (frames times channels) that are read in one go: 256 MB.
_AT_ONCE = 2**26


class Sound(NamedTuple):
    """A decoded file.

    Attributes:
        waveform: float32, shape (frames, channels); full scale is [-1, 1], float files may exceed.
        sample_rate: in Hz.
        remarks: peculiarities of the file that are not errors.
    """

    waveform: np.ndarray
    sample_rate: int
    remarks: tuple[str, ...] = ()


class Batch(NamedTuple):
    """Windows of clips, in the order of the manifest.

    Attributes:
        clips: int64, shape (rows,): for each row the position of its clip in the manifest. With the
            cropping ``mean_of_windows`` a clip has several rows, next to one another, which may lie
            in two batches; average them with `mean_by_clip`.
        waveforms: float32, shape (rows, samples).
    """

    clips: np.ndarray
    waveforms: np.ndarray


class _Content(io.BytesIO):
    """Bytes that libsndfile reads; what a damaged header points to may lie before their start."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Do not move if there is no such position, like a failed `lseek`."""
        with contextlib.suppress(ValueError):
            super().seek(offset, whence)
        return self.tell()


def decode(
    content: bytes, name: str | Path = "audio", *, max_seconds: float | None = None
) -> Sound:
    """Decode a whole file of any format that libsndfile reads.

    Args:
        content: the bytes of the file.
        name: how to call the file in an error.
        max_seconds: a longer file is refused before it fills the memory.

    Raises:
        DataError: the file is empty, of an unknown format, damaged, cut short or too long.
    """
    if not content:
        raise DataError(f"{name}: the file is empty (0 bytes)")
    try:
        content, remarks = _whole_stream(content)
        with soundfile.SoundFile(_Content(content)) as sound:
            if remarks is None and sound.format == "MP3":
                remarks = ("has MPEG frames of no stated length; its end may be missing",)
            return Sound(_waveform(sound, max_seconds), sound.samplerate, remarks or ())
    except (soundfile.SoundFileError, ValueError) as error:
        raise DataError(f"{name}: cannot be decoded ({_reason(error)})") from error
    except DataError as error:
        raise DataError(f"{name}: {error}") from error


def _waveform(sound: soundfile.SoundFile, max_seconds: float | None) -> np.ndarray:
    _refuse_cut_short(sound)
    declared = sound.frames
    waveform = _read(sound, max_seconds)
    if len(waveform) < declared:
        raise DataError(f"cut short: {len(waveform)} of {declared} frames could be decoded")
    return waveform


def _whole_stream(content: bytes) -> tuple[bytes, tuple[str, ...] | None]:
    """Refuse a stream without an end; make libsndfile find the end where it would not.

    Returns:
        What libsndfile is to read, and remarks; None for what is not a stream.
    """
    if content.startswith(b"OggS"):
        pages = ogg.find_stream(content)
        if pages.broken_off:
            raise DataError("cut short: the file ends within a page of its stream")
        if pages.streams > 1:
            raise DataError(
                f"holds {pages.streams} streams one after the other, of which only the first would "
                "be read; make files of them"
            )
        return content, () if pages.has_end else ("has no last page; its end may be missing",)
    stream = mpeg.find_stream(content)
    if stream is None:
        return flac.with_length(content), None
    # Some encoders count the header frame, too.
    if stream.announced is not None and stream.frames < stream.announced - 1:
        raise DataError(f"cut short: {stream.frames} of {stream.announced} MPEG frames are there")
    remarks = []
    if stream.broken_off:
        remarks.append("ends within an MPEG frame; its end may be missing")
    if stream.strange:
        remarks.append("has bytes between its MPEG frames that are not sound")
    return mpeg.with_length(content, stream), tuple(remarks)


def _read(sound: soundfile.SoundFile, max_seconds: float | None) -> np.ndarray:
    """Read all frames, whatever their number: a header may announce more than there is memory."""
    if sound.frames == _UNKNOWN_FRAMES:
        raise DataError(
            "its header does not say how long it is, as that of a stream; write it again as an "
            "ordinary file"
        )
    _refuse_too_long(sound.frames, sound, max_seconds)
    if sound.frames * sound.channels <= _AT_ONCE:
        return sound.read(sound.frames, dtype="float32", always_2d=True)
    blocks: list[np.ndarray] = []
    frames, step = 0, max(_AT_ONCE // 4 // sound.channels, 1)
    while not blocks or len(blocks[-1]) == step:
        blocks.append(sound.read(step, dtype="float32", always_2d=True))
        frames += len(blocks[-1])
        _refuse_too_long(frames, sound, max_seconds)
    return np.concatenate(blocks)


def _refuse_too_long(frames: int, sound: soundfile.SoundFile, max_seconds: float | None) -> None:
    seconds = frames / sound.samplerate
    if max_seconds is not None and seconds > max_seconds:
        raise DataError(
            f"lasts {seconds:.3f} s or more by its header (max_seconds {max_seconds:g})"
        )


def _refuse_cut_short(sound: soundfile.SoundFile) -> None:
    # libsndfile silently reads what is there of an uncompressed file, and says so only in its log.
    for declared, there in re.findall(_SHORT_CHUNK, sound.extra_info, re.MULTILINE):
        if int(there) < int(declared) < _UNKNOWN_LENGTH:
            raise DataError(
                f"cut short: {there} bytes of sound, but its header announces {declared}"
            )


def _reason(error: Exception) -> str:
    text = str(getattr(error, "error_string", error)).strip().rstrip(".")
    return text or type(error).__name__


def mono(waveform: np.ndarray) -> np.ndarray:
    """Average the channels of a waveform of shape (frames, channels)."""
    if waveform.shape[1] == 1:
        return waveform[:, 0]
    return waveform.mean(axis=1, dtype=np.float32)


def resample(
    waveform: np.ndarray, from_rate: float, to_rate: float, resampler: str = "HQ"
) -> np.ndarray:
    """Resample a mono float32 waveform.

    Args:
        waveform: float32, shape (frames,).
        from_rate: in Hz.
        to_rate: in Hz.
        resampler: one of `RESAMPLERS`; ``HQ`` is what librosa calls ``soxr_hq``, its default;
            ``torchaudio`` is `torchaudio.functional.resample` with its default settings, as in the
            released code of the paper, for whole rates.
    """
    if resampler not in RESAMPLERS:
        raise DataError(f"resampler {resampler!r} is not one of {', '.join(RESAMPLERS)}")
    if from_rate == to_rate:
        return waveform
    if resampler == "torchaudio":
        return _by_torchaudio(waveform, from_rate, to_rate)
    return soxr.resample(waveform, from_rate, to_rate, quality=resampler)


def _by_torchaudio(waveform: np.ndarray, from_rate: float, to_rate: float) -> np.ndarray:
    import torch  # seconds, and only here
    from torchaudio.functional import resample as by_torchaudio

    if int(from_rate) != from_rate or int(to_rate) != to_rate:
        raise DataError(f"torchaudio resamples between whole rates, not {from_rate} and {to_rate}")
    given = torch.from_numpy(np.ascontiguousarray(waveform, dtype=np.float32))
    made: np.ndarray = by_torchaudio(given, int(from_rate), int(to_rate)).numpy()
    return made


def quantise_int16(waveform: np.ndarray) -> np.ndarray:
    """Round trip through 16-bit integers exactly as LAION-CLAP does before it embeds audio.

    Clip to [-1, 1], scale by 32767, truncate towards zero, divide by 32767. Source: the functions
    ``float32_to_int16`` and ``int16_to_float32`` of https://github.com/LAION-AI/CLAP
    (its ``training/data.py``).
    """
    integers = (np.clip(waveform, -1.0, 1.0) * np.float32(32767.0)).astype(np.int16)
    return (integers / 32767.0).astype(np.float32)


def pad(waveform: np.ndarray, samples: int, padding: str) -> np.ndarray:
    """Fill a waveform up to a length.

    Args:
        waveform: float32, shape (frames,), 0 < frames <= samples.
        samples: the length wanted.
        padding: ``zeros`` at the end; or ``repeat_pad``: as many whole repeats as fit, then zeros
            (LAION-CLAP's ``repeatpad``).
    """
    if padding == "repeat_pad":
        waveform = np.tile(waveform, samples // len(waveform))
    elif padding != "zeros":
        raise DataError(f"padding {padding!r} is neither 'zeros' nor 'repeat_pad'")
    return np.pad(waveform, (0, samples - len(waveform)))


def windows(waveform: np.ndarray, samples: int, padding: str, cropping: str) -> np.ndarray:
    """Crop or pad a waveform to windows of one length.

    Args:
        waveform: float32, shape (frames,), at least one frame.
        samples: length of a window.
        padding: see `pad`; concerns clips shorter than a window.
        cropping: ``first`` or ``centre`` give one window. ``mean_of_windows`` gives
            ceil(frames / samples) consecutive windows, the last one moved back so that it ends with
            the clip: every sample is heard and no window is padded.

    Returns:
        float32, shape (windows, samples).
    """
    frames = len(waveform)
    if cropping not in {"first", "centre", "mean_of_windows"}:
        raise DataError(f"cropping {cropping!r} is not 'first', 'centre' or 'mean_of_windows'")
    if frames <= samples:
        return pad(waveform, samples, padding)[np.newaxis]
    if cropping == "first":
        starts = [0]
    elif cropping == "centre":
        starts = [(frames - samples) // 2]
    else:
        starts = [*range(0, frames - samples, samples), frames - samples]
    return np.stack([waveform[start : start + samples] for start in starts])


def prepare(sound: Sound, audio_input: AudioInput, resampler: str = "HQ") -> np.ndarray:
    """Turn a decoded file into what a tower wants.

    The int16 round trip comes after resampling and before padding, which is where the paper's code
    has it (it resamples to 48 kHz while loading, quantises, and lets the model pad).

    Returns:
        float32, shape (windows, `audio_input.samples`).

    Raises:
        DataError: so short a sound that no sample of it is left at the tower's rate.
    """
    waveform = resample(mono(sound.waveform), sound.sample_rate, audio_input.sample_rate, resampler)
    if not len(waveform):
        raise DataError(
            f"its {len(sound.waveform)} frames at {sound.sample_rate} Hz are no sample at "
            f"{audio_input.sample_rate} Hz"
        )
    if audio_input.quantise_int16:
        waveform = quantise_int16(waveform)
    return windows(waveform, audio_input.samples, audio_input.padding, audio_input.cropping)


class ClipLoader:
    """Batches of prepared clips, decoded in threads ahead of the consumer.

    The rows come in the order of the clips, whatever the batch size or the number of workers, and
    a row does not depend on its neighbours. At most `prefetch` clips are held ready, so that memory
    is bounded. libsndfile and soxr release the interpreter lock, hence threads and not processes.

    Example:
        >>> for clips, waveforms in ClipLoader(manifest.clips, model.audio_input, 16):
        ...     vectors.append(model.encode_audio(waveforms))   # doctest: +SKIP
    """

    def __init__(
        self,
        clips: Sequence[ClipFile],
        audio_input: AudioInput,
        batch_size: int,
        workers: int = 2,
        verify: bool = True,
        *,
        resampler: str = "HQ",
        prefetch: int | None = None,
        on_clip: Callable[[], object] | None = None,
        degrade: Callable[[np.ndarray, int, str], np.ndarray] | None = None,
    ):
        """Describe the work; files are opened only when the loader is iterated.

        Args:
            clips: in the order of the manifest; each has `clip_id`, `path`, `sha256`.
            audio_input: what the tower wants.
            batch_size: largest number of rows of a batch.
            workers: threads that decode and resample.
            verify: compare every file's SHA-256 with that of the manifest.
            resampler: one of `RESAMPLERS`.
            prefetch: how many clips may wait for the consumer (default: the larger of two batches
                and two per worker).
            on_clip: called after each clip has been handed over, e.g. a progress bar's ``update``.
            degrade: called with the mono waveform, float32, shape (frames,), its sample rate in Hz,
                and the `clip_id`, in a thread; returns the waveform that is resampled. See
                `listenread.audio.degradations.apply`.
        """
        if batch_size < 1 or workers < 1:
            raise DataError(f"batch_size ({batch_size}) and workers ({workers}) must be at least 1")
        self.clips = clips
        self.audio_input = audio_input
        self.batch_size = batch_size
        self.workers = workers
        self.verify = verify
        self.resampler = resampler
        self.prefetch = prefetch or 2 * max(batch_size, workers)
        self.on_clip = on_clip
        self.degrade = degrade

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches of `batch_size` rows, the last one possibly smaller.

        Raises:
            DataError: a clip is missing, changed since the manifest was made, or cannot be decoded.
        """
        indices: list[int] = []
        rows: list[np.ndarray] = []
        for index, prepared in enumerate(self._prepared_in_order()):
            for row in prepared:
                indices.append(index)
                rows.append(row)
                if len(rows) == self.batch_size:
                    yield Batch(np.array(indices, dtype=np.int64), np.stack(rows))
                    indices, rows = [], []
            if self.on_clip:
                self.on_clip()
        if rows:
            yield Batch(np.array(indices, dtype=np.int64), np.stack(rows))

    def _prepared_in_order(self) -> Iterator[np.ndarray]:
        waiting: deque[Future[np.ndarray]] = deque()
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="clip")
        try:
            for clip in self.clips:
                waiting.append(pool.submit(self._load, clip))
                if len(waiting) >= self.prefetch:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _load(self, clip: ClipFile) -> np.ndarray:
        name = f"clip {clip.clip_id!r} ({clip.path})"
        try:
            content = clip.path.read_bytes()
        except OSError as error:
            raise DataError(
                f"{name}: {error.strerror or error}; delete the manifest and run again"
            ) from error
        if self.verify and hashlib.sha256(content).hexdigest() != clip.sha256:
            raise DataError(
                f"{name}: the file changed since the manifest was made; delete the dataset's file "
                "in results/manifests and run again"
            )
        sound = decode(content, name)
        if not len(sound.waveform):
            raise DataError(f"{name}: the file holds no sound")
        if self.degrade is not None:
            degraded = self.degrade(mono(sound.waveform), sound.sample_rate, clip.clip_id)
            sound = Sound(degraded[:, np.newaxis], sound.sample_rate)
        try:
            return prepare(sound, self.audio_input, self.resampler)
        except DataError as error:
            raise DataError(f"{name}: {error}") from error


def mean_by_clip(clips: np.ndarray, vectors: np.ndarray, n_clips: int) -> np.ndarray:
    """Average the vectors of the windows of each clip.

    Args:
        clips: int, shape (rows,): the clip of each row, as in `Batch.clips`.
        vectors: float32, shape (rows, d).
        n_clips: how many clips there are; each must have a row.

    Returns:
        float32, shape (n_clips, d), not normalised again. A clip with one window keeps its vector
        to the bit.
    """
    counts = np.bincount(clips, minlength=n_clips)
    if len(counts) > n_clips or (counts == 0).any():
        raise ValueError(f"rows of {n_clips} clips expected, counts are {counts.tolist()}")
    sums = np.zeros((n_clips, vectors.shape[1]), dtype=np.float64)
    np.add.at(sums, clips, vectors)
    return (sums / counts[:, np.newaxis]).astype(np.float32)
