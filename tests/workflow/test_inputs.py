"""Folders of clips as people have them, through the whole workflow."""

import io
import shutil
from collections import Counter
from pathlib import Path

import input_cases
import numpy as np
import pytest
import soundfile

from listenread.datasets.manifest import read_manifest
from listenread.files import tables

pytestmark = pytest.mark.slow


def write_notes(folder: Path, suffix: str, each: int) -> None:
    """Notes of four instruments, as FLAC, or as MP3 without a header frame and with an old tag."""
    for instrument in input_cases.PARTIALS:
        (folder / instrument).mkdir(parents=True)
        for midi in range(40, 40 + each):
            wave = input_cases.note(instrument, midi, 1.0, 44_100)
            path = folder / instrument / f"{instrument}_{midi}{suffix}"
            if suffix == ".flac":
                soundfile.write(path, wave, 44_100)
            else:
                content = io.BytesIO()
                soundfile.write(content, wave, 44_100, format="MP3", bitrate_mode="VARIABLE")
                bare = input_cases.without_header_frame(content.getvalue())
                path.write_bytes(input_cases.id3v22() + bare)


def test_two_hundred_mp3s_are_what_their_flacs_are(copy_project, repository):
    project = copy_project("mp3")
    for name in ("mp3", "flac"):
        write_notes(project.folder / name, f".{name}", 50)
    shutil.copy(repository / "tests/reference/spectrum_family.py", project.folder / "own_family.py")
    project.config = {
        "experiment": {
            "name": "mp3",
            "datasets": ["mp3", "flac"],
            "models": ["spectrum"],
            "prompts": ["track"],
            "tasks": ["zero_shot", "audio_only"],
        },
        "metrics": {"replicates": 20},
        "datasets": {name: {"kind": "folder", "root": name} for name in ("mp3", "flac")},
        "models": {"spectrum": {"family": "own_family:Spectrum"}},
    }
    project.snakemake()
    results = project.folder / "results"
    mp3, flac = (read_manifest(results / f"manifests/{name}.parquet") for name in ("mp3", "flac"))
    assert len(mp3) == len(flac) == 200
    assert mp3.vocabulary == flac.vocabulary == sorted(input_cases.PARTIALS)
    for column in ("clip_id", "labels"):
        assert mp3.table[column].to_pylist() == flac.table[column].to_pylist()
    assert set(Counter(map(tuple, mp3.table["labels"].to_pylist())).values()) == {50}
    assert mp3.skipped == mp3.notes == []
    longer = mp3.table["duration_s"].to_numpy() - flac.table["duration_s"].to_numpy()
    assert np.abs(longer).max() <= 0.06
    vectors = [
        tables.to_numpy(
            tables.read(results / f"embeddings/audio/{name}/spectrum.parquet").data["pre_joint"]
        )
        for name in ("mp3", "flac")
    ]
    cosines = np.sum(vectors[0] * vectors[1], axis=1) / np.prod(
        [np.linalg.norm(one, axis=1) for one in vectors], axis=0
    )
    # The delay of the codec, 13 ms, moves the window of half a second that the tower hears.
    assert np.median(cosines) > 0.995
    assert np.quantile(cosines, 0.05) > 0.9
