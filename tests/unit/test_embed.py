"""Embedding: batches that do not fit, clips of several windows, precision."""

import numpy as np
import pytest
import torch

from listenread.audio.loading import Batch
from listenread.embed import clip_vectors, shard_rows
from listenread.errors import ModelError
from listenread.models.base import Vectors
from listenread.models.common.inference import Encoder
from listenread.models.common.precision import InPrecision


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
