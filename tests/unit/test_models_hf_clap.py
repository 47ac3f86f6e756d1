"""`hf_clap` against transformers' own ClapModel and ClapFeatureExtractor, on random weights."""

import json
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import ClapFeatureExtractor, ClapModel, RobertaTokenizer

from listenread.audio.loading import Sound, prepare
from listenread.errors import ModelError
from listenread.health import check_prepared_model
from listenread.models import storage
from listenread.models.clap.from_hf import convert_hf_clap
from listenread.models.common.weights import write_tower

TEXTS = ["A violin track", "A tuba track", "", "a long text about a violin " * 30, "Für Elise, ä"]
MAKER = runpy.run_path(str(Path(__file__).parents[1] / "reference" / "hf_snapshot.py"))


@pytest.fixture(scope="module", params=["plain", "fusion"])
def snapshot(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"snapshot-{request.param}")
    MAKER["write_snapshot"](folder, fusion=request.param == "fusion")
    return folder


@pytest.fixture(scope="module")
def prepared(snapshot, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    convert_hf_clap(snapshot, folder, revision="0123abc")
    return folder


def clips():
    random = np.random.default_rng(0)
    lengths = [3 * 48000, 7 * 48000 + 11, 10 * 48000]
    return [random.uniform(-0.5, 0.5, n).astype(np.float32) for n in lengths]


def test_audio_agrees_with_transformers(snapshot, prepared):
    model = ClapModel.from_pretrained(snapshot).eval()
    extractor = ClapFeatureExtractor.from_pretrained(snapshot)
    inputs = extractor(clips(), sampling_rate=48000, return_tensors="pt")
    longer = torch.zeros(3, 1, dtype=torch.bool)
    features = inputs["input_features"].float()
    with torch.inference_mode():
        pre_joint = model.audio_model(features, is_longer=longer).pooler_output.numpy()
        joint = model.get_audio_features(features, is_longer=longer).pooler_output.numpy()
    ours = storage.load(prepared, tower="audio")
    waveforms = np.concatenate(
        [prepare(Sound(clip[:, None], 48000), ours.audio_input) for clip in clips()]
    )
    vectors = ours.encode_audio(waveforms)
    np.testing.assert_allclose(vectors.pre_joint, pre_joint, atol=1e-4)
    np.testing.assert_allclose(vectors.joint, joint, atol=1e-5)
    assert np.ptp(joint, axis=0).max() > 1e-3  # the clips do not all have the same vector


def test_text_agrees_with_transformers(snapshot, prepared):
    model = ClapModel.from_pretrained(snapshot).eval()
    tokenizer = RobertaTokenizer.from_pretrained(snapshot)
    inputs = tokenizer(TEXTS, padding=True, truncation=True, max_length=77, return_tensors="pt")
    with torch.inference_mode():
        pre_joint = model.text_model(**inputs).pooler_output.numpy()
        joint = model.get_text_features(**inputs).pooler_output.numpy()
    vectors = storage.load(prepared, tower="text").encode_text(TEXTS)
    np.testing.assert_allclose(vectors.pre_joint, pre_joint, atol=1e-6)
    np.testing.assert_allclose(vectors.joint, joint, atol=1e-6)


def test_vectors_do_not_depend_on_batch(prepared):
    model = storage.load(prepared)
    waveforms = np.random.default_rng(3).uniform(-1, 1, (3, 480000)).astype(np.float32)
    together, texts = model.encode_audio(waveforms), model.encode_text(TEXTS)
    for i, waveform in enumerate(waveforms):
        alone = model.encode_audio(waveform[None])
        np.testing.assert_allclose(alone.pre_joint[0], together.pre_joint[i], atol=1e-5)
    for i, text in enumerate(TEXTS):
        alone = model.encode_text([text])
        np.testing.assert_allclose(alone.pre_joint[0], texts.pre_joint[i], atol=1e-5)


@pytest.mark.slow
def test_text_tower_alone_needs_neither_audio_file_nor_transformers(prepared, tmp_path, repository):
    for name in ("model.json", "text_tower.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes((prepared / name).read_bytes())
    program = (
        "import sys\n"
        "from listenread.models import storage\n"
        f"storage.load({str(tmp_path)!r}, tower='text').encode_text(['A violin track'])\n"
        "slow = {'transformers', 'torch._dynamo', 'sympy'} & set(sys.modules)\n"
        "assert not slow, f'a text job imports {slow}'\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=repository, check=True)


def test_audio_tower_alone_needs_no_text_file(prepared, tmp_path):
    for name in ("model.json", "audio_tower.safetensors"):
        (tmp_path / name).write_bytes((prepared / name).read_bytes())
    model = storage.load(tmp_path, tower="audio")
    assert model.encode_audio(np.zeros((1, 480000), np.float32)).joint.shape == (1, 24)
    with pytest.raises(ModelError, match="without its text tower"):
        model.encode_text(["A violin track"])


def test_no_network_is_touched(snapshot, tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    convert_hf_clap(snapshot, tmp_path)
    model = storage.load(tmp_path)
    model.encode_text(TEXTS)
    model.encode_audio(np.zeros((1, 480000), np.float32))


def test_pytorch_weights_and_older_tokenizer_files(snapshot, prepared, tmp_path):
    for name in ("config.json", "preprocessor_config.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((snapshot / name).read_bytes())
    state = load_file(snapshot / "model.safetensors")
    state["text_model.embeddings.position_ids"] = torch.arange(80).expand(1, -1)
    torch.save(state, tmp_path / "pytorch_model.bin")
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((snapshot / name).read_bytes())
    convert_hf_clap(tmp_path, tmp_path / "prepared")
    wanted = Tokenizer.from_file(str(prepared / "tokenizer.json"))
    found = Tokenizer.from_file(str(tmp_path / "prepared" / "tokenizer.json"))
    for text in TEXTS:
        assert found.encode(text).ids == wanted.encode(text).ids
    for name in ("audio_tower.safetensors", "text_tower.safetensors"):
        assert (tmp_path / "prepared" / name).read_bytes() == (prepared / name).read_bytes()


def test_incomplete_repository_is_refused_with_everything_that_is_missing(snapshot, tmp_path):
    (tmp_path / "config.json").write_bytes((snapshot / "config.json").read_bytes())
    with pytest.raises(ModelError) as caught:
        convert_hf_clap(tmp_path, tmp_path / "prepared")
    for name in ("preprocessor_config.json", "model.safetensors", "tokenizer.json", "merges.txt"):
        assert name in str(caught.value)
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("config.json", {"model_type": "clip"}, "describes a model of type 'clip'"),
        ("preprocessor_config.json", {"padding": "repeat"}, "padding 'repeat' is not one of"),
        ("preprocessor_config.json", {"feature_size": 32}, "makes 32 mel bins, the model reads 64"),
    ],
)
def test_unknown_settings_are_refused(snapshot, tmp_path, file, change, message):
    for path in snapshot.iterdir():
        (tmp_path / path.name).symlink_to(path)
    settings = json.loads((tmp_path / file).read_text()) | change
    (tmp_path / file).unlink()
    (tmp_path / file).write_text(json.dumps(settings))
    with pytest.raises(ModelError, match=message):
        convert_hf_clap(tmp_path, tmp_path / "prepared")


def test_weights_of_another_model_are_listed(snapshot, tmp_path):
    for path in snapshot.iterdir():
        (tmp_path / path.name).symlink_to(path)
    state = load_file(snapshot / "model.safetensors")
    del state["text_projection.linear1.weight"]
    state["audio_projection.linear2.bias"] = torch.zeros(3)
    state["vision_model.weight"] = torch.zeros(3)
    (tmp_path / "model.safetensors").unlink()
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(ModelError) as caught:
        convert_hf_clap(tmp_path, tmp_path / "prepared")
    message = str(caught.value)
    assert "missing: text.text_projection.linear1.weight" in message
    assert "wrong shape: audio.audio_projection.linear2.bias is (3,), not (24,)" in message
    assert "unexpected: vision_model.weight" in message
    assert not Path(tmp_path / "prepared" / "model.json").exists()


def spoilt_copy(prepared, folder, spoil=None):
    """Copy a prepared model, its text tower changed by a function of its tensors."""
    for path in prepared.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    if spoil:
        tensors = load_file(folder / "text_tower.safetensors")
        spoil(tensors)
        write_tower(folder / "text_tower.safetensors", tensors)
    return folder


def test_health_gate_sees_the_empty_tokenizer_of_an_offline_hub(prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    spoilt_copy(prepared, tmp_path)
    RobertaTokenizer.from_pretrained("roberta-base", cache_dir=tmp_path / "hub").save_pretrained(
        tmp_path / "empty"
    )
    (tmp_path / "empty" / "tokenizer.json").replace(tmp_path / "tokenizer.json")
    failures = check_prepared_model(tmp_path, tmp_path / "health.json", device="auto")["failures"]
    assert "tokenizer: its number of tokens is 5; it must be at least 32" in failures
    assert any(failure.startswith("token ids: ") for failure in failures)
    assert any(failure.startswith("text spread: ") for failure in failures)


def test_health_gate_sees_a_nearly_constant_text_tower(prepared, tmp_path):
    sound = check_prepared_model(prepared, tmp_path / "health.json")
    assert not [failure for failure in sound["failures"] if failure.startswith("text")]

    def flatten(tensors):
        tensors["text_projection.linear1.weight"] *= 0.05

    spoilt_copy(prepared, tmp_path, flatten)
    failures = check_prepared_model(tmp_path, tmp_path / "health.json")["failures"]
    assert any(failure.startswith("text spread: the mean cosine") for failure in failures)
