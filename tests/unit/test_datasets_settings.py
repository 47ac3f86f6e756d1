"""Settings of the built-in dataset kinds: what must be there, and which values are possible."""

import pytest
from pydantic import ValidationError

from listenread.datasets.base import DATASET_KINDS

FILE = {"url": "https://example.org/x", "md5": "0" * 32}
WORDS = {"Oboe": "oboe"}
#: The shortest entry of each kind.
SHORTEST = {
    "tinysol": {"archive": FILE, "metadata": FILE, "vocabulary": WORDS},
    "released_tinysol": {"metadata": FILE, "vocabulary": WORDS},
    "relabelled": {"dataset": "x", "column": "family", "vocabulary": WORDS},
    "degraded": {"dataset": "x", "degradation": "gain", "level": -6},
    "gm_notes": {"vocabulary": WORDS},
    "gm_captions": {},
    "magnatagatune": {"parts": [FILE], "captions": {"repository": "a/b", "revision": "main"}},
    "folder": {"root": "clips"},
}


def settings(kind: str, **changed):
    entry = {"kind": kind, **SHORTEST[kind], **changed}
    return DATASET_KINDS.find(kind).settings(**entry)


def test_every_kind_is_here():
    assert set(SHORTEST) == set(DATASET_KINDS.names())


@pytest.mark.parametrize(
    ("kind", "key"), [(kind, key) for kind, entry in SHORTEST.items() for key in entry]
)
def test_what_is_required(kind, key):
    assert settings(kind).kind == kind
    entry = {name: value for name, value in SHORTEST[kind].items() if name != key}
    with pytest.raises(ValidationError, match=key):
        DATASET_KINDS.find(kind).settings(kind=kind, **entry)


@pytest.mark.parametrize("kind", SHORTEST)
def test_unknown_keys_are_refused(kind):
    with pytest.raises(ValidationError, match="loudness"):
        settings(kind, loudness=1)


@pytest.mark.parametrize(
    ("kind", "changed", "reason"),
    [
        ("folder", {"root": None}, "needs one of `metadata`, `root`"),
        ("folder", {"metadata": "m.csv", "label_level": 1}, "`label_level` is for folders"),
        ("folder", {"numbers": ["gain"]}, "`numbers` names columns of the csv"),
        ("folder", {"label_level": 0}, "label_level"),
        ("folder", {"vocabulary": {}}, "vocabulary"),
        ("folder", {"vocabulary": {"a": ""}}, "vocabulary"),
        ("folder", {"on_bad_audio": "ignore"}, "'error' or 'skip'"),
        ("folder", {"audio_limits": {"max_channels": 0}}, "max_channels"),
        ("folder", {"audio_limits": {"min_seconds": -1}}, "min_seconds"),
        ("folder", {"audio_limits": {"silence_dbfs": 1}}, "silence_dbfs"),
        ("folder", {"track_clips": "yes"}, "track_clips"),
        ("gm_notes", {"soundfont": {"path": "a.sf2"}}, "`path` needs `sha256` too"),
        ("gm_notes", {"soundfont": {"sha256": "x"}}, "sha256"),
        ("gm_notes", {"velocities": {}}, "velocities"),
        ("gm_notes", {"velocities": {"fff": 100}}, "velocities.fff"),
        ("gm_notes", {"velocities": {"mf": 128}}, "velocities.mf"),
        ("gm_notes", {"velocities": {"mf": 0}}, "velocities.mf"),
        ("gm_notes", {"midi_note_step": 1}, "midi_note_step"),
        ("gm_notes", {"seconds": 31}, "seconds"),
        ("gm_notes", {"seconds": "3"}, "seconds"),
        ("gm_notes", {"folds": 1}, "folds"),
        ("gm_captions", {"velocities": []}, "velocities"),
        ("gm_captions", {"velocities": [30, 200]}, "velocities.1"),
        ("gm_captions", {"sample_rate": 7999}, "sample_rate"),
        ("tinysol", {"archive": {"url": "https://example.org/x"}}, "needs one of `md5`, `sha256`"),
        ("tinysol", {"archive": FILE | {"url": "http://example.org/x"}}, "archive.url"),
        ("tinysol", {"max_extracted_bytes": 0}, "max_extracted_bytes"),
        ("magnatagatune", {"parts": []}, "parts"),
        ("magnatagatune", {"captions": {"repository": "b", "revision": "main"}}, "repository"),
    ],
)
def test_impossible_values_are_refused(kind, changed, reason):
    with pytest.raises(ValidationError, match=reason):
        settings(kind, **changed)


def test_whole_numbers_are_numbers():
    made = settings("gm_notes", seconds=3, gain_db=1, audio_limits={"max_dbfs": 100})
    assert (made.seconds, made.gain_db, made.audio_limits.max_dbfs) == (3.0, 1.0, 100.0)


def test_tinysol_is_fetched_unless_a_folder_has_it(tmp_path):
    kind = DATASET_KINDS.find("tinysol")
    made = {"metadata": tmp_path / "metadata.csv", "audio": tmp_path / "audio"}
    assert [one.rule for one in kind.material if one.when(settings("tinysol"))] == [
        "fetch_tinysol_metadata",
        "fetch_tinysol",
    ]
    assert kind.locate(settings("tinysol"), made).root == tmp_path / "audio"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.wav").touch()
    own = settings("tinysol", root=str(tmp_path / "mine"))
    assert [one.rule for one in kind.material if one.when(own)] == ["fetch_tinysol_metadata"]
    del made["audio"]
    assert kind.locate(own, made).root == tmp_path / "mine"
    assert kind.clip_files(own) == [str(tmp_path / "mine" / "a.wav")]
    assert kind.clip_files(settings("tinysol")) == []
