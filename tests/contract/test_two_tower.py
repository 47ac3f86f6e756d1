"""What every family of models must keep, each at a tiny size with random weights.

A new family adds a function to `BUILDERS` that prepares such a model in a folder.
"""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from listenread.audio.base import AudioInput
from listenread.models import storage
from listenread.models.base import TwoTower
from listenread.models.common import tokenization
from listenread.models.common.weights import write_tower
from listenread.models.muscall.sizes import AudioSizes, Sizes, TextSizes
from listenread.models.muscall.towers import TwoTowers, tower_states

TEXTS = [
    "A violin track",
    "a tuba",
    "This is a recording of a flute, and of nothing else",
    "a violin track",
    "",
    "Für Elise",
    "violin " * 200,
    "a track",
]

#: The complete example of docs/own_model.md.
OWN_FAMILY = re.search(
    r"```python\n(.*?)```",
    (Path(__file__).parents[2] / "docs" / "own_model.md").read_text("utf-8"),
    re.DOTALL,
)[1]


def build_muscall(folder, audio_sizes):
    tokenizer = tokenization.train_word_level(text for text in TEXTS if text)
    text_sizes = TextSizes(tokenizer.get_vocab_size(), 16, 16, 2, 2)
    sizes = Sizes(audio_sizes, text_sizes, d_joint=8)
    torch.manual_seed(0)
    audio, text = tower_states(TwoTowers(sizes).state_dict())
    write_tower(folder / storage.AUDIO_TOWER_FILE, audio)
    write_tower(folder / storage.TEXT_TOWER_FILE, text)
    tokenizer.save(str(folder / storage.TOKENIZER_FILE))
    storage.write_description(folder, "muscall", sizes.audio.audio_input, sizes=sizes.to_dict())


def build_muscall_resnet(folder):
    build_muscall(folder, AudioSizes(clip_seconds=2.0, width=8, d_encoder=12))


def build_muscall_cnn(folder):
    sizes = AudioSizes("cnn", clip_seconds=0.5, top_db=40.0, relative_db=True, width=4, d_encoder=9)
    build_muscall(folder, sizes)


def build_hf_clap(folder):
    transformers = pytest.importorskip("transformers")
    from tokenizers import ByteLevelBPETokenizer, processors

    from listenread.models.clap.from_hf import convert_hf_clap

    snapshot = folder.parent / f"{folder.name}-snapshot"
    audio = {"patch_embeds_hidden_size": 16, "hidden_size": 128, "depths": [1, 1, 1, 1]}
    audio["num_attention_heads"] = [2, 2, 4, 4]
    text = {"vocab_size": 400, "hidden_size": 16, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 80}
    torch.manual_seed(0)
    config = transformers.ClapConfig(text_config=text, audio_config=audio, projection_dim=12)
    transformers.ClapModel(config).save_pretrained(snapshot)
    extractor = transformers.ClapFeatureExtractor(frequency_min=50, truncation="rand_trunc")
    extractor.save_pretrained(snapshot)
    trained = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(TEXTS, 380, min_frequency=1, special_tokens=specials)
    tokenizer = trained._tokenizer
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False
    )
    tokenizer.save(str(snapshot / "tokenizer.json"))
    (snapshot / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 77}))
    convert_hf_clap(snapshot, folder)


def build_laion_clap(folder):
    """The same towers from another source; its conversion has tests of its own."""
    build_hf_clap(folder)
    description = storage.describe(folder)
    wanted = AudioInput(**description.pop("audio_input"))
    description["family"] = "laion_clap"
    storage.write_description(folder, audio_input=wanted, **description)


def build_own(folder):
    storage.prepare_own(folder, "spectrum_and_letters:SpectrumAndLetters", {"seed": 1})


BUILDERS = {
    "muscall": build_muscall_resnet,
    "muscall (cnn)": build_muscall_cnn,
    "hf_clap": build_hf_clap,
    "laion_clap": build_laion_clap,
    "one's own": build_own,
}


@pytest.fixture(scope="module", autouse=True)
def own_package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "spectrum_and_letters.py").write_text(OWN_FAMILY)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


