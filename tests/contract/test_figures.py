"""The contract of figures: every one that a task has, and broken ones."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from small_cell import write_cell

from listenread.entries import resolve
from listenread.errors import ConfigError, Unavailable
from listenread.figures.base import Figure, Reads, figure_path
from listenread.figures.runner import draw_figures
from listenread.tasks.base import TASKS
from listenread.tasks.cell import Cell
from listenread.tasks.runner import measure_cell
from listenread.workflow.sections import Metrics, Report

FIGURES = {
    (name, figure.name): figure for name in TASKS.names() for figure in TASKS.find(name).figures
}
INSTRUMENTS = ["violin", "viola", "flute", "oboe"]
KEYS = {"dataset": "d", "model": "m", "prompt": "p"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, repository):
    """A cell that has everything that a figure can read, but for the numbers of its task."""
    generator = np.random.default_rng(5)
    centres = generator.normal(size=(len(INSTRUMENTS), 6))
    labels = np.arange(24) % len(INSTRUMENTS)
    clips = centres[labels] + generator.normal(0, 0.7, (24, 6))
    cell = write_cell(
        tmp_path_factory.mktemp("cell"),
        [(INSTRUMENTS[label],) for label in labels],
        INSTRUMENTS,
        scores=clips @ centres.T,
        audio={"joint": clips, "pre_joint": clips},
        text={"joint": centres, "pre_joint": centres},
        ontology=repository / "listenread/resources/ontology/doktorski.csv",
    )
    cell.keys = KEYS
    cell.files = {**cell.files, "ontology_text": cell.files["text"]}
    cell.ontology_settings = {"column": "path", "root": None}
    return cell


def constants(figure):
    """Settings of a figure, as the workflow takes them from the configuration's defaults."""
    known = {**Metrics().plain(), **Report().plain(), "replicates": 20}
    return figure.settings(**{name: known[name] for name in figure.settings.model_fields})


def as_declared(whole, task, figure, folder):
    """The cell with nothing but what the figure says it reads, and the manifest."""
    wanted = {"manifest", *figure.reads}
    files = {name: path for name, path in whole.files.items() if name in wanted}
    if "metrics" in figure.reads:
        files["metrics"] = [folder / "metrics.parquet"]
        found = TASKS.find(task)
        per_class = folder / "per_class.parquet" if found.per_class else None
        measured = Cell(KEYS, whole.files, ontology_settings=whole.ontology_settings)
        measure_cell(task, measured, {}, {"n": 20}, files["metrics"][0], per_class)
    return Cell(KEYS, files)


@pytest.mark.parametrize("key", FIGURES, ids="/".join)
def test_every_figure_says_what_it_shows(key):
    figure = FIGURES[key]
    assert figure.problems() == []
    assert figure.name.isidentifier()
    assert figure.caption[0].isupper() and not figure.caption.endswith(".")
    assert figure.reads and set(figure.reads) <= set(get_args(Reads))
    draw = resolve(figure.draw)
    assert callable(draw) and draw.__doc__


@pytest.mark.parametrize("key", FIGURES, ids="/".join)
def test_every_figure_draws_what_it_declares_to_read(key, whole, tmp_path):
    figure = FIGURES[key]
    cell = as_declared(whole, key[0], figure, tmp_path)
    drawn = []
    for turn in ("one", "two"):
        svg = tmp_path / turn / f"{figure.name}.svg"
        resolve(figure.draw)(cell, svg, constants(figure))
        drawn.append({path.name: path.read_bytes() for path in svg.parent.iterdir()})
    assert set(drawn[0]) == {f"{figure.name}.{end}" for end in ("svg", "pdf", "csv")}
    assert drawn[0] == drawn[1], "the same data give the same bytes"
    assert ElementTree.fromstring(drawn[0][f"{figure.name}.svg"]).tag.endswith("svg")
    header, *lines = drawn[0][f"{figure.name}.csv"].decode().splitlines()
    assert lines and {len(line.split(",")) for line in lines} == {len(header.split(","))}


def test_no_two_figures_write_the_same_file():
    """Those of one name are of tasks whose datasets differ: an ontology is not a dataset."""
    places = [(TASKS.find(task).per == "ontology", name) for task, name in FIGURES]
    assert len(set(places)) == len(places)
    assert figure_path("map", "d", "m", "p") == "map/d/m/p"


