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
