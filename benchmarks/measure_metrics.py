"""Time and memory of the zero-shot metrics with their bootstrap, at a given size.

    python benchmarks/measure_metrics.py --clips 30000 --labels 1000 --resamples 1000

Scores are random float32 cosines. What is measured is what the job `measure_zero_shot` computes:
every metric, every class on its own, resamples and permutations, in blocks of `BLOCK_BYTES`.
Prints one line: clips, labels, resamples, seconds, peak GiB.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common
from listenread.metrics import chance, zero_shot

#: What the whole process may use, whatever the size.
LIMIT_GIB = 8.0


def measure(
    clips: int, labels: int, resamples: int, permutations: int, seed: int = 0
) -> dict[str, float]:
    """Measure random scores; seconds by part, and the peak memory of this process in GiB."""
    generator = np.random.default_rng(seed)
    scores = generator.random((clips, labels), dtype=np.float32)
    truth = generator.integers(0, labels, clips)
    started = time.perf_counter()
    zero_shot.measure_with_classes(scores, truth, resamples=resamples, confidence=0.95, seed=seed)
    bootstrapped = time.perf_counter()
    if permutations:
        chance.by_permutation(scores, truth, permutations=permutations, seed=seed)
    ended = time.perf_counter()
    peak = common.peak_gib()
    return {
        "seconds": ended - started,
        "bootstrap": bootstrapped - started,
        "permutations": ended - bootstrapped,
        "peak_gib": peak,
    }


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    """Measure one size; return rows for the table of all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=30_000)
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--permutations", type=int, default=200)
    chosen = parser.parse_args(argv)
    found = measure(chosen.clips, chosen.labels, chosen.resamples, chosen.permutations)
    print(
        f"{chosen.clips} clips, {chosen.labels} labels, {chosen.resamples} resamples: "
        f"{found['seconds']:.1f} s ({found['bootstrap']:.1f} s bootstrap, "
        f"{found['permutations']:.1f} s permutations), peak {found['peak_gib']:.2f} GiB"
    )
    name = f"metrics of {chosen.clips} x {chosen.labels}, {chosen.resamples} resamples"
    note = "random scores, one thread"
    row: dict[str, Any] = {"reference": None, "ratio": None, "limit": None, "note": note}
    memory = {"reference": LIMIT_GIB, "ratio": LIMIT_GIB / found["peak_gib"], "limit": 1.0}
    return [
        row | {"name": f"{name}: time", "ours": found["seconds"], "unit": "s"},
        row | {"name": f"{name}: peak memory", "ours": found["peak_gib"], "unit": "GiB"} | memory,
    ]


if __name__ == "__main__":
    main()
