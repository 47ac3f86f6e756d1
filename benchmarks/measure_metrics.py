"""Time and memory of every job that scores or measures, at a given size.

    python benchmarks/measure_metrics.py --clips 300000 --labels 1000 [--jobs zero_shot ...]

Vectors are random, around one direction for each class. A job reads and writes its files in
a separate process, as in the workflow, once with all clips and once with a tenth of them: a ratio
of 1 is cost that grows with the clips and no faster. Probes are measured only where they are named;
a linear probe's solver passes all clips hundreds of times. Tasks of an ontology are left out: their
size is that of the ontology.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common
from listenread.tasks.base import TASKS

#: What each process may use, whatever the size.
LIMIT_GIB = 8.0
SCORE = "score_prompt"
#: Measured only where they are named.
SLOW = ("probes",)


def jobs() -> list[str]:
    """All jobs, in an order in which they can run: the scores, and the tasks that read no tree."""
    tasks = [TASKS.find(name) for name in TASKS.names()]
    return [SCORE, *(task.name for task in tasks if "ontology" not in task.reads)]


RUN = """
import json, sys, time
from pathlib import Path
name, folder, settings, resampling = json.loads(sys.argv[1])
file = {path.stem: path for path in Path(folder).glob("*.parquet")}
if name == "score_prompt":
    from listenread.scores import score_prompt
    def call():
        score_prompt(file["audio"], file["text"], Path(folder, "scores.parquet"))
else:
    from listenread.tasks.base import TASKS
    from listenread.tasks.cell import Cell
    from listenread.tasks.runner import measure_cell
    keys = {"dataset": "random", "model": "random", "prompt": "track"}
    task = TASKS.find(name)
    cell = Cell(keys, file, reference=Cell(keys, file) if task.per == "pair" else None)
    outputs = [Path(folder, "out", f"{part}.parquet") for part in ("tidy", "per_class")]
    def call():
        measure_cell(name, cell, settings, resampling, *outputs[: 1 + task.per_class])
start = time.perf_counter()
call()
print(json.dumps({"seconds": time.perf_counter() - start}))
"""

WRITE = """
import sys
from pathlib import Path
import numpy as np
from listenread.datasets.base import ClipRow
from listenread.datasets.manifest import Checked, Manifest, manifest_table, write_manifest
from listenread.files import tables
folder, clips, labels, dimensions = Path(sys.argv[1]), *map(int, sys.argv[2:])
generator = np.random.default_rng(0)
names = [f"label {number}" for number in range(labels)]
truth = generator.permutation(clips) % labels
centres = generator.standard_normal((labels, dimensions), dtype=np.float32)
def near(name, of, keys):
    with tables.writing(folder / f"{name}.parquet", model="random") as file:
        for start in range(0, len(of), 8192):
            own = of[start : start + 8192]
            made = {space: centres[own] + 3 * generator.standard_normal(
                (len(own), dimensions), dtype=np.float32) for space in ("pre_joint", "joint")}
            part = {key: values[start : start + 8192] for key, values in keys.items()}
            file.add({**part, **{space: tables.vectors(v) for space, v in made.items()}})
ids = [str(i) for i in range(clips)]
near("audio", truth, {"clip_id": ids})
near("text", np.arange(labels), {"label": names, "text": names})
rows = [ClipRow(one, folder / one, (names[i],)) for one, i in zip(ids, truth, strict=True)]
table = manifest_table(rows, [Checked(1.0, 48000, one) for one in ids], folder)
write_manifest(folder / "manifest.parquet", Manifest(table, names))
"""


def measure(folder: Path, clips: int, chosen: argparse.Namespace) -> dict[str, common.Process]:
    """Run the jobs on `clips` clips; `seconds` are those of the work, without the imports."""
    folder.mkdir()
    common.python(WRITE, folder, clips, chosen.labels, chosen.dimensions)
    found = {}
    for name in jobs():
        if name not in chosen.jobs:
            continue
        settings = {}
        if name != SCORE and "permutations" in TASKS.find(name).settings.model_fields:
            settings["permutations"] = chosen.permutations
        arguments = [name, str(folder), settings, {"n": chosen.replicates}]
        process = common.python(RUN, json.dumps(arguments))
        seconds = common.load_json(process.output)["seconds"]
        found[name] = common.Process(seconds, process.peak_gib, "")
    return found


def main(argv: list[str] | None = None) -> list[common.Row]:
    """Measure one size and a tenth of it; rows for the table of all benchmarks."""
    names = jobs()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=30_000)
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--permutations", type=int, default=200)
    parser.add_argument(
        "--jobs", nargs="+", choices=names, default=[name for name in names if name not in SLOW]
    )
    chosen = parser.parse_args(argv)
    chosen.jobs = {SCORE, *chosen.jobs}  # the others read what it writes
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
    note = f"the goal; {chosen.replicates} replicates, {chosen.permutations} permutations"
    return [*rows, common.duration(f"most memory, {size}", peak, LIMIT_GIB, 1.0, note, "GiB")]


if __name__ == "__main__":
    print(common.as_markdown(main()))
