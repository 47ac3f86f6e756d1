"""`import listenread`: models, vectors, scores and tasks in memory, against references."""

import numpy as np
import pytest
import soundfile
import yaml
from sklearn.metrics import f1_score, roc_auc_score, top_k_accuracy_score

import listenread
from listenread.audio.base import AudioInput
from listenread.errors import ConfigError, DataError, Unavailable
from listenread.models.base import Vectors

CLASSES = ["cello", "flute", "trombone", "violin"]


class Loudness:
    """Hears how loud the start and the end of a sound are; reads how long a text is."""

    audio_input = AudioInput(sample_rate=8000, clip_seconds=1.0)

    def __init__(self, model_dir, description, *, tower, device):
        self.scale = description["options"].get("scale", 1.0)

    def encode_audio(self, waveforms):
        halves = np.abs(waveforms).reshape(len(waveforms), 2, -1).mean(axis=2)  # (n, 2)
        return self._vectors(self.scale * halves)

    def encode_text(self, texts):
        return self._vectors(np.array([[len(text), 1.0] for text in texts]))

    def _vectors(self, values):
        joint = values / np.linalg.norm(values, axis=1, keepdims=True)
        return Vectors(values.astype(np.float32), joint.astype(np.float32))


@pytest.fixture(scope="module")
def labels():
    return [name for name in CLASSES for _ in range(6)]


@pytest.fixture(scope="module")
def vectors(labels):
    """Vectors of clips and of texts, with classes that overlap."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(4, 8))
    clips = np.repeat(centres, 6, axis=0) + random.normal(size=(24, 8))

    def both(values):
        joint = values / np.linalg.norm(values, axis=1, keepdims=True)
        return Vectors(values.astype(np.float32), joint.astype(np.float32))

    return both(clips), both(centres + random.normal(size=centres.shape))


def test_metrics_are_those_of_scikit_learn(labels, vectors):
    audio, text = vectors
    scores = listenread.score(audio.joint, text.joint)
    np.testing.assert_allclose(scores, audio.joint @ text.joint.T, atol=1e-6)
    names = ["top_1", "top_2", "f1_macro", "roc_auc_macro"]
    table = listenread.evaluate(scores, labels, CLASSES, metrics=names, replicates=200)
    rows = {row["metric"]: row for row in table.to_pylist()}
    truth = np.array([CLASSES.index(label) for label in labels])
    one_hot = np.eye(4)[truth]
    expected = {
        "top_1": top_k_accuracy_score(truth, scores, k=1),
        "top_2": top_k_accuracy_score(truth, scores, k=2),
        "f1_macro": f1_score(truth, scores.argmax(axis=1), average="macro"),
        "roc_auc_macro": roc_auc_score(one_hot, scores, average="macro"),
    }
    assert {name: row["value"] for name, row in rows.items()} == pytest.approx(expected)
    assert all(row["ci_low"] <= row["value"] <= row["ci_high"] for row in rows.values())
    assert [row["chance"] for row in rows.values()][:2] == [0.25, 0.5]


def test_every_task_that_needs_no_experiment_runs(labels, vectors):
    audio, text = vectors
    for name in listenread.list_tasks():
        if name in ("ontology_triplets", "prompt_effects"):
            with pytest.raises(ConfigError, match="needs the workflow"):
                listenread.measure(name, labels, CLASSES, audio=audio, text=text)
            continue
        table = listenread.measure(name, labels, CLASSES, audio=audio, text=text, replicates=20)
        assert table.num_rows > 0, name


def test_what_was_not_given_is_said(labels, vectors):
    audio, text = vectors
    with pytest.raises(Unavailable, match="no audio vectors were given"):
        listenread.measure("audio_only", labels, CLASSES, text=text)
    with pytest.raises(Unavailable, match="neither similarities nor vectors"):
        listenread.measure("zero_shot", labels, CLASSES, audio=audio)


def test_sounds_are_files_or_waveforms(tmp_path):
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, 8000).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", sound, 8000, subtype="FLOAT")
    model = listenread.load_model(Loudness, options={"scale": 2.0})
    of_file = listenread.embed_audio(model, [tmp_path / "a.wav"])
    of_array = listenread.embed_audio(model, [sound, sound[:, None]], sample_rate=8000)
    np.testing.assert_array_equal(of_array.joint, np.repeat(of_file.joint, 2, axis=0))
    halves = 2 * np.abs(sound).reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(of_file.pre_joint[0], halves, rtol=1e-5)
    with pytest.raises(DataError, match="need their `sample_rate`"):
        listenread.embed_audio(model, [sound])
    with pytest.raises(DataError, match=r"gone\.wav"):
        listenread.embed_audio(model, [tmp_path / "gone.wav"])


def test_batches_do_not_matter(tmp_path):
    random = np.random.default_rng(2)
    sounds = [random.uniform(-0.5, 0.5, 8000) for _ in range(5)]
    model = listenread.load_model(Loudness)
    one, all_at_once = (
        listenread.embed_audio(model, sounds, sample_rate=8000, batch_size=size) for size in (1, 8)
    )
    np.testing.assert_allclose(one.joint, all_at_once.joint, atol=1e-6)
    texts = ["a", "bb", "ccc"]
    one, all_at_once = (listenread.embed_text(model, texts, batch_size=size) for size in (1, 8))
    np.testing.assert_array_equal(one.joint, all_at_once.joint)


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    """A working directory with a catalogue of two models, neither of which can be loaded."""
    monkeypatch.chdir(tmp_path)
    models = {
        "trained": {"family": "muscall", "train": {"dataset": "gm_captions"}},
        "wrong": {"family": "hf_clap", "reposiory": "laion/larger_clap_general"},
    }
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"models": models}))
    return tmp_path / "models.yaml"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("quiet", r"has no model `quiet`; it has trained, wrong"),
        ("wrong", r"models\.wrong: .*reposiory"),
        ("trained", r"has to be trained"),
    ],
)
def test_a_catalogue_says_what_is_wrong(catalogue, name, message):
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        listenread.load_model(name, catalogue=catalogue)
    assert not (catalogue.parent / "results").exists()


@pytest.mark.slow
def test_a_checkpoint_of_the_catalogue_is_converted_once(
    catalogue, made_by_package, tokenizer_path
):
    files = {"checkpoint": made_by_package / "HTSAT-base.pt", "tokenizer": tokenizer_path}
    entry = {"family": "laion_clap", "audio_model": "HTSAT-base"}
    entry |= {key: {"path": str(path)} for key, path in files.items()}
    catalogue.write_text(yaml.safe_dump({"models": {"clap": entry}}))
    model = listenread.load_model("clap", catalogue=catalogue, threads=1)
    described = catalogue.parent / "results/models/clap/model.json"
    first = described.stat().st_mtime_ns
    text = listenread.embed_text(model, ["A violin track", "A flute track"])
    assert text.joint.shape == (2, 512)
    np.testing.assert_allclose(np.linalg.norm(text.joint, axis=1), 1, atol=1e-5)
    again = listenread.load_model("clap", catalogue=catalogue, threads=1)
    assert described.stat().st_mtime_ns == first
    np.testing.assert_array_equal(
        listenread.embed_text(again, ["A violin track", "A flute track"]).joint, text.joint
    )
