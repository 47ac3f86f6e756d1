"""Checkpoints, weights, arrays, tokenizers and descriptions: data, never code."""

import io
import json
import os
import pickle
import random
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from listenread.files import tables
from listenread.models import storage
from listenread.models.common import tokenization
from listenread.models.common.checkpoints import read_checkpoint
from listenread.models.common.weights import read_tower, write_tower
from listenread.models.muscall.training import checkpoints
from listenread.paper.vectors import read_vectors

from .conftest import mutated, times


class Runs:
    """What a hostile pickle holds: a call that happens while it is read."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def attacks(canary: Path):
    """Objects that touch the canary when a careless reader unpickles them."""
    command = f"echo dead > {canary}"
    text = f"__import__('pathlib').Path({str(canary)!r}).write_text('dead')"
    yield Runs(os.system, command)
    yield Runs(eval, text)
    yield Runs(exec, text)
    yield Runs(Path.write_text, canary, "dead")
    yield Runs(pickle.loads, pickle.dumps(Runs(os.system, command)))
    yield Runs(getattr(__import__("subprocess"), "getoutput"), command)  # noqa: B009
    yield Runs(np.load, str(canary))


def bury(attack):
    """The places in a checkpoint where an object may lie."""
    weight = torch.zeros(2)
    yield attack
    yield {"state_dict": attack}
    yield {"state_dict": {"weight": weight, "x": attack}}
    yield {"epoch": attack, "state_dict": {"weight": weight}}
    yield {"state_dict": {"weight": weight}, "optimizer": [{"lr": attack}]}
    yield {attack: weight} if hasattr(attack, "__hash__") else [attack]


@pytest.mark.parametrize("legacy", [False, True])
def test_checkpoints_that_run_code(trial, legacy):
    path = trial.folder / "checkpoint.pt"
    canary = trial.folder.parent / "canary"
    for number, attack in enumerate(attacks(canary)):
        for place, content in enumerate(bury(attack)):
            torch.save(content, path, _use_new_zipfile_serialization=not legacy)
            assert trial(lambda: read_checkpoint(path), path, (number, place)) is None
            trial.nothing_outside()


def test_raw_pickles_that_run_code(trial):
    path = trial.folder / "checkpoint.pt"
    canary = trial.folder.parent / "canary"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for number, attack in enumerate(attacks(canary)):
            path.write_bytes(pickle.dumps({"state_dict": attack}, protocol))
            for read in (read_checkpoint, read_vectors):
                assert trial(lambda r=read: r(path), path, (protocol, number)) is None
            trial.nothing_outside()


def test_the_attacks_are_real(trial):
    """The canary does die where such a file is unpickled, so that it proves something alive."""
    canary = trial.folder / "another canary"
    dead = 0
    for attack in attacks(canary.with_name("another_canary")):
        try:
            trial(lambda a=attack: pickle.loads(pickle.dumps(a)))  # noqa: S301
        except AssertionError:
            continue
        dead += (trial.folder / "another_canary").exists()
        (trial.folder / "another_canary").unlink(missing_ok=True)
    assert dead >= 5


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2)


def test_damaged_checkpoints(trial):
    path = trial.folder / "checkpoint.pt"
    rng = random.Random("checkpoint")
    state = {"epoch": np.float64(3), "state_dict": Small().state_dict()}
    for legacy in (False, True):
        torch.save(state, path, _use_new_zipfile_serialization=not legacy)
        whole = path.read_bytes()
        assert set(read_checkpoint(path)) == set(Small().state_dict())
        for number in range(times(150)):
            path.write_bytes(mutated(whole, rng, head=len(whole)))
            trial(lambda: read_checkpoint(path), path, (legacy, number))


def test_damaged_pickles_inside_checkpoints(trial):
    """The damage is done to the pickle, the archive around it is whole."""
    path = trial.folder / "checkpoint.pt"
    torch.save({"epoch": np.float64(3), "state_dict": Small().state_dict()}, path)
    with zipfile.ZipFile(path) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    rng = random.Random("pickle")
    for number in range(times(300)):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as opened:
            for name, content in members.items():
                damaged = mutated(content, rng) if name.endswith("data.pkl") else content
                opened.writestr(name, damaged)
        trial(lambda: read_checkpoint(path), path, number)


def test_damaged_towers(trial):
    path = trial.folder / "audio_tower.safetensors"
    write_tower(path, Small().state_dict())
    whole = path.read_bytes()
    rng = random.Random("tower")
    for number in range(times(300)):
        path.write_bytes(mutated(whole, rng, head=len(whole)))
        trial(lambda: read_tower(Small(), path), path, number)


@settings(max_examples=times(300))
@given(
    dtype=st.sampled_from(["F32", "F64", "I64", "BF16", "U8", "BOOL", "F8_E4M3", "x", "", None, 3]),
    shape=st.lists(st.integers(-2, 2**62) | st.sampled_from([0, 1, 2, 3]), max_size=4) | st.none(),
    offsets=st.lists(st.integers(-(2**62), 2**62) | st.integers(0, 48), max_size=3)
    | st.text(max_size=3),
    length=st.none() | st.integers(0, 2**64 - 1),
    name=st.sampled_from(["layer.weight", "", "../x", "__metadata__", "a" * 1000]),
    body=st.binary(max_size=48),
)  # fmt: skip
def test_headers_of_towers(trial, dtype, shape, offsets, length, name, body):
    header = json.dumps({name: {"dtype": dtype, "shape": shape, "data_offsets": offsets}}).encode()
    path = trial.folder / "audio_tower.safetensors"
    path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + body)
    trial(lambda: read_tower(Small(), path), path, header)


def test_damaged_training_checkpoints(trial):
    """A checkpoint of our own that cannot be used: training starts over, and says so."""
    module = Small()
    optimizer = torch.optim.AdamW(module.parameters())
    module.norm(module.layer(torch.ones(2, 3))).sum().backward()
    optimizer.step()
    state = checkpoints.RunState(step=3, best={"layer.weight": torch.ones(2, 3)})
    checkpoints.save(trial.folder, "key", module, optimizer, state)
    path = trial.folder / checkpoints.CHECKPOINT_FILE
    whole = path.read_bytes()
    rng = random.Random("resume")
    for number in range(times(200)):
        path.write_bytes(mutated(whole, rng, head=len(whole)))
        fresh = Small()
        adam = torch.optim.AdamW(fresh.parameters())
        found = trial(
            lambda f=fresh, a=adam: checkpoints.resume(trial.folder, "key", f, a),
            why=number,
        )
        assert found.step in (0, 3) or number, number


ARRAY = np.arange(12, dtype=np.float32).reshape(4, 3)


def npy(array, **options) -> bytes:
    content = io.BytesIO()
    np.save(content, array, **options)
    return content.getvalue()


def test_damaged_arrays(trial):
    path = trial.folder / "vectors.npy"
    rng = random.Random("npy")
    for whole in (npy(ARRAY), npy(np.asfortranarray(ARRAY.astype(np.float64)))):
        for number in range(times(300)):
            path.write_bytes(mutated(whole, rng, head=128))
            trial(lambda: read_vectors(path), path, number)


def test_arrays_of_objects(trial):
    path = trial.folder / "vectors.npy"
    canary = trial.folder.parent / "canary"
    for attack in attacks(canary):
        for array in (np.array([attack], dtype=object), np.array([[attack, 1.0]], dtype=object)):
            path.write_bytes(npy(array, allow_pickle=True))
            assert trial(lambda: read_vectors(path), path) is None
            np.savez(path.with_suffix(".npz"), a=array)
            path.with_suffix(".npz").replace(path)
            assert trial(lambda: read_vectors(path), path) is None
            trial.nothing_outside()


@settings(max_examples=times(300))
@given(
    descr=st.sampled_from(["<f4", "<f8", ">f4", "<f2", "|O", "<U5", "<c8", "<M8[s]", "|V9", "x"])
    | st.text(max_size=4) | st.just([("a", "<f4"), ("b", "|O")]),
    order=st.booleans() | st.none(),
    shape=st.lists(st.integers(-1, 2**63) | st.sampled_from([1, 3, 4]), max_size=3).map(tuple),
    version=st.sampled_from([(1, 0), (2, 0), (3, 0), (9, 9)]),
    extra=st.text(max_size=6),
    body=st.binary(max_size=96),
)  # fmt: skip
def test_headers_of_arrays(trial, descr, order, shape, version, extra, body):
    head = repr({"descr": descr, "fortran_order": order, "shape": shape}) + extra + "\n"
    text = head.encode("utf-8", "replace")
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    path = trial.folder / "vectors.npy"
    path.write_bytes(b"\x93NUMPY" + bytes(version) + length + text + body)
    trial(lambda: read_vectors(path), path, head)


def test_damaged_tokenizers(trial):
    path = trial.folder / "tokenizer.json"
    tokenization.train_word_level(["a low tone", "a high tone"]).save(str(path))
    whole = path.read_bytes()
    rng = random.Random("tokenizer")

    def act():
        tokenizer = tokenization.load(path)
        assert tokenization.encode(tokenizer, ["a low tone"], 6).shape == (1, 6)

    for number in range(times(200)):
        path.write_bytes(mutated(whole, rng, head=len(whole)))
        trial(act, path, number)


def test_damaged_descriptions(trial):
    path = trial.folder / storage.DESCRIPTION_FILE
    whole = json.dumps(
        {"family": "muscall", "audio_input": {"sample_rate": 8000, "clip_seconds": 1.0}}
    )
    rng = random.Random("description")

    def act():
        audio_input = storage.audio_input(trial.folder)
        assert audio_input.samples > 0

    for number in range(times(300)):
        path.write_bytes(mutated(whole.encode(), rng, head=len(whole)))
        trial(act, path, number)
    for content in ("[]", "3", '"x"', "null", '{"family": 3, "audio_input": []}'):
        path.write_text(content)
        trial(lambda: storage.load(trial.folder), path, content)


def test_damaged_tables(trial):
    """Parquet files of our own that a disk or a person has spoilt."""
    path = trial.folder / "table.parquet"
    tables.write(path, {"label": ["a", "b"], "joint": tables.vectors(np.eye(2))}, model="m")
    whole = path.read_bytes()
    rng = random.Random("parquet")
    for number in range(times(300)):
        path.write_bytes(mutated(whole, rng, head=len(whole)))
        trial(lambda: tables.read(path, ["label", "joint"]), path, number)
