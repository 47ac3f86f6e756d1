"""A prompt is added to a finished experiment of three full-size models: how long to the new report?

    python benchmarks/add_prompt.py [--folder DIR]

For comparison, in the same run: everything that has to do with text from scratch, and the floor,
which is what three processes take to import torch and load a text tower, two at a time. One prompt
is added after another, each with a floor measured right after it; the table has the medians.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common
from benchmarks.experiment import Experiment, write_tones

MODELS = ("first", "second", "third")
PROMPTS = ["track", "recording", "solo", "sound"]
ADDED = ["added", "added_next", "added_last"]
LOAD = (
    "import sys; from listenread.models import storage; "
    "storage.load(sys.argv[1], tower='text', threads=1)"
)


def main(argv: list[str] | None = None) -> list[common.Row]:
    """Measure; rows for the table of all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="keeps the checkpoint between two runs")
    chosen = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="listenread-bench-") as temporary:
        checkpoint, tokenizer = common.random_laion_model(chosen.folder or Path(temporary))
        experiment = _finished(Path(temporary, "project"), checkpoint, tokenizer)
        from_scratch = experiment.run("--forcerun", "embed_text")
        models = [experiment.folder / "results/models" / model for model in MODELS]
        added, floors = [], []
        for name in ADDED:
            experiment.overlay["experiment"]["prompts"].append(name)
            added.append(experiment.run().seconds)
            floors.append(_floor(models))
        seconds = median(added)
        again = experiment.run()
        jobs = list((experiment.folder / "logs").rglob(f"{ADDED[0]}.log"))
        audio = [log for log in jobs if log.parts[-4] == "embed_audio"]
        ratios = ", ".join(f"{a / b:.2f}" for a, b in zip(added, floors, strict=True))
        return [
            common.duration(
                "add a prompt to three models", seconds, median(floors), 0.35,
                f"the goal is 0.4; the floor: import and load three text towers; {len(jobs)} jobs "
                f"of the prompt, {len(audio)} of them audio; {ratios} times the floor",
            ),
            common.duration(
                "add a prompt, against all text from scratch", seconds, from_scratch.seconds, None,
                f"{len(PROMPTS)} prompts from scratch",
            ),
            common.duration("a run with nothing to do", again.seconds, 5.0, 1.0, "the goal"),
        ]  # fmt: skip


def _finished(folder: Path, checkpoint: Path, tokenizer: Path) -> Experiment:
    model = {
        "family": "laion_clap",
        "audio_model": "HTSAT-base",
        "checkpoint": {"path": str(checkpoint)},
        "tokenizer": {"path": str(tokenizer)},
    }
    experiment = Experiment(
        folder,
        {
            "experiment": {
                "name": "three",
                "datasets": ["tones"],
                "models": list(MODELS),
                "prompts": [*PROMPTS],
                "tasks": ["zero_shot", "audio_only", "separation", "margin"],
            },
            # the weights are random: texts and sounds are alike to them
            "health": {"largest_mean_text_cosine": 1.0, "largest_mean_audio_cosine": 1.0},
            "metrics": {"top_k": [1, 2]},
            "datasets": {"tones": {"kind": "folder", "metadata": "tones/metadata.csv"}},
            "models": dict.fromkeys(MODELS, model),
            "prompts": {name: f"The {{label}} that was {name}" for name in ADDED},
        },
    )
    write_tones(folder / "tones", clips=12)
    experiment.run()
    return experiment


def _floor(model_dirs: list[Path]) -> float:
    """Seconds in which the text towers are loaded, in a process each, two at a time."""
    start = time.perf_counter()
    waiting = [[sys.executable, "-c", LOAD, str(path)] for path in model_dirs]
    running: list[subprocess.Popen] = []
    while waiting or running:
        while waiting and len(running) < 2:
            environment = {**common.ENVIRONMENT, "OMP_NUM_THREADS": "1"}
            running.append(subprocess.Popen(waiting.pop(), env=environment))
        running[0].wait()
        running.pop(0)
    return time.perf_counter() - start


if __name__ == "__main__":
    print(common.as_markdown(main()))
