"""The family `muscall` against the reference implementation's vectors, torchaudio, and itself."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors

from listenread.errors import ModelError
from listenread.files.checksums import checksum
from listenread.models import storage
from listenread.models.common import tokenization
from listenread.models.common.weights import write_tower
from listenread.models.muscall.checkpoint import convert_muscall
from listenread.models.muscall.front_end import LogMel, mel_filters
from listenread.models.muscall.sizes import AudioSizes, Sizes, TextSizes
from listenread.models.muscall.towers import AudioTower, TextTower, TwoTowers, tower_states

#: The reduced configuration of the reference vectors; `from_reference` checks it against the file.
REDUCED = Sizes(
    AudioSizes(clip_seconds=4.0, width=8, d_encoder=64), TextSizes(300, 77, 64, 2, 4), d_joint=48
)


class Reference:
    """Seeded weights, inputs and vectors that the reference implementation computed from them."""

    def __init__(self, path):
        with safe_open(path, "pt") as file:
            self.config = json.loads(file.metadata()["config"])
            self.tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118

    def __getitem__(self, name):
        return self.tensors[name]

    @property
    def weights(self):
        prefix = "weights."
        named = self.tensors.items()
        return {n.removeprefix(prefix): v for n, v in named if n.startswith(prefix)}


@pytest.fixture(scope="module")
def reference(shared_data):
    found = Reference(shared_data / "muscall_parity.safetensors")
    audio, text = found.config["audio"], found.config["text"]
    assert audio["audio_len_seconds"] == REDUCED.audio.clip_seconds
    assert audio["conv_out_channels"] == REDUCED.audio.width
    assert text["num_attention_heads"] == REDUCED.text.heads
    return found


def load_tower(kind, weights):
    tower = kind(REDUCED).eval()
    tower.load_state_dict({name: weights[name] for name in tower.state_dict()})
    return tower


def largest_difference(tower, inputs, reference, name):
    with torch.inference_mode():
        vectors = dict(zip(("pre_joint", "joint"), tower(inputs), strict=True))
    return {
        space: (value - reference[f"expected.{name}_{space}"]).abs().max().item()
        for space, value in vectors.items()
    }


def test_audio_vectors_are_the_reference_implementations(reference):
    tower = load_tower(AudioTower, reference.weights)
    difference = largest_difference(tower, reference["input.audio"], reference, "audio")
    assert max(difference.values()) < 1e-5


def test_text_vectors_are_the_reference_implementations(reference):
    tower = load_tower(TextTower, reference.weights)
    difference = largest_difference(tower, reference["input.token_ids"], reference, "text")
    assert max(difference.values()) < 1e-5


@pytest.mark.parametrize(
    "damage",
    [
        lambda w: w["audio_backbone.bn1.running_mean"].zero_(),
        lambda w: w["audio_backbone.layer2.0.downsample.1.running_var"].fill_(1.0),
        lambda w: w["audio_backbone.attnpool.positional_embedding"].zero_(),
        lambda w: w["audio_backbone.spec.mel_scale.fb"].copy_(
            mel_filters(513, 0.0, 8000.0, 128, 16000)
        ),
    ],
)
def test_damaged_audio_tower_is_told_from_the_reference(reference, damage):
    weights = {name: value.clone() for name, value in reference.weights.items()}
    damage(weights)
    tower = load_tower(AudioTower, weights)
    difference = largest_difference(tower, reference["input.audio"], reference, "audio")
    assert max(difference.values()) > 1e-5


def test_parameter_names_are_the_public_checkpoints(reference):
    ours = {**AudioTower(REDUCED).state_dict(), **TextTower(REDUCED).state_dict()}
    shapes = {name: tuple(value.shape) for name, value in ours.items()}
    assert shapes == {name: tuple(value.shape) for name, value in reference.weights.items()}


def test_official_sizes_are_those_of_the_public_checkpoint():
    audio, text = AudioTower(Sizes()).state_dict(), TextTower(Sizes()).state_dict()
    assert len({**audio, **text}) == 394
    assert sum(v.numel() for v in audio.values()) / 1e6 == pytest.approx(2.65, abs=0.005)
    everything = [*audio.values(), *text.values()]
    assert sum(v.numel() for v in everything) / 1e6 == pytest.approx(40.85, abs=0.005)


@pytest.mark.parametrize("frames", [32, 63, 64, 65, 100])
def test_resnet_takes_clips_of_any_length(frames):
    sizes = AudioSizes(clip_seconds=(frames - 1) * 512 / 16000, width=8, blocks=(1, 1, 1, 1))
    assert sizes.frames == frames
    tower = AudioTower(Sizes(sizes, d_joint=8)).eval()
    assert tower(torch.zeros(1, sizes.audio_input.samples))[1].shape == (1, 8)


def test_resnet_refuses_a_clip_that_it_would_pool_away():
    with pytest.raises(ModelError, match="128 and 16"):
        AudioTower(Sizes(AudioSizes(clip_seconds=0.5)))


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "f_min", "f_max", "n_mels"),
    [(16000, 1024, 0.0, 11025.0, 128), (16000, 512, 60.0, 7600.0, 64), (44100, 2048, 0.0, 2e4, 80)],
)
def test_mel_filters_are_torchaudios(sample_rate, n_fft, f_min, f_max, n_mels):
    functional = pytest.importorskip("torchaudio").functional
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bands above the Nyquist frequency are empty, as meant
        theirs = functional.melscale_fbanks(n_fft // 2 + 1, f_min, f_max, n_mels, sample_rate)
    ours = mel_filters(n_fft // 2 + 1, f_min, f_max, n_mels, sample_rate)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_log_mel_is_torchaudios_one_clip_at_a_time():
    transforms = pytest.importorskip("torchaudio").transforms
    sizes = AudioSizes(clip_seconds=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mel = transforms.MelSpectrogram(
            16000, 1024, hop_length=512, f_max=11025, n_mels=128, power=2, normalized=True
        )
    to_db = transforms.AmplitudeToDB(top_db=100)
    noise = torch.randn(3, 16000, generator=torch.Generator().manual_seed(0))
    clips = noise * torch.tensor([[0.1], [1e-4], [0.0]])
    theirs = torch.stack([to_db(mel(clip)) for clip in clips])
    torch.testing.assert_close(LogMel(sizes)(clips), theirs, rtol=0, atol=1e-3)


def test_range_in_db_is_counted_from_each_clips_own_maximum():
    clips = torch.zeros(2, 16000)
    clips[0, 8000], clips[1] = 1.0, 1e-4 * torch.sin(torch.arange(16000) * 0.3)
    front_end = LogMel(AudioSizes(top_db=40.0))
    torch.testing.assert_close(front_end(clips)[1:], front_end(clips[1:]))


def test_relative_db_is_blind_to_gain_and_lies_in_0_1():
    clip = torch.randn(1, 16000, generator=torch.Generator().manual_seed(0)) * 0.1
    front_end = LogMel(AudioSizes(top_db=40.0, relative_db=True))
    spectrogram = front_end(clip)
    assert spectrogram.min() >= 0 and spectrogram.max() == 1
    torch.testing.assert_close(front_end(clip * 0.25), spectrogram, rtol=0, atol=1e-4)


def test_text_vector_does_not_look_past_the_end_of_the_text():
    sizes = TextSizes(vocabulary=20, max_tokens=12, d_encoder=16, layers=2, heads=2)
    torch.manual_seed(0)
    tower = TextTower(Sizes(text=sizes, d_joint=8)).eval()
    short = torch.tensor([[3, 4, 19]])
    padded = torch.tensor([[3, 4, 19, 0, 0, 0], [3, 4, 19, 7, 8, 9]])
    with torch.inference_mode():
        expected = tower(short)[0].expand(2, -1)
        torch.testing.assert_close(tower(padded)[0], expected, rtol=0, atol=1e-6)


def test_sizes_survive_json():
    sizes = Sizes(AudioSizes("cnn", blocks=(1, 1, 1, 1)), TextSizes(dropout=0.0), d_joint=7)
    assert Sizes.from_dict(json.loads(json.dumps(sizes.to_dict()))) == sizes
    assert Sizes.from_dict({}) == Sizes()


def test_unknown_sizes_are_all_named():
    with pytest.raises(ModelError, match=r"audio\.depth, joint, text\.width"):
        Sizes.from_dict({"audio": {"depth": 3}, "text": {"width": 3}, "joint": 3})


def write_model(folder, sizes, tokenizer):
    torch.manual_seed(0)
    audio, text = tower_states(TwoTowers(sizes).state_dict())
    write_tower(folder / storage.AUDIO_TOWER_FILE, audio)
    write_tower(folder / storage.TEXT_TOWER_FILE, text)
    tokenizer.save(str(folder / storage.TOKENIZER_FILE))
    storage.write_description(folder, "muscall", sizes.audio.audio_input, sizes=sizes.to_dict())


@pytest.fixture
def tiny_model(tmp_path):
    tokenizer = tokenization.train_word_level(["a violin track", "no tuba"])
    text = TextSizes(tokenizer.get_vocab_size(), 8, 16, 1, 2)
    sizes = Sizes(AudioSizes("cnn", clip_seconds=0.2, width=4, d_encoder=12), text, d_joint=8)
    write_model(tmp_path, sizes, tokenizer)
    return tmp_path


@pytest.mark.slow
def test_text_job_imports_nothing_slow(tiny_model):
    program = (
        "import sys; from listenread.models import storage; "
        f"storage.load({str(tiny_model)!r}, 'text').encode_text(['a violin']); "
        "print([n for n in ('transformers', 'torchaudio', 'torch._dynamo') if n in sys.modules])"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_tower_that_was_not_loaded_is_named(tiny_model):
    with pytest.raises(ModelError, match="without its text tower"):
        storage.load(tiny_model, "audio").encode_text(["a"])
    with pytest.raises(ModelError, match="without its audio tower"):
        storage.load(tiny_model, "text").encode_audio(np.zeros((1, 3200), np.float32))


def test_waveforms_of_another_length_are_refused(tiny_model):
    with pytest.raises(ValueError, match=r"shape \(batch, 3200\), got \(1, 3000\)"):
        storage.load(tiny_model, "audio").encode_audio(np.zeros((1, 3000), np.float32))


def test_tokenizer_of_another_model_is_refused(tiny_model):
    tokenization.train_word_level(["a"]).save(str(tiny_model / storage.TOKENIZER_FILE))
    with pytest.raises(ModelError, match=r"has 4 tokens.* made for 8"):
        storage.load(tiny_model, "text")


def test_weights_that_do_not_fit_are_all_listed(tiny_model):
    description = storage.describe(tiny_model)
    description["sizes"]["text"]["d_encoder"] = 32
    (tiny_model / "model.json").write_text(json.dumps(description))
    with pytest.raises(ModelError, match="token_embedding") as error:
        storage.load(tiny_model, "text")
    assert "text_projection" in str(error.value)


def clip_like_tokenizer(words):
    """A tokenizer with CLIP's layout: a start token, and an end token of the largest id."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    vocabulary = {word: i for i, word in enumerate([*words, start, end])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=end))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in (start, end)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $0 {end}",
        special_tokens=[(start, vocabulary[start]), (end, vocabulary[end])],
    )
    return tokenizer


