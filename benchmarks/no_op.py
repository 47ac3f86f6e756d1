"""What a run with nothing to do costs where every clip is an input of the workflow.

    python benchmarks/no_op.py [--clips 3000 100000]

Manifest and audio vectors of the clips are made once, by a tower of a few lines of numpy. Then
Snakemake is asked again: with the digests that it remembers, without them (every clip is read), and
with `track_clips: false`. Half-second clips of 8 kB; longer ones cost more where they are read.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common
from benchmarks.experiment import TINY_FAMILY, Experiment, write_tones
from listenread.workflow.contents import Contents

STORE = Path(".snakemake/listenread/contents.json")
TARGET = "results/embeddings/audio/tones/spectrum.parquet"


def main(argv: list[str] | None = None) -> list[common.Row]:
    """Measure; rows for the table of all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, nargs="*", default=[3000])
    chosen = parser.parse_args(argv)
    return [row for clips in chosen.clips for row in _measure(clips)]


def _measure(clips: int) -> list[common.Row]:
    with tempfile.TemporaryDirectory(prefix="listenread-bench-") as temporary:
        folder = Path(temporary) / "project"
        dataset = {"kind": "folder", "metadata": "tones/metadata.csv"}
        overlay = {
            "experiment": {
                "name": "no_op",
                "datasets": ["tones"],
                "models": ["spectrum"],
                "prompts": ["track"],
            },
            "datasets": {"tones": dataset},
            "models": {"spectrum": {"family": "tiny_family:Spectrum"}},
        }
        experiment = Experiment(folder, overlay)
        write_tones(folder / "tones", clips)
        (folder / "tiny_family.py").write_text(TINY_FAMILY)
        experiment.run("--", TARGET)
        made = (folder / TARGET).stat().st_mtime_ns
        again = [experiment.run("--", TARGET).seconds for _ in range(3)]
        shutil.rmtree((folder / STORE).parent)
        unknown = experiment.run("--", TARGET).seconds
        contents = _seconds_of_contents(folder)
        if (folder / TARGET).stat().st_mtime_ns != made:
            raise RuntimeError("a run had something to do")
        overlay["datasets"]["tones"] = dataset | {"track_clips": False}
        experiment.run("--", TARGET)
        untracked = experiment.run("--", TARGET).seconds
    rows = {
        "": (sorted(again)[1], "median of 3; digests are remembered"),
        ", of which contents": (contents, "read what is remembered, look at each file"),
        ", digests forgotten": (unknown, "every clip is read"),
        ", track_clips: false": (untracked, "no clip is an input"),
    }
    return [
        common.Row(f"nothing to do, {clips} clips{what}", seconds, None, "s", None, None, note)
        for what, (seconds, note) in rows.items()
    ]


def _seconds_of_contents(folder: Path) -> float:
    files = [str(path) for path in sorted((folder / "tones").glob("*.wav"))]
    known = Contents(folder / "known.json", recent_s=0)
    known.digest(files)
    known.save()
    started = time.perf_counter()
    Contents(folder / "known.json").digest(files)
    return time.perf_counter() - started


if __name__ == "__main__":
    print(common.as_markdown(main()))
