"""Ontologies: the released matrix from the released tree, and the other file formats."""

import json
from collections import Counter

import numpy as np
import pytest

from listenread import ontology
from listenread.errors import DataError

#: TinySOL's labels as the released prompts spell them, in the released order.
TINYSOL = [
    "bass tuba",
    "french horn",
    "trombone",
    "trumpet in c",
    "accordion",
    "contrabass",
    "violin",
    "viola",
    "violoncello",
    "bassoon",
    "clarinet in b-flat",
    "flute",
    "oboe",
    "alto saxophone",
]


@pytest.fixture(scope="module")
def folder(repository):
    return repository / "listenread/resources/ontology"


@pytest.fixture(scope="module")
def doktorski(folder):
    return ontology.read(folder / "doktorski.csv")


@pytest.fixture(scope="module")
def as_released(folder):
    return ontology.read(folder / "doktorski.csv", column="path_as_released", root="instrument")


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_the_released_matrix_is_derived_from_the_released_tree(as_released, shared_mirror):
    (path,) = shared_mirror.glob("**/tinysol_instrument_similarity.npy")
    derived = ontology.released_matrix(as_released.distances(TINYSOL))
    np.testing.assert_array_equal(derived, np.load(path))


def test_tinysol_is_the_same_in_the_corrected_tree(doktorski, as_released):
    np.testing.assert_array_equal(doktorski.distances(TINYSOL), as_released.distances(TINYSOL))


def test_the_trees_differ_where_braces_were_misplaced(doktorski, as_released):
    drums = ["timpani", "snare drum"]
    # struck/determinate_pitch against struck/indeterminate_pitch, under membranophone or not.
    assert doktorski.distances(drums)[0, 1] == 6
    assert as_released.distances(drums)[0, 1] == 7
    electric = ["theremin", "electric guitar"]
    assert doktorski.distances(electric)[0, 1] == as_released.distances(electric)[0, 1] == 5


def test_doktorski_has_all_instruments_in_four_families(doktorski):
    assert len(doktorski.instruments) == 100
    families = Counter(family for one in doktorski.instruments for family in doktorski.family(one))
    assert families == {"stringed": 11, "wind": 51, "percussion": 25, "electrophone": 13}


@pytest.mark.parametrize("name", ["doktorski.csv", "hornbostel_sachs.csv"])
def test_distances_are_those_of_a_tree(folder, name):
    tree = ontology.read(folder / name)
    distances = tree.distances(tree.instruments)
    levels = tree.shared_levels(tree.instruments)
    assert (distances == distances.T).all() and (distances.diagonal() == 0).all()
    assert ((levels == 0) == np.isinf(distances)).all()
    # The four-point condition in its three-point form: of the levels that three leaves share in
    # pairs, the two smallest are equal.
    shared = np.sort(
        np.stack(
            np.broadcast_arrays(levels[:, :, None], levels[:, None, :], levels[None, :, :]), axis=-1
        ),
        axis=-1,
    )
    assert (shared[..., 0] == shared[..., 1]).all()


def test_every_file_knows_the_labels_of_tinysol(folder):
    plain = ["Bass Tuba", "Trumpet in C", "Cello", "Clarinet in Bb", "cello", "trumpet", "clarinet"]
    for name in ("doktorski.csv", "hornbostel_sachs.csv"):
        assert ontology.read(folder / name).missing([*TINYSOL, *plain]) == []


def test_hornbostel_sachs_places_by_number(folder):
    tree = ontology.read(folder / "hornbostel_sachs.csv")
    for instrument, (place,) in tree.places.items():
        top, *numbers = place[:-1]
        digit = {"idiophones": "1", "membranophones": "2", "chordophones": "3", "aerophones": "4"}
        above = digit[top]
        for number in numbers:
            assert number.startswith(above) and len(number) > len(above), instrument
            above = number
    assert tree.distances(["violin", "viola"])[0, 1] == 2
    # In Doktorski's chart the piano is struck, the violin bowed; here box and neck come first.
    assert tree.distances(["violin", "guitar"])[0, 1] < tree.distances(["violin", "piano"])[0, 1]
    assert np.isinf(tree.distances(["violin", "flute"])[0, 1])


def test_labels_are_compared_without_case_and_separators(doktorski):
    assert doktorski.instrument("Clarinet_in_B-flat") == "clarinet"
    assert doktorski.missing(["CELLO", "kithara", "violin"]) == ["kithara"]


