"""What the benchmarks share: a row of the table, a timed process, a model of the released size."""

import csv
import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
#: Environment of every process that is timed, as the workflow sets it; bytecode is kept.
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
    "PYTHONPATH": str(PROJECT),
    "OMP_WAIT_POLICY": "passive",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "2147483647",
    "LISTENREAD_PROGRESS": "0",
}


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        name: what was measured.
        ours: value of this project.
        reference: value that it is compared with, measured in the same run.
        unit: of both.
        ratio: larger is better: ours / reference for rates, reference / ours for times.
        limit: the smallest ratio that is good enough; None where there is none.
        note: what the reference is, and how much was measured.
    """

    name: str
    ours: float
    reference: float | None
    unit: str
    ratio: float | None
    limit: float | None
    note: str

    @property
    def good(self) -> bool:
        """Whether the ratio keeps to its limit."""
        return self.limit is None or (self.ratio is not None and self.ratio >= self.limit)


def rate(
    name: str, ours: float, reference: float, unit: str, limit: float | None, note: str
) -> Row:
    """A row of two rates: more is better."""
    return Row(name, ours, reference, unit, ours / reference, limit, note)


def duration(
    name: str, ours: float, reference: float, limit: float | None, note: str, unit: str = "s"
) -> Row:
    """A row of two times, or of two sizes: less is better."""
    return Row(name, ours, reference, unit, reference / ours, limit, note)


@dataclass(frozen=True)
class Process:
    """A process that has ended: seconds from start to end, and its largest resident memory."""

    seconds: float
    peak_gib: float
    output: str


def timed(command: Sequence[object], cwd: Path = PROJECT, threads: int | None = None) -> Process:
    """Run a command to its end; raise with the end of its output if it fails.

    Linux counts what this process held at the fork as the command's: benchmarks keep small.
    """
    environment = dict(ENVIRONMENT)
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as file:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, env=environment, stdout=file, stderr=file
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        file.seek(0)
        output = file.read()
    if process.returncode:
        raise RuntimeError(f"{command} failed:\n{output[-3000:]}")
    return Process(seconds, usage.ru_maxrss / 2**20, output)


def python(code: str, *arguments: object, **options: object) -> Process:
    """Run Python code in a new process."""
    return timed([sys.executable, "-c", code, *arguments], **options)


def peak_gib() -> float:
    """Largest resident memory of this process so far."""
    status = Path("/proc/self/status").read_text()  # unlike getrusage, of this program alone
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 2**20


def random_laion_model(folder: Path) -> tuple[Path, Path]:
    """Make a full-size random HTSAT-base checkpoint with the laion-clap package.

    Returns:
        The checkpoint and its ``tokenizer.json``.
    """
    sys.path.insert(0, str(PROJECT / "tests" / "reference"))
    import laion_package

    from listenread.models.clap.sizes import TextSizes

    maker = PROJECT / "tests" / "reference" / "laion_checkpoint.py"
    checkpoint, tokenizer = folder / "HTSAT-base.pt", folder / "tokenizer.json"
    if not checkpoint.exists():
        folder.mkdir(parents=True, exist_ok=True)
        runpy.run_path(str(maker))["write_tokenizer"](tokenizer, TextSizes().vocabulary)
        environment = laion_package.offline_hub(folder / "hub", tokenizer, asdict(TextSizes()))
        laion_package.run_reference([sys.executable, maker, folder], environment)
    return checkpoint, tokenizer


def convert(checkpoint: Path, tokenizer: Path, model: Path) -> Process:
    """Convert the checkpoint of `random_laion_model` in a new process."""
    return python(
        "import sys; from listenread.models.clap.from_laion import convert_laion_clap as c; "
        "c(*sys.argv[1:], audio_model='HTSAT-base')",
        checkpoint,
        tokenizer,
        model,
    )


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a csv."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(Row)])
        writer.writerows(astuple(row) for row in rows)


def as_markdown(rows: Sequence[Row]) -> str:
    """The rows as a table for people."""
    lines = [
        "| what | ours | reference | ratio | limit | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        reference = "" if row.reference is None else f"{row.reference:.3g} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        limit = "" if row.limit is None else f"{row.limit:g}"
        missed = "" if row.good else "**below the limit.** "
        cells = (row.name, f"{row.ours:.3g} {row.unit}", reference, ratio, limit, missed + row.note)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> str:
    """The machine in words: processor, cores, memory, and what computes."""
    import torch

    cpu = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {gpu}, torch {torch.__version__}"


def load_json(text: str) -> dict:
    """The last line of a process's output, as JSON."""
    return json.loads(text.strip().splitlines()[-1])
