"""Claims: corrections against scipy and by enumeration, and how often random scores earn one."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from listenread.metrics.chance import by_permutation, p_value
from listenread.metrics.classification import top
from listenread.tasks import claims
from listenread.tasks.claims import Reading
from listenread.tasks.zero_shot import answers


def test_benjamini_hochberg_is_scipys():
    rng = np.random.default_rng(0)
    for m in (1, 2, 7, 100):
        p = np.round(rng.uniform(size=m) ** 3, 2)
        np.testing.assert_allclose(
            claims.benjamini_hochberg(p), stats.false_discovery_control(p), atol=1e-12
        )


def by_closure(p):
    """Holm's method is the closed test of Bonferroni's: every set that holds a claim is tested."""
    m = len(p)
    adjusted = np.zeros(m)
    for size in range(1, m + 1):
        for chosen in combinations(range(m), size):
            joint = min(1, size * min(p[i] for i in chosen))
            for i in chosen:
                adjusted[i] = max(adjusted[i], joint)
    return adjusted


def test_holm_is_the_closed_test():
    rng = np.random.default_rng(1)
    for m in (1, 2, 5, 7):
        p = rng.uniform(size=m) ** 2
        np.testing.assert_allclose(claims.holm(p), by_closure(p), atol=1e-12)
    found = claims.holm([0.01, np.nan, 0.02])
    assert np.isnan(found[1]) and found[0] == pytest.approx(0.02)
    assert claims.holm([]).shape == (0,)


def test_the_test_of_a_difference_is_the_paired_t_test():
    """Leaving out one clip at a time, the jackknife of a mean is Student's own."""
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, 25)) + np.array([[0.4], [0.0]])

    def row(values):
        return pd.Series(
            {"metric": "x", "value": values.mean(), "n": 25, "n_groups": 25,
             "replicates": (values.sum() - values) / 24}
        )  # fmt: skip

    found = claims.difference(row(first), row(second), Reading(), share=False)
    wanted = stats.ttest_rel(first, second)
    ends = wanted.confidence_interval(0.95)
    assert found.p == pytest.approx(wanted.pvalue)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    values = np.array([first.mean(), second.mean()])
    replicates = np.stack([(first.sum() - first) / 24, (second.sum() - second) / 24])
    assert claims.all_pairs(values, replicates, 24)[0, 1] == pytest.approx(wanted.pvalue)


def test_rows_of_other_clips_are_not_compared():
    one = pd.Series({"metric": "x", "value": 0.5, "n": 9, "n_groups": 9, "replicates": np.ones(9)})
    other = one.copy()
    other["n"] = 8
    found = claims.difference(one, other, Reading())
    assert found.value == 0 and np.isnan(found.p) and np.isnan(found.low)


def prompts(clips):
    """Rows of prompts that were measured on the same clips, shape (prompts, clips)."""
    k, n = clips.shape
    left = (clips.sum(axis=1, keepdims=True) - clips) / (n - 1)
    return pd.DataFrame(
        {"dataset": "d", "model": "m", "metric": "top_1", "prompt": [f"p{i}" for i in range(k)],
         "value": clips.mean(axis=1), "n": n, "n_groups": n, "replicates": list(left)}
    )  # fmt: skip


def paired(clips):
    """Every paired t-test of scipy, with its p after Holm, and the ends of all intervals."""
    tests = [stats.ttest_rel(clips[i], clips[j]) for i, j in combinations(range(len(clips)), 2)]
    ends = [test.confidence_interval(1 - 0.05 / len(tests)) for test in tests]
    adjusted = claims.holm([test.pvalue for test in tests])
    return adjusted, max(abs(end) for pair in ends for end in pair)


@pytest.mark.parametrize(("k", "apart", "seed"), [(2, 1.0, 0), (5, 1.0, 1), (2, 0, 2), (4, 0, 3)])
def test_pairs_of_prompts_are_told_apart_by_paired_t_tests(k, apart, seed):
    rng = np.random.default_rng(seed)
    clips = 0.5 + rng.normal(size=30) + 0.5 * rng.normal(size=(k, 30))
    clips[0] -= apart
    adjusted, most = paired(clips)
    found = int((adjusted <= 0.05).sum())
    (sentence,) = answers.wordings(prompts(clips), Reading())
    of = "the two" if k == 2 else f"{found} of the {k * (k - 1) // 2} pairs of prompts"
    how = "(paired differences, corrected after Holm)."
    if apart:
        assert 1 <= found < k * (k - 1) / 2 or k == 2
        assert f" On the same clips {of} differ beyond chance {how}" in sentence
    else:
        assert f"was found, which could be as large as {100 * most:.1f} points {how}" in sentence


