"""Entries of a user, as CONTRIBUTING.md shows them: outside the project, from an overlay.

The experiment runs in one folder; the overlay and the module beside it are in another, and after
`split` the task is in a third one, which is on PYTHONPATH.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import contributing
import numpy as np
import pytest
import yaml
from sklearn.metrics import balanced_accuracy_score

from listenread.audio.degradations.apply import degrader
from listenread.datasets.base import DATASET_KINDS, Places
from listenread.metrics.base import METRICS, Resampling, Target
from listenread.metrics.classification import measure
from listenread.models.base import find_family
from listenread.report.tidy import read_tidy
from listenread.tasks.base import TASKS
from listenread.workflow import reference


@dataclass
class Study:
    """Folders of somebody who uses listenread."""

    folder: Path
    overlay: dict

    @property
    def results(self) -> Path:
        return self.folder / "run" / "results"

    @property
    def report(self) -> Path:
        return self.results / "experiments" / "own_entries" / "report.html"

    @property
    def task(self) -> Path:
        return self.folder / "modules" / "own_task.py"

    @property
    def family(self) -> Path:
        return self.task.with_name("own_family.py")

    def run(self, *options: str, on_path: bool = True) -> subprocess.CompletedProcess:
        path = self.folder / "study" / "own.yaml"
        path.write_text(yaml.safe_dump(self.overlay, sort_keys=False), "utf-8")
        return contributing.snakemake(
            self.folder / "run",
            "--snakefile", contributing.REPOSITORY / "Snakefile", "--configfile", path, *options,
            python_path=self.folder / "modules" if on_path else None,
        )  # fmt: skip

    def copy(self, folder: Path) -> "Study":
        shutil.copytree(self.folder, folder)
        return Study(folder, yaml.safe_load(yaml.safe_dump(self.overlay)))


def succeeded(result: subprocess.CompletedProcess) -> subprocess.CompletedProcess:
    assert result.returncode == 0, result.stdout + result.stderr
    return result


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The name of the module with all examples, which can be imported."""
    name = f"own_{tmp_path.name}"
    code = "".join(contributing.code_blocks().values())
    (tmp_path / f"{name}.py").write_text(code, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The examples in one file beside their overlay, run to the end; do not change it."""
    # As deep as its copies, so that relative paths to the project stay the same.
    folder = tmp_path_factory.mktemp("finished") / "own"
    (folder / "study").mkdir(parents=True)
    code = "".join(contributing.code_blocks().values())
    (folder / "study" / "own_entries.py").write_text(code, "utf-8")
    contributing.write_notes(folder / "run" / "notes")
    study = Study(folder, contributing.overlay())
    succeeded(study.run())
    return study


@pytest.fixture(scope="module")
def finished_split(finished, tmp_path_factory):
    """The same with task and family in modules of their own, run to the end; do not change it."""
    study = finished.copy(tmp_path_factory.mktemp("split") / "own")
    study.task.parent.mkdir()
    study.task.write_text(contributing.code_blocks()["task"], "utf-8")
    study.family.write_text(contributing.code_blocks()["family"], "utf-8")
    study.overlay["models"]["spectrum"]["family"] = "own_family:Spectrum"
    study.overlay["experiment"]["tasks"] = ["zero_shot", "own_task:FAVOURITE"]
    study.overlay["tasks"] = {"zero_shot": study.overlay["tasks"]["zero_shot"]}
    succeeded(study.run())
    return study


@pytest.fixture
def split(finished_split, tmp_path):
    """A copy that a test may change."""
    return finished_split.copy(tmp_path / "own")


def test_the_examples_fit_on_two_pages_and_keep_their_contracts(own):
    """Each is found under the name that an overlay gives it, and does what it says."""
    assert sum(code.count("\n") for code in contributing.code_blocks().values()) < 150
    assert TASKS.find(f"{own}:FAVOURITE").figures == ()
    assert TASKS.find(f"{own}:DRAWN_FAVOURITE").figures[0].draw == f"{own}:draw_favourite"
    assert find_family(f"{own}:Spectrum").towers == {"audio", "text"}
    labels = np.array([0, 0, 0, 1, 2, 2])
    scores = np.random.default_rng(3).random((6, 3))
    balanced = METRICS.find(f"{own}:BALANCED")
    (measured,) = measure(scores, Target(3, labels), metrics=[balanced], resampling=Resampling(0))
    expected = balanced_accuracy_score(labels, scores.argmax(axis=1))
    assert measured.value == pytest.approx(expected)
    assert measured.chance == pytest.approx(1 / 3)


def test_the_example_of_a_degradation_has_the_level_that_it_was_asked_for(own):
    wave = np.sin(np.arange(8000) / 20).astype(np.float32)
    noise = degrader(f"{own}:WHITE_NOISE", 10.0)(wave, 8000, "a") - wave
    assert 10 * np.log10(np.mean(wave**2) / np.mean(noise**2)) == pytest.approx(10, abs=0.01)


def test_the_example_of_a_dataset_takes_labels_from_file_names(own, tmp_path):
    contributing.write_notes(tmp_path / "notes")
    kind = DATASET_KINDS.find(f"{own}:NAMED_FILES")
    rows = kind.read_clips(Places(root=tmp_path / "notes"), {})
    assert len(rows) == 12
    assert {row.labels for row in rows} == {("low",), ("middle",), ("high",)}


def test_help_for_own_entries_is_printed_as_in_the_documentation(own, tmp_path):
    shown = {
        "tasks": ("FAVOURITE", "| `variant` | integer | `0` | ≥ 0 | Which variant"),
        "metrics": ("BALANCED", "| `balanced_accuracy` | balanced accuracy | larger | 0 to 1 |"),
        "datasets": ("NAMED_FILES", "| `root` | string | **required** |  | The folder. |"),
        "models": ("Spectrum", "The spectrum of a clip and the letters of a text"),
        "degradations": ("WHITE_NOISE", "signal-to-noise ratio in dB"),
    }
    for what, (name, line) in shown.items():
        assert line in reference.main([what, f"{own}:{name}"])
    command = [sys.executable, "-m", "listenread.workflow.reference", "tasks"]
    environment = {"PYTHONPATH": str(contributing.REPOSITORY), "PATH": ""}
    result = subprocess.run(
        [*command, f"{own}:FAVOURITE"], cwd=tmp_path, env=environment, capture_output=True,
        text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    assert result.stdout == reference.main(["tasks", f"{own}:FAVOURITE"])


@pytest.mark.slow
def test_all_five_kinds_appear_in_the_report(finished):
    page = finished.report.read_text("utf-8")
    for shown in (
        "<caption>Favourite class of a prompt</caption>",
        "<figcaption>Share of clips that the favourite class of a prompt gets: noisy_notes.",
        'data-metric="balanced_accuracy"',
        "Every clip is degraded before it is embedded: White noise, signal-to-noise ratio in dB: 0",
        "family: own_entries:Spectrum",
        "kind: own_entries:NAMED_FILES",
    ):
        assert shown in page, shown
    rows, unavailable = read_tidy(finished.report.with_name("metrics.parquet"))
    assert not len(unavailable)
    shares = rows[rows["metric"] == "favourite_share"]
    assert len(shares) == 4  # two datasets, two prompts
    assert shares["value"].between(1 / 3, 1).all()
    assert (shares["ci_low"] < shares["ci_high"]).any()
    clean, noisy = (
        rows[(rows["dataset"] == name) & (rows["metric"] == "balanced_accuracy")]["value"].tolist()
        for name in ("notes", "noisy_notes")
    )
    assert clean != noisy


@pytest.mark.slow
def test_a_finished_run_has_nothing_to_do(finished):
    assert contributing.planned(succeeded(finished.run("--dry-run"))) == {}


@pytest.mark.slow
def test_a_changed_task_runs_its_own_jobs_again(split):
    """A change of the task's module leaves vectors, scores and other tasks alone."""
    split.task.write_text(split.task.read_text("utf-8") + "\n# edited\n", "utf-8")
    jobs = contributing.planned(succeeded(split.run("--dry-run")))
    assert jobs.pop("measure_favourite") == 4
    last = {"gather_metrics", "compare_with_paper", "write_report", "write_checksums", "all"}
    assert set(jobs) == last


@pytest.mark.slow
def test_a_changed_neighbour_of_a_module_is_noticed(split):
    """What the task's module imports from its folder counts as part of it."""
    helper = split.task.with_name("own_helper.py")
    helper.write_text("SCALE = 1\n", "utf-8")
    split.task.write_text("import own_helper\n" + split.task.read_text("utf-8"), "utf-8")
    succeeded(split.run())
    helper.write_text("SCALE = 2\n", "utf-8")
    assert contributing.planned(succeeded(split.run("--dry-run")))["measure_favourite"] == 4


@pytest.mark.slow
def test_a_new_clip_of_an_own_dataset_kind_is_noticed(split):
    notes = split.folder / "run" / "notes"
    shutil.copy(notes / "low_0.wav", notes / "low_9.wav")
    assert contributing.planned(succeeded(split.run("--dry-run")))["build_manifest"] == 2


TWO_FILES = """
from own_entries import Spectrum
from listenread.models.base import Family, Preparation, TowerSettings

def prepare(inputs, model_dir, settings, context):
    raise NotImplementedError


FAMILY = Family(
    name="two_files",
    description="Two files whose names differ in their ends alone.",
    settings=TowerSettings,
    towers=frozenset({"audio", "text"}),
    loader="own_entries:Spectrum",
    preparations=(Preparation("prepare_two_files", prepare, ("model.json", "model.safetensors")),),
)
"""


def test_every_file_that_a_preparation_writes_is_an_output(tmp_path):
    """Files are named for Snakemake's cache between workflows; no two of them share a name."""
    study = Study(tmp_path, contributing.overlay())
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "own_entries.py").write_text(
        "".join(contributing.code_blocks().values()), "utf-8"
    )
    (tmp_path / "study" / "two_files.py").write_text(TWO_FILES, "utf-8")
    contributing.write_notes(tmp_path / "run" / "notes")
    study.overlay["models"]["spectrum"] = {"family": "two_files:FAMILY"}
    files = [f"results/models/spectrum/model.{end}" for end in ("json", "safetensors")]
    planned = contributing.planned(succeeded(study.run("--dry-run", "--", *files)))
    assert planned == {"prepare_two_files": 1}


