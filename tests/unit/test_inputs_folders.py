"""Folders of clips as people have them: what is not used is said, what is not clear is asked."""

import unicodedata

import input_cases
import numpy as np
import pytest
import soundfile

from listenread.datasets import tinysol
from listenread.datasets.base import Places
from listenread.datasets.building import build
from listenread.datasets.manifest import read_manifest
from listenread.errors import DataError


def made(root, metadata=None, kind="folder", **settings):
    """The manifest of a dataset, as the workflow makes it."""
    output = root.parent / "made.parquet"
    build(kind, settings, Places(root=root, metadata=metadata), output)
    return read_manifest(output)


def sounds(root, *names):
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        tone = 0.3 * np.sin(0.05 * (1 + number) * np.arange(2_000))
        soundfile.write(path, tone, 8_000, format="WAV")
    return root


def notes(manifest):
    """Without those about sample rates."""
    return [note for note in manifest.notes if "8000 Hz" not in note]


def test_label_folders_that_cannot_be_read_are_errors(tmp_path):
    input_cases.unread(tmp_path / "own")
    with pytest.raises(DataError) as error:
        made(tmp_path / "own")
    assert "bassoon: only .m4a, .mp4" in str(error.value)
    assert "harp: no files" in str(error.value)
    assert "flute" not in str(error.value)
    for name in ("bassoon/one.m4a", "bassoon/two.mp4"):
        (tmp_path / "own" / name).unlink()
    for name in ("bassoon", "harp"):
        (tmp_path / "own" / name).rmdir()
    manifest = made(tmp_path / "own")
    assert manifest.notes == ["1 file in the dataset's folder is not used: flute/take.mp4."]
    assert len(manifest) == 6


def test_hidden_folders_are_left_out_and_said(tmp_path):
    input_cases.hidden(tmp_path / "own")
    manifest = made(tmp_path / "own")
    assert len(manifest) == 12
    assert manifest.notes == [
        "2 hidden sound files left out by their names: oboe/.Trash/again.wav, "
        "violin/.ipynb_checkpoints/again.wav."
    ]


def test_hidden_at_every_depth(tmp_path):
    root = sounds(
        tmp_path / "own",
        *("a/deep/x.wav", "b/y.wav"),
        *("a/deep/.cache/u.wav", "__MACOSX/b/v.wav", "b/._y.wav", ".git/w.wav"),
    )
    manifest = made(root)
    assert manifest.table["clip_id"].to_pylist() == ["a/deep/x", "b/y"]
    (note,) = notes(manifest)
    assert note == (
        "4 hidden sound files left out by their names: .git/w.wav, __MACOSX/b/v.wav, "
        "a/deep/.cache/u.wav, b/._y.wav."
    )


def test_splits_are_not_labels(tmp_path):
    input_cases.splits(tmp_path / "own")
    with pytest.raises(DataError) as error:
        made(tmp_path / "own")
    assert str(error.value).endswith(
        "which folders are the labels? test, train look like parts of a dataset. Set `label_level` "
        "for this dataset: 1 if the first folder is the label, 2 if it is the second (clarinet, "
        "flute, oboe, violin)."
    )
    second = made(tmp_path / "own", label_level=2)
    assert second.vocabulary == sorted(input_cases.PARTIALS)
    assert [second.table["labels"].to_pylist().count([label]) for label in second.vocabulary] == [
        3
    ] * 4
    assert second.table["clip_id"][0].as_py() == "test/clarinet/clarinet_67"
    assert made(tmp_path / "own", label_level=1).vocabulary == ["test", "train"]


@pytest.mark.parametrize(
    "names",
    [
        ("Brass/Horn/a.wav", "Winds/Flute/b.wav"),
        ("session 1/flute/a.wav", "session 2/flute/b.wav"),
        ("train/a.wav", "test/b.wav"),
        ("Fold_1/x/a.wav", "fold2/x/b.wav", "fold2/stray.wav"),
        ("training_set/x/a.wav",),
    ],
)
def test_unclear_levels_are_asked_for(tmp_path, names):
    root = sounds(tmp_path / "own", *names)
    with pytest.raises(DataError, match="which folders are the labels"):
        made(root)
    first = {name.split("/")[0] for name in names}
    assert set(made(root, label_level=1).vocabulary) == first


