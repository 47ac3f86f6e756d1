"""Time and memory of every job that scores or measures, at a given size.

    python benchmarks/measure_metrics.py --clips 300000 --labels 1000 [--jobs zero_shot ...]

Vectors are random, with a direction of its own for each class. A job reads and writes its files in
a process of its own, as in the workflow, once with all clips and once with a tenth of them: a ratio
of 1 is cost that grows with the clips and no faster. Probes are measured only where they are named;
a linear probe's solver passes all clips hundreds of times.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common

#: What each process may use, whatever the size.
LIMIT_GIB = 8.0
CELL = {"dataset": "random", "model": "random"}


class Job(NamedTuple):
    """A function of the package, the files it takes, and what else it is told."""

    function: str
    files: tuple[str | tuple[str, ...], ...]
    settings: dict[str, Any]


def jobs(resamples: int, permutations: int) -> dict[str, Job]:
    """All jobs by the names of their rules, in an order in which they can run."""
    schema = yaml.safe_load((common.PROJECT / "config/schema.yaml").read_text("utf-8"))
    entries = schema["properties"]["metrics"]["properties"]
    default = {name: entry["default"] for name, entry in entries.items()}
    bootstrap = {**CELL, "resamples": resamples}
    bootstrap |= {name: default[name] for name in ("confidence", "seed")}
    ranked = {**bootstrap, "top_k": default["top_k"]}
    separated = {**bootstrap, "bins": default["separation_bins"]}
    prompt = {"prompt": "track"}
    return {
        "score_prompt": Job("scores:score_prompt", ("audio", "text", "scores"), {}),
        "measure_zero_shot": Job(
            "tasks.zero_shot:measure_zero_shot",
            ("scores", "tidy", "per_class"),
            {**prompt, **ranked, "permutations": permutations},
        ),
        "measure_confidence": Job(
            "tasks.confidence:measure_confidence", ("scores", "tidy"), {**prompt, **bootstrap}
        ),
        "measure_separation": Job(
            "tasks.separation:measure_separation",
            ("scores", "audio", "text", "tidy"),
            {**prompt, **separated},
        ),
        "compare_prompts": Job(
            "tasks.prompt_effects:compare_prompts",
            (("scores", "scores"), ("text", "text"), "tidy"),
            {**prompt, **ranked, "reference": "track"},
        ),
        "measure_audio_only": Job(
            "tasks.audio_only:measure_audio_only",
            ("audio", "manifest", "tidy"),
            ranked,
        ),
        "measure_audio_separation": Job(
            "tasks.separation:measure_audio_separation",
            ("audio", "tidy"),
            {**separated, "max_others": default["separation_max_others"]},
        ),
        "measure_probes": Job(
            "tasks.probes:measure_probes",
            ("audio", "manifest", "tidy"),
            {
                **ranked,
                "inverse_regularisation": default["probe_inverse_regularisation"],
                "tolerance": default["probe_tolerance"],
                "max_iterations": default["probe_max_iterations"],
                "neighbours": default["probe_neighbours"],
                "n_folds": default["probe_folds"],
            },
        ),
    }


RUN = """
import json, sys, time
from importlib import import_module
module, function, files, settings = json.loads(sys.argv[1])
call = getattr(import_module("listenread." + module), function)
start = time.perf_counter()
call(*files, **settings)
print(json.dumps({"seconds": time.perf_counter() - start}))
"""

WRITE = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa
from listenread.files import tables
from listenread.datasets.manifest import COLUMNS, Manifest, write_manifest
folder, clips, labels, dimensions = Path(sys.argv[1]), *map(int, sys.argv[2:])
generator = np.random.default_rng(0)
names = [f"label {number}" for number in range(labels)]
truth = generator.permutation(clips) % labels
centres = generator.standard_normal((labels, dimensions), dtype=np.float32)
def near(rows):
    with tables.writing(folder / f"{rows[0]}.parquet", model="random") as file:
        for start in range(0, len(rows[1]), 8192):
            own = rows[1][start : start + 8192]
            made = {name: centres[own] + 3 * generator.standard_normal(
                (len(own), dimensions), dtype=np.float32) for name in ("pre_joint", "joint")}
            ids = [str(start + i) for i in range(len(own))]
            keys = {"clip_id": ids, "label": [names[i] for i in own]}
            file.add({**keys, **{name: tables.vectors(v) for name, v in made.items()}})
near(("audio", truth)); near(("text", np.arange(labels)))
ids = [str(i) for i in range(clips)]
columns = {"clip_id": ids, "path": ids, "label": [names[i] for i in truth],
    "fold": pa.nulls(clips, pa.string()), "duration_s": np.ones(clips),
    "sample_rate": np.full(clips, 48000), "sha256": ids}
write_manifest(folder / "manifest.parquet", Manifest(pa.table(columns).select(COLUMNS), names))
"""


def measure(folder: Path, clips: int, chosen: argparse.Namespace) -> dict[str, common.Process]:
    """Run the jobs with so many clips; `seconds` are those of the work, without the imports."""
    folder.mkdir()
    common.python(WRITE, folder, clips, chosen.labels, chosen.dimensions)
    found = {}
    for name, job in jobs(chosen.resamples, chosen.permutations).items():
        if name not in chosen.jobs:
            continue
        paths = [_paths(folder, part) for part in job.files]
        arguments = [*job.function.split(":"), paths, job.settings]
        process = common.python(RUN, json.dumps(arguments))
        seconds = common.load_json(process.output)["seconds"]
        found[name] = common.Process(seconds, process.peak_gib, "")
    return found


def _paths(folder: Path, part: str | tuple[str, ...]) -> str | list:
    if isinstance(part, tuple):
        return [_paths(folder, one) for one in part]
    return str(folder / f"{part}.parquet")


def main(argv: list[str] | None = None) -> list[common.Row]:
    """Measure one size beside a tenth of it; rows for the table of all benchmarks."""
    names = list(jobs(0, 0))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=30_000)
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--permutations", type=int, default=200)
    parser.add_argument("--jobs", nargs="+", choices=names, default=names[:-1])
    chosen = parser.parse_args(argv)
    chosen.jobs = {"score_prompt", *chosen.jobs}  # the others read what it writes
    with tempfile.TemporaryDirectory(prefix="listenread-bench-") as temporary:
        tenth = measure(Path(temporary, "tenth"), chosen.clips // 10, chosen)
        whole = measure(Path(temporary, "whole"), chosen.clips, chosen)
    size = f"{chosen.clips:,} x {chosen.labels:,}"
    rows = [
        common.duration(
            f"{name}, {size}", process.seconds, 10 * tenth[name].seconds, 0.5,
            f"ten times what a tenth of the clips takes; peak {process.peak_gib:.2f} GiB, "
            f"{tenth[name].peak_gib:.2f} with a tenth",
        )
        for name, process in whole.items()
    ]  # fmt: skip
    peak = max(process.peak_gib for process in whole.values())
    note = f"the goal; {chosen.resamples} resamples, {chosen.permutations} permutations"
    return [*rows, common.duration(f"most memory, {size}", peak, LIMIT_GIB, 1.0, note, "GiB")]


if __name__ == "__main__":
    print(common.as_markdown(main()))
