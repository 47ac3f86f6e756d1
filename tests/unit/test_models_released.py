"""The released vectors: the authors' own files where we have them, and what is refused."""

import hashlib
import pickle
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from listenread.datasets.tinysol import INSTRUMENTS, VOCABULARY
from listenread.errors import DownloadError, ModelError, Unavailable
from listenread.files import tables
from listenread.files.material import Source
from listenread.models import storage
from listenread.models.base import PreparationContext
from listenread.models.released import ReleasedSettings, fetch
from listenread.paper import files, vectors

REPOSITORY = Path(
    "raw.githubusercontent.com/YannisBilly/i_can_listen_but_cannot_read",
    "dd3dfd1e3d36f4bff2ce6444b4911df4f7468051",
)


#: Folders of the released vectors.
SYSTEMS = get_args(ReleasedSettings.model_fields["released_system"].annotation)


@pytest.fixture(scope="session")
def listing():
    return files.listing()


@pytest.fixture
def authors(shared_mirror):
    """The authors' repository, as far as the trial data have it."""
    return shared_mirror / REPOSITORY


def git_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


AUDIO = "model_embeddings/muscall/audio/joint_space/tinysol.npy"
TEXT = "model_embeddings/muscall/text/joint_space/muscall_prompt.npy"


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A repository of three clips and two classes, in the released layout, and its listing."""
    folder = tmp_path / "authors"
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    for path in (AUDIO, TEXT):
        (folder / path).parent.mkdir(parents=True)
        np.save(folder / path, values)
    (folder / files.GROUND_TRUTH).write_text("song,tuba,cello\na,1,0\nb,0,1\nc,0,1\n")
    lines = [
        f"{path},{git_blob((folder / path).read_bytes())},"
        for path in (files.GROUND_TRUTH, AUDIO, TEXT)
    ]
    listing = tmp_path / "listing.csv"
    listing.write_text("path,git_blob_sha1,bytes\n" + "\n".join(lines) + "\n")
    monkeypatch.setattr(vectors, "listing", lambda: listing)
    return folder


def read_small(small, **changed):
    settings = {
        "folder": small,
        "system": "muscall",
        "released_dataset": "tinysol",
        "vocabulary": ["Bass Tuba", "Cello"],
    }
    vectors.read_audio(small / "audio.parquet", **settings | changed)
    return tables.read(small / "audio.parquet")


def test_listing_has_every_file_of_the_three_systems(listing):
    listed = files.read_listing(listing)
    assert len(listed) == 82
    assert all(len(file.git_blob_sha1) == 40 for file in listed.values())
    assert len(SYSTEMS) == 3
    for system in SYSTEMS:
        for space in vectors.SPACES:
            assert vectors.audio_path(system, space, "tinysol") in listed
            for prompt in vectors.PROMPTS:
                assert vectors.text_path(system, space, prompt) in listed


@pytest.mark.parametrize(("mirror", "count"), [("published_files", 10), ("shared_mirror", 21)])
def test_every_file_has_its_listed_checksum_and_size(mirror, count, listing, request):
    listed = files.read_listing(listing)
    authors = request.getfixturevalue(mirror) / REPOSITORY
    found = [path for path in authors.rglob("*") if path.is_file()]
    assert len(found) >= count
    for path in found:
        file = listed[path.relative_to(authors).as_posix()]
        content = path.read_bytes()
        assert git_blob(content) == file.git_blob_sha1
        assert file.bytes in (None, len(content))


def test_muscall_audio_is_in_the_order_of_the_ground_truth(authors, listing, tmp_path):
    path = authors / vectors.audio_path("muscall", "pre_joint", "tinysol")
    output = tmp_path / "audio.parquet"
    vectors.read_audio(
        output,
        folder=authors,
        system="muscall",
        released_dataset="tinysol",
        vocabulary=VOCABULARY,
    )
    table = tables.read(output)
    assert table.data.column_names == ["clip_id", "pre_joint"]
    assert table.made_by["vocabulary"] == VOCABULARY
    assert "neither in the mirror nor downloaded" in table.made_by["not_released"]["joint"]
    np.testing.assert_array_equal(tables.to_numpy(table.data["pre_joint"]), np.load(path))
    clip_ids = table.data["clip_id"].to_pylist()
    assert clip_ids[0] == "BTb-ord-F4-mf-N-N"
    # a clip's id begins with its instrument, whatever the one-hot labels say
    order = files.read_clip_order(authors / files.GROUND_TRUTH, listing)
    assert order.clip_ids == clip_ids
    abbreviations = [instrument.abbreviation for instrument in INSTRUMENTS]
    assert [clip_id.split("-")[0] for clip_id in clip_ids] == [
        abbreviations[index] for index in order.classes
    ]


def test_muscall_text_agrees_with_the_facts(authors, tmp_path):
    for prompt in vectors.PROMPTS:
        output = tmp_path / f"{prompt}.parquet"
        families = ("key", "brass", "woodwind", "string")
        labels = families if prompt.startswith("families") else VOCABULARY
        vectors.read_text(
            output,
            folder=authors,
            system="muscall",
            prompt=prompt,
            words={label: label.lower() for label in labels},
            template="A {label} track" if prompt == "track" else None,
        )
        data = tables.read(output, ["label", "text", "pre_joint", "joint"]).data
        pre_joint, joint = (tables.to_numpy(data[space]) for space in vectors.SPACES)
        assert data["label"].to_pylist() == list(labels)
        assert data["text"][0].as_py() == ("A bass tuba track" if prompt == "track" else None)
        assert joint.shape == (len(labels), 512)
        np.testing.assert_allclose(np.linalg.norm(joint, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(pre_joint, axis=1), 22.28, atol=0.03)


def test_small_repository(small):
    table = read_small(small)
    assert table.data.column_names == ["clip_id", "joint"]
    assert table.data["clip_id"].to_pylist() == ["a", "b", "c"]
    assert tables.to_numpy(table.data["joint"]).tolist() == np.load(small / AUDIO).tolist()
    assert table.made_by["vocabulary"] == ["Bass Tuba", "Cello"]
    assert table.made_by["not_released"]["pre_joint"].startswith("not released: ")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"released_dataset": None}, "not released: the authors embedded TinySOL only"),
        ({"released_dataset": "irmas"}, "not released: the authors' repository has no"),
        ({"system": "muq"}, "not released: the authors' repository has no"),
        ({}, f"released, but {AUDIO} is neither in the mirror nor downloaded"),
    ],
)
def test_what_is_not_there_says_why(small, changed, reason):
    (small / AUDIO).unlink()
    with pytest.raises(Unavailable, match=reason):
        read_small(small, **changed)
    assert not (small / "audio.parquet").exists()


def test_another_file_is_refused(small):
    np.save(small / AUDIO, np.ones((3, 4), np.float32))
    with pytest.raises(DownloadError, match="is not the released model_embeddings/muscall"):
        read_small(small)
    assert not (small / "audio.parquet").exists()


def test_wrong_number_of_rows_is_refused(small):
    with pytest.raises(ModelError, match=r"muscall_prompt\.npy has 3 rows for 2 labels"):
        vectors.read_text(
            small / "text.parquet",
            folder=small,
            system="muscall",
            prompt="track",
            words={"Bass Tuba": "bass tuba", "Cello": "cello"},
            template="A {label} track",
        )
    assert not (small / "text.parquet").exists()


def test_what_could_not_be_fetched_is_recorded(published_files, tmp_path):
    """The mirror of the tests has the ground truth, and no vectors; its host does not exist."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "authors.invalid").symlink_to(published_files / REPOSITORY)
    source = Source(tmp_path, str(mirror), "https://authors.invalid", retries=0)
    settings = {"released_system": "muscall"}
    fetch({"vectors": tmp_path / "fetched"}, settings, source)
    assert (tmp_path / "fetched" / files.GROUND_TRUTH).is_file()
    context = PreparationContext("released", source=source)
    inputs = {"vectors": tmp_path / "fetched"}
    storage.prepare("released", "describe_released", inputs, tmp_path / "model", settings, context)
    described = storage.describe(tmp_path / "model")
    assert described["system"] == "muscall" and described["source"] == source.released_url
    assert AUDIO in described["absent"] and files.GROUND_TRUTH not in described["absent"]


class Malicious:
    def __reduce__(self):
        return (print, ("executed",))


def test_pickled_objects_are_not_loaded(tmp_path, capsys):
    np.save(tmp_path / "objects.npy", np.array([Malicious()], dtype=object), allow_pickle=True)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(Malicious()))
    (tmp_path / "short.npy").write_bytes(b"\x93NUMPY\x01\x00")
    np.save(tmp_path / "text.npy", np.array([["a"]]))
    for name in ("objects.npy", "pickle.npy", "short.npy", "text.npy"):
        with pytest.raises(ModelError, match=name):
            vectors.read_vectors(tmp_path / name)
    assert "executed" not in capsys.readouterr().out
