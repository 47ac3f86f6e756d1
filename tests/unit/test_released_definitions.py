"""The authors' sentences are read as data; nothing in their file is executed."""

import csv

import pytest

from listenread.errors import DataError
from listenread.paper.definitions import extract_definitions

SOURCE = """
import something_that_is_not_installed
open("executed", "w").close()

def main():
    definitions = [
        "A violin, bowed.",
        "An oboe" ", blown.",
    ]
"""


def test_sentences_are_found_and_nothing_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "source.py").write_text(SOURCE)
    extract_definitions("source.py", "out/d.csv", labels=["violin", "oboe"])
    with (tmp_path / "out/d.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"label": "violin", "definition": "A violin, bowed."},
        {"label": "oboe", "definition": "An oboe, blown."},
    ]
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (SOURCE, "2 sentences in `definitions` for 1 labels"),
        ("definitions = [f() for x in y]", "assigns no list of strings"),
        ("definitions = [", "cannot be parsed"),
    ],
)
def test_anything_else_is_refused(tmp_path, source, message):
    (tmp_path / "source.py").write_text(source)
    with pytest.raises(DataError, match=message):
        extract_definitions(tmp_path / "source.py", tmp_path / "d.csv", labels=["violin"])
    assert not (tmp_path / "d.csv").exists()
