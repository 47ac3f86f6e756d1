"""What is said of inputs that cannot be used names what is meant, and what to do works."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

import listenread
from listenread.datasets import tinysol
from listenread.errors import ConfigError, DataError
from listenread.workflow import config as configuration

PACKAGE = Path(listenread.__file__).parent


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """Two clips, one of which has a name in braces, in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    for name in ("{dataset}", "b"):
        soundfile.write(tmp_path / "own" / f"{name}.wav", 0.3 * np.sin(np.arange(4_000)), 8_000)
    (tmp_path / "own" / "m.csv").write_text("path,label\n{dataset}.wav,x\nb.wav,y\n")
    return tmp_path


def resolve(repository, **dataset):
    config = yaml.safe_load((repository / "config.yaml").read_text("utf-8"))
    for name in ("datasets", "models", "prompts"):
        config |= yaml.safe_load((repository / "catalogue" / f"{name}.yaml").read_text("utf-8"))
    config["experiment"] |= {"datasets": ["own"], "models": ["mini"], "prompts": ["track"]}
    config["experiment"] |= {"tasks": ["zero_shot"]}
    config["datasets"]["own"] = {"kind": "folder", "metadata": "own/m.csv", **dataset}
    return configuration.resolve(config, PACKAGE)


def refusal(repository, **dataset):
    with pytest.raises(ConfigError) as error:
        resolve(repository, **dataset)
    return str(error.value)


@pytest.mark.parametrize("vocabulary", [None, {"x": "an x", "y": "a y"}])
def test_a_clip_whose_name_snakemake_would_replace(clips, repository, vocabulary):
    text = refusal(repository, vocabulary=vocabulary)
    assert "takes a name in braces in the path of a file for one of its wildcards" in text
    assert "set `track_clips: false`:\n  - own/{dataset}.wav" in text
    untracked = resolve(repository, vocabulary=vocabulary, track_clips=False)
    assert untracked.datasets["own"].clip_files() == []
    for name in ("{a b}", "{}", "{dataset", "a-{b-c}"):  # which it leaves as they are
        (clips / "own" / "{dataset}.wav").rename(clips / "own" / f"{name}.wav")
        (clips / "own" / "m.csv").write_text(f"path,label\n{name}.wav,x\nb.wav,y\n")
        assert resolve(repository).datasets["own"].clip_files()[0] == f"own/{name}.wav"
        (clips / "own" / f"{name}.wav").rename(clips / "own" / "{dataset}.wav")


@pytest.mark.parametrize("vocabulary", [None, {"x": "an x"}])
def test_what_is_not_there_is_said_with_the_folder_it_was_looked_for_in(
    clips, repository, vocabulary
):
    where = f"does not exist in {clips}, where relative paths begin"
    text = refusal(repository, metadata="elsewhere/m.csv", vocabulary=vocabulary)
    assert f"`datasets.own`: elsewhere/m.csv {where}" in text
    text = refusal(repository, metadata=None, root="elsewhere", vocabulary=vocabulary)
    assert f"`datasets.own`: the folder elsewhere {where} (key `root`)" in text
    text = refusal(repository, metadata=str(clips / "n.csv"), vocabulary=vocabulary)
    assert f"{clips / 'n.csv'} does not exist" in text and "relative" not in text


@pytest.mark.parametrize(
    ("vocabulary", "reason"),
    [
        (["x", "y"], "vocabulary` is ['x', 'y']: it must be a mapping, `key: value`"),
        ("x", "vocabulary` is 'x': it must be a mapping"),
        ({"x": 1}, "vocabulary.x` is 1: it must be a string; quote it"),
        ({"x": None}, "vocabulary.x` is null: it must be a string"),
        ({"x": ["a"]}, "vocabulary.x` is ['a']: it must be a string"),
    ],
)
def test_a_vocabulary_of_a_wrong_type(clips, repository, vocabulary, reason):
    assert reason in refusal(repository, vocabulary=vocabulary)


def test_a_message_names_the_key_of_an_encoding_only_where_there_is_one(tmp_path):
    header = ",".join(tinysol.CSV_COLUMNS)
    (tmp_path / "m.csv").write_bytes(f"{header}\nFlöte.wav\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"save it as UTF-8$"):
        tinysol.read_metadata(tmp_path, tmp_path / "m.csv")
