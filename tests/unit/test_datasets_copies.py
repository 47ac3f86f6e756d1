"""Copies of sounds: files, formats, gains and polarities; two labels for one sound."""

import numpy as np
import pytest
import soundfile

from listenread.datasets import copies
from listenread.datasets.base import AudioLimits, ClipRow
from listenread.datasets.checking import build_manifest
from listenread.errors import DataError

RATE = 16_000


def noise(seed, seconds=0.5):
    """A decaying noise, whose peak is 0.5."""
    length = int(seconds * RATE)
    sound = np.random.default_rng(seed).normal(size=length) * np.exp(-np.arange(length) / 2000)
    return 0.5 * sound / np.abs(sound).max()


def write(path, sound, **options):
    soundfile.write(path, sound, RATE, **options)
    return path


@pytest.fixture
def sounds(tmp_path):
    """Three copies of a sound, two of another, one of a third; and their rows."""
    first, second = noise(1), noise(2)
    paths = [
        write(tmp_path / "a.wav", first),
        write(tmp_path / "quiet.flac", -0.004 * first),  # 48 dB lower, other polarity and format
        write(tmp_path / "c.wav", second),
        write(tmp_path / "d.wav", noise(3)),
        write(tmp_path / "loud.wav", 1.9 * first, subtype="FLOAT"),
        write(tmp_path / "stereo.wav", np.stack([second, second], axis=1)),
        write(tmp_path / "longer.wav", np.append(first, np.zeros(10))),
    ]
    return [ClipRow(path.stem, path, ("x",)) for path in paths]


def test_copies_share_a_group_and_are_listed(sounds):
    manifest = build_manifest(sounds)
    assert manifest.group_numbers() == [0, 0, 1, 2, 0, 1, 3]
    assert manifest.notes[-1] == (
        "3 clips are copies of another (the same waveform, up to gain or polarity) and in its "
        "group: a = quiet = loud, c = stereo."
    )


def test_groups_of_the_data_set_are_joined_by_a_copy(sounds):
    groups = ["p", "q", None, "q", None, "r", "p"]
    manifest = build_manifest(
        [ClipRow(row.clip_id, row.path, row.labels, group=group)
         for row, group in zip(sounds, groups, strict=True)]
    )  # fmt: skip
    assert manifest.group_numbers() == [0, 0, 1, 0, 0, 1, 0]


def test_two_labels_for_one_sound_are_refused_or_left_out(sounds):
    sounds[4] = ClipRow("loud", sounds[4].path, ("y",))
    with pytest.raises(DataError) as raised:
        build_manifest(sounds)
    said = str(raised.value)
    assert "loud.wav" in said and "is labelled 'y' and is the same sound as" in said
    assert "a.wav, labelled 'x'" in said and "quiet.flac" in said
    manifest = build_manifest(sounds, on_bad_audio="skip")
    assert manifest.table["clip_id"].to_pylist() == ["c", "d", "stereo", "longer"]
    assert {clip["clip_id"] for clip in manifest.skipped} == {"a", "quiet", "loud"}


def test_a_dataset_of_nothing_else_is_refused(sounds):
    pair = [sounds[0], ClipRow("loud", sounds[4].path, ("y",))]
    with pytest.raises(DataError, match="2 of 2 clips cannot be used"):
        build_manifest(pair, on_bad_audio="skip")


def test_clips_with_several_labels_may_be_labelled_apart(sounds):
    sounds[4] = ClipRow("loud", sounds[4].path, ("x", "y"))
    assert build_manifest(sounds).group_numbers()[4] == 0


def test_a_fold_that_divides_a_group_is_refused_with_the_clips(sounds):
    folded = [ClipRow(row.clip_id, row.path, row.labels, fold=index % 2)
              for index, row in enumerate(sounds)]  # fmt: skip
    with pytest.raises(DataError, match=r"a is in fold 0, quiet is in fold 1 \(group"):
        build_manifest(folded)
    told = [ClipRow(row.clip_id, row.path, row.labels, group="s", fold=index % 2)
            for index, row in enumerate(sounds[2:4])]  # fmt: skip
    with pytest.raises(DataError, match=r"c is in fold 0, d is in fold 1 \(group 's'\)"):
        build_manifest(told)


def test_alike_but_not_the_same_are_no_copies(tmp_path):
    """Two tones a cent apart, and a sound with an audible noise of its own."""
    time = np.arange(RATE) / RATE
    tones = [0.5 * np.sin(2 * np.pi * 440 * 2 ** (cents / 1200) * time) for cents in (0, 3)]
    sounds = [*tones, noise(1, 1.0), noise(1, 1.0) + 0.05 * noise(9, 1.0)]
    rows = [
        ClipRow(str(index), write(tmp_path / f"{index}.wav", sound), ("x",))
        for index, sound in enumerate(sounds)
    ]
    assert build_manifest(rows).group_numbers() == [0, 1, 2, 3]
    lenient = AudioLimits(copy_correlation=0.9)
    assert build_manifest(rows, limits=lenient).group_numbers()[2:] == [2, 2]


def test_recordings_and_their_quantised_copies(shared_data):
    """Real recordings: those of one instrument are as alike as recordings get."""
    rng, found = np.random.default_rng(0), 0
    for path in sorted((shared_data / "iowa").rglob("*.flac"))[::10]:
        sound, _ = soundfile.read(path, dtype="float32")
        gain = 10 ** rng.uniform(-1.5, 0)  # down to -30 dB
        copy = np.round(-gain * sound * 32767) / 32767
        if copies.correlation(sound, copy) > 0.999:  # more than its own quantisation is left
            assert np.linalg.norm(copies.fingerprint(sound) - copies.fingerprint(copy)) < 0.05
            found += 1
    assert found > 8


def test_no_recording_is_taken_for_another(shared_data):
    paths = sorted((shared_data / "iowa").rglob("*.flac"))
    rows = [ClipRow(str(path), path, (path.parent.name,)) for path in paths]
    manifest = build_manifest(rows, on_bad_audio="skip")  # one is a cut of six milliseconds
    assert manifest.group_numbers() == list(range(131))
