"""The paper's numbers from its authors' released files, through the whole workflow."""

import pandas as pd
import pytest

from listenread.files import tables

pytestmark = pytest.mark.slow

EXPERIMENT = "results/experiments/released"


def value(project, **wanted):
    frame = tables.read(project.folder / EXPERIMENT / "metrics.parquet").data.to_pandas()
    for column, name in wanted.items():
        frame = frame[frame[column] == name]
    return frame["value"].item()


PROTOTYPES = {"model": "muscall_released", "task": "audio_only", "space": "pre_joint"}


def test_audio_only_is_that_of_the_released_table_to_the_last_digit(released):
    wanted = {
        "top_1": 0.483693786474425,
        "top_2": 0.6515619636113972,
        "top_3": 0.7329213868863714,
        "top_4": 0.7950566426364573,
        "top_5": 0.8499828355647099,
        "f1_weighted": 0.48330643392577294,
    }
    for metric, number in wanted.items():
        assert value(released, **PROTOTYPES, protocol="published", metric=metric) == number
    for metric, number in {"roc_auc_macro": 0.7210654, "pr_auc_macro": 0.2794675}.items():
        found = value(released, **PROTOTYPES, protocol="published", metric=metric)
        assert found == pytest.approx(number, abs=1e-6)
    corrected = value(released, **PROTOTYPES, protocol="corrected", metric="top_1")
    assert round(corrected, 3) == 0.458


@pytest.mark.parametrize(
    ("protocol", "space", "number"),
    [
        ("published", "joint", 0.4135),
        ("published", "pre_joint", 0.4304),
        ("corrected", "joint", 0.4694),
    ],
)
def test_triplets_by_both_protocols(released, protocol, space, number):
    found = value(
        released, model="muscall_released", task="triplets", prompt="track",
        protocol=protocol, space=space, metric="accuracy",
    )  # fmt: skip
    assert round(found, 4) == number


def test_the_comparison_gives_every_published_cell_a_verdict(released):
    frame = pd.read_csv(
        released.folder / EXPERIMENT / "paper_comparison.csv", keep_default_na=False
    )
    computed = frame[frame["ours"] != ""]
    assert set(computed["verdict"]) == {"same to the digit", "inside the interval"}
    exact = computed[computed["verdict"] == "same to the digit"]["metric"].tolist()
    assert exact == ["top_1", "top_2", "top_3", "top_4", "top_5", "f1_weighted"]
    empty = frame[frame["ours"] == ""]
    assert empty["verdict"].str.startswith("not computed: ").all()


def test_files_that_cannot_be_had_are_named_and_stop_nothing_else(released):
    gathered = tables.read(released.folder / EXPERIMENT / "metrics.parquet")
    cells = gathered.made_by["unavailable_cells"]
    joint = [cell for cell in cells if cell["model"] == "muscall_released" and cell["space"]]
    assert {(cell["task"], cell["space"]) for cell in joint} == {("audio_only", "joint")}
    clap = {cell["task"] for cell in cells if cell["model"] == "music_clap_released"}
    assert clap == {"zero_shot", "audio_only", "triplets"}
    assert all("neither in the mirror nor downloaded" in cell["why"] for cell in cells)


def stated(repository, table, row):
    """The cells of a row of a table of docs/protocols.md, without its name."""
    text = (repository / "docs/protocols.md").read_text("utf-8")
    lines = text[text.index(f"| {table} | ") :].splitlines()
    line = next(line for line in lines if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def written(project, **wanted):
    """A value with its interval, as the documentation writes it."""
    frame = tables.read(project.folder / EXPERIMENT / "metrics.parquet").data.to_pandas()
    for column, name in wanted.items():
        frame = frame[frame[column] == name]
    (row,) = frame.itertuples()
    value, low, high = (f"{x:.3f}".lstrip("0") for x in (row.value, row.ci_low, row.ci_high))
    return f"{value} [{low}, {high}]"


@pytest.mark.parametrize(
    ("row", "metric"), [("top-1", "top_1"), ("ROC-AUC, macro", "roc_auc_macro")]
)
def test_the_documentation_states_what_prototypes_give(released, repository, row, metric):
    assert stated(repository, "MusCALL, before the projection", row) == [
        written(released, **PROTOTYPES, metric=metric, protocol=protocol)
        for protocol in ("published", "corrected")
    ]


@pytest.mark.parametrize(
    ("row", "space"), [("joint", "joint"), ("before the projection", "pre_joint")]
)
def test_the_documentation_states_what_triplets_give(released, repository, row, space):
    asked = {"model": "muscall_released", "task": "triplets", "prompt": "track", "space": space}
    columns = {"published": ["accuracy"], "corrected": ["accuracy", "accuracy_related"]}
    assert stated(repository, "MusCALL, `A {label} track`", row) == [
        written(released, **asked, protocol=protocol, metric=metric)
        for protocol, metrics in columns.items()
        for metric in metrics
    ]
