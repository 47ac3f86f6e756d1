"""The released vectors: the authors' own files where they are at hand, and what is refused."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from listenread.datasets.tinysol import INSTRUMENTS, VOCABULARY
from listenread.errors import DownloadError, ModelError
from listenread.files import tables
from listenread.models import released
from listenread.paper import files

REPOSITORY = Path(
    "raw.githubusercontent.com/YannisBilly/i_can_listen_but_cannot_read",
    "dd3dfd1e3d36f4bff2ce6444b4911df4f7468051",
)


@pytest.fixture(scope="session")
def listing():
    return files.listing()


@pytest.fixture
def authors(shared_mirror):
    """The authors' repository, as far as the trial data have it."""
    return shared_mirror / REPOSITORY


@pytest.fixture
def truth(published_files):
    return published_files / REPOSITORY / files.GROUND_TRUTH


def git_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.fixture
def small(tmp_path):
    """A repository of three clips and two classes, in the released layout."""
    truth = "song,tuba,cello\na,1,0\nb,0,1\nc,0,1\n"
    vectors = np.arange(12, dtype=np.float32).reshape(3, 4)
    (tmp_path / "truth.csv").write_text(truth)
    np.save(tmp_path / "joint.npy", vectors)
    rows = [("tinysol_groundtruth_reordered.csv", "truth.csv")]
    rows += [("model_embeddings/muscall/audio/joint_space/tinysol.npy", "joint.npy")]
    lines = [f"{path},{git_blob((tmp_path / name).read_bytes())}," for path, name in rows]
    (tmp_path / "listing.csv").write_text("path,git_blob_sha1,bytes\n" + "\n".join(lines) + "\n")
    return tmp_path


def write_small(small, **changed):
    settings = {
        "system": "muscall",
        "dataset": "tinysol",
        "pre_joint": None,
        "joint": small / "joint.npy",
        "ground_truth": small / "truth.csv",
        "listing": small / "listing.csv",
        "vocabulary": ["Bass Tuba", "Cello"],
    }
    released.released_audio(small / "audio.parquet", **{**settings, **changed})
    return tables.read(small / "audio.parquet")


def test_listing_has_every_file_of_the_three_systems(listing):
    listed = files.read_listing(listing)
    assert len(listed) == 82
    assert all(len(file.git_blob_sha1) == 40 for file in listed.values())
    for system in released.SYSTEMS:
        for space in released.SPACES:
            assert released.audio_path(system, space, "tinysol") in listed
            for prompt in released.PROMPTS:
                assert released.text_path(system, space, prompt) in listed


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
    path = authors / released.audio_path("muscall", "pre_joint", "tinysol")
    output = tmp_path / "audio.parquet"
    released.released_audio(
        output,
        system="muscall",
        dataset="tinysol",
        pre_joint=path,
        joint=authors / released.audio_path("muscall", "joint", "tinysol"),
        ground_truth=authors / files.GROUND_TRUTH,
        listing=listing,
    )
    table = tables.read(output)
    assert table.data.column_names == ["clip_id", "label", "pre_joint"]
    assert "neither in the mirror nor downloaded" in table.made_by["not_released"]["joint"]
    np.testing.assert_array_equal(tables.to_numpy(table.data["pre_joint"]), np.load(path))
    assert table.data["clip_id"][0].as_py() == "BTb-ord-F4-mf-N-N"
    # a clip's id begins with its instrument, whatever the one-hot labels say
    abbreviations = {instrument.label: instrument.abbreviation for instrument in INSTRUMENTS}
    for clip_id, label in zip(
        *(table.data[name].to_pylist() for name in ("clip_id", "label")), strict=True
    ):
        assert clip_id.split("-")[0] == abbreviations[label]


def test_muscall_text_agrees_with_the_facts(authors, listing, tmp_path):
    for prompt in released.PROMPTS:
        families = prompt.startswith("families")
        paths = {
            space: authors / released.text_path("muscall", space, prompt)
            for space in released.SPACES
        }
        output = tmp_path / f"{prompt}.parquet"
        labels = released.FAMILIES if families else VOCABULARY
        released.released_text(
            output, system="muscall", prompt=prompt, labels=labels, listing=listing, **paths
        )
        data = tables.read(output, ["label", "text", "pre_joint", "joint"]).data
        pre_joint, joint = (tables.to_numpy(data[space]) for space in released.SPACES)
        assert joint.shape == (4 if families else 14, 512)
        np.testing.assert_allclose(np.linalg.norm(joint, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(pre_joint, axis=1), 22.28, atol=0.03)


def test_small_repository(small):
    table = write_small(small)
    assert table.data["clip_id"].to_pylist() == ["a", "b", "c"]
    assert table.data["label"].to_pylist() == ["Bass Tuba", "Cello", "Cello"]
    assert tables.to_numpy(table.data["joint"]).tolist() == np.load(small / "joint.npy").tolist()
    assert table.made_by["not_released"]["pre_joint"].startswith("not released: ")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"dataset": "irmas"}, "not released: the authors' repository has no"),
        ({"system": "muq"}, "not released: the authors' repository has no"),
        ({"joint": None}, "released, but model_embeddings/muscall/audio/joint_space/tinysol.npy"),
    ],
)
def test_what_is_not_there_is_an_empty_table_with_its_reason(small, changed, reason):
    table = write_small(small, **changed)
    assert table.data.num_rows == 0
    assert reason in table.unavailable


def test_another_file_is_refused(small):
    np.save(small / "joint.npy", np.ones((3, 4), np.float32))
    with pytest.raises(DownloadError, match="is not the released model_embeddings/muscall"):
        write_small(small)
    assert not (small / "audio.parquet").exists()


def test_wrong_number_of_rows_is_refused(small):
    with pytest.raises(ModelError, match="has 3 rows for 2 labels"):
        listing = (small / "listing.csv").read_text()
        text = released.text_path("muscall", "joint", "track")
        audio = released.audio_path("muscall", "joint", "tinysol")
        (small / "listing.csv").write_text(listing.replace(audio, text))
        released.released_text(
            small / "text.parquet",
            system="muscall",
            prompt="track",
            pre_joint=None,
            joint=small / "joint.npy",
            labels=["Bass Tuba", "Cello"],
            listing=small / "listing.csv",
        )


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
            released.read_vectors(tmp_path / name)
    assert "executed" not in capsys.readouterr().out
