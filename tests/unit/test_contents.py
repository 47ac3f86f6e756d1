"""Digests of files: they follow contents, and files are read only where they may have changed."""

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from listenread.workflow.contents import Contents


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with two files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.wav").write_bytes(b"one")
    (tmp_path / "b.wav").write_bytes(b"two")
    return tmp_path


STORE = Path("store/contents.json")


def digest(*paths, recent_s=-1.0):
    """What another run finds, which remembers it for the next."""
    found = Contents(STORE, recent_s)
    answer = found.digest(paths)
    found.save()
    return answer


def falsify():
    """Remember other digests, so that a file which is not read is known by a wrong one."""
    known = json.loads(STORE.read_text("utf-8"))
    STORE.write_text(json.dumps({name: [*state[:3], "?"] for name, state in known.items()}))


def test_a_digest_is_that_of_the_content_not_of_times_or_names(folder):
    first = digest("a.wav", "b.wav")
    os.utime("a.wav", (1, 1))
    assert digest("a.wav", "b.wav") == first
    Path("a.wav").rename("c.wav")
    assert digest("c.wav", "b.wav") == first
    assert digest("b.wav", "c.wav") != first


@pytest.mark.parametrize("when", [1, 1_600_000_000, 4_000_000_000])
def test_another_content_of_the_same_size_and_time_is_noticed(folder, when):
    os.utime("a.wav", (when, when))
    first = digest("a.wav")
    time.sleep(0.02)  # a tick of the file system's clock
    (folder / "a.wav").write_bytes(b"ONE")
    os.utime("a.wav", (when, when))
    assert digest("a.wav") != first


def test_files_of_a_folder_count_with_their_names(folder):
    (folder / "model" / "sub").mkdir(parents=True)
    (folder / "model" / "sub" / "weights").write_bytes(b"one")
    first = digest("model")
    Path("model/sub/weights").rename("model/sub/other")
    assert digest("model") != first
    Path("model/sub/other").rename("model/sub/weights")
    assert digest("model") == first
    (folder / "model" / "added").write_bytes(b"")
    assert digest("model") != first


def test_only_files_that_may_have_changed_are_read_again(folder):
    right = {name: digest(name) for name in ("a.wav", "b.wav")}
    falsify()
    time.sleep(0.02)
    os.utime("b.wav")
    assert digest("a.wav") != right["a.wav"]
    assert digest("b.wav") == right["b.wav"]


def test_a_file_that_was_just_changed_is_read_again(folder):
    """A second change within a tick of the clock would leave its size and times as they are."""
    right = digest("a.wav", recent_s=60)
    assert not STORE.exists()
    digest("a.wav")
    falsify()
    assert digest("a.wav", recent_s=60) != right  # what is remembered is relied on


@pytest.mark.parametrize("damage", [b"", b"[1]", b"\xff", b'{"a.wav": 3}', b'{"a.wav": [3, 1]}'])
def test_what_is_remembered_may_be_damaged(folder, damage):
    first = digest("a.wav")
    (folder / "store/contents.json").write_bytes(damage)
    assert digest("a.wav") == first


def test_a_missing_file_and_a_folder_that_cannot_be_written(folder):
    missing = digest("no.wav")
    (folder / "store").touch()
    assert digest("no.wav") == missing != digest("a.wav")


def test_the_digest_is_a_sha256(folder):
    inner = hashlib.sha256(b"one").hexdigest()
    assert digest("a.wav") == hashlib.sha256(f"{inner} ".encode()).hexdigest()
