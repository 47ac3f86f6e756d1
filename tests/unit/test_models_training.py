"""Training: its mathematics, what a step draws, and a run that is killed and goes on."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from listenread.errors import DataError, ListenreadError, ModelError
from listenread.files import tables
from listenread.files.checksums import checksum
from listenread.models import storage
from listenread.models.common import tokenization
from listenread.models.muscall.training import checkpoints, pairs
from listenread.models.muscall.training.loop import (
    contrastive_loss,
    learning_rate,
    recall_at,
    train_two_tower,
)
from listenread.models.muscall.training.pairs import (
    Clips,
    PairSource,
    augment,
    caption_function,
    cut,
    make_tokenizer,
    read_rows,
    split_rows,
)
from listenread.models.muscall.training.settings import TrainingSettings

RATE = 8000
PITCHES = (200, 300, 450, 700, 1000, 1500)
#: Few numbers, but every source of chance: dropout, resampling, gain, noise, crops.
SETTINGS = {
    "sizes": {
        "d_joint": 16,
        "audio": {
            **{"kind": "cnn", "sample_rate": RATE, "clip_seconds": 0.5, "cropping": "first"},
            **{"n_fft": 256, "hop": 128, "n_mels": 32, "f_max": 4000.0, "top_db": 40.0},
            **{"relative_db": True, "width": 8, "d_encoder": 24, "dropout": 0.1},
        },
        "text": {"max_tokens": 8, "d_encoder": 16, "layers": 1, "heads": 2, "dropout": 0.1},
    },
    **{"steps": 120, "batch_size": 6, "learning_rate": 2e-3, "warmup_steps": 5, "seed": 3},
    **{"one_per": "pitch", "validation_pairs": 6, "evaluate_every": 40, "checkpoint_every": 8},
    **{"resample": 0.02, "gain_db": 6.0, "noise_p": 0.5, "crop": "random", "keep": "last"},
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Tones of six pitches, with captions that name them."""
    folder = tmp_path_factory.mktemp("tones")
    rng = np.random.default_rng(0)
    rows = []
    for pitch in PITCHES:
        for take in range(6):
            time = np.arange(int(0.8 * RATE)) / RATE
            tone = np.sin(2 * np.pi * pitch * time + rng.uniform(0, 6))
            tone = (tone + 0.02 * rng.standard_normal(len(time))) * rng.uniform(0.1, 0.5)
            path = folder / f"{pitch}-{take}.flac"
            soundfile.write(path, tone, RATE)
            caption = f"a tone of {pitch} hertz"
            rows.append((path.stem, str(path), pitch, caption, 0.8))
    names = ("clip_id", "path", "pitch", "caption", "duration_s")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    path = folder / "manifest.parquet"
    tables.write(path, {name: list(values) for name, values in columns.items()})
    return path


@pytest.fixture(scope="module")
def settings():
    return TrainingSettings.from_dict(SETTINGS)


@pytest.fixture(scope="module")
def rows(manifest, settings):
    return read_rows(manifest, settings)


