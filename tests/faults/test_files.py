"""Files that change under a run, and clocks that are wrong."""

import os
import re
import time

import numpy as np
import pytest
import soundfile

from .conftest import held, script, start, wait_for

pytestmark = pytest.mark.slow
TARGET = "results/embeddings/audio/tones/spectrum.parquet"


def test_a_clip_that_changes_under_a_run_is_refused(project, as_undisturbed):
    """Between the manifest and the embedding; the next run makes both anew."""
    clip = project.folder / "tones/low-0.wav"
    original = clip.read_bytes()
    for name in ("results/manifests/tones.parquet", TARGET):
        (project.folder / name).unlink()
    project.snakemake("--", "results/manifests/tones.parquet")
    with held(project):
        run = start(project, "--", TARGET)
        wait_for(lambda: script(project, "embed_audio.py"))
        soundfile.write(clip, 0.4 * np.sin(900 * np.arange(4000) / 8000), 8000)
    output, _ = run.communicate(timeout=300)
    assert run.returncode != 0
    assert "tones/low-0.wav" in output and "changed since the manifest was made" in output
    assert not (project.folder / TARGET).exists()

    project.snakemake("--", TARGET)  # of the new clip
    with pytest.raises(AssertionError, match="manifests/tones"):
        as_undisturbed(project.folder, among="tones.parquet")
    clip.write_bytes(original)
    project.snakemake("--", TARGET)
    as_undisturbed(project.folder)


def test_clocks_that_are_wrong_run_nothing_anew_and_lose_nothing(project, as_undisturbed):
    """A file server whose clock is days ahead, or files that an archive dates 1980."""
    folder = project.folder
    inputs = [path for top in ("tones", "listenread", "scripts", "config")
              for path in (folder / top).rglob("*") if path.is_file()]  # fmt: skip
    # Snakemake's benchmark files, which lie among the logs, count as results.
    results = [path for top in ("results", "data", "logs") for path in (folder / top).rglob("*")]
    future, past = time.time() + 3 * 86_400, 315_532_800
    for dated, when in ((inputs, future), (results, past), (results, future), (inputs, past)):
        for path in dated:
            os.utime(path, (when, when))
        assert project.planned() == set()
    (folder / TARGET).unlink()
    os.utime(folder / "tones/metadata.csv", (future, future))
    os.utime(folder / "results/manifests/tones.parquet", (future, future))
    refused = project.snakemake("--", TARGET, check=False)
    said = refused.stdout + refused.stderr
    assert refused.returncode != 0 and "clock skew" in said
    assert re.search(r"than input (results|tones|listenread)/", said)
    assert not (folder / TARGET).exists()
    now = time.time()  # one for all, as folders have no content to compare
    for path in (*inputs, *results):
        if path.exists():
            os.utime(path, (now, now))
    project.snakemake("--", TARGET)
    as_undisturbed(folder)
    assert project.planned() == set()
