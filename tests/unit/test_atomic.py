"""Files that are whole or not there."""

import pytest

from listenread.files import atomic


def test_an_error_leaves_what_was_there_and_nothing_half_written(tmp_path):
    path = tmp_path / "numbers [1].txt"
    atomic.write_text(path, "old")
    with pytest.raises(RuntimeError), atomic.replacing(path) as partial:
        partial.write_text("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_job_left_is_removed_and_nothing_else(tmp_path):
    path = tmp_path / "numbers [1].txt"
    left = tmp_path / ".numbers [1].txt.1-ab.partial"
    others = [tmp_path / ".numbers 1.txt.1-ab.partial", tmp_path / "numbers [1].txt.partial"]
    for one in (left, *others):
        one.write_text("half")
    atomic.write_text(path, "new")
    assert sorted(tmp_path.iterdir()) == sorted([path, *others])


def test_an_orphan_and_the_job_in_its_place_do_not_write_into_one_another(tmp_path):
    path = tmp_path / "numbers.txt"
    with atomic.replacing(path) as second:
        with pytest.raises(FileNotFoundError), atomic.replacing(path) as first:
            first.write_text("first")
            assert first != second
            second.write_text("second")
            first.unlink()  # as the job in its place does, which takes it for a killed one's
        assert not path.exists()
    assert path.read_text() == "second"