@pytest.fixture(scope="module")
def trained(manifest, settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "model"
    train_two_tower(manifest, folder, settings, checkpoint_dir=folder.parent / "checkpoints")
    return folder


def source(rows, settings):
    draw = caption_function(settings.captions, rows)
    return PairSource(rows, draw, make_tokenizer(settings, rows, draw), settings, workers=2)


# --- the mathematics ---


def test_loss_is_the_mean_of_both_cross_entropies():
    generator = torch.Generator().manual_seed(0)
    audio, text = (F.normalize(torch.randn(5, 7, generator=generator), dim=1) for _ in range(2))
    scale = torch.tensor(2.0)
    logits = (scale.exp() * audio @ text.T).double().numpy()
    by_hand = 0.0
    for matrix in (logits, logits.T):
        probabilities = np.exp(matrix) / np.exp(matrix).sum(axis=1, keepdims=True)
        by_hand -= np.log(np.diag(probabilities)).mean() / 2
    assert contrastive_loss(audio, text, scale).item() == pytest.approx(by_hand, rel=1e-5)


def test_loss_of_vectors_that_say_nothing_is_log_of_the_batch():
    same = F.normalize(torch.ones(8, 4), dim=1)
    assert contrastive_loss(same, same, torch.tensor(1.0)).item() == pytest.approx(np.log(8))


def test_recall_counts_captions_whose_own_clip_is_among_the_nearest():
    similarities = np.array([[0.9, 0.1, 0.2], [0.8, 0.7, 0.1], [0.3, 0.2, 0.1]])
    assert recall_at(similarities, (1, 2, 3)) == {
        "recall_at_1": pytest.approx(1 / 3),
        "recall_at_2": pytest.approx(2 / 3),
        "recall_at_3": 1.0,
    }


def test_constant_vectors_recall_nothing():
    assert recall_at(np.ones((20, 20))) == dict.fromkeys(
        ("recall_at_1", "recall_at_5", "recall_at_10"), 0.0
    )


def test_learning_rate_rises_and_falls_along_a_cosine():
    settings = TrainingSettings(steps=110, warmup_steps=10, learning_rate=1.0)
    rates = [learning_rate(step, settings) for step in range(110)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == rates[10] == 1.0
    assert rates[60] == pytest.approx(0.5)
    assert 0 < rates[-1] < 0.001


# --- what a step draws ---


def test_step_depends_on_seed_and_step_alone(rows, settings):
    one, other = source(rows, settings), source(rows, settings)
    for step in range(3):
        other.pairs(step)
    first, again = one.pairs(3), other.pairs(3)
    np.testing.assert_array_equal(first.waveforms, again.waveforms)
    np.testing.assert_array_equal(first.token_ids, again.token_ids)
    assert not np.array_equal(first.waveforms, one.pairs(4).waveforms)
    another_seed = source(rows, replace(settings, seed=4))
    assert not np.array_equal(first.waveforms, another_seed.pairs(3).waveforms)


def test_batch_has_one_clip_per_value(rows, settings):
    for step in range(5):
        chosen = source(rows, settings).indices(step)
        assert len({rows[i]["pitch"] for i in chosen}) == settings.batch_size


def test_epoch_visits_every_clip_once(rows, settings):
    pairs = source(rows, replace(settings, one_per=None))
    seen = np.concatenate([pairs.indices(step) for step in range(len(rows) // 6)])
    assert sorted(seen) == list(range(len(rows)))


def test_decoding_at_each_use_gives_the_same_pairs(rows, settings):
    kept, streamed = source(rows, settings), source(rows, replace(settings, memory_mb=0))
    assert kept.clips.kept is not None and streamed.clips.kept is None
    np.testing.assert_array_equal(kept.pairs(2).waveforms, streamed.pairs(2).waveforms)


def test_held_out_clips_are_not_trained_on_and_spread(rows, settings):
    train, validation = split_rows(rows, settings)
    assert {row["pitch"] for row in validation} == set(PITCHES)
    assert not {row["clip_id"] for row in train} & {row["clip_id"] for row in validation}
    assert len(train) + len(validation) == len(rows)


def test_split_column_decides(rows, settings):
    marks = {0: "train", 1: "train", 2: "validation"}
    marked = [row | {"part": marks.get(i % 4, "test")} for i, row in enumerate(rows)]
    by_column = replace(settings, split="part", one_per=None)
    train, validation = split_rows(marked, by_column)
    assert len(train) == 18 and {row["part"] for row in train} == {"train"}
    assert len(validation) == 6 and {row["part"] for row in validation} == {"validation"}


def test_clip_is_kept_no_longer_than_needed(rows, settings):
    first = replace(settings, crop="first", resample=0.1)
    clips = Clips(rows[:2], first.sizes.audio.audio_input, first, 1)
    assert len(clips[0]) == pytest.approx(0.5 * 1.1 * RATE, abs=2)
    assert len(Clips(rows[:2], settings.sizes.audio.audio_input, settings, 1)[0]) == 0.8 * RATE


def test_resampling_moves_the_pitch_and_noise_has_its_level(settings):
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    plain = replace(settings, gain_db=0.0, noise_p=0.0, resample=0.1)
    peaks = set()
    for seed in range(8):
        moved = augment(tone, plain, np.random.default_rng(seed), RATE)
        peak = np.abs(np.fft.rfft(moved, RATE)).argmax()
        peaks.add(int(peak))
        assert 900 <= peak <= 1100
        assert len(moved) == pytest.approx(RATE * 1000 / peak, rel=0.01)
    assert len(peaks) > 4
    noisy = replace(settings, gain_db=0.0, resample=0.0, noise_p=1.0, noise_snr_db=(20.0, 20.0))
    noise = augment(tone, noisy, np.random.default_rng(0), RATE) - tone
    snr_db = 10 * np.log10(np.mean(tone**2) / np.mean(noise**2))
    assert snr_db == pytest.approx(20.0, abs=0.3)


def test_pitch_shift_keeps_the_length(settings):
    pytest.importorskip("torchaudio")
    shifted = replace(settings, gain_db=0.0, noise_p=0.0, resample=0.0, pitch_shift_p=1.0)
    tone = np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE).astype(np.float32)
    moved = augment(tone, shifted, np.random.default_rng(0), RATE)
    semitones = 12 * np.log2(np.abs(np.fft.rfft(moved)).argmax() / 500)
    assert len(moved) == len(tone)
    assert 0.9 < abs(semitones) < 5.1 and semitones == pytest.approx(round(semitones), abs=0.1)


@pytest.mark.parametrize("semitones", [-5, -1, 2, 5])
def test_a_transposed_tone_has_the_pitch_of_the_new_note(semitones):
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE).astype(np.float32)
    moved = pairs._transpose(tone, semitones, RATE)
    assert (len(moved), moved.dtype) == (len(tone), np.float32)
    found = np.abs(np.fft.rfft(moved)).argmax() / 2
    assert found == pytest.approx(440 * 2 ** (semitones / 12), abs=1.0)


def test_cut(settings):
    clip, rng = np.arange(10, dtype=np.float32), np.random.default_rng(0)
    assert cut(clip, 4, "first", rng).tolist() == [0, 1, 2, 3]
    assert cut(clip, 4, "centre", rng).tolist() == [3, 4, 5, 6]
    assert {cut(clip, 4, "random", rng)[0] for _ in range(99)} == set(range(7))
    assert cut(clip, 12, "random", rng).tolist() == [*range(10), 0, 0]


# --- whole runs ---


def test_trained_model_tells_the_tones_apart(trained, rows):
    model = storage.load(trained)
    waveforms = np.stack([soundfile.read(row["path"], dtype="float32")[0][:4000] for row in rows])
    texts = [f"a tone of {pitch} hertz" for pitch in PITCHES]
    nearest = (model.encode_audio(waveforms).joint @ model.encode_text(texts).joint.T).argmax(1)
    correct = np.mean([PITCHES[i] == row["pitch"] for i, row in zip(nearest, rows, strict=True)])
    assert correct > 0.8


def test_folder_of_a_trained_model(trained, settings, manifest):
    names = {path.name for path in trained.iterdir()}
    four = {"model.json", "audio_tower.safetensors", "text_tower.safetensors", "tokenizer.json"}
    assert names == four | {"training.csv"}
    assert not list((trained.parent / "checkpoints").iterdir())
    description = storage.describe(trained)
    assert description["provenance"]["trained_on"] == checksum(manifest)
    assert TrainingSettings.from_dict(description["provenance"]["settings"]).steps == 120
    vocabulary = tokenization.load(trained / "tokenizer.json").get_vocab_size()
    assert description["sizes"]["text"]["vocabulary"] == vocabulary


def test_curves_have_a_row_per_step_and_retrieval_where_it_was_measured(trained, settings):
    curves = pd.read_csv(trained / "training.csv")
    assert curves["step"].tolist() == list(range(1, 121))
    measured = curves.dropna()
    assert measured["step"].tolist() == [40, 80, 120]
    assert curves["loss"].tail(10).mean() < curves["loss"].head(10).mean() * 0.7
    assert curves["logit_scale"][0] == pytest.approx(1 / 0.07, rel=0.02)
    assert measured["recall_at_10"].between(0, 1).all()


def test_best_weights_are_those_of_the_best_retrieval(tmp_path, manifest, settings):
    # six held-out pairs are all among the first ten, so that the first measurement is the best one
    best = replace(settings, steps=8, evaluate_every=4, keep="best")
    train_two_tower(manifest, tmp_path / "best", best)
    assert pd.read_csv(tmp_path / "best" / "training.csv")["recall_at_10"].dropna().eq(1).all()
    assert storage.describe(tmp_path / "best")["provenance"]["weights_of_step"] == 4
    train_two_tower(manifest, tmp_path / "last", replace(best, keep="last"))
    first, last = (
        load_file(tmp_path / name / "audio_tower.safetensors")["audio_projection.weight"]
        for name in ("best", "last")
    )
    assert not torch.equal(first, last)


CHILD = """
import os, signal, sys
from listenread.models.muscall.training.loop import train_two_tower
from listenread.models.muscall.training.settings import TrainingSettings
import json

manifest, output, checkpoints, settings = sys.argv[1:]
train_two_tower(
    manifest, output, TrainingSettings.from_dict(json.loads(settings)), checkpoint_dir=checkpoints
)
"""
#: Draws the caption of the manifest, and kills the process the hard way when it is told to.
DEADLY_CAPTIONS = """
import os, signal

calls = 0


def draw(row, rng):
    global calls
    calls += 1
    if calls == int(os.environ.get("DIE_AT_CALL", 0)):
        os.kill(os.getpid(), signal.SIGKILL)
    return row["caption"] if rng.random() < 0.8 else "some tone"
"""


def run_child(tmp_path, manifest, name, settings, die_at_call=0):
    (tmp_path / "deadly_captions.py").write_text(DEADLY_CAPTIONS)
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([root, str(tmp_path)]),
        "DIE_AT_CALL": str(die_at_call),
        "OMP_NUM_THREADS": "1",
    }
    arguments = [str(manifest), str(tmp_path / name), str(tmp_path / f"{name}-checkpoints")]
    command = [sys.executable, "-c", CHILD, *arguments, json.dumps(settings)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def files_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.slow
def test_killed_run_goes_on_to_the_very_same_files(tmp_path, manifest):
    settings = SETTINGS | {
        **{"steps": 40, "captions": "deadly_captions:draw", "tokenizer_captions": 2},
        **{"evaluate_every": 20, "keep": "best"},
    }
    whole = run_child(tmp_path, manifest, "whole", settings)
    assert whole.returncode == 0, whole.stderr
    # 72 captions for the tokenizer, then 6 a step, and 6 after step 20: this is in step 29
    killed = run_child(tmp_path, manifest, "resumed", settings, die_at_call=72 + 6 * 28 + 6 + 4)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "resumed").exists()
    resumed = run_child(tmp_path, manifest, "resumed", settings)
    assert resumed.returncode == 0, resumed.stderr
    assert "training goes on after step 24" in resumed.stderr
    assert files_of(tmp_path / "resumed") == files_of(tmp_path / "whole")


@pytest.mark.parametrize("change", ["settings", "data", "damage"])
def test_checkpoint_that_does_not_fit_is_not_resumed(
    tmp_path, manifest, settings, change, capsys, monkeypatch
):
    short = replace(settings, steps=9, evaluate_every=9)
    folder = tmp_path / "checkpoints"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_args, **_kwargs: None)  # as if killed at the end
        train_two_tower(manifest, tmp_path / "first", short, checkpoint_dir=folder)
    path = folder / checkpoints.CHECKPOINT_FILE
    assert path.is_file()
    if change == "settings":
        short = replace(short, learning_rate=1e-3)
    elif change == "data":
        table = tables.read(manifest).data
        manifest = tmp_path / "other.parquet"
        tables.write(manifest, table.slice(1))
    else:
        path.write_bytes(path.read_bytes()[:1000])
    capsys.readouterr()
    train_two_tower(manifest, tmp_path / "over", short, checkpoint_dir=folder)
    assert "training starts over" in capsys.readouterr().err
    train_two_tower(manifest, tmp_path / "plain", short)
    assert files_of(tmp_path / "over") == files_of(tmp_path / "plain")


def test_checkpoint_is_not_a_pickle(tmp_path, manifest, settings, monkeypatch):
    monkeypatch.setattr(Path, "unlink", lambda *_args, **_kwargs: None)
    short = replace(settings, steps=8, evaluate_every=8)
    train_two_tower(manifest, tmp_path / "model", short, checkpoint_dir=tmp_path)
    tensors = load_file(tmp_path / checkpoints.CHECKPOINT_FILE)
    assert {name.partition(".")[0] for name in tensors} == {"model", "optimizer"}


def test_seed_changes_the_weights_and_threads_hardly(tmp_path, manifest, settings):
    short = replace(settings, steps=4, warmup_steps=0)

    def losses(name, settings, threads=1):
        train_two_tower(manifest, tmp_path / name, settings, threads=threads)
        return pd.read_csv(tmp_path / name / "training.csv")["loss"].to_numpy()

    one = losses("one", short)
    np.testing.assert_array_equal(one, losses("again", short))
    np.testing.assert_allclose(one, losses("two", short, threads=2), rtol=1e-3)
    assert abs(one - losses("seed", replace(short, seed=9))).max() > 0.01


def test_mixed_precision_trains(tmp_path, manifest, settings):
    mixed = replace(settings, precision="bfloat16", steps=60)
    train_two_tower(manifest, tmp_path / "model", mixed)
    losses = pd.read_csv(tmp_path / "model" / "training.csv")["loss"]
    assert losses.tail(5).mean() < losses.head(5).mean()
    state = load_file(tmp_path / "model" / "audio_tower.safetensors")
    assert {value.dtype for value in state.values()} == {torch.float32, torch.int64}


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_training_on_a_gpu(tmp_path, manifest, settings, precision):
    if not torch.cuda.is_available():
        pytest.skip("no GPU: torch sees none")
    on_gpu = replace(settings, precision=precision)
    train_two_tower(manifest, tmp_path / "model", on_gpu, device="cuda", checkpoint_dir=tmp_path)
    losses = pd.read_csv(tmp_path / "model" / "training.csv")["loss"]
    assert losses.tail(5).mean() < losses.head(5).mean() * 0.8


def test_muscalls_recipe_can_be_expressed(tmp_path, manifest):
    """Its kind of tower and its augmentations, with a tokenizer from a file, at a small size."""
    tokenization.train_word_level(["a tone of hertz 200 300"]).save(str(tmp_path / "words.json"))
    recipe = TrainingSettings.from_dict(
        {
            "sizes": {
                "d_joint": 8,
                "audio": {"sample_rate": RATE, "clip_seconds": 0.6, "width": 8, "hop": 80}
                | {"n_mels": 64, "n_fft": 512, "blocks": [1, 1, 1, 1], "d_encoder": 8},
                "text": {"max_tokens": 8, "d_encoder": 8, "layers": 1, "heads": 2},
            },
            **{"steps": 2, "batch_size": 4, "validation_pairs": 4, "evaluate_every": 1},
            **{"noise_p": 0.3, "pitch_shift_p": 0.4, "precision": "bfloat16", "memory_mb": 0},
            "tokenizer": str(tmp_path / "words.json"),
        }
    )
    train_two_tower(manifest, tmp_path / "model", recipe, checkpoint_dir=tmp_path / "checkpoints")
    provenance = storage.describe(tmp_path / "model")["provenance"]
    assert provenance["settings"]["keep"] == "best"
    assert provenance["settings"]["learning_rate"] == 5e-5


# --- what is refused ---


def test_settings_out_of_range_are_all_named():
    values = {"steps": 0, "batch_size": 1, "noise_p": 2, "crop": "middle"}
    with pytest.raises(ModelError) as error:
        TrainingSettings.from_dict(values)
    for name in values:
        assert f"{name} is" in str(error.value)


def test_unknown_settings_are_named():
    with pytest.raises(ModelError, match="epochs, lr"):
        TrainingSettings.from_dict({"lr": 1, "epochs": 3})


def test_settings_survive_json(settings):
    assert TrainingSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_missing_column_is_named(manifest, settings):
    with pytest.raises(ListenreadError, match="misses the column"):
        read_rows(manifest, replace(settings, one_per="program"))
    with pytest.raises(ListenreadError, match="misses the column"):
        read_rows(manifest, replace(settings, captions="text"))


def test_clips_without_a_caption_are_counted(rows):
    silent = [row | {"caption": ""} if i < 2 else row for i, row in enumerate(rows)]
    with pytest.raises(ModelError, match="2 of 36 clips have no 'caption'"):
        caption_function("caption", silent)


def test_caption_function_that_cannot_be_imported_is_named(rows):
    with pytest.raises(ModelError, match=r"'listenread\.errors:draw' cannot be imported"):
        caption_function("listenread.errors:draw", rows)


def test_too_few_clips_for_a_batch_are_refused(rows, settings):
    with pytest.raises(ModelError, match=r"6 values of 'pitch'.* batch_size is 7"):
        split_rows(rows, replace(settings, batch_size=7))


def test_clip_that_is_gone_is_named(tmp_path, manifest, settings):
    table = tables.read(manifest).data
    gone = table.set_column(
        table.column_names.index("path"), "path", [["nowhere.flac"] * len(table)]
    )
    tables.write(tmp_path / "manifest.parquet", gone)
    with pytest.raises(DataError, match=r"nowhere\.flac"):
        train_two_tower(tmp_path / "manifest.parquet", tmp_path / "model", settings)


def test_divergence_is_said(tmp_path, manifest, settings):
    wild = replace(settings, learning_rate=1e30, warmup_steps=0)
    with pytest.raises(ModelError, match="training diverged"):
        train_two_tower(manifest, tmp_path / "model", wild)
    assert not (tmp_path / "model").exists()
