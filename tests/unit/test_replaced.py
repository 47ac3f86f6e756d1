"""What is said before results of an experiment, or values of an overlay, are replaced."""

from pathlib import Path

import pytest

import listenread
from listenread.files import checksums
from listenread.workflow import config, replaced
from listenread.workflow.layout import Layout
from listenread.workflow.messages import read_yaml

EXPERIMENT = Path("results/experiments/quickstart")


@pytest.fixture
def plan(repository):
    """Makes the files of the quickstart, with other values in its section `experiment`."""

    base = {}
    for name in ("catalogue/datasets", "catalogue/models", "catalogue/prompts", "config"):
        base |= read_yaml(repository / f"{name}.yaml")
    overlay = read_yaml(repository / "config/quickstart.yaml")["experiment"]

    def make(**experiment) -> Layout:
        asked = base["experiment"] | overlay | {"prompts": ["track", "sound"]} | experiment
        package = Path(listenread.__file__).parent
        return Layout(config.resolve(base | {"experiment": asked}, package))

    return make


@pytest.fixture
def finished(plan, tmp_path):
    """A folder with the quickstart's list of files, and those that its page shows."""
    listed = "".join(f"{'0' * 64}  {name}\n" for name in plan().listed_files())
    for name in plan().shown_files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / EXPERIMENT / "checksums.sha256").write_text(listed, "utf-8")
    assert checksums.read(tmp_path / EXPERIMENT / "checksums.sha256")
    return tmp_path


def test_the_same_experiment_another_name_and_a_first_run_are_silent(plan, finished, tmp_path):
    for same in (plan(), plan(name="mine", prompts=["solo"]), plan(title="Another heading")):
        assert replaced.changes(same, finished) == replaced.left_over(same, finished) == []
    assert replaced.changes(plan(prompts=["solo"]), tmp_path / "elsewhere") == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"prompts": ["track", "sound", "solo"]}, "others with the prompts `solo`"),
        ({"prompts": ["track"]}, "others without the prompts `sound`."),
        ({"datasets": ["gm_notes", "tinysol"]}, "others with the datasets `tinysol`"),
        ({"tasks": ["zero_shot"]}, "others without the tasks `audio_only`, "),
        ({"models": ["mini", "music_clap"]}, "others with the models `music_clap`"),
    ],
)
def test_what_goes_and_comes_is_said(plan, finished, changed, said):
    (sentence,) = replaced.changes(plan(**changed), finished)
    assert sentence.startswith("The experiment `quickstart` is finished. Its report and tables in")
    assert said in sentence


def test_files_of_an_earlier_configuration_are_listed(plan, finished):
    (sentence,) = replaced.left_over(plan(prompts=["track"]), finished)
    assert "figures/" in sentence and "/sound.svg`" in sentence
    before = set(plan().shown_files()) - set(plan(prompts=["track"]).shown_files())
    assert f"holds {len(before)} files that" in sentence
    for name in before:
        (finished / name).unlink()
    assert replaced.left_over(plan(prompts=["track"]), finished) == []


def test_an_overlay_of_the_project_that_stands_after_a_users_is_said(repository, tmp_path):
    ours, quickstart = repository / "config", repository / "config/quickstart.yaml"
    theirs = read_yaml(quickstart)
    mine = {"experiment": {"name": "mine", "datasets": ["gm_notes"]}, "prompts": {"a": "A {label}"}}
    own = tmp_path / "mine.yaml"
    (sentence,) = replaced.undone([(own, mine), (quickstart, theirs)], ours)
    assert f"{quickstart} stands after {own} and undoes `experiment.name` there" in sentence
    for order in (
        [(quickstart, theirs), (own, mine)],
        [(own, {"prompts": mine["prompts"]}), (quickstart, theirs)],
        [(own, mine), (tmp_path / "next.yaml", theirs)],
        [(quickstart, theirs), (ours / "own_clips.yaml", mine)],
    ):
        assert replaced.undone(order, ours) == []