FAULTS = {
    "syntax": lambda path: path.write_text(path.read_text("utf-8") + "def broken(:\n", "utf-8"),
    "import": lambda path: path.write_text("import no_such_library\n", "utf-8"),
    "name": lambda path: path.write_text("FAVORITE = None\n", "utf-8"),
    "neighbour": lambda path: (
        path.with_name("own_helper.py").write_text("def broken(:\n", "utf-8"),
        path.write_text(
            "def later():\n    import own_helper\n\n\n" + path.read_text("utf-8"), "utf-8"
        ),
    ),
    "deleted": lambda path: path.unlink(),
    "not on the path": lambda path: None,
}


@pytest.mark.slow
@pytest.mark.parametrize("changed", [False, True], ids=["same overlay", "changed overlay"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_module_that_cannot_be_used_stops_the_next_run(split, fault, changed):
    """Also when everything is finished: one sentence names the module, nothing is computed."""
    FAULTS[fault](split.task)
    if changed:
        split.overlay["experiment"]["prompts"].append("sound")
    before = split.report.stat().st_mtime_ns
    result = split.run(on_path=fault != "not on the path")
    said = result.stdout + result.stderr
    assert result.returncode == 1
    assert "Traceback" not in said
    module = "own_helper.py" if fault == "neighbour" else "own_task"
    (line,) = [line for line in said.splitlines() if module in line]
    expected = {
        "syntax": "own_task cannot be imported: SyntaxError",
        "import": "own_task cannot be imported: No module named 'no_such_library'",
        "name": "the module own_task has no `FAVOURITE`; did you mean `FAVORITE`?",
        "neighbour": "own_helper.py cannot be read as Python",
    }
    assert expected.get(fault, "there is no module `own_task`") in line
    assert split.report.stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_broken_neighbour_of_a_family_stops_the_next_run(split):
    """Its jobs find their code when they are planned, where Snakemake would pass over an error."""
    split.family.with_name("own_helper.py").write_text("def broken(:\n", "utf-8")
    code = split.family.read_text("utf-8")
    split.family.write_text(f"{code}\n\ndef later():\n    import own_helper\n", "utf-8")
    result = split.run()
    assert result.returncode == 1
    assert "own_helper.py cannot be read as Python" in result.stderr


@pytest.mark.slow
def test_nothing_is_lost_when_a_task_is_renamed(split):
    """The message says which files belong to the old name, and they stay as they are."""
    old = sorted((split.results / "metrics").glob("*/*/favourite/*.parquet"))
    assert len(old) == 4
    bytes_before = [path.read_bytes() for path in old]
    code = split.task.read_text("utf-8")
    renamed = 'name="preferred",\n    renamed_from=("favourite",),'
    split.task.write_text(code.replace('name="favourite",', renamed), "utf-8")
    result = succeeded(split.run())
    assert (
        "The task `preferred` was called `favourite`, whose results stay in "
        "results/metrics/*/*/favourite/*.parquet" in result.stderr
    )
    assert [path.read_bytes() for path in old] == bytes_before
    assert set(read_tidy(split.report.with_name("metrics.parquet"))[0]["task"]) >= {"preferred"}
    split.overlay["experiment"]["tasks"] = ["zero_shot", "favourite"]
    assert "unknown task `favourite`" in split.run().stderr
