"""What the workflow itself costs: planning, and whole runs, as clips and prompts grow.

    python benchmarks/workflow_scale.py [--large]

The towers are a few lines of numpy, so that jobs, files and planning are what is measured. Growth
is stated as time for each clip or prompt that was added, against that of the step before: a ratio
of 1 is linear cost. Plans are those of experiments that have not run: with every clip as an input
(`track_clips`), and with separate prompts as well as prompts of a set.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common
from benchmarks.experiment import TINY_FAMILY, Experiment, write_tones
from listenread.report.timings import read_timings

#: Seconds in which 10 models, 20 datasets and 300 prompts must be planned.
PLAN_GOAL = 20.0
TASKS = ["zero_shot", "audio_only", "separation", "margin"]
#: What the paths of an experiment's logs are made of, with its name.
NAMED = ("datasets", "models", "prompts")


def main(argv: list[str] | None = None) -> list[common.Row]:
    """Measure; rows for the table of all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="100 times the clips and prompts, too")
    chosen = parser.parse_args(argv)
    factors = [1, 10, 100] if chosen.large else [1, 10]
    with tempfile.TemporaryDirectory(prefix="listenread-bench-") as temporary:
        folder = Path(temporary)
        rows = [_plan(folder / "plan")]
        clips, prompts = ([n * factor for factor in factors] for n in (90, 4))
        rows += _curve("run, {} clips", folder, clips, lambda n: {"clips": n})
        rows += _curve("run, a set of {} prompts", folder, prompts, lambda n: {"templates": n})
        plan = ("--dry-run", "--quiet", "all")
        rows += _curve(
            "plan, {} clips", folder, clips, lambda n: {"clips": n, "track_clips": True}, plan
        )
        rows += _curve("plan, {} separate prompts", folder, prompts, lambda n: {"prompts": n}, plan)
        return rows


def _overlay(
    datasets: int = 1,
    models: int = 1,
    templates: int = 4,
    prompts: int | None = None,
    track_clips: bool = False,
) -> dict[str, Any]:
    """An experiment with a set of `templates` templates, or with `prompts` separate prompts."""
    names = [f"tones_{number}" for number in range(datasets)]
    entry = {"kind": "folder", "metadata": "tones/metadata.csv", "track_clips": track_clips}
    if prompts is None:
        wordings = [f"Wording {index} of {{label}}" for index in range(templates)]
        catalogue: dict[str, Any] = {"study": {"templates": wordings}}
    else:
        catalogue = {f"p{index}": f"Wording {index} of {{label}}" for index in range(prompts)}
    return {
        "experiment": {
            "name": "scale",
            "datasets": names,
            "models": [f"spectrum_{number}" for number in range(models)],
            "prompts": list(catalogue),
            "tasks": TASKS,
        },
        "metrics": {"top_k": [1, 2], "replicates": 100},
        "datasets": dict.fromkeys(names, entry),
        "models": {
            f"spectrum_{number}": {"family": "tiny_family:Spectrum", "options": {"seed": number}}
            for number in range(models)
        },
        "prompts": catalogue,
    }


def _experiment(folder: Path, clips: int = 90, **sizes: Any) -> Experiment:
    experiment = Experiment(folder, _overlay(**sizes))
    write_tones(folder / "tones", clips)
    (folder / "tiny_family.py").write_text(TINY_FAMILY)
    return experiment


def _plan(folder: Path) -> common.Row:
    experiment = _experiment(folder, 9, datasets=20, models=10, templates=300)
    planned = experiment.run("--dry-run", "--quiet", "all")
    note = "against the goal; 10 models x 20 datasets x a set of 300 prompts"
    return common.duration("plan a large study", planned.seconds, PLAN_GOAL, 1.0, note)


def _curve(
    name: str,
    folder: Path,
    axis: list[int],
    sizes: Callable[[int], dict[str, Any]],
    options: Sequence[str] = (),
) -> list[common.Row]:
    """Seconds of the smallest experiment, and of each clip or prompt more in the larger ones."""
    seconds, by_rule = [], []
    for n in axis:
        # the smallest is what the others are compared with: its quicker run, that of a warm machine
        took = []
        for turn in range(2 if n == axis[0] else 1):
            place = folder / f"{name.format(n)}-{turn}".replace(" ", "-")
            experiment = _experiment(place, **sizes(n))
            took.append((experiment.run(*options).seconds, _seconds_by_rule(experiment)))
        quickest = min(took, key=itemgetter(0))
        seconds.append(quickest[0])
        by_rule.append(quickest[1])
    rows = [common.Row(name.format(axis[0]), seconds[0], None, "s", None, None, "tiny towers")]
    per_unit = None
    for before, after in zip(range(len(axis)), range(1, len(axis)), strict=False):
        more = axis[after] - axis[before]
        grown = (seconds[after] - seconds[before]) / more
        note = f"{seconds[after]:.1f} s in all; against the step before, if there is one"
        note += _grown_most(by_rule[before], by_rule[after], more)
        what = f"{name.format(axis[after])}: each more"
        if per_unit is None or min(grown, per_unit) <= 0:
            rows.append(common.Row(what, 1000 * grown, None, "ms", None, None, note))
        else:
            rows.append(common.duration(what, 1000 * grown, 1000 * per_unit, 0.5, note, "ms"))
        per_unit = grown
    return rows


def _seconds_by_rule(experiment: Experiment) -> dict[str, float]:
    """Run time of each rule's jobs, as Snakemake recorded it; none of a plan."""
    overlay = experiment.overlay["experiment"]
    names = {overlay["name"], *(name for key in NAMED for name in overlay[key])}
    return {one.rule: one.seconds for one in read_timings(experiment.folder / "logs", names)}


def _grown_most(before: dict[str, float], after: dict[str, float], more: int) -> str:
    """The rules that took most of the growth, in words."""
    grown = {rule: 1000 * (after[rule] - before.get(rule, 0)) / more for rule in after}
    most = sorted(grown, key=grown.get, reverse=True)[:4]
    return "".join(f"; {rule} {grown[rule]:.2f} ms" for rule in most)


if __name__ == "__main__":
    print(common.as_markdown(main()))
