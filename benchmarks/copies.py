"""Time the search for copies among 10,000 clips, and with four times as few.

    python benchmarks/copies.py [--clips 10000] [--seconds 3]

A fifth of the clips are copies of others at other gains and of either polarity, in 16 bits.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from listenread.datasets import copies
from listenread.datasets.base import AudioLimits, ClipRow
from listenread.datasets.checking import check_file

RATE = 16_000


def write(folder: Path, clips: int, seconds: float) -> list[ClipRow]:
    """Write decaying harmonic tones of many pitches and spectra, and copies of some."""
    rng = np.random.default_rng(0)
    clock = np.arange(int(seconds * RATE)) / RATE
    rows, sound = [], np.zeros(len(clock))
    for number in range(clips):
        if number % 5 or not number:
            pitch, decay = 110 * 2 ** rng.uniform(0, 4), rng.uniform(0.5, 5)
            tone = sum(rng.uniform() * np.sin(2 * np.pi * k * pitch * clock) for k in (1, 2, 3))
            sound = tone * np.exp(-decay * clock)
            sound /= np.abs(sound).max()
        gain = 10 ** rng.uniform(-1.5, 0) * rng.choice([-1, 1])
        path = folder / f"{number:06d}.wav"
        soundfile.write(path, 0.9 * gain * sound, RATE)
        rows.append(ClipRow(path.stem, path, ("x",)))
    return rows


def main() -> None:
    """Write, decode and search; print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    limits = AudioLimits()
    for clips in (options.clips // 4, options.clips):
        with tempfile.TemporaryDirectory() as folder:
            rows = write(Path(folder), clips, options.seconds)
            started = time.perf_counter()
            good = [(row, check_file(row.path, limits)) for row in rows]
            checked = time.perf_counter()
            found = sum(len(sound) - 1 for sound in copies.of_clips(good, limits))
            ended = time.perf_counter()
            described = sum(
                _timed(lambda: copies.fingerprint(np.zeros(int(options.seconds * RATE), "f4")))
                for _ in range(20)
            )
        print(
            f"{clips:,} clips: decoding and checking {checked - started:.1f} s, of which "
            f"fingerprints {clips * described / 20:.1f} s; search {ended - checked:.1f} s; "
            f"{found:,} copies found of {(clips - 1) // 5:,}"
        )


def _timed(function) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
