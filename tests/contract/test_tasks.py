"""The contract of tasks: every built-in one, one of a user, and broken ones."""

import math
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import yaml
from small_cell import KEYS, write_cell

import listenread
from listenread.entries import Registry, resolve
from listenread.errors import ConfigError, ListenreadError
from listenread.figures.runner import draw_figures
from listenread.files import tables
from listenread.settings import Settings
from listenread.tasks import tidy
from listenread.tasks.base import TASKS, Per, Question, Task
from listenread.tasks.cell import SPACES, Cell
from listenread.tasks.claims import Reading
from listenread.tasks.runner import measure_cell
from listenread.workflow import config as configuration
from listenread.workflow.sections import Metrics, Report

OWN = '''
import numpy as np
from pydantic import Field
from listenread.figures.base import Figure
from listenread.metrics.base import NO_CHANCE, Measurement, Metric
from listenread.metrics.uncertainty import jackknife
from listenread.settings import Settings
from listenread.tasks.base import Answer, Row, Table, Task

LENGTH = Metric("mean_length", "mean length", None, 0.0, float("inf"), NO_CHANCE, "numpy")

class LengthSettings(Settings):
    """Lengths of audio vectors."""
    order: int = Field(2, ge=1, description="Order of the norm.")

def measure(cell, settings, resampling):
    for space, vectors in cell.spaces(cell.audio):
        length = np.linalg.norm(vectors, settings.order, axis=1)
        def mean(counts):
            return {"mean_length": length @ counts / counts.sum(axis=0)}
        (one,) = jackknife(mean, np.arange(len(length)), [LENGTH], resampling)
        yield Row(one, space, "corrected")

def metrics(settings):
    return (LENGTH,)

def sentences(rows, reading):
    return [f"{row.model}: {row.value}" for row in rows.itertuples()]

def draw(cell, svg, settings):
    svg.write_text("<svg/>")

def yields(**columns):
    one = Measurement(columns.pop("metric", "mean_length"), 1.0, 0.5, 1.5, 3)
    def measure(cell, settings, resampling):
        yield Row(one, "joint", "corrected", **columns)
    return measure

TABLE = Table("lengths", ("dataset", "model", "space"), ("dataset",), "Lengths",
              "Means of the lengths of the vectors.")
COMPLETE = dict(name="lengths", title="Lengths", question="listens", per="model",
                reads=("audio",), measure=measure, metrics=metrics, settings=LengthSettings,
                tables=(TABLE,), answers=(Answer("listens", sentences),))
FIGURE = Figure("lengths", "Lengths", "model", ("audio",), f"{__name__}:draw")
LENGTHS = Task(**COMPLETE)
DRAWN = Task(**COMPLETE | {"figures": (FIGURE,)})
UNTITLED = Task(**COMPLETE | {"title": ""})
NO_NAME = Task(**COMPLETE | {"name": "mean lengths"})
NOT_NAMED = Task(**COMPLETE | {"name": None})
READS_NOTHING = Task(**COMPLETE | {"reads": ()})
TOWER = Task(**COMPLETE | {"reads": ("audio", "video")})
PER = Task(**COMPLETE | {"per": "clip"})
QUESTION = Task(**COMPLETE | {"question": "sees"})
INSTANCE = Task(**COMPLETE | {"settings": LengthSettings()})
PLAIN = Task(**COMPLETE | {"settings": dict})
NOT_MEASURED = Task(**COMPLETE | {"measure": None})
NO_METRICS = Task(**COMPLETE | {"metrics": (LENGTH,)})
COMPARED = Task(**COMPLETE | {"tables": (Table("lengths", ("model",), ("dataset",), "x"),)})
OF_OTHERS = Task(**COMPLETE | {
    "tables": (Table("lengths", ("model",), (), "x", row_tasks=("zero_shot",)),)})
TWO_TABLES = Task(**COMPLETE | {"tables": (TABLE, TABLE)})
BY_CLASS = Task(**COMPLETE | {"per_class_table": TABLE})
ANSWER = Task(**COMPLETE | {"answers": (Answer("listens", sentences, "width"),)})
TWO_FIGURES = Task(**COMPLETE | {"figures": (FIGURE, FIGURE)})
FUNCTION = Task(**COMPLETE | {"figures": (Figure("f", "F", "model", ("audio",), draw),)})
NO_CAPTION = Task(**COMPLETE | {"figures": (Figure("f", "", "model", ("audio",), "a:b"),)})
PLACE = Task(**COMPLETE | {"figures": (Figure("f", "F", "clip", ("audio",), "a:b"),)})
CONSTANTS = Task(**COMPLETE | {"figures": (Figure("f", "F", "model", ("audio",), "a:b", dict),)})
TAKEN = Task(**COMPLETE | {"name": "zero_shot"})
NOT_ONE = measure
FAILING = Task(**COMPLETE | {"metrics": lambda settings: settings.names})
NAMES = Task(**COMPLETE | {"metrics": lambda settings: ["mean_length"]})
TWO_METRICS = Task(**COMPLETE | {"metrics": lambda settings: (LENGTH, LENGTH)})
OTHER_METRIC = Task(**COMPLETE | {"measure": yields(metric="width")})
OTHER_TASK = Task(**COMPLETE | {"measure": yields(task="widths")})
LABELLED = Task(**COMPLETE | {"measure": yields(label="violin")})
'''
CLASSES = ["violin", "viola", "flute", "oboe"]
#: Columns whose values say what a number is; `prompt` and `label` are null for some tasks.
STATED = ("dataset", "model", "task", "space", "protocol", "metric", "n")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The name of a module of a user, which can be imported."""
    name = f"own_tasks_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.fixture(params=[*TASKS.names(), "LENGTHS"])
def name(request, own):
    """Every built-in task, and one of a user."""
    return f"{own}:LENGTHS" if request.param == "LENGTHS" else request.param


@pytest.fixture
def whole(tmp_path, repository) -> Cell:
    """A cell with everything that a task can read, for 24 clips."""
    rng = np.random.default_rng(8)
    prompts = []
    for prompt in ("first", "second"):
        labels = np.arange(24) % 4
        audio = rng.normal(size=(24, 6)) + np.eye(4, 6)[labels]
        text = rng.normal(size=(4, 6))
        (tmp_path / prompt).mkdir()
        prompts.append(
            write_cell(
                tmp_path / prompt, [[CLASSES[index]] for index in labels], CLASSES,
                folds=np.arange(24) // 8, scores=np.tanh(rng.normal(size=(24, 4))),
                audio={"joint": audio, "pre_joint": audio[:, :5]},
                text={"joint": text, "pre_joint": text[:, :5]},
                ontology=repository / "listenread/resources/ontology/doktorski.csv",
            )
        )  # fmt: skip
    prompts[0].files["ontology_text"] = prompts[0].files["text"]
    prompts[0].reference = prompts[1]
    return prompts[0]


def declared(whole: Cell, task: Task) -> Cell:
    """The cell with what the workflow gives to a task: what it reads, and a manifest."""
    given = {*task.reads} | ({"manifest"} if task.per != "ontology" else set())

    def part(cell):
        return {what: path for what, path in cell.files.items() if what in given}

    reference = None
    if task.per == "pair":
        reference = Cell(whole.reference.keys, part(whole.reference))
    keys = {**KEYS}
    if task.per == "model":
        del keys["prompt"]
    return Cell(keys, part(whole), reference=reference)


def resolve_with(repository, experiment):
    """The configuration of the project with another experiment."""
    config = {}
    for name in ("catalogue/datasets", "catalogue/models", "catalogue/prompts", "config"):
        config |= yaml.safe_load((repository / f"{name}.yaml").read_text("utf-8"))
    small = {"datasets": ["gm_notes"], "models": ["mini"], "prompts": ["track"]}
    config["experiment"] = {**config["experiment"], **small, **experiment}
    return configuration.resolve(config, Path(listenread.__file__).parent)


def run(name, cell, folder, settings=None, n=10):
    """Measure a cell as a job does; give the two tables as they were written."""
    task = TASKS.find(name)
    paths = [folder / "tidy.parquet", *([folder / "per_class.parquet"] if task.per_class else [])]
    measure_cell(name, cell, settings or {}, {"n": n, "seed": 3}, *paths)
    return [tables.read(path) for path in paths]


def test_every_task_states_what_it_is(name):
    task = TASKS.find(name)
    assert task.problems() == []
    assert task.title.strip() and task.name.isidentifier()
    assert task.per in get_args(Per) and task.question in get_args(Question)
    assert task.towers <= {"audio", "text"} and task.towers
    assert issubclass(task.settings, Settings)
    assert all(field.description for field in task.settings.model_fields.values())
    assert task.settings().plain() == task.settings(**task.settings().plain()).plain()
    assert task.minutes > 0 and task.megabytes > 0
    assert task.all_row_tasks and len(set(task.all_row_tasks)) == len(task.all_row_tasks)
    metrics = task.metrics(task.settings())
    assert metrics and len({one.name for one in metrics}) == len(metrics)
    assert all(one.problems() == [] for one in metrics)


def test_towers_follow_from_what_is_read():
    found = {name: TASKS.find(name).towers for name in TASKS.names()}
    assert found["zero_shot"] == found["margin"] == found["separation"] == {"audio", "text"}
    assert found["audio_only"] == found["probes"] == found["audio_separation"] == {"audio"}
    assert found["triplets"] == found["ontology_triplets"] == {"text"}


def test_tables_are_of_columns_and_rows_that_there_are(name, whole, tmp_path):
    task = TASKS.find(name)
    measured = run(name, declared(whole, task), tmp_path)
    whole_rows, *per_class = (table.data.to_pandas() for table in measured)
    assert task.tables and all(table.caption for table in task.tables)
    assert task.tables[0].method, "the main table says how its numbers are made"
    for table, rows, columns in [
        *((table, whole_rows, tidy.TIDY.names) for table in task.tables),
        *((task.per_class_table, rows, tidy.PER_CLASS.names) for rows in per_class),
    ]:
        assert set(table.keys) <= set(columns) and set(table.comparable) <= set(table.keys)
        own = rows[rows["task"].isin(table.row_tasks or task.all_row_tasks)]
        if table.protocol is not None:
            own = own[own["protocol"] == table.protocol]
        assert len(own), table.name
        # a value has one place in a table
        assert not own.duplicated([*table.keys, "metric"]).any(), table.name
    assert bool(per_class) == task.per_class == (task.per_class_table is not None)


def test_names_of_tables_are_files_of_one_task():
    names = [table.name for task in map(TASKS.find, TASKS.names()) for table in task.tables]
    assert len(set(names)) == len(names)


def test_rows_have_the_columns_and_the_metrics_that_were_announced(name, whole, tmp_path):
    task = TASKS.find(name)
    metrics = {one.name: one for one in task.metrics(task.settings())}
    cell = declared(whole, task)
    for table, schema in zip(run(name, cell, tmp_path), (tidy.TIDY, tidy.PER_CLASS), strict=False):
        assert table.data.schema.remove_metadata() == schema
        rows = table.data.to_pylist()
        assert rows
        for row in rows:
            assert all(row[column] is not None for column in STATED)
            assert (row["dataset"], row["model"]) == (KEYS["dataset"], KEYS["model"])
            assert (row["prompt"] is None) == (task.per == "model")
            assert row["space"] in SPACES and row["protocol"] in ("published", "corrected")
            assert row["task"] in task.all_row_tasks
            metric = metrics[row["metric"]]
            for number in (row["value"], row["ci_low"], row["ci_high"]):
                assert number is None or math.isnan(number) or metric.low <= number <= metric.high
            assert schema is tidy.TIDY or row["label"] in CLASSES
    assert {row["task"] for row in run(name, cell, tmp_path)[0].data.to_pylist()} == {
        *task.all_row_tasks
    }


def test_the_same_cell_gives_the_same_rows(name, whole, tmp_path):
    cell = declared(whole, TASKS.find(name))
    first, again = (
        [table.data.to_pandas() for table in run(name, cell, tmp_path)] for _ in range(2)
    )
    for one, other in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_without_replicates_there_are_the_same_values_and_no_intervals(name, whole, tmp_path):
    task = TASKS.find(name)
    settings = {"permutations": 0} if "permutations" in task.settings.model_fields else {}
    cell = declared(whole, task)
    with_intervals = run(name, cell, tmp_path, settings)[0].data.to_pandas()
    without = run(name, cell, tmp_path, settings, n=0)[0].data.to_pandas()
    pd.testing.assert_series_equal(with_intervals["value"], without["value"])
    assert without[["ci_low", "ci_high"]].isna().all(axis=None)
    assert with_intervals["ci_low"].notna().any()


def test_an_input_that_is_empty_on_purpose_gives_a_reason_or_the_rest(name, whole, tmp_path):
    """Also where only the last of what is read is empty: nothing may break on the way."""
    task = TASKS.find(name)
    cell = declared(whole, task)
    for what in set(task.reads) - {"ontology"}:
        empty = tmp_path / f"no_{what}.parquet"
        tables.write_unavailable(empty, f"the {what} was not released")
        other = Cell(cell.keys, {**cell.files, what: empty}, reference=cell.reference)
        for table in run(name, other, tmp_path):
            if table.unavailable:
                assert f"the {what} was not released" in table.unavailable
                assert table.made_by["task"] == task.all_row_tasks[0]
                assert table.made_by["dataset"] == KEYS["dataset"]
            else:
                assert len(task.reads) > 1 and table.data.num_rows
    whole_cell = Cell(cell.keys, cell.files, reference=cell.reference)
    assert not run(name, whole_cell, tmp_path)[0].unavailable


@pytest.mark.parametrize("task", [n for n in TASKS.names() if TASKS.find(n).per == "model"])
def test_a_space_without_vectors_is_noted_and_the_other_one_measured(task, whole, tmp_path):
    cell = declared(whole, TASKS.find(task))
    data = tables.read(cell.files["audio"]).data
    tables.write(
        cell.files["audio"], data.drop_columns(["pre_joint"]), not_released={"pre_joint": "kept"}
    )
    (table,) = run(task, cell, tmp_path)
    assert set(table.data["space"].to_pylist()) == {"joint"}
    assert table.made_by["missing_spaces"] == {"pre_joint": "kept"}


def test_sentences_are_made_of_the_rows(name, whole, tmp_path):
    task = TASKS.find(name)
    rows = run(name, declared(whole, task), tmp_path)[0].data.to_pandas()
    for answer in task.answers:
        assert answer.question in get_args(Question)
        own = rows[rows["task"] == (answer.row_task or task.all_row_tasks[0])]
        several = (
            pd.concat([own, own.assign(prompt="another")], ignore_index=True)
            if task.per == "prompt"
            else own
        )
        sentences = answer.sentences(several, Reading(0.9))
        assert sentences, f"{answer.sentences.__name__} says nothing"
        for sentence in sentences:
            assert KEYS["model"] in sentence and "nan" not in sentence
        without = several.assign(ci_low=np.nan, ci_high=np.nan, p=np.nan, replicates=None)
        for sentence in answer.sentences(without, Reading(0.9)):
            assert "nan" not in sentence and "interval" not in sentence
        assert answer.sentences(own.iloc[:0], Reading(0.9)) == []


def test_figures_exist_and_are_drawn(name, whole, tmp_path):
    task = TASKS.find(name)
    paths = [tmp_path / "tidy.parquet", *([tmp_path / "c.parquet"] if task.per_class else [])]
    measure_cell(name, declared(whole, task), {}, {"n": 10}, *paths)
    constants = {**Metrics().plain(), **Report().plain()}
    for per in {figure.per for figure in task.figures}:
        figures = [figure for figure in task.figures if figure.per == per]
        reads = {what for figure in figures for what in figure.reads}
        files = {what: whole.files[what] for what in {*reads, "manifest"} - {"metrics"}}
        if "metrics" in reads:
            files["metrics"] = [tmp_path / "tidy.parquet"]
        settings = {
            one.name: {key: constants[key] for key in one.settings.model_fields} for one in figures
        }
        svgs = {one.name: tmp_path / f"{one.name}.svg" for one in figures}
        draw_figures(name, per, Cell(KEYS, files), settings, svgs)
        for figure in figures:
            assert callable(resolve(figure.draw))
            header, *lines = svgs[figure.name].with_suffix(".csv").read_text().splitlines()
            assert svgs[figure.name].stat().st_size > 1000
            assert lines and "unavailable" not in header


def test_every_built_in_task_has_a_module_and_imports_nothing_heavy():
    assert {TASKS.module(name).rpartition(".")[2] for name in TASKS.names()} == {*TASKS.names()}
    heavy = "{'torch', 'transformers', 'sklearn', 'pandas', 'matplotlib', 'soundfile', 'scipy'}"
    code = (
        "import sys; from listenread.tasks.base import TASKS; "
        "[TASKS.find(name) for name in TASKS.names()]; "
        f"print({heavy} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_settings_of_a_task_of_a_user_reach_it(own, whole, tmp_path):
    cell = declared(whole, TASKS.find(f"{own}:LENGTHS"))
    vectors = tables.read_vectors(cell.files["audio"], "joint")
    for order in (1, 3):
        (table,) = run(f"{own}:LENGTHS", cell, tmp_path, {"order": order})
        row = next(row for row in table.data.to_pylist() if row["space"] == "joint")
        assert row["value"] == pytest.approx(np.linalg.norm(vectors, order, axis=1).mean())
        assert row["task"] == "lengths" and row["ci_low"] < row["value"] < row["ci_high"]
    with pytest.raises(ValueError, match="ordre"):
        run(f"{own}:LENGTHS", cell, tmp_path, {"ordre": 1})


def test_a_figure_of_a_user_is_drawn(own, whole, tmp_path):
    svgs = {"lengths": tmp_path / "lengths.svg"}
    draw_figures(f"{own}:DRAWN", "model", whole, {"lengths": {}}, svgs)
    assert svgs["lengths"].read_text() == "<svg/>"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("UNTITLED", "`title` is empty"),
        ("NO_NAME", "the name 'mean lengths' is not an identifier"),
        ("NOT_NAMED", "the name None is not an identifier"),
        ("READS_NOTHING", "`reads` is empty"),
        ("TOWER", "`reads` has unknown name(s) video; there are scores, audio, text"),
        ("PER", "`per` is 'clip'"),
        ("QUESTION", "`question` is 'sees'"),
        ("INSTANCE", "`settings` is not a subclass of `listenread.settings.Settings`"),
        ("PLAIN", "`settings` is not a subclass of `listenread.settings.Settings`"),
        ("NOT_MEASURED", "`measure` cannot be called"),
        ("NO_METRICS", "`metrics` cannot be called"),
        ("COMPARED", "table `lengths`: `comparable` has columns that `keys` lacks"),
        ("OF_OTHERS", "table `lengths` is of rows zero_shot, which `row_tasks` lacks"),
        ("TWO_TABLES", "two of its tables have the same name"),
        ("BY_CLASS", "there is a `per_class_table`, but `per_class` is not set"),
        ("ANSWER", "an answer is of rows width, which `row_tasks` lacks"),
        ("TWO_FIGURES", "two of its figures have the same name"),
        ("FUNCTION", "figure `f`: `draw` is not `package.module:function`"),
        ("NO_CAPTION", "figure `f` has no caption"),
        ("PLACE", "figure `f`: `per` is 'clip'"),
        ("CONSTANTS", "figure `f`: `settings` is not a subclass"),
        ("TAKEN", "there is a built-in task named `zero_shot` already"),
        ("NOT_ONE", "is not a task: it is of type `function`"),
        ("MISSING", "has no `MISSING`"),
    ],
)
def test_broken_tasks_are_refused_by_name(own, entry, reason):
    with pytest.raises(ConfigError) as error:
        TASKS.find(f"{own}:{entry}")
    assert own in str(error.value)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("OTHER_METRIC", "gives the metric `width`, which its `metrics` does not list"),
        ("OTHER_TASK", "gives rows of the task `widths`, which its `row_tasks` does not list"),
        ("LABELLED", "gives rows with a label, but `per_class` is not set"),
    ],
)
def test_rows_that_were_not_announced_are_refused(own, whole, tmp_path, entry, reason):
    with pytest.raises(ListenreadError) as error:
        run(f"{own}:{entry}", whole, tmp_path)
    assert str(error.value) == f"{own}: the task `lengths` {reason}"
    assert not (tmp_path / "tidy.parquet").exists()


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("FAILING", "`metrics` of the task `lengths` breaks down: AttributeError: .*names"),
        ("NAMES", "`metrics` of the task `lengths` gives 'mean_length'"),
        ("TWO_METRICS", "the task `lengths` has two metrics named mean_length"),
    ],
)
def test_broken_metrics_of_a_task_are_refused_before_a_run(own, repository, entry, reason):
    with pytest.raises(ConfigError, match=rf"`experiment\.tasks`: {reason}"):
        resolve_with(repository, {"tasks": [f"{own}:{entry}"]})


def test_a_task_of_a_user_is_part_of_an_experiment(own, repository):
    config = resolve_with(repository, {"tasks": [f"{own}:LENGTHS", "margin"]})
    assert config.tasks["lengths"].settings.order == 2
    assert config.module_of_task("lengths") == own


def test_a_module_that_breaks_down_names_itself(tmp_path, monkeypatch):
    (tmp_path / "incomplete_task.py").write_text(OWN.replace('reads=("audio",), ', ""))
    (tmp_path / "stumbling_task.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    for reference, reason in [
        ("incomplete_task:LENGTHS", "incomplete_task cannot be imported.*'reads'"),
        ("stumbling_task:TASK", "stumbling_task cannot be imported: ZeroDivisionError"),
        ("absent_task:TASK", "there is no module `absent_task`"),
    ]:
        with pytest.raises(ConfigError, match=reason):
            TASKS.find(reference)


def test_a_name_in_two_modules_is_refused(tmp_path, monkeypatch):
    (tmp_path / "task_twice").mkdir()
    for module in ("__init__", "first", "second"):
        text = "" if module == "__init__" else OWN.partition("DRAWN")[0]
        (tmp_path / "task_twice" / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    message = r"task_twice\.second: the task `lengths` is already in task_twice\.first"
    with pytest.raises(ConfigError, match=message):
        Registry("task", Task, "task_twice").names()


def test_an_old_name_says_what_became_of_it():
    with pytest.raises(ConfigError, match=r"`confidence` is now called `margin`.*stay where they"):
        TASKS.find("confidence")
    with pytest.raises(ConfigError, match=r"unknown task `zero_shoot`.*did you mean `zero_shot`"):
        TASKS.find("zero_shoot")