def test_pairs_of_prompts_with_the_same_answers_may_differ_in_groups_not_seen():
    clips = np.tile((np.arange(20) < 12).astype(float), (2, 1))
    (sentence,) = answers.wordings(prompts(clips), Reading())
    most = 1 - 0.025 ** (1 / 20)  # Clopper and Pearson's of no difference in twenty groups
    assert f"could be as large as {100 * most:.1f} points" in sentence


def test_of_many_prompts_those_across_the_whole_range_are_compared():
    rng = np.random.default_rng(4)
    rows = prompts(np.linspace(0, 1, 120)[:, None] + 0.01 * rng.normal(size=(120, 25)))
    (sentence,) = answers.wordings(rows.sample(frac=1, random_state=0), Reading())
    assert "of the 1,225 pairs of prompts differ" in sentence  # of fifty
    assert "worded in 120 ways" in sentence and "from 0.0" in sentence.replace("-0.0", "0.0")


def test_prompts_that_cannot_be_paired_are_not_compared():
    rows = prompts(np.random.default_rng(5).uniform(size=(3, 20)))
    (other,) = answers.wordings(rows.drop(columns="replicates"), Reading())
    assert "On the same clips" not in other
    for column, value in [("n_groups", [20, 20, 19]), ("replicates", [rows["replicates"][0]] + 2 * [
        rows["replicates"][0][:-1]])]:  # fmt: skip
        (other,) = answers.wordings(rows.assign(**{column: value}), Reading())
        assert "On the same clips" not in other
    rows.at[1, "replicates"] = None  # of a cell without: the other two are compared
    (sentence,) = answers.wordings(rows, Reading())
    assert "no difference between the prompts was found" in sentence or "the two differ" in sentence


def test_how_many_prompts_are_above_chance():
    def said(*p):
        return claims.above_chance(pd.DataFrame({"p": p}), Reading())

    assert said(0.04) == "This is above chance at the 5.0\u202f% level."
    assert said(0.06) == "This is not above chance at the 5.0\u202f% level."
    for p, start in [
        ((0.03, 0.03, 0.5), "None of 3 prompts is"),
        ((0.01, 0.03, 0.5), "One of 3 prompts is"),
        ((0.01, 0.02, 0.5, np.nan), "2 of 3 prompts are"),
        ((0.01, 0.02, 0.03), "All 3 prompts are"),
    ]:
        corrected = "at the 5.0\u202f% level, corrected for 3 tests after Holm."
        assert said(*p) == f"{start} above chance {corrected}"
    assert said(np.nan) == "" == claims.above_chance(pd.DataFrame({"value": [1]}), Reading())


def test_a_difference_is_written_in_points_with_its_interval():
    found = claims.Difference(0.03, -0.0151, 0.0751, 0.2)
    assert claims.points_with_interval(found, Reading(0.9)) == (
        "+3.0 points (90\u202f% interval -1.5 to +7.5)"
    )
    alone = claims.Difference(-0.03, np.nan, np.nan, np.nan)
    assert claims.points_with_interval(alone, Reading()) == "-3.0 points"


def test_shares_that_no_group_tells_apart_have_the_exact_interval_of_a_difference():
    row = pd.Series(
        {"metric": "x", "value": 0.5, "n": 9, "n_groups": 9, "replicates": np.full(9, 0.5)}
    )
    found = claims.difference(row, row, Reading())
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 9)) == -found.low and found.p == 1
    assert np.isnan(claims.difference(row, row, Reading(), share=False).low)


@pytest.mark.slow
@pytest.mark.parametrize("group_size", [1, 3])
def test_random_prompts_are_above_chance_in_few_runs(group_size):
    """Must not say of twenty prompts that know nothing that one is above chance, in 200 runs."""
    rng = np.random.default_rng(group_size)
    runs, prompts, n = 200, 20, 120
    groups = np.arange(n) // group_size
    claimed = 0
    for run in range(runs):
        labels = rng.integers(0, 6, n)[groups]
        rows = []
        for prompt in range(prompts):
            # groups answer alike, and the tower favours some classes: chance is not 1 / 6
            scores = rng.normal(size=(n, 6))[groups] + 0.1 * rng.normal(size=(n, 6))
            scores += np.arange(6) / 3
            value = float((scores.argmax(axis=1) == labels).mean())
            luck = by_permutation(
                scores, labels, metrics=[top(1)], permutations=60, seed=run, groups=groups
            )["top_1"]
            rows.append(
                {"dataset": "d", "model": "m", "metric": "top_1", "prompt": str(prompt),
                 "value": value, "chance": 1 / 6, "ci_low": 0.0, "ci_high": 1.0,
                 "p": p_value(value, luck)}
            )  # fmt: skip
        (said,) = answers.best_prompts(pd.DataFrame(rows), Reading())
        claimed += "None of 20 prompts is above chance" not in said
    assert claimed / runs <= 0.08  # .05 and twice the deviation of 200 runs