def test_clips_above_the_level_of_the_label_are_said(tmp_path):
    root = sounds(tmp_path / "own", "train/x/a.wav", "train/y/deep/b.wav", "train/c.wav", "d.wav")
    manifest = made(root, label_level=2)
    assert manifest.table["clip_id"].to_pylist() == ["train/x/a", "train/y/deep/b"]
    assert notes(manifest) == ["2 files in the dataset's folders are not used: d.wav, train/c.wav."]


def test_folders_that_look_the_same_are_refused(tmp_path):
    input_cases.trailing_space(tmp_path / "own")
    with pytest.raises(DataError, match=r"look the same.*\n  - 'flute', 'flute '"):
        made(tmp_path / "own")
    decomposed = unicodedata.normalize("NFD", "flûte")
    root = sounds(tmp_path / "two", "flûte/a.wav", f"{decomposed}/b.wav")
    with pytest.raises(DataError, match="look the same"):
        made(root)
    root = sounds(tmp_path / "three", "train/flute/a.wav", "test/flute\u200b/b.wav")
    with pytest.raises(DataError, match="look the same"):
        made(root, label_level=2)


def test_links_lead_to_folders_once(tmp_path):
    root = sounds(tmp_path / "own", "x/a.wav")
    sounds(tmp_path / "elsewhere", "unused.wav", "b.wav")
    (tmp_path / "elsewhere" / "unused.wav").unlink()
    (root / "y").mkdir()
    (root / "y" / "more").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (root / "y" / "loop").symlink_to(root, target_is_directory=True)
    assert made(root).table["clip_id"].to_pylist() == ["x/a", "y/more/b"]


def test_files_that_a_csv_does_not_name_are_said(tmp_path):
    root = sounds(tmp_path / "own", *(f"clips/{n}.wav" for n in range(12)), "clips/.hidden.wav")
    (root / "clips" / "0.mp4").touch()
    (root / "clips" / ".DS_Store").touch()
    (root / "notes.txt").touch()
    (root / "m.csv").write_text("path,label\nclips/0.wav,x\nclips/../clips/1.wav,y\n")
    unused, hidden = notes(made(root, root / "m.csv"))
    first, *whole = unused.split("\n")
    assert first == (
        "11 files in the dataset's folders are not used: clips/0.mp4, clips/10.wav, clips/11.wav, "
        "clips/2.wav, clips/3.wav and 6 more."
    )
    assert len(whole) == 11 and whole[-1] == "clips/9.wav"
    assert hidden == "1 hidden sound file left out by their names: clips/.hidden.wav."


def test_the_notes_of_a_base_stay_with_what_is_derived_from_it(tmp_path):
    root = sounds(tmp_path / "own", "x/a.wav", "y/b.wav")
    (root / "x" / "take.m4a").touch()
    made(root)
    base, output = tmp_path / "made.parquet", tmp_path / "relabelled.parquet"
    settings = {"column": "labels"}
    build("relabelled", settings, Places(), output, base_manifest=base, vocabulary=["x"])
    assert read_manifest(output).notes[0].endswith("is not used: x/take.m4a.")


def test_files_that_tinysols_csv_does_not_name_are_said(tmp_path):
    place = "Winds/Flute/ordinario"
    names = [f"{place}/Fl-ord-C4-mf-N-N{copy}.wav" for copy in ("", " 2")]
    root = sounds(tmp_path / "audio", *names)
    line = [names[0], "0", "Winds", "Fl", "Flute", "ord", "ordinario", "C4"]
    line += ["60", "mf", "2", "0", "", "FALSE"]
    (tmp_path / "m.csv").write_text(",".join(tinysol.CSV_COLUMNS) + "\n" + ",".join(line) + "\n")
    manifest = made(root, tmp_path / "m.csv", kind="tinysol")
    assert notes(manifest) == [f"1 file in the dataset's folder is not used: {names[1]}."]
