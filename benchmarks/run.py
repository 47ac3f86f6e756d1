"""All benchmarks: one table, printed and written to results/benchmarks/.

    python benchmarks/run.py [NAME ...] [--guard]

With ``--guard`` the exit status says whether every ratio keeps to its limit. Ratios are of one run
on one machine, so that they can be compared between machines; seconds cannot.
"""

import argparse
import importlib
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common

#: Modules of this folder, and whether they take a folder for the checkpoint.
BENCHMARKS = {
    "embed_audio": True,
    "start_up": True,
    "add_prompt": True,
    "measure_metrics": False,
    "render_page": False,
    "workflow_scale": False,
    "no_op": False,
}
OUTPUT = common.PROJECT / "results" / "benchmarks"


def main(argv: list[str] | None = None) -> int:
    """Run benchmarks; the status is 1 where ``--guard`` is given and a ratio misses its limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    parser.add_argument("--guard", action="store_true")
    chosen = parser.parse_args(argv)
    unknown = sorted(set(chosen.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    rows: list[common.Row] = []
    with tempfile.TemporaryDirectory(prefix="listenread-bench-") as folder:
        for name in chosen.names:
            print(f"{name} ...", file=sys.stderr, flush=True)
            # a new process each, so that peak memory is that of one benchmark
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                found = process.submit(_rows, name, folder).result()
            rows += found
            print(common.as_markdown(found), file=sys.stderr, flush=True)
    heading = f"{common.machine()}; {date.today().isoformat()}"
    table = f"{heading}\n\n{common.as_markdown(rows)}\n"
    common.write_csv(OUTPUT / "benchmarks.csv", rows)
    (OUTPUT / "benchmarks.md").write_text(table, encoding="utf-8")
    print(table)
    missed = [row.name for row in rows if not row.good]
    if missed and chosen.guard:
        print(f"below the limit: {', '.join(missed)}", file=sys.stderr)
    return int(chosen.guard and bool(missed))


def _rows(name: str, folder: str) -> list[common.Row]:
    module = importlib.import_module(f"benchmarks.{name}")
    found = module.main(["--folder", folder] if BENCHMARKS[name] else [])
    return [row if isinstance(row, common.Row) else common.Row(**row) for row in found]


if __name__ == "__main__":
    raise SystemExit(main())
