"""What every measuring function does with groups: a replicate is its value of the clips it keeps.

The plain way: the same function, without replicates, on the clips that a replicate keeps.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from listenread.metrics import (
    blocks,
    classification,
    margin,
    prompt_effects,
    prototypes,
    separation,
    uncertainty,
)
from listenread.metrics.base import Measurement, Resampling, Scale, Target

N, C, D = 90, 4, 6
RESAMPLING = Resampling(15, 0.9, 3)
NO_REPLICATES = replace(RESAMPLING, n=0)


def data():
    """Clips in groups of one to eight, with ties among the scores."""
    rng = np.random.default_rng(5)
    groups = rng.integers(0, 25, N)
    labels = rng.integers(0, C, 25)[groups]
    scores = np.round(rng.normal(size=(2, N, C)) + np.eye(C)[labels], 1)
    return {
        "labels": labels, "groups": groups, "scores": scores, "texts": rng.normal(size=(C, D)),
        "audio": rng.normal(size=(N, D)) + rng.normal(size=(C, D))[labels],
        "positive": (rng.uniform(size=(N, C)) < 0.3) | np.eye(C, dtype=bool)[labels],
    }  # fmt: skip


def several(one, resampling, rows):
    target = Target(C, None, one["positive"][rows])
    return classification.measure_with_classes(
        one["scores"][0, rows], target, resampling=resampling, groups=one["groups"][rows]
    )[0]


def by_class(one, resampling, rows):
    _, found = classification.measure_with_classes(
        one["scores"][0, rows], one["labels"][rows], resampling=resampling,
        groups=one["groups"][rows],
        of_class=[*classification.OF_CLASS, classification.top_of_class(2)],
    )  # fmt: skip
    return [measured for of_class in found for measured in of_class]


def variants(one, resampling, rows):
    scores, labels = one["scores"][:, rows], one["labels"][rows]
    return classification.measure(scores, labels, resampling=resampling, groups=one["groups"][rows])


def of_margin(one, resampling, rows):
    return margin.measure(
        one["scores"][0, rows], one["labels"][rows], one["groups"][rows], resampling
    )


def of_ranking(one, resampling, rows):
    first, second = one["scores"][:, rows]
    return prompt_effects.measure_ranking(
        first, second, one["labels"][rows], one["groups"][rows], resampling
    )


def of_gap(one, resampling, rows):
    return [
        separation.measure_modality_gap(
            one["audio"][rows], one["texts"], one["groups"][rows], resampling
        )
    ]


def of_clip_pairs(one, resampling, rows):
    return separation.measure_clip_pairs(
        one["audio"][rows], one["labels"][rows], one["groups"][rows], resampling,
        bins=7, max_others=N,
    )  # fmt: skip


ALL = [several, by_class, variants, of_margin, of_ranking, of_gap, of_clip_pairs]


@pytest.mark.parametrize("max_bytes", [1, 2**30])
@pytest.mark.parametrize("measure", ALL)
def test_a_replicate_is_the_value_of_the_clips_that_it_keeps(measure, max_bytes, monkeypatch):
    monkeypatch.setattr(blocks, "CELLS", 50 if max_bytes == 1 else blocks.CELLS)
    one = data()
    measured = measure(one, replace(RESAMPLING, max_bytes=max_bytes), np.ones(N, dtype=bool))
    sets, n_sets = uncertainty.deal(one["groups"], RESAMPLING)
    assert n_sets == 13  # of two groups each
    for left_out in range(n_sets):
        kept = measure(one, NO_REPLICATES, sets != left_out)
        for found, wanted in zip(measured, kept, strict=True):
            assert found.metric == wanted.metric
            assert found.replicates[left_out] == pytest.approx(wanted.value, nan_ok=True, abs=1e-9)
    for found, plain in zip(measured, measure(one, NO_REPLICATES, np.ones(N, bool)), strict=True):
        assert found.value == pytest.approx(plain.value, abs=1e-12)
        assert np.isnan(plain.ci_low) and not len(plain.replicates) and plain.interval == ""
        assert found.chance == pytest.approx(plain.chance, nan_ok=True)
        # what the number of groups and the metric's range make of the replicates
        ends = uncertainty.interval(found.value, found.replicates, found.scale, found.n_groups, 0.9)
        assert (found.ci_low, found.ci_high) == pytest.approx(ends[:2], nan_ok=True)


def test_every_class_has_its_groups_and_its_chance():
    one = data()
    labels, groups = one["labels"], one["groups"]
    _, found = classification.measure_with_classes(
        one["scores"][0], labels, resampling=RESAMPLING, groups=groups,
        of_class=[*classification.OF_CLASS, classification.top_of_class(3)],
    )  # fmt: skip
    for index, of_class in enumerate(found):
        m = int((labels == index).sum())
        assert {one.n for one in of_class} == {m}
        assert {one.n_groups for one in of_class} == {len(set(groups[labels == index]))}
        chance = {measured.metric: measured.chance for measured in of_class}
        assert chance == pytest.approx(
            {"recall": 1 / C, "precision": m / N, "f1": 2 * m / (N + C * m), "roc_auc": 0.5,
             "pr_auc": m / N, "top_3": 3 / C}
        )  # fmt: skip


@pytest.mark.parametrize("max_bytes", [1, 2**30])
def test_what_is_learned_from_clips_is_learned_again_without_them(max_bytes):
    """But for decisions, whose replicates are those of the scores as they are."""
    one = data()
    labels, groups, vectors = one["labels"], one["groups"], one["audio"]

    def learned(kept):
        return prototypes.scores(vectors, labels, C, protocol="corrected", kept=kept, groups=groups)

    everything = np.ones(N, dtype=bool)
    measured = classification.measure(
        learned(everything), labels, resampling=replace(RESAMPLING, max_bytes=max_bytes),
        groups=groups, learned=learned,
    )  # fmt: skip
    sets, n_sets = uncertainty.deal(groups, RESAMPLING)
    by_name = {metric.name: metric for metric in classification.STANDARD}
    for left_out in range(n_sets):
        kept = sets != left_out
        again = classification.evaluate(learned(kept)[kept], labels[kept])
        same = classification.evaluate(learned(everything)[kept], labels[kept])
        for found in measured:
            wanted = same if by_name[found.metric].of_decisions else again
            assert found.replicates[left_out] == pytest.approx(wanted[found.metric], abs=1e-6)
            assert found.scale.learned is not by_name[found.metric].of_decisions


def test_accuracy_by_margin_has_the_interval_of_the_clips_in_the_bin():
    one = data()
    scores, labels, groups = one["scores"][0], one["labels"], one["groups"]
    for max_bytes in (1, 2**30):
        found = margin.reliability(
            scores, labels, bins=3, groups=groups,
            resampling=replace(RESAMPLING, max_bytes=max_bytes),
        )  # fmt: skip
        gap = margin.margins(scores)
        right = scores.argmax(axis=1) == labels
        sets, n_sets = uncertainty.deal(groups, RESAMPLING)
        for low, high, n, top_1, *ends in zip(
            found.margin_low, found.margin_high, found.n, found.top_1, found.ci_low, found.ci_high,
            strict=True,
        ):  # fmt: skip
            inside = (gap >= low) & (gap <= high)
            assert (inside.sum(), right[inside].mean()) == (n, pytest.approx(top_1))
            left = [right[inside & (sets != one)].mean() for one in range(n_sets)]
            n_groups = len(set(groups[inside]))
            scale = Scale(0, 1, share=True)
            wanted = uncertainty.interval(top_1, np.array(left), scale, n_groups, 0.9)
            assert ends == pytest.approx(wanted[:2]) and ends[0] < top_1 < ends[1]


def test_texts_are_left_out_of_the_cosines_of_texts():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 9, D))
    unit, other = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (first, second))
    measured = prompt_effects.measure_vectors(first, second, replace(RESAMPLING, max_bytes=1))
    pair = (unit * other).sum(axis=1)
    label = np.array([np.delete(unit @ unit[i], i).mean() for i in range(9)])
    sets, n_sets = uncertainty.deal(np.arange(9), RESAMPLING)
    for one, of_label in zip(measured, (pair, label), strict=True):
        assert one.value == pytest.approx(of_label.mean())
        left = [of_label[sets != r].mean() for r in range(n_sets)]
        np.testing.assert_allclose(one.replicates, left)
    two = prompt_effects.measure_vectors(first[:2], second[:2], NO_REPLICATES)
    assert two[1].value == pytest.approx(unit[0] @ unit[1])
    alone = prompt_effects.measure_vectors(first[:1], second[:1], NO_REPLICATES)
    assert alone[0].value == pytest.approx(pair[0]) and np.isnan(alone[1].value)


@pytest.mark.parametrize("n_groups", [3, 400, 2**16 + 5])
def test_sums_by_group_are_numpys(n_groups):
    rng = np.random.default_rng(0)
    groups = np.append(rng.integers(0, n_groups, 500), n_groups - 1)
    counts = rng.uniform(size=(501, 2)).astype(np.float32)
    wanted = np.zeros((n_groups, 2))
    np.add.at(wanted, groups, counts)
    found = uncertainty.sum_by_group(groups, n_groups, counts)
    assert found.shape == wanted.shape and found.dtype == counts.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_the_probability_of_a_mean_above_a_level_is_students():
    clips = np.random.default_rng(2).normal(0.3, 1, 12)
    left = (clips.sum() - clips) / 11
    one = Measurement("x", clips.mean(), n=12, n_groups=12, replicates=left)
    for level in (-0.5, 0.0, 1.0):
        wanted = stats.ttest_1samp(clips, level, alternative="greater").pvalue
        assert uncertainty.p_above(one, level) == pytest.approx(wanted)
    assert np.isnan(uncertainty.p_above(replace(one, replicates=np.full(12, 0.3)), 0.0))
    assert np.isnan(uncertainty.p_above(one, np.nan))


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("spread", [0.0, 0.01, 0.2])
def test_a_share_of_another_range_has_the_same_interval_in_that_range(value, spread):
    """Of [-1, 3] as of [0, 1]."""
    replicates = np.clip(value + spread * np.random.default_rng(3).normal(size=20), 0, 1)
    for share in (True, False):
        one, other = (
            uncertainty.interval(low + width * value, low + width * replicates,
                                 Scale(low, low + width, share=share), 20, 0.95)
            for low, width in ((0.0, 1.0), (-1.0, 4.0))
        )  # fmt: skip
        assert other[2] == one[2]
        assert other[:2] == pytest.approx((4 * one[0] - 1, 4 * one[1] - 1), nan_ok=True)


def test_a_difference_that_no_group_changes_has_an_interval_where_it_is_zero_alone():
    scale = Scale(share=True)
    low, high, method = uncertainty.interval(0.0, np.zeros(8), scale, 8, 0.9)
    assert high == pytest.approx(1 - 0.05 ** (1 / 8)) == -low and method == "Clopper-Pearson"
    low, high, _ = uncertainty.interval(0.4, np.full(8, 0.4), scale, 8, 0.9)
    assert np.isnan([low, high]).all()


def test_two_groups_have_an_interval_and_a_value_without_a_number_none():
    replicates = np.array([0.4, 0.5])
    low, high, method = uncertainty.interval(0.45, replicates, Scale(0, 1), 2, 0.9)
    assert 0 < low < 0.45 < high < 1 and method == "jackknife, few groups"
    assert np.isnan(uncertainty.standard_error(np.nan, replicates)).all()
    assert np.isnan(uncertainty.standard_error(0.4, np.array([0.4, np.nan]))).all()
