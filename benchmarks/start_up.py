"""What the jobs cost before they do anything: wall time and peak memory of each kind of process.

    python benchmarks/start_up.py [--folder DIR]

On a full-size random HTSAT-base checkpoint of the released layout.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common

LOAD = (
    "import sys; from listenread.models import storage; "
    "model = storage.load(sys.argv[1], tower=sys.argv[2], threads=1); "
)
KINDS = {
    "text job: import, load, first text": (LOAD + "model.encode_text(['A tuba track'])", "text"),
    "audio job: import and load": (LOAD, "audio"),
}
METRICS = "from listenread.tasks import zero_shot"
REPORT = "from listenread.report import page"
#: Seconds within which a process must be ready.
LIMITS = {"text job: import, load, first text": 5.0, "metrics job: import": 1.0}


def main(argv: list[str] | None = None) -> list[common.Row]:
    """Measure; rows for the table of all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keeps the checkpoint between two runs")
    chosen = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="listenread-bench-") as temporary:
        folder = chosen.folder or Path(temporary)
        checkpoint, tokenizer = common.random_laion_model(folder)
        model = folder / "model"
        convert = common.convert(checkpoint, tokenizer, model)
        health = common.python(
            "import sys; from listenread.health import check_prepared_model as c; "
            "c(sys.argv[1], sys.argv[2], threads=2)",
            model, folder / "health.json", threads=2,
        )  # fmt: skip
        torch_alone = _median("import torch", chosen.repeats)
        rows = [
            _row("convert a checkpoint", convert, "2.4 GB in the released layout"),
            _row("health gate", health, "both towers, 2 threads"),
        ]
        for name, (code, tower) in KINDS.items():
            process = _median(code, chosen.repeats, model, tower)
            rows.append(_row(name, process, "its tower only", torch_alone.seconds))
        rows.append(_row("metrics job: import", _median(METRICS, chosen.repeats), "no torch"))
        rows.append(_row("report job: import", _median(REPORT, chosen.repeats), "no torch"))
        return rows


def _median(code: str, repeats: int, *arguments: object) -> common.Process:
    runs = [common.python(code, *arguments, threads=1) for _ in range(repeats + 1)][1:]
    seconds = statistics.median(run.seconds for run in runs)
    return common.Process(seconds, max(run.peak_gib for run in runs), "")


def _row(
    name: str, process: common.Process, note: str, reference: float | None = None
) -> common.Row:
    """Seconds against those that are allowed, or against `import torch` alone."""
    allowed = LIMITS.get(name)
    note = f"{note}; peak {process.peak_gib:.2f} GiB"
    if allowed is not None:
        return common.duration(name, process.seconds, allowed, 1.0, f"against the goal; {note}")
    if reference is not None:
        return common.duration(name, process.seconds, reference, None, f"`import torch`; {note}")
    return common.Row(name, process.seconds, None, "s", None, None, note)


if __name__ == "__main__":
    print(common.as_markdown(main()))
