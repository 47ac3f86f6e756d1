"""`laion_clap` against the laion-clap package: full size, random weights, the released layout."""

import copy
import json
import runpy
from dataclasses import replace

import laion_package
import numpy as np
import pytest
import torch

from listenread import health
from listenread.audio import loading
from listenread.errors import ModelError
from listenread.models import storage
from listenread.models.base import Vectors
from listenread.models.clap import from_laion
from listenread.models.clap.audio import AudioTower
from listenread.models.clap.sizes import FrontEndSizes, Sizes, TextSizes
from listenread.models.common.checkpoints import read_checkpoint
from listenread.models.common.weights import refuse_differences


@pytest.fixture(scope="session")
def prepared(made_by_package, tokenizer_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    conversion = from_laion.convert_laion_clap(
        made_by_package / "HTSAT-base.pt",
        tokenizer_path,
        folder,
        audio_model="HTSAT-base",
        cropping="mean_of_windows",
    )
    assert conversion.peak_memory_bytes < 6 * 2**30
    yield folder
    for name in (storage.AUDIO_TOWER_FILE, storage.TEXT_TOWER_FILE):
        (folder / name).unlink()


@pytest.fixture(scope="session")
def verified(made_by_package, prepared):
    """The comparison of all vectors, and the package's own vectors."""
    return laion_package.verify(prepared, made_by_package / "HTSAT-base.pt")


@pytest.mark.slow
def test_both_towers_agree_with_the_package(verified):
    rows, _ = verified
    assert [row for row in rows if not row["agrees"]] == []
    # 3, 7, 10 s, two windows of 12 s, silence, tone; in two spaces
    assert sum(row["tower"] == "audio" for row in rows) == 14
    assert sum(row["tower"] == "text" for row in rows) == 2 * len(laion_package.TEXTS)


@pytest.fixture(scope="session")
def model(prepared):
    return storage.load(prepared, threads=1)


def without_batch_norm(tower):
    norm = tower.audio_model.audio_encoder.batch_norm
    norm.running_mean.zero_()
    norm.running_var.fill_(1)


def with_q_and_k_swapped(tower):
    for attention in fused_attentions(tower):
        for joined in (attention.qkv.weight, attention.qkv.bias):
            query, key, value = joined.data.chunk(3)
            joined.data = torch.cat([key, query, value])


def without_position_bias(tower):
    for attention in fused_attentions(tower):
        attention.position_bias.zero_()


def with_default_mel_settings(tower):
    from transformers import ClapFeatureExtractor

    filters = ClapFeatureExtractor().mel_filters
    tower.front_end.mel_filters.copy_(torch.from_numpy(filters))


def fused_attentions(tower):
    found = [part for part in tower.modules() if hasattr(part, "position_bias")]
    assert len(found) == 18
    return found


def compare_first_clip(model, reference):
    """Compare the pre-joint vector of the 3 s of noise alone."""
    clips = dict(list(laion_package.known_clips(48000).items())[:1])
    first = Vectors(*(part[:1] for part in reference.audio))
    none = Vectors(np.zeros((0, 768)), np.zeros((0, 512)))
    row, _ = laion_package.compare(model, laion_package.Reference(first, none, ""), clips, [])
    return row


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [
        without_batch_norm,
        with_q_and_k_swapped,
        without_position_bias,
        with_default_mel_settings,
    ],
)
def test_spoilt_weights_are_seen(model, verified, spoil):
    spoilt = copy.copy(model)
    spoilt.audio_tower = copy.deepcopy(model.audio_tower)
    spoil(spoilt.audio_tower)
    row = compare_first_clip(spoilt, verified[1])
    assert not row["agrees"]
    assert row["cosine"] < laion_package.SMALLEST_COSINE
    assert compare_first_clip(model, verified[1])["agrees"]


@pytest.mark.slow
@pytest.mark.parametrize("padding", ["zeros", "repeat"])
def test_other_padding_is_seen(model, verified, padding, monkeypatch):
    spoilt = copy.copy(model)
    spoilt.audio_input = replace(model.audio_input, padding="zeros")
    if padding == "repeat":
        monkeypatch.setattr(
            loading, "pad", lambda waveform, samples, _: np.resize(waveform, samples)
        )
    assert compare_first_clip(spoilt, verified[1])["cosine"] < laion_package.SMALLEST_COSINE


@pytest.mark.slow
def test_spoilt_text_tower_is_seen(model, verified):
    spoilt = copy.copy(model)
    spoilt.text_tower = copy.deepcopy(model.text_tower)
    for part in spoilt.text_tower.modules():
        if isinstance(part, torch.nn.LayerNorm):
            part.eps = 1e-12
    wanted = verified[1].text.pre_joint[0]
    found = spoilt.encode_text([laion_package.TEXTS[0]]).pre_joint[0]
    assert np.abs(found - wanted).max() > laion_package.LARGEST_DIFFERENCE


@pytest.mark.slow
def test_full_size_model_passes_the_health_gate_but_for_its_random_weights(model, prepared):
    clips = health.probe_clips(model.audio_input)[2:5]
    result = health.check_model(model, clips=clips, texts=health.PROBE_TEXTS[:3])
    found = {failure.split(":")[0] for failure in result["failures"]}
    assert found <= {"text spread", "audio spread"}
    assert not list(prepared.glob("*.partial"))


