"""Modules of a user: what they import, and results under the former name of a task."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from listenread.errors import ConfigError
from listenread.models.base import find_family
from listenread.tasks.margin import TASK
from listenread.workflow import code_inputs
from listenread.workflow.layout import under_former_names


def write(path: Path, text: str = "X = 1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_neighbours_in_a_folder_and_in_a_package_count(tmp_path, repository):
    """A module is followed to those of its folder or package, and to the modules of listenread."""
    entry = write(
        tmp_path / "mine" / "tasks" / "entry.py",
        "from ..common import X\nfrom . import near\nfrom mine.tasks.named import X as Y\n"
        "import lonely, numpy\nfrom listenread import scores\n",
    )
    write(tmp_path / "mine" / "__init__.py", "")
    package = write(tmp_path / "mine" / "tasks" / "__init__.py", "Z = 1\n")
    expected = {
        entry,
        package,
        write(tmp_path / "mine" / "common.py"),
        write(tmp_path / "mine" / "tasks" / "near.py", "def later():\n    from .far import X\n"),
        write(tmp_path / "mine" / "tasks" / "far.py"),
        write(tmp_path / "mine" / "tasks" / "named.py"),
        write(tmp_path / "lonely.py"),
    }
    write(tmp_path / "mine" / "tasks" / "lonely.py")  # not what `import lonely` imports
    write(tmp_path / "unused.py")
    found = code_inputs.modules_behind([entry], repository)
    assert {path for path in found if path.is_relative_to(tmp_path)} == expected
    assert repository / "listenread" / "scores.py" in found
    assert repository / "listenread" / "metrics" / "margin.py" not in found


@pytest.mark.parametrize(
    "content", [b"def broken(:\n", b"\0", b"text = '\xff'\n"], ids=["syntax", "NUL", "encoding"]
)
def test_a_file_that_is_not_python_is_named(tmp_path, repository, content):
    path = tmp_path / "own.py"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"own\.py cannot be read as Python"):
        code_inputs.modules_behind([path], repository)


def test_results_under_a_former_name_are_named_and_left(tmp_path):
    """Only where there are some, and only of the tasks that say so."""
    assert under_former_names([TASK], tmp_path) == []
    kept = write(tmp_path / "results/metrics/tones/mini/confidence/track.parquet")
    write(tmp_path / "results/metrics/tones/mini/margin/track.parquet")
    (told,) = under_former_names([TASK], tmp_path)
    assert "`margin` was called `confidence`" in told
    assert "results/metrics/*/*/confidence/*.parquet" in told
    assert kept.exists()
    assert under_former_names([replace(TASK, renamed_from=())], tmp_path) == []


OWN_FAMILY = """
from listenread.files.material import Material
from listenread.models.base import Family, OwnSettings, Preparation

def work(*arguments):
    pass

def family(make=work, fetch=work, loader=f"{__name__}:work"):
    return Family(
        name="x", description="One.", settings=OwnSettings, towers=frozenset({"text"}),
        loader=loader, preparations=(Preparation("prepare_x", make, ("model.json",)),),
        material=(Material("fetch_x", {"file": "file"}, fetch),),
    )
"""


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("family()", None),
        ("family(make=print)", "`make` of `prepare_x` is <built-in function print>, of a module"),
        ("family(make='time:sleep')", "`make` of `prepare_x` is 'time:sleep', of a module without"),
        ("family(fetch='os:system')", "`make` of `fetch_x` is 'os:system', of a module without"),
        ("family(make='nothing')", "`make` of `prepare_x` is 'nothing', not `package.module:NAME`"),
        ("family(make=3)", "`make` of `prepare_x` is 3, which cannot be called"),
        ("family(loader='no_such:X')", "`loader` is 'no_such:X': there is no module `no_such`"),
        (
            "family(loader='math:sqrt')",
            "`loader` is 'math:sqrt', of a module without Python source",
        ),
        ("print", "is not a model family: it is of type `builtin_function_or_method`"),
        ("int", "`encode_audio` is missing"),
    ],
)
def test_code_without_source_is_refused_by_name(tmp_path, monkeypatch, definition, said):
    """Built-in, frozen and compiled modules have no source whose changes could be noticed."""
    name = f"own_{tmp_path.name}"
    write(tmp_path / f"{name}.py", f"{OWN_FAMILY}\nENTRY = {definition}\n")
    monkeypatch.syspath_prepend(tmp_path)
    if said is None:
        assert find_family(f"{name}:ENTRY").name == "x"
    else:
        with pytest.raises(ConfigError, match=re.escape(said)):
            find_family(f"{name}:ENTRY")
