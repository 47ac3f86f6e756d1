"""The health gate: a sound model passes, and each way of being broken is named."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from listenread import health
from listenread.audio.base import AudioInput
from listenread.files import tables
from listenread.models.base import Vectors


def unit(values):
    return values / np.linalg.norm(values, axis=1, keepdims=True)


class Toy:
    """A small sound model: letter counts and spectra through random matrices."""

    audio_input = AudioInput(8000, 0.5)

    def __init__(self):
        random = np.random.default_rng(0)
        self.text_matrix = random.standard_normal((256, 12))
        self.audio_matrix = random.standard_normal((2001, 12))
        self.joint_matrix = random.standard_normal((12, 6))
        known = sorted({word for text in health.PROBE_TEXTS for word in text.split()})
        words = {word: i for i, word in enumerate(known)}
        words |= {f"word{i}": len(words) + i for i in range(40)}
        self.tokenizer = Tokenizer(models.WordLevel(words, unk_token="word0"))
        self.tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()

    def encode_text(self, texts):
        counts = np.array([np.bincount(list(text.encode()), minlength=256) for text in texts])
        return self.vectors(counts @ self.text_matrix)

    def encode_audio(self, waveforms):
        return self.vectors(np.abs(np.fft.rfft(waveforms)) @ self.audio_matrix)

    def vectors(self, pre_joint):
        joint = unit(pre_joint @ self.joint_matrix)
        return Vectors(pre_joint.astype(np.float32), joint.astype(np.float32))


def failures(model, **settings):
    result = health.check_model(model, **settings)
    assert result["healthy"] == (not result["failures"])
    json.dumps(result, allow_nan=False)
    return result["failures"]


def test_a_sound_model_is_healthy():
    result = health.check_model(Toy())
    assert result["failures"] == []
    assert result["healthy"] is True
    assert {check["passed"] for check in result["checks"]} == {True, None}


def test_an_empty_tokenizer_is_caught():
    model = Toy()
    model.tokenizer = Tokenizer(models.WordLevel({f"<{i}>": i for i in range(5)}, unk_token="<0>"))
    found = failures(model)
    assert found[0] == "tokenizer: its number of tokens is 5; it must be at least 32"
    assert "the number of different token ids of 14 texts is 1; it must be at least 14" in found[1]


def test_the_empty_tokenizer_of_an_offline_hub_is_caught(tmp_path):
    """What transformers 5 gives without a network and without a cache, the case met in the wild."""
    program = (
        "from transformers import RobertaTokenizer\n"
        f"RobertaTokenizer.from_pretrained('roberta-base').save_pretrained({str(tmp_path)!r})\n"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub"), "PATH": ""}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    model = Toy()
    model.tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    found = failures(model)
    assert "tokenizer: its number of tokens is 5" in found[0]
    assert found[1].startswith("token ids: ")


def test_nearly_constant_text_vectors_are_caught():
    class NearlyConstant(Toy):
        def encode_text(self, texts):
            varying = super().encode_text(texts).joint - np.float32(1 / 6**0.5)
            constant = np.full((len(texts), 6), 6**-0.5) + 0.018 * unit(varying)
            return Vectors(constant.astype(np.float32), unit(constant).astype(np.float32))

    model = NearlyConstant()
    joint = model.encode_text(list(health.PROBE_TEXTS)).joint
    assert 0.999 < (joint @ joint.T)[np.triu_indices(14, 1)].mean() < 1
    (found,) = failures(model)
    said = "text spread: the mean cosine of the vectors of 14 different prompts is 0.999"
    assert found.startswith(said)
    assert found.endswith("the limit is 0.99")
    assert failures(model, limits=health.HealthLimits(largest_mean_text_cosine=0.99999)) == []


def test_mean_cosine_is_the_mean_over_pairs():
    vectors = np.random.default_rng(1).standard_normal((7, 5))
    cosines = unit(vectors) @ unit(vectors).T
    wanted = cosines[np.triu_indices(7, 1)].mean()
    assert health._mean_cosine(vectors) == pytest.approx(wanted)


def broken(method, change):
    """A model one of whose methods is spoilt by `change(vectors, call)`."""
    model = Toy()
    original, calls = getattr(model, method), []

    def spoilt(batch):
        calls.append(len(batch))
        pre_joint, joint = (part.copy() for part in original(batch))
        return change(Vectors(pre_joint, joint), len(calls), len(batch))

    setattr(model, method, spoilt)
    return model


def not_finite(vectors, call, rows):
    vectors.joint[0, 0] = np.nan
    return vectors


def not_normalised(vectors, call, rows):
    return vectors._replace(joint=vectors.joint * 1.01)


def zero(vectors, call, rows):
    vectors.pre_joint[-1] = 0
    return vectors


def different_every_time(vectors, call, rows):
    return vectors._replace(pre_joint=vectors.pre_joint * (1 + 0.01 * call))


def depends_on_batch(vectors, call, rows):
    return vectors._replace(pre_joint=vectors.pre_joint + rows)


def constant(vectors, call, rows):
    return Vectors(*(np.repeat(part[:1], rows, axis=0) for part in vectors))


@pytest.mark.parametrize("tower", ["text", "audio"])
@pytest.mark.parametrize(
    ("change", "check"),
    [
        (not_finite, "values"),
        (not_normalised, "norms"),
        (zero, "pre-joint norms"),
        (different_every_time, "repeatability"),
        (depends_on_batch, "batches"),
        (constant, "spread"),
    ],
)
def test_each_defect_is_caught(tower, change, check):
    found = failures(broken(f"encode_{tower}", change))
    assert any(failure.startswith(f"{tower} {check}: ") for failure in found), found
    other = {"text": "audio", "audio": "text"}[tower]
    assert not any(failure.startswith(f"{other} ") for failure in found), found


def test_a_tower_that_breaks_down_is_unhealthy_and_raises_nothing():
    def break_down(vectors, call, rows):
        raise RuntimeError("out of cheese")

    found = failures(broken("encode_audio", break_down))
    assert found == ["audio tower: broke down with RuntimeError: out of cheese"]


def test_known_answers():
    model = Toy()
    texts = ["A violin track", "A bass tuba track"]
    right = health.KnownAnswers(texts, 3.0 * model.encode_text(texts).joint)
    assert failures(model, known_answers=right) == []
    wrong = health.KnownAnswers(texts, right.joint[::-1])
    (found,) = failures(model, known_answers=wrong)
    assert found.startswith("known answers: the smallest cosine with the 2 known vectors is ")
    other = health.KnownAnswers(texts, right.joint[:, 1:])
    (found,) = failures(model, known_answers=other)
    assert found.startswith("known answers: vectors of ")


def test_precision_is_compared_with_float32():
    def coarse(vectors, call, rows):
        return Vectors(*(part.astype(np.float16).astype(np.float32) for part in vectors))

    model = broken("encode_text", coarse)
    assert failures(model, in_float32=Toy()) == []
    strict = health.HealthLimits(largest_precision_error=1e-6)
    (found,) = failures(model, in_float32=Toy(), limits=strict)
    assert found.startswith("precision: the relative difference from float32 on the CPU is ")


def test_a_model_that_cannot_be_loaded_is_unhealthy(tmp_path):
    output = tmp_path / "out" / "health.json"
    result = health.check_prepared_model(tmp_path, output)
    assert result == json.loads(output.read_text())
    assert result["healthy"] is False
    assert "is not a prepared model" in result["failures"][0]


def test_known_answers_are_read_from_a_text_table(tmp_path):
    vectors = np.eye(3, dtype=np.float32)
    columns = {"label": list("abc"), "text": list("abc"), "joint": tables.vectors(vectors)}
    tables.write(tmp_path / "known.parquet", columns)
    known = health.read_known_answers(tmp_path / "known.parquet")
    assert known.texts == ["a", "b", "c"]
    np.testing.assert_array_equal(known.joint, vectors)
    tables.write_unavailable(tmp_path / "none.parquet", "not released")
    assert health.read_known_answers(tmp_path / "none.parquet").missing == "not released"