@pytest.mark.slow
def test_fused_attention_changes_nothing(model, prepared):
    from safetensors.torch import load_file

    with torch.device("meta"):
        plain = AudioTower(model.sizes)
    plain.load_state_dict(load_file(prepared / storage.AUDIO_TOWER_FILE), assign=True)
    waveforms = torch.from_numpy(health.probe_clips(model.audio_input)[:1])
    with torch.inference_mode():
        pre_joint, joint = plain.eval()(waveforms)
    vectors = model.encode_audio(waveforms.numpy())
    np.testing.assert_allclose(vectors.pre_joint, pre_joint.numpy(), atol=2e-6)
    np.testing.assert_allclose(vectors.joint, joint.numpy(), atol=1e-6)


@pytest.mark.slow
def test_the_smaller_variant_has_its_names_and_shapes(made_by_package):
    shapes = json.loads((made_by_package / "HTSAT-tiny.json").read_text())
    with torch.device("meta"):
        state = {name: torch.empty(shape) for name, shape in shapes.items()}
        weights = from_laion._renamed(state, torch.empty(1024))
        settings = from_laion.AUDIO_MODELS["HTSAT-tiny"]
        tower = AudioTower(Sizes(settings, FrontEndSizes(), TextSizes()))
    del tower.audio_projection
    refuse_differences(tower, weights.audio, "HTSAT-tiny", weights.unexpected)


@pytest.mark.slow
def test_another_variant_is_refused(made_by_package, tokenizer_path, tmp_path):
    with pytest.raises(ModelError, match="taken as HTSAT-tiny") as caught:
        from_laion.convert_laion_clap(
            made_by_package / "HTSAT-base.pt",
            tokenizer_path,
            tmp_path / "out",
            audio_model="HTSAT-tiny",
        )
    message = str(caught.value)
    assert "wrong shape: audio.audio_model.audio_encoder.patch_embed.proj.weight" in message
    assert "unexpected: audio.audio_model.audio_encoder.layers.2.blocks.6." in message
    assert not (tmp_path / "out").exists()


def test_every_difference_is_listed(tokenizer_path, tmp_path):
    state = {
        "module.text_branch.embeddings.word_embeddings.weight": torch.zeros(3, 3),
        "module.text_branch.embeddings.position_ids": torch.zeros(1, 514),
        "module.audio_branch.fusion_model.local_att.0.weight": torch.zeros(1),
        "module.vision.weight": torch.zeros(1),
    }
    torch.save({"epoch": 1, "state_dict": state}, tmp_path / "other.pt")
    with pytest.raises(ModelError) as caught:
        from_laion.convert_laion_clap(
            tmp_path / "other.pt", tokenizer_path, tmp_path / "out", audio_model="HTSAT-base"
        )
    message = str(caught.value)
    assert "missing: audio.front_end.mel_filters" in message
    assert "missing: text.text_model.pooler.dense.weight" in message
    assert "unexpected: vision.weight" in message
    assert "unexpected: audio.audio_model.audio_encoder.fusion_model.local_att.0.weight" in message
    assert "word_embeddings.weight is (3, 3), not (50265, 768)" in message
    assert "position_ids" not in message
    assert not (tmp_path / "out").exists()


def test_a_front_end_with_another_window_is_refused(tokenizer_path, tmp_path):
    stored = torch.hamming_window(1024).expand(513, 1, 1024).contiguous()
    state = {"audio_branch.spectrogram_extractor.stft.conv_real.weight": stored}
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(ModelError, match="was not made with the periodic Hann window"):
        from_laion.convert_laion_clap(
            tmp_path / "other.pt", tokenizer_path, tmp_path / "out", audio_model="HTSAT-base"
        )


def test_unknown_variant_and_incomplete_tokenizer_are_refused(tokenizer_path, maker, tmp_path):
    with pytest.raises(ModelError, match="one of HTSAT-tiny, HTSAT-base"):
        from_laion.convert_laion_clap("a.pt", tokenizer_path, tmp_path, audio_model="HTSAT-huge")
    runpy.run_path(str(maker))["write_tokenizer"](tmp_path / "small.json", 700)
    with pytest.raises(ModelError, match="has 700 tokens, but the text tower has 50265"):
        from_laion.convert_laion_clap(
            "a.pt", tmp_path / "small.json", tmp_path, audio_model="HTSAT-base"
        )


class Malicious:
    """Would write a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.parametrize("place", ["state_dict", "optimizer", "name"])
def test_nothing_in_a_checkpoint_is_executed(tmp_path, place):
    written = tmp_path / "executed"
    content = {"state_dict": {"module.logit_scale_a": torch.zeros(())}, place: Malicious(written)}
    torch.save(content, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match=r"refused and nothing in it was executed"):
        read_checkpoint(tmp_path / "evil.pt")
    assert not written.exists()
    torch.load(tmp_path / "evil.pt", weights_only=False)  # the trap does work
    assert written.exists()


def test_released_layout_is_read(tmp_path):
    content = {
        "epoch": 15,
        "name": "random",
        "state_dict": {"module.a": torch.ones(2), "module.module.b": torch.ones(1)},
        "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-4}]},
        "score": np.float64(0.9),
    }
    torch.save(content, tmp_path / "released.pt")
    assert list(read_checkpoint(tmp_path / "released.pt")) == ["a", "module.b"]


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 cut short"])
def test_damaged_checkpoints_are_refused(tmp_path, content):
    (tmp_path / "damaged.pt").write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged\.pt"):
        read_checkpoint(tmp_path / "damaged.pt")


def test_what_is_not_a_state_dict_is_refused(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        read_checkpoint(tmp_path / "absent.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"state_dict": {"a": "text"}}, tmp_path / "text.pt")
    for name in ("list.pt", "text.pt"):
        with pytest.raises(ModelError, match="holds no state dict of tensors"):
            read_checkpoint(tmp_path / name)