def test_unknown_labels_are_named_together(doktorski):
    with pytest.raises(DataError, match="'kithara', 'aulos'"):
        doktorski.distances(["violin", "kithara", "aulos"])


def test_an_instrument_may_have_several_places(tmp_path):
    path = write(
        tmp_path / "toy.csv",
        "instrument,path\npiano,strings/struck\npiano,keys\norgan,keys\nviolin,strings/bowed\n",
    )
    tree = ontology.read(path)
    np.testing.assert_array_equal(
        tree.distances(["piano", "organ", "violin"]), [[0, 2, 4], [2, 0, np.inf], [4, np.inf, 0]]
    )
    assert tree.family("piano") == ["keys", "strings"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,path\nviolin,strings\n", "no column instrument"),
        ("instrument,path\nviolin,\n,strings\n", "line 2.*line 3"),
        ("instrument,path\nviolin,strings//bowed\n", "line 2"),
        ("instrument,path\nAlto sax,reed\nalto_sax,reed\n", "the same label"),
        ("instrument,path,aliases\nviola,s,va\nviolin,s,va; vn\n", "alias 'va' stands for"),
        ("instrument,path\n", "no instrument"),
    ],
)
def test_a_broken_csv_is_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        ontology.read(write(tmp_path / "broken.csv", text))


#: The format of AudioSet's ontology.json, with a handful of its nodes.
AUDIOSET = [
    {"id": "/m/04rlf", "name": "Music", "child_ids": ["/m/04szw"], "restrictions": []},
    {
        "id": "/m/04szw",
        "name": "Musical instrument",
        "child_ids": ["/m/0fx80y", "/m/0l14_3", "/t/x"],
        "restrictions": [],
    },
    {
        "id": "/m/0fx80y",
        "name": "Plucked string instrument",
        "child_ids": ["/m/0342h", "/m/018vs"],
        "restrictions": [],
    },
    {"id": "/m/0342h", "name": "Guitar", "child_ids": ["/m/02sgy"], "restrictions": []},
    {"id": "/m/02sgy", "name": "Electric guitar", "child_ids": [], "restrictions": []},
    {"id": "/m/018vs", "name": "Bass guitar", "child_ids": [], "restrictions": []},
    {
        "id": "/m/0l14_3",
        "name": "Bowed string instrument",
        "child_ids": ["/m/07y_7"],
        "restrictions": [],
    },
    {"id": "/m/07y_7", "name": "Violin, fiddle", "child_ids": [], "restrictions": []},
    {
        "id": "/t/x",
        "name": "Other instruments",
        "child_ids": ["/m/018vs"],
        "restrictions": ["abstract"],
    },
]


def test_audioset_format(tmp_path):
    tree = ontology.read(write(tmp_path / "ontology.json", json.dumps(AUDIOSET)))
    assert tree.instruments == [
        "Plucked string instrument",
        "Guitar",
        "Electric guitar",
        "Bass guitar",
        "Bowed string instrument",
        "Violin, fiddle",
    ]
    assert tree.instrument("fiddle") == "Violin, fiddle"
    assert len(tree.places["Bass guitar"]) == 2
    labels = ["electric guitar", "guitar", "bass guitar", "violin"]
    np.testing.assert_array_equal(
        tree.distances(labels),
        [[0, 1, 3, np.inf], [1, 0, 2, np.inf], [3, 2, 0, np.inf], [np.inf] * 3 + [0]],
    )
    # A guitar is the group of the electric guitar: they share the family and the guitar.
    assert tree.shared_levels(labels)[0].tolist() == [3, 2, 1, 0]


def test_a_broken_audioset_file_is_refused(tmp_path):
    path = tmp_path / "ontology.json"
    with pytest.raises(DataError, match="no node named"):
        ontology.read(write(path, json.dumps(AUDIOSET[:1])))
    with pytest.raises(DataError, match="/m/0fx80y is not a node; child id"):
        ontology.read(write(path, json.dumps(AUDIOSET[:2])))
    for text in ("{", "[1]", '[{"id": 1}]'):
        with pytest.raises(DataError, match="not in the format"):
            ontology.read(write(path, text))
    cycle = [dict(node) for node in AUDIOSET]
    cycle[4]["child_ids"] = ["/m/0342h"]
    with pytest.raises(DataError, match="its own descendants"):
        ontology.read(write(path, json.dumps(cycle)))