@pytest.fixture
def public_checkpoint(tmp_path, reference):
    tokenizer = clip_like_tokenizer([f"word{i}" for i in range(298)])
    tokenizer.save(str(tmp_path / "clip.json"))
    path = tmp_path / "best_model.pth.tar"
    torch.save({"epoch": 3, "state_dict": reference.weights, "optimizer": {}}, path)
    return path


def test_public_checkpoint_gives_the_reference_implementations_vectors(
    tmp_path, public_checkpoint, reference
):
    convert_muscall(public_checkpoint, tmp_path / "clip.json", tmp_path / "model", REDUCED)
    model = storage.load(tmp_path / "model")
    vectors = model.encode_audio(reference["input.audio"].numpy())
    assert abs(vectors.pre_joint - reference["expected.audio_pre_joint"].numpy()).max() < 1e-5
    assert abs(vectors.joint - reference["expected.audio_joint"].numpy()).max() < 1e-5
    ids = tokenization.encode(model.tokenizer, ["word5 word7"], 77)[0]
    assert ids[:5].tolist() == [298, 5, 7, 299, 0]
    provenance = storage.describe(tmp_path / "model")["provenance"]
    assert provenance["checkpoint_sha256"] == checksum(public_checkpoint)


def test_checkpoint_of_other_sizes_is_refused_with_the_list(tmp_path, public_checkpoint):
    other = Sizes(REDUCED.audio, TextSizes(300, 77, 64, 3, 4), d_joint=48)
    with pytest.raises(ModelError, match=r"missing: textual_head\.transformer\.layers\.2\.0\.norm"):
        convert_muscall(public_checkpoint, tmp_path / "clip.json", tmp_path / "model", other)
    assert not (tmp_path / "model").exists()
