"""Embedding: batches that do not fit, clips of several windows, precision, whole tables."""

import json

import numpy as np
import pytest
import soundfile
import torch

from listenread.audio.loading import Batch
from listenread.datasets.base import ClipRow
from listenread.datasets.checking import build_manifest
from listenread.datasets.manifest import write_manifest
from listenread.embed import (
    clip_vectors,
    embed_audio,
    embed_text,
    shard_rows,
    unavailable_as_table,
)
from listenread.entries import resolve
from listenread.errors import ModelError, Unavailable
from listenread.files import tables
from listenread.models import storage
from listenread.models.base import PreparationContext, Vectors
from listenread.models.common.inference import Encoder
from listenread.models.common.precision import InPrecision
from listenread.prompts import PromptText


def encode(waveforms):
    joint = waveforms / np.linalg.norm(waveforms, axis=1, keepdims=True)
    return Vectors(waveforms.astype(np.float32), joint.astype(np.float32))


class Greedy:
    """A tower that asks torch for more memory than any machine has where a batch is large."""

    def __init__(self, fits):
        self.fits, self.batches = fits, []

    def __call__(self, waveforms):
        if len(waveforms) > self.fits:
            torch.empty(2**60, dtype=torch.uint8)
        self.batches.append(len(waveforms))
        return encode(waveforms)


def test_a_batch_that_does_not_fit_goes_in_parts_and_so_do_the_next():
    waveforms = np.random.default_rng(0).normal(size=(16, 5))
    tower = Greedy(fits=5)
    encoder = Encoder(tower)
    for _ in range(2):
        found = encoder(waveforms)
        np.testing.assert_array_equal(found.joint, encode(waveforms).joint)
    assert tower.batches == [4] * 8
    with pytest.raises(ModelError, match="a clip of 5 samples does not fit into memory: "):
        Encoder(Greedy(fits=0))(waveforms)


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def broken(waveforms):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        Encoder(broken)(np.zeros((4, 5)))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 20])
def test_windows_of_a_clip_are_averaged_wherever_batches_end(batch_size):
    windows = [1, 3, 1, 1, 4, 2, 1]
    clips = np.repeat(np.arange(len(windows)), windows)
    rows = np.random.default_rng(1).normal(size=(len(clips), 6)).astype(np.float32)
    batches = [
        Batch(clips[start : start + batch_size], rows[start : start + batch_size])
        for start in range(0, len(rows), batch_size)
    ]
    found, expected_next = [], 0
    for first, vectors in clip_vectors(encode, batches):
        assert first == expected_next
        expected_next += len(vectors.joint)
        found.append(vectors)
    pre_joint, joint = (np.concatenate(parts) for parts in zip(*found, strict=True))
    whole = encode(rows)
    for clip, count in enumerate(windows):
        mine = clips == clip
        wanted = whole.joint[mine].mean(axis=0)
        if count > 1:
            wanted /= np.linalg.norm(wanted)
        np.testing.assert_allclose(pre_joint[clip], whole.pre_joint[mine].mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(joint[clip], wanted, atol=1e-6)
    single = np.array(windows) == 1
    np.testing.assert_array_equal(
        joint[single], whole.joint[np.isin(clips, np.flatnonzero(single))]
    )


def test_shards_cover_every_clip_once():
    shards = [shard_rows(10, shard, 4) for shard in range(3)]
    assert [*shards[0], *shards[1], *shards[2]] == list(range(10))
    assert shard_rows(10, None, 4) == range(10)


class Product:
    def encode_audio(self, waveforms):
        numbers = torch.from_numpy(waveforms.astype(np.float32))
        product = (numbers @ numbers.T).float().numpy()
        return Vectors(product, product)


def test_precision_is_that_of_the_block_and_ends_with_it():
    waveforms = np.random.default_rng(2).normal(size=(8, 64)).astype(np.float32)
    exact = waveforms.astype(np.float64) @ waveforms.T

    def error(precision):
        found = InPrecision(Product(), precision, "cpu").encode_audio(waveforms).joint
        return np.abs(found - exact).max() / np.abs(exact).max()

    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    assert error("float32") < 1e-6
    assert error("tf32") < 1e-6  # a CPU has none
    assert 1e-4 < error("bfloat16") < 1e-2
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32) == before
    assert not torch.is_autocast_enabled("cpu")
    with pytest.raises(ValueError, match="float16"):
        InPrecision(Product(), "float16", "cpu")


# --- whole tables, with a small model of a user ---

FAMILY = "spectrum_family:Spectrum"
TEXTS = [PromptText("low", 0, "A low tone"), PromptText("high", 0, "A high tone")]