def broken(**changed):
    figure = Figure("shape", "A shape", "model", ("audio",), "own_figures:draw")
    return replace(figure, **changed)


MISSING = {
    "NO_CAPTION": (broken(caption=""), "figure `shape` has no caption"),
    "DRAW": (broken(draw="draw"), "figure `shape`: `draw` is not `package.module:function`"),
    "PLACE": (broken(per="clip"), "figure `shape`: `per` is 'clip'"),
    "READS": (broken(reads=("video",)), "figure `shape`: `reads` has unknown name(s) video"),
    "NOTHING": (broken(reads=()), "figure `shape`: `reads` is empty"),
    "NAME": (broken(name="a b"), "figure `a b`: the name is not an identifier"),
    "QUESTION": (broken(question="sees"), "figure `shape`: `question` is 'sees'"),
    "CONSTANTS": (broken(settings=dict), "figure `shape`: `settings` is not a subclass"),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_broken_figure_is_refused_with_its_module_and_what_is_missing(
    name, tmp_path, monkeypatch
):
    figure, reason = MISSING[name]
    fields = ", ".join(
        f"{key}={value.__name__ if isinstance(value, type) else repr(value)}"
        for key, value in vars(figure).items()
    )
    (tmp_path / f"broken_{name.lower()}.py").write_text(
        "from dataclasses import replace\n"
        "from listenread.figures.base import Figure\n"
        "from listenread.settings import NoSettings\n"
        "from listenread.tasks.base import TASKS\n"
        f"FIGURE = Figure({fields})\n"
        "TASK = replace(TASKS.find('audio_separation'), name='own', figures=(FIGURE,))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError) as error:
        TASKS.find(f"broken_{name.lower()}:TASK")
    assert f"broken_{name.lower()}: the task `own` cannot be used" in str(error.value)
    assert reason in str(error.value)


OWN = """
from dataclasses import replace
from listenread.errors import Unavailable
from listenread.figures.base import Figure
from listenread.tasks.base import TASKS

def draw(cell, svg, settings):
    if cell.keys["model"] == "mute":
        raise Unavailable("the model is mute")
    svg.write_text("<svg/>")

FIGURES = (
    Figure("shape", "A shape", "model", ("audio",), "own_figures:draw"),
    Figure("colour", "A colour", "prompt", ("audio",), "own_figures:draw"),
    Figure("gone", "Nothing", "dataset", ("audio",), "own_figures:absent"),
)
TASK = replace(TASKS.find("audio_separation"), name="own", figures=FIGURES)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_figures.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return "own_figures:TASK"


def test_figures_of_one_place_are_drawn_and_no_others(own, tmp_path):
    svgs = {"shape": tmp_path / "shape.svg"}
    draw_figures(own, "model", Cell({"model": "m"}), {"shape": {}}, svgs)
    assert svgs["shape"].read_text() == "<svg/>"
    assert not (tmp_path / "colour.svg").exists()


def test_a_figure_without_anything_to_draw_says_why(own, tmp_path):
    svg = tmp_path / "shape.svg"
    draw_figures(own, "model", Cell({"model": "mute"}), {"shape": {}}, {"shape": svg})
    assert "Nothing to draw: the model is mute" in svg.read_text()
    assert svg.with_suffix(".csv").read_text() == "unavailable\nthe model is mute\n"
    assert svg.with_suffix(".pdf").exists()


def test_a_function_that_a_figure_names_must_be_there(own, tmp_path):
    with pytest.raises(ConfigError, match="the module own_figures has no `absent`"):
        draw_figures(own, "dataset", Cell({}), {"gone": {}}, {"gone": tmp_path / "gone.svg"})


def test_a_figure_that_cannot_be_drawn_writes_nothing_itself(tmp_path):
    svg = tmp_path / "confusion.svg"
    cell = write_cell(tmp_path, [("a", "b"), ("b",)], ["a", "b"], scores=np.ones((2, 2)))
    figure = FIGURES["zero_shot", "confusion"]
    with pytest.raises(Unavailable):
        resolve(figure.draw)(cell, svg, figure.settings())
    assert not svg.exists()
