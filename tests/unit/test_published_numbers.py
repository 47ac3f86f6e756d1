"""The paper's numbers from the reductions in tests/data; no released file is needed."""

import gzip
import runpy

import numpy as np
import pytest

from listenread.metrics import classification


@pytest.fixture(scope="module")
def regenerate(repository):
    return runpy.run_path(str(repository / "tests/data/regenerate.py"))


def test_audio_only_of_muscall_to_the_last_digit(repository, published_files, regenerate):
    scores = np.load(repository / "tests/data/muscall_audio_only_scores.npy")
    labels = regenerate["labels"](published_files / regenerate["TRUTH"])
    assert scores.shape == (2913, 14) and labels.shape == (2913,)
    values = classification.evaluate(scores, labels)
    folder = published_files / regenerate["REPOSITORY"] / "evaluation_output/audio_only"
    released = (folder / "muscall.csv").read_text().replace("\n", ",").split(",")
    for metric in ("top_1", "top_2", "top_3", "top_4", "top_5", "f1_weighted"):
        assert str(float(values[metric])) in released, metric
    # The released areas were computed in float32 on another machine.
    assert values["roc_auc_macro"] == pytest.approx(0.7210654285871225, abs=5e-7)
    assert values["pr_auc_macro"] == pytest.approx(0.27946752165185235, abs=5e-7)


def test_the_files_here_are_those_that_were_released(repository, shared_mirror, regenerate):
    folder = repository / "tests/data"
    for path in regenerate["COPIED"]:
        assert (folder / "mirror" / path).read_bytes() == (shared_mirror / path).read_bytes(), path
    for path in regenerate["COMPRESSED"]:
        packed = (folder / "mirror" / path).with_name(f"{path.name}.gz").read_bytes()
        assert gzip.decompress(packed) == (shared_mirror / path).read_bytes(), path
    stored = np.load(folder / "muscall_audio_only_scores.npy")
    np.testing.assert_allclose(stored, regenerate["scores"](shared_mirror), atol=1e-6)