@pytest.fixture
def prepared(tmp_path):
    """A prepared model, the verdict of a health gate, and clips: their files and their manifest."""
    context = PreparationContext(FAMILY)
    storage.prepare(FAMILY, "prepare_own", {}, tmp_path / "model", {"options": {}}, context)
    (tmp_path / "health.json").write_text(json.dumps({"healthy": True, "failures": []}))
    rows = []
    for number, label in enumerate(["low", "high", "low"]):
        rows.append(ClipRow(f"clip{number}", tmp_path / f"clip{number}.wav", (label,)))
        tone = np.sin(2 * np.pi * 300 * (number + 1) * np.arange(4000) / 8000)
        soundfile.write(rows[-1].path, tone, 8000)
    write_manifest(tmp_path / "manifest.parquet", build_manifest(rows, ["low", "high"]))
    return tmp_path


def embed(folder, **changed):
    settings = {"accept_unhealthy": False, "batch_size": 2} | changed
    settings["health_path"] = folder / "health.json"
    embed_audio(folder / "model", folder / "manifest.parquet", folder / "a.parquet", **settings)
    return tables.read(folder / "a.parquet")


def read(folder, prompt=TEXTS, **changed):
    settings = {"accept_unhealthy": False} | changed
    settings["health_path"] = folder / "health.json"
    embed_text(folder / "model", prompt, folder / "t.parquet", **settings)
    return tables.read(folder / "t.parquet")


def test_audio_vectors_have_a_row_for_each_clip_and_no_label(prepared):
    table = embed(prepared)
    assert table.data.column_names == ["clip_id", "pre_joint", "joint", "heard_dbfs"]
    np.testing.assert_allclose(table.data["heard_dbfs"].to_numpy(), 0, atol=1e-3)
    assert table.data["clip_id"].to_pylist() == ["clip0", "clip1", "clip2"]
    assert table.made_by["vocabulary"] == ["low", "high"]
    samples = np.stack([soundfile.read(prepared / f"clip{i}.wav")[0] for i in range(3)])
    wanted = storage.load(prepared / "model").encode_audio(samples.astype(np.float32))
    np.testing.assert_allclose(tables.to_numpy(table.data["joint"]), wanted.joint, atol=1e-5)
    second = embed(prepared, shard=1, shard_clips=2)
    assert second.data["clip_id"].to_pylist() == ["clip2"]


def test_text_vectors_have_a_row_for_each_label_and_variant(prepared):
    table = read(prepared)
    assert table.data.column_names == ["label", "text", "pre_joint", "joint"]
    assert table.data["text"].to_pylist() == ["A low tone", "A high tone"]
    wanted = storage.load(prepared / "model").encode_text(["A low tone", "A high tone"])
    np.testing.assert_array_equal(tables.to_numpy(table.data["joint"]), wanted.joint)
    several = [*TEXTS, *(row._replace(variant=1, text=f"{row.text}, soft") for row in TEXTS)]
    table = read(prepared, several, templates=["A {label} tone", "A {label} tone, soft"])
    assert table.data["variant"].to_pylist() == [0, 0, 1, 1]
    assert table.made_by["templates"] == ["A {label} tone", "A {label} tone, soft"]


@pytest.mark.parametrize("compute", [embed, read])
def test_an_unhealthy_model_is_not_run_unless_it_is_accepted(prepared, compute):
    verdict = {"healthy": False, "failures": ["text spread: all prompts are alike"]}
    (prepared / "health.json").write_text(json.dumps(verdict))
    with pytest.raises(Unavailable, match="unhealthy: text spread: all prompts are alike"):
        compute(prepared)
    assert not list(prepared.glob("?.parquet"))
    assert compute(prepared, accept_unhealthy=True).data.num_rows > 1


def test_a_prompt_whose_texts_are_all_read_alike_has_no_vectors(prepared, monkeypatch):
    def alike(model, texts):
        return Vectors(np.ones((len(texts), 3), np.float32), np.ones((len(texts), 2), np.float32))

    monkeypatch.setattr(resolve(FAMILY), "encode_text", alike)
    with pytest.raises(Unavailable, match="gives all 2 texts of the prompt the same vector"):
        read(prepared)
    assert read(prepared, accept_unhealthy=True).data.num_rows == 2
    assert read(prepared, TEXTS[:1]).data.num_rows == 1


def test_what_is_unavailable_becomes_a_table_that_says_why(tmp_path):
    with unavailable_as_table(tmp_path / "table.parquet"):
        raise Unavailable("not released")
    assert tables.read(tmp_path / "table.parquet").unavailable == "not released"
    with pytest.raises(ModelError), unavailable_as_table(tmp_path / "other.parquet"):
        raise ModelError("damaged")
    assert not (tmp_path / "other.parquet").exists()
