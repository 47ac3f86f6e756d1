"""What the workflow itself costs: planning, and whole runs, as clips and prompts grow.

    python benchmarks/workflow_scale.py [--large]

The towers are a few lines of numpy, so that jobs, files and planning are what is measured. Growth
is stated as time for each clip or prompt that was added, beside that of the step before: a ratio of
1 is linear cost.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common
from benchmarks.experiment import TINY_FAMILY, Experiment, write_tones

#: Seconds in which 10 models, 20 datasets and 300 prompts must be planned.
PLAN_GOAL = 20.0
TASKS = ["zero_shot", "audio_only", "separation", "confidence"]


def main(argv: list[str] | None = None) -> list[common.Row]:
    """Measure; rows for the table of all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="100 times the clips and prompts, too")
    chosen = parser.parse_args(argv)
    factors = [1, 10, 100] if chosen.large else [1, 10]
    with tempfile.TemporaryDirectory(prefix="listenread-bench-") as temporary:
        folder = Path(temporary)
        rows = [_plan(folder / "plan")]
        rows += _curve("clips", folder, [(90 * factor, 4) for factor in factors])
        rows += _curve("prompts of a set", folder, [(90, 4 * factor) for factor in factors])
        return rows


def _overlay(datasets: int, models: int, templates: list[str]) -> dict[str, Any]:
    names = [f"tones_{number}" for number in range(datasets)]
    entry = {"loader": "folder", "metadata": "tones/metadata.csv", "track_clips": False}
    return {
        "experiment": {
            "name": "scale",
            "datasets": names,
            "models": [f"spectrum_{number}" for number in range(models)],
            "prompts": ["study"],
            "tasks": TASKS,
        },
        "metrics": {"top_k": [1, 2], "resamples": 100},
        "datasets": dict.fromkeys(names, entry),
        "models": {
            f"spectrum_{number}": {"family": "tiny_family:Spectrum", "options": {"seed": number}}
            for number in range(models)
        },
        "prompts": {"study": {"templates": templates}},
    }


def _experiment(folder: Path, clips: int, **sizes: Any) -> Experiment:
    experiment = Experiment(folder, _overlay(**sizes))
    write_tones(folder / "tones", clips)
    (folder / "tiny_family.py").write_text(TINY_FAMILY)
    return experiment


def _templates(number: int) -> list[str]:
    return [f"Wording {index} of {{label}}" for index in range(number)]


def _plan(folder: Path) -> common.Row:
    experiment = _experiment(folder, 9, datasets=20, models=10, templates=_templates(300))
    planned = experiment.run("--dry-run", "--quiet", "all")
    note = "against the goal; 10 models x 20 datasets x a set of 300 prompts"
    return common.duration("plan a large study", planned.seconds, PLAN_GOAL, 1.0, note)


def _curve(what: str, folder: Path, sizes: list[tuple[int, int]]) -> list[common.Row]:
    seconds, peaks = [], []
    for clips, prompts in sizes:
        place = folder / f"{what}-{clips}-{prompts}".replace(" ", "-")
        experiment = _experiment(place, clips, datasets=1, models=1, templates=_templates(prompts))
        process = experiment.run()
        seconds.append(process.seconds)
        peaks.append(process.peak_gib)
    axis = [clips if what == "clips" else prompts for clips, prompts in sizes]
    rows = [common.Row(f"run, {axis[0]} {what}", seconds[0], None, "s", None, None, "tiny towers")]
    per_unit = None
    for before, after in zip(range(len(axis)), range(1, len(axis)), strict=False):
        grown = (seconds[after] - seconds[before]) / (axis[after] - axis[before])
        note = f"{seconds[after]:.1f} s in all; beside the step before, where there is one"
        name = f"run, {axis[after]} {what}: each more"
        if per_unit is None or grown <= 0:
            rows.append(common.Row(name, 1000 * grown, None, "ms", None, None, note))
        else:
            rows.append(common.duration(name, 1000 * grown, 1000 * per_unit, 0.5, note, "ms"))
        per_unit = grown
    return rows


if __name__ == "__main__":
    print(common.as_markdown(main()))