@pytest.fixture(scope="module", params=BUILDERS)
def model_dir(request, tmp_path_factory, own_package):
    folder = tmp_path_factory.mktemp("models") / "model"
    BUILDERS[request.param](folder)
    return folder


@pytest.fixture(scope="module")
def model(model_dir):
    return storage.load(model_dir, threads=1)


@pytest.fixture(scope="module")
def waveforms(model):
    """Noises, a tone, a quiet clip, and silence: full scale must not leak from one to another."""
    rng = np.random.default_rng(0)
    clips = rng.uniform(-1, 1, (8, model.audio_input.samples)) * rng.uniform(0.01, 1, (8, 1))
    clips[3] = np.sin(np.arange(model.audio_input.samples) * 0.1)
    clips[5] *= 1e-3
    clips[6] = 0.0
    return clips.astype(np.float32)


@pytest.fixture(scope="module")
def encoded(model, waveforms):
    return {"audio": (model.encode_audio, waveforms), "text": (model.encode_text, TEXTS)}


towers = pytest.mark.parametrize("tower", ["audio", "text"])


def test_every_registered_family_is_here():
    assert set(prepared.FAMILIES) <= set(BUILDERS)


def test_protocol(model):
    assert isinstance(model, TwoTower)
    assert isinstance(model.audio_input, AudioInput)


def test_audio_input_is_what_the_description_says(model, model_dir):
    assert storage.audio_input(model_dir) == model.audio_input


@towers
def test_shapes_dtypes_and_values(encoded, tower):
    encode, batch = encoded[tower]
    vectors = encode(batch)
    for values in vectors:
        assert values.dtype == np.float32 and values.ndim == 2 and len(values) == len(batch)
        assert np.isfinite(values).all()
    assert encode(batch[:1]).joint.shape == (1, vectors.joint.shape[1])


def test_both_towers_have_one_joint_space(encoded):
    dimensions = {encode(batch[:2]).joint.shape[1] for encode, batch in encoded.values()}
    assert len(dimensions) == 1


@towers
def test_joint_vectors_have_norm_1(encoded, tower):
    encode, batch = encoded[tower]
    sounding = [i for i in range(len(batch)) if tower == "text" or batch[i].any()]
    norms = np.linalg.norm(encode(batch).joint[sounding], axis=1)
    np.testing.assert_allclose(norms, 1.0, atol=1e-5)


@towers
def test_the_same_again(encoded, tower):
    encode, batch = encoded[tower]
    for first, again in zip(encode(batch), encode(batch), strict=True):
        np.testing.assert_array_equal(first, again)


def assert_close(ours, expected):
    for space, value, wanted in zip(ours._fields, ours, expected, strict=True):
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-5 * scale, err_msg=space)


@towers
@pytest.mark.parametrize("size", [1, 3])
def test_batch_size_does_not_matter(encoded, tower, size):
    encode, batch = encoded[tower]
    parts = [encode(batch[start : start + size]) for start in range(0, len(batch), size)]
    joined = type(parts[0])(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    assert_close(joined, encode(batch))


@towers
def test_order_does_not_matter(encoded, tower):
    encode, batch = encoded[tower]
    order = np.random.default_rng(1).permutation(len(batch))
    shuffled = encode([batch[i] for i in order] if tower == "text" else batch[order])
    expected = encode(batch)
    assert_close(shuffled, type(expected)(*(values[order] for values in expected)))


@towers
def test_different_inputs_have_different_vectors(encoded, tower):
    encode, batch = encoded[tower]
    for values in encode(batch[:3]):
        assert abs(values[0] - values[1]).max() > 1e-4
        assert abs(values[0] - values[2]).max() > 1e-4


@towers
def test_towers_load_apart(model_dir, encoded, tower, tmp_path):
    alone = tmp_path / "model"
    shutil.copytree(model_dir, alone)
    others = {
        "audio": (storage.TEXT_TOWER_FILE, storage.TOKENIZER_FILE),
        "text": (storage.AUDIO_TOWER_FILE,),
    }
    for name in others[tower]:
        (alone / name).unlink(missing_ok=True)
    model = storage.load(alone, tower, threads=1)
    encode, batch = encoded[tower]
    ours = model.encode_audio(batch) if tower == "audio" else model.encode_text(batch)
    assert_close(ours, encode(batch))
