"""The bootstrap against a plain loop that copies the drawn rows and asks scikit-learn."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from listenread.errors import ConfigError, DataError
from listenread.metrics import uncertainty
from listenread.metrics.base import Measurement, Resampling
from listenread.metrics.classification import STANDARD, measure, top

RESAMPLING = Resampling(60, 0.9, 11)


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(5), [30, 7, 1, 12, 25])
    rng.shuffle(labels)
    # One decimal: many ties, inside a class and between classes.
    return np.round(rng.normal(size=(75, 5)) + 1.2 * np.eye(5)[labels], 1), labels


def by_scikit_learn(scores, labels):
    n_classes = scores.shape[1]
    order = np.argsort(-scores, axis=1, kind="stable")
    one_hot = np.eye(n_classes)[labels]
    return {
        **{f"top_{k}": (order[:, :k] == labels[:, None]).any(axis=1).mean() for k in range(1, 6)},
        "f1_weighted": f1_score(labels, order[:, 0], average="weighted"),
        "f1_macro": f1_score(labels, order[:, 0], average="macro"),
        "roc_auc_macro": roc_auc_score(one_hot, scores, average="macro"),
        "pr_auc_macro": average_precision_score(one_hot, scores, average="macro"),
    }


def test_replicates_and_interval_are_those_of_a_plain_loop(case):
    scores, labels = case
    counts = uncertainty.bootstrap_counts(labels, stop=60, seed=11).astype(int)
    rows = [np.repeat(np.arange(75), column) for column in counts.T]
    loop = [by_scikit_learn(scores[drawn], labels[drawn]) for drawn in rows]
    measured = measure(scores, labels, resampling=RESAMPLING)
    assert [m.metric for m in measured] == [metric.name for metric in STANDARD]
    for measurement in measured:
        plain = np.array([replicate[measurement.metric] for replicate in loop])
        np.testing.assert_allclose(measurement.replicates, plain, atol=1e-12)
        assert (measurement.ci_low, measurement.ci_high) == pytest.approx(
            tuple(np.quantile(plain, [0.05, 0.95]))
        )


def test_resamples_are_stratified_seeded_and_independent_of_blocks(case):
    _, labels = case
    counts = uncertainty.bootstrap_counts(labels, stop=50, seed=4)
    for label in range(5):
        assert (counts[labels == label].sum(axis=0) == (labels == label).sum()).all()
    assert (counts[labels == 2] == 1).all(), "a class of one clip cannot vary"
    np.testing.assert_array_equal(
        counts[:, 20:30], uncertainty.bootstrap_counts(labels, start=20, stop=30, seed=4)
    )
    assert (counts != uncertainty.bootstrap_counts(labels, stop=50, seed=5)).any()
    assert len({column.tobytes() for column in counts.T}) == 50


def test_every_clip_is_drawn_equally_often():
    counts = uncertainty.bootstrap_counts(np.repeat([0, 1], [5, 20]), stop=4000, seed=0)
    # A count has variance 1 - 1/size < 1, so its mean over 4,000 has a deviation below 0.016.
    assert np.abs(counts.mean(axis=1) - 1).max() < 0.07
    assert counts.var(axis=1) == pytest.approx(np.repeat([0.8, 0.95], [5, 20]), abs=0.1)


def test_memory_limit_changes_nothing(case):
    scores, labels = case
    for whole, blocks in zip(
        measure(scores, labels, resampling=RESAMPLING),
        measure(scores, labels, resampling=replace(RESAMPLING, max_bytes=1)),
        strict=True,
    ):
        # The layout of a block decides the order of some sums, hence the last bit.
        np.testing.assert_allclose(whole.replicates, blocks.replicates, atol=1e-14)
        assert whole.value == blocks.value


def test_intervals_cover_the_truth():
    """Nominal 90 % intervals of top-1 hold the true 0.6 in about 90 % of repetitions."""
    rng = np.random.default_rng(0)
    covered = 0
    for repetition in range(200):
        right = rng.random(150) < 0.6
        scores = np.stack([right, ~right], axis=1).astype(float)
        (m,) = measure(
            scores,
            np.zeros(150, dtype=int),
            metrics=[top(1)],
            resampling=Resampling(200, 0.9, repetition),
        )
        covered += m.ci_low <= 0.6 <= m.ci_high
    assert 0.83 <= covered / 200 <= 0.96


def test_paired_difference_is_narrower_than_the_values(case):
    scores, labels = case
    nearly = scores + np.random.default_rng(1).normal(scale=0.05, size=scores.shape)
    (a,) = measure(scores, labels, metrics=[top(1)], resampling=RESAMPLING)
    (b,) = measure(nearly, labels, metrics=[top(1)], resampling=RESAMPLING)
    difference = uncertainty.paired_difference(a, b, confidence_level=0.9)
    assert difference.value == pytest.approx(a.value - b.value)
    np.testing.assert_allclose(difference.replicates, a.replicates - b.replicates)
    assert difference.ci_high - difference.ci_low < (a.ci_high - a.ci_low) * 0.8
    nothing = uncertainty.paired_difference(a, a, confidence_level=0.9)
    assert (nothing.value, nothing.ci_low, nothing.ci_high) == (0, 0, 0)


def test_unpaired_measurements_are_refused():
    a = Measurement("top_1", 0.5, 0.4, 0.6, n=10, replicates=np.zeros(5))
    b = Measurement("top_2", 0.5, 0.4, 0.6, n=12, replicates=np.zeros(6))
    with pytest.raises(DataError, match=r"metric.*n: 10 and 12; resamples: 5 and 6"):
        uncertainty.paired_difference(a, b, confidence_level=0.9)


@pytest.mark.parametrize("level", [0, 1, 95, -0.5])
def test_confidence_level_out_of_range_is_refused(level):
    with pytest.raises(ConfigError, match="confidence_level is"):
        uncertainty.percentile_interval(np.arange(3.0), level)


def test_undefined_replicates_give_no_interval():
    assert np.isnan(uncertainty.percentile_interval(np.full(5, np.nan), 0.9)).all()
    assert np.isnan(uncertainty.percentile_interval(np.empty(0), 0.9)).all()


def test_no_unit_is_refused():
    with pytest.raises(DataError, match="at least one unit"):
        uncertainty.bootstrap_counts(np.empty(0, dtype=int), stop=3, seed=0)


def test_metrics_start_without_heavy_imports():
    heavy = "{'torch', 'sklearn', 'pandas', 'pyarrow', 'scipy', 'transformers'}"
    code = (
        "import sys; from listenread.metrics.base import METRICS; METRICS.names(); "
        f"print({heavy} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
