"""Published numbers beside ours."""

import pandas as pd
import pyarrow as pa
import pytest

from listenread.errors import DataError
from listenread.files import tables
from listenread.report import comparison
from listenread.tasks import tidy


def row(**values):
    base = {
        "dataset": "tinysol", "model": "mine", "task": "audio_only", "space": "joint",
        "prompt": None, "protocol": "published", "metric": "top_1",
        "value": 0.5, "ci_low": 0.45, "ci_high": 0.55, "n": 10, "chance": 0.1,
    }  # fmt: skip
    return base | values


def compare(tmp_path, rows, published, systems=None, unavailable=()):
    tables.write(
        tmp_path / "m.parquet",
        pa.Table.from_pylist(rows, tidy.TIDY),
        unavailable_cells=list(unavailable),
    )
    header = "system,task,space,prompt,metric,published,source,note\n"
    (tmp_path / "p.csv").write_text(header + published)
    comparison.compare_with_paper(
        tmp_path / "m.parquet", tmp_path / "p.csv", tmp_path / "c.csv",
        systems=systems or {"mine": "clap"}, datasets=["tinysol"],
    )  # fmt: skip
    return pd.read_csv(tmp_path / "c.csv", keep_default_na=False)


@pytest.mark.parametrize(
    ("published", "note", "verdict"),
    [
        (0.5, "", "same to the digit"),
        (0.5 + 1e-9, "", "inside the interval"),
        (0.54, "", "inside the interval"),
        (0.56, "stretched", "differs: stretched"),
        (0.56, "", "differs: no difference of protocol is known"),
    ],
)
def test_verdicts(tmp_path, published, note, verdict):
    found = compare(tmp_path, [row()], f"clap,audio_only,joint,,top_1,{published},f,{note}\n")
    assert found["verdict"].tolist() == [verdict]


@pytest.mark.parametrize(
    ("system", "space", "wanted"),
    [
        ("music_clap", "joint", "differs: of clips longer than 10 s the released code took 10 s"),
        ("music_speech_clap", "pre_joint", "differs: the released vectors are means of the first"),
        ("muscall", "joint", "differs: no difference of protocol is known"),
    ],
)
def test_a_cell_says_what_is_true_of_its_own_path(tmp_path, system, space, wanted):
    found = compare(
        tmp_path, [row(space=space)], f"{system},audio_only,{space},,top_1,0.7,f,\n",
        systems={"mine": system},
    )  # fmt: skip
    assert found["verdict"][0].startswith(wanted)
    assert ("clips below 5 s" in found["note"][0]) == (system != "muscall")


@pytest.mark.parametrize(("space", "file"), [("joint", "joint_space"), ("pre_joint", "pre_joint")])
def test_an_empty_cell_names_the_file_of_its_own_space(tmp_path, space, file):
    why = "; ".join(
        f"released, but a/{name}/x.npy is not there" for name in ("pre_joint", "joint_space")
    )
    cell = {"dataset": "tinysol", "model": "mine", "task": "audio_only", "prompt": None}
    found = compare(
        tmp_path, [], f"clap,audio_only,{space},,top_1,0.5,f,\n",
        unavailable=[cell | {"space": None, "why": why}],
    )  # fmt: skip
    assert found["verdict"].tolist() == [f"not computed: released, but a/{file}/x.npy is not there"]


def test_the_corrected_protocol_and_other_datasets_are_not_compared(tmp_path):
    rows = [row(protocol="corrected"), row(dataset="mine")]
    found = compare(tmp_path, rows, "clap,audio_only,joint,,top_1,0.5,f,\n")
    assert found["verdict"].tolist() == ["not computed: not part of the experiment"]


def test_an_empty_cell_says_why(tmp_path):
    cell = {"dataset": "tinysol", "model": "mine", "task": "zero_shot", "prompt": "track"}
    found = compare(
        tmp_path, [], "clap,zero_shot,joint,track,top_1,0.5,f,\n",
        unavailable=[cell | {"space": None, "why": "not released"}],
    )  # fmt: skip
    assert found["verdict"].tolist() == ["not computed: not released"]


def test_two_models_for_one_system_are_refused(tmp_path):
    rows = [row(), row(model="other")]
    with pytest.raises(DataError, match="Name one of each"):
        compare(
            tmp_path, rows, "clap,audio_only,joint,,top_1,0.5,f,\n",
            systems={"mine": "clap", "other": "clap"},
        )  # fmt: skip


def test_the_published_table_is_that_of_the_released_files(repository, published_files):
    """Every number of the table stands in a released file, digit by digit, and none is missing."""
    table = pd.read_csv(repository / "listenread/resources/published_results.csv", dtype=str)
    (folder,) = published_files.glob(
        "raw.githubusercontent.com/YannisBilly/i_can_listen_but_cannot_read/*/evaluation_output"
    )
    for source, part in table.groupby("source"):
        cells = (folder.parent / source).read_text().replace("\n", ",").split(",")
        numbers = [cell for cell in cells if cell.replace(".", "").isdigit()]
        assert sorted(part["published"]) == sorted(numbers), source
    assert table["source"].nunique() == len(list(folder.rglob("*.csv")))
