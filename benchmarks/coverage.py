"""Measure how often intervals hold the truth, on populations whose truth is known.

    python benchmarks/coverage.py                       # all, some forty minutes on two cores
    python benchmarks/coverage.py --only constant --repetitions 50

Clips (or instruments) are drawn at random from a population; the truth is what a very large draw
gives, or the mean of many draws where that is beyond memory. Coverage is the share of repetitions
whose 95 % interval holds it. `--write docs/uncertainty.md` replaces the tables of that page.
"""

import argparse
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from listenread.metrics import (
    classification,
    margin,
    prompt_effects,
    prototypes,
    separation,
    triplets,
)
from listenread.metrics.base import Measurement, Resampling
from listenread.metrics.scored import as_target, check
from listenread.metrics.uncertainty import deal, paired_difference, replicate_blocks

#: Sizes of the data sets of the paper and of the quickstart.
SIZES = (89, 293, 1166, 2913)
LEVEL = 0.95
RESAMPLING = Resampling(60)
METRICS = (
    classification.top(1),
    classification.top(5),
    classification.F1_WEIGHTED,
    classification.F1_MACRO,
    classification.ROC_AUC_MACRO,
    classification.PR_AUC_MACRO,
)
#: Draws of a bootstrap in the comparison of methods.
DRAWS = 400


@dataclass(frozen=True)
class Clips:
    """A sample of clips: scores (n, C), labels (n,), groups (n,)."""

    scores: np.ndarray
    labels: np.ndarray
    groups: np.ndarray


def clips(
    rng: np.random.Generator,
    n: int,
    *,
    n_classes: int = 14,
    apart: float = 1.5,
    balanced: bool = False,
    heavy: bool = False,
    digits: int | None = None,
    group_size: int = 1,
    constant: bool = False,
) -> Clips:
    """Draw clips of classes whose sizes fall like 1 / rank; a group shares most of its noise."""
    share = np.ones(n_classes) if balanced else 1 / np.arange(1, n_classes + 1)
    groups = np.arange(n) // group_size
    n_groups = int(groups[-1]) + 1
    labels = rng.choice(n_classes, n_groups, p=share / share.sum())[groups]

    def noise(rows: int) -> np.ndarray:
        shape = (rows, n_classes)
        return rng.standard_t(3, shape) if heavy else rng.normal(size=shape)

    scores = noise(n_groups)[groups]
    if group_size > 1:
        scores = 0.95 * scores + 0.3 * noise(n)
    scores += apart * np.eye(n_classes)[labels]
    if constant:
        scores = np.tile(np.arange(n_classes, 0.0, -1), (n, 1))
    return Clips(scores if digits is None else np.round(scores, digits), labels, groups)


POPULATIONS: dict[str, Callable[[np.random.Generator, int], Clips]] = {
    "14 unbalanced classes": clips,
    "heavy tails": partial(clips, heavy=True),
    "2 classes": partial(clips, n_classes=2, balanced=True),
    "50 unbalanced classes": partial(clips, n_classes=50, apart=2.0),
    "groups of 3": partial(clips, group_size=3),
    "ties": partial(clips, digits=0),
    "knows nothing": partial(clips, apart=0.0),
    "nearly perfect": partial(clips, apart=6.0),
    "constant": partial(clips, constant=True),
}


def of_classification(sample: Clips, resampling: Resampling = RESAMPLING) -> list[Measurement]:
    """Measure a sample as the workflow does."""
    return classification.measure(
        sample.scores, sample.labels, metrics=METRICS, resampling=resampling, groups=sample.groups
    )


def of_difference(
    rng: np.random.Generator, n: int, population: str, resampling: Resampling = RESAMPLING
) -> list[Measurement]:
    """The paired difference of two prompts on the same clips, the second a little better."""
    one = POPULATIONS[population](rng, n)
    better = one.scores + 0.3 * rng.normal(size=one.scores.shape)
    better += 0.3 * np.eye(one.scores.shape[1])[one.labels]
    first, second = (
        of_classification(Clips(scores, one.labels, one.groups), resampling)
        for scores in (better, one.scores)
    )
    return [
        paired_difference(a, b, confidence_level=LEVEL) for a, b in zip(first, second, strict=True)
    ]


def vectors(rng: np.random.Generator, n: int, size: int = 1) -> tuple[np.ndarray, Clips]:
    """Audio vectors of 14 unbalanced classes, in groups, with folds by group in `scores`."""
    drawn = clips(rng, n, group_size=size)
    centres = np.random.default_rng(0).normal(size=(14, 16))
    n_groups = int(drawn.groups[-1]) + 1
    noise = 1.6 * rng.normal(size=(n_groups, 16))[drawn.groups] + 0.4 * rng.normal(size=(n, 16))
    return centres[drawn.labels] + noise, drawn


def of_prototypes(
    rng: np.random.Generator,
    n: int,
    protocol: str,
    size: int = 1,
    resampling: Resampling = RESAMPLING,
) -> list[Measurement]:
    """Class means, learned again for what compares scores of different clips."""
    audio, drawn = vectors(rng, n, size)
    folds = drawn.groups % 5 if protocol == "corrected" else None

    def learned(kept: np.ndarray | None) -> np.ndarray:
        return prototypes.scores(audio, drawn.labels, 14, protocol=protocol, folds=folds, kept=kept)

    return classification.measure(
        learned(None), drawn.labels, metrics=METRICS, resampling=resampling,
        groups=drawn.groups, learned=learned,
    )  # fmt: skip


def of_separation(
    rng: np.random.Generator, n: int, resampling: Resampling = RESAMPLING
) -> list[Measurement]:
    """Cosines of clips with texts."""
    drawn = clips(rng, n, heavy=True)
    profile = separation.text_audio_profile(np.tanh(drawn.scores / 4), drawn.labels, bins=200)
    return separation.measure(profile, drawn.groups, resampling)


def of_pairs(
    rng: np.random.Generator, n: int, resampling: Resampling = RESAMPLING
) -> list[Measurement]:
    """Cosines of clips with clips."""
    audio, drawn = vectors(rng, n)
    return separation.measure_clip_pairs(
        audio, drawn.labels, drawn.groups, resampling, bins=200, max_others=5000
    )


def of_margin(
    rng: np.random.Generator, n: int, resampling: Resampling = RESAMPLING
) -> list[Measurement]:
    """The difference of the two largest scores."""
    drawn = clips(rng, n)
    return margin.measure(drawn.scores, drawn.labels, drawn.groups, resampling)


def of_rankings(
    rng: np.random.Generator, n: int, resampling: Resampling = RESAMPLING
) -> list[Measurement]:
    """How alike two prompts rank the classes."""
    drawn = clips(rng, n)
    other = drawn.scores + rng.normal(size=drawn.scores.shape)
    return prompt_effects.measure_ranking(
        drawn.scores, other, drawn.labels, drawn.groups, resampling
    )


def of_triplets(
    rng: np.random.Generator, n: int, resampling: Resampling = RESAMPLING
) -> list[Measurement]:
    """Texts of instruments of eight families, related within these."""
    centres = np.random.default_rng(0).normal(size=(8, 6))
    family = rng.integers(0, 8, n)
    texts = 0.8 * centres[family] + rng.normal(size=(n, 6))
    same = family[:, None] == family
    return triplets.measure(
        texts, np.where(same, 2.0, np.inf), same.astype(int), protocol="corrected",
        resampling=resampling,
    )[:1]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What is measured on samples of some sizes, and how large a draw its truth comes from.

    Where `truth` is None it is the mean of as many draws of the same size: what is learned from few
    clips is worse than what is learned from many, and the value is about the former.
    """

    measure: Callable[..., list[Measurement]]
    sizes: tuple[int, ...] = SIZES
    truth: int | None = 60_000
    truths: int = 4


#: Of what is learned from the clips.
AT_SIZE: dict[str, Any] = {"truth": None, "truths": 300}

CASES: dict[str, Case] = {
    **{
        name: Case(lambda rng, n, draw=draw, **how: of_classification(draw(rng, n), **how))
        for name, draw in POPULATIONS.items()
    },
    "difference of prompts": Case(partial(of_difference, population="14 unbalanced classes")),
    "difference, groups of 3": Case(partial(of_difference, population="groups of 3")),
    "prototypes, published": Case(partial(of_prototypes, protocol="published"), **AT_SIZE),
    "prototypes, corrected": Case(partial(of_prototypes, protocol="corrected"), **AT_SIZE),
    "prototypes, groups of 3": Case(
        partial(of_prototypes, protocol="corrected", size=3), **AT_SIZE
    ),
    "clips and texts": Case(of_separation),
    "clips and clips": Case(of_pairs, sizes=SIZES[:3], truth=4000, truths=10),
    "margin": Case(of_margin),
    "two rankings": Case(of_rankings),
    "triplets": Case(of_triplets, sizes=(14, 30, 100), truth=150, truths=60),
}


def coverage(name: str, repetitions: int) -> dict[str, list[tuple[float, float, float]]]:
    """Metric -> for each size coverage, mean width, and the share that is not defined."""
    case = CASES[name]
    rng = np.random.default_rng([len(name), *name.encode()])
    names = [one.metric for one in case.measure(rng, case.sizes[0])]
    found: dict[str, list[tuple[float, float, float]]] = {metric: [] for metric in names}
    truth = {} if case.truth is None else _truth(case, rng, case.truth)
    for n in case.sizes:
        runs = [case.measure(rng, n) for _ in range(repetitions)]
        at_size = _truth(case, rng, n) if case.truth is None else truth
        for metric, value in at_size.items():
            ones = [one for run in runs for one in run if one.metric == metric]
            low, high = (np.array([getattr(one, end) for one in ones])
                         for end in ("ci_low", "ci_high"))  # fmt: skip
            defined = ~np.isnan(low)
            inside = (low <= value + 1e-12) & (value - 1e-12 <= high)
            found[metric].append(
                (
                    float(inside[defined].mean()) if defined.any() else float("nan"),
                    float((high - low)[defined].mean()) if defined.any() else float("nan"),
                    float(1 - defined.mean()),
                )
            )
    return found


def _truth(case: Case, rng: np.random.Generator, n: int) -> dict[str, float]:
    draws = [case.measure(rng, n, resampling=Resampling(0)) for _ in range(case.truths)]
    return {
        one.metric: float(np.mean([draw[index].value for draw in draws]))
        for index, one in enumerate(draws[0])
    }


def methods(sample: Clips, rng: np.random.Generator) -> dict[str, dict[str, tuple[float, float]]]:
    """Method -> metric -> the interval that it gives, from the same statistic on weights."""
    scored = check(sample.scores, as_target(sample.labels, sample.scores.shape[1]))
    groups = np.unique(sample.groups, return_inverse=True)[1]
    n_groups = int(groups.max()) + 1
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=DRAWS).T[groups]
    sets, n_sets = deal(groups, RESAMPLING)
    ((_, left),) = replicate_blocks(sets, n_sets, RESAMPLING, bytes_per_replicate=1)
    found: dict[str, dict[str, tuple[float, float]]] = {}
    tail = (1 - LEVEL) / 2
    on = [scored.on(w) for w in (np.ones((len(groups), 1)), drawn.astype(float), left)]
    for metric in METRICS:
        value, boot, jack = (np.asarray(metric.weighted(weighted)) for weighted in on)
        value = float(value[0])
        boot = boot[~np.isnan(boot)]
        low, high = np.quantile(boot, [tail, 1 - tail])
        error = np.sqrt((n_sets - 1) / n_sets * ((jack - jack.mean()) ** 2).sum())
        centre = n_sets * value - (n_sets - 1) * jack.mean()
        t = stats.t.ppf(1 - tail, n_sets - 1)
        ends = {
            "percentile": (low, high),
            "basic": (2 * value - high, 2 * value - low),
            "BCa": _bca(value, boot, jack, tail),
            "jackknife": (value - t * error, value + t * error),
            "jackknife, no bias": (centre - t * error, centre + t * error),
            "jackknife, logit": _logit(value, error * t),
            "jackknife, no bias, logit": _logit(centre, error * t),
        }
        for method, interval in ends.items():
            found.setdefault(method, {})[metric.name] = interval
    return found


def _bca(value: float, boot: np.ndarray, jack: np.ndarray, tail: float) -> tuple[float, float]:
    """Efron, Journal of the American Statistical Association 82, 1987."""
    below = np.clip((boot < value).mean(), 0.5 / len(boot), 1 - 0.5 / len(boot))
    z0 = stats.norm.ppf(below)
    moved = jack.mean() - jack
    spread = (moved**2).sum() ** 1.5
    acceleration = (moved**3).sum() / (6 * spread) if spread > 0 else 0.0
    z = z0 + stats.norm.ppf([tail, 1 - tail])
    low, high = np.quantile(boot, stats.norm.cdf(z0 + z / (1 - acceleration * z)))
    return float(low), float(high)


def _logit(centre: float, reach: float) -> tuple[float, float]:
    if not 0 < centre < 1:
        return float("nan"), float("nan")
    logit, wide = np.log(centre / (1 - centre)), reach / (centre * (1 - centre))
    return tuple(1 / (1 + np.exp(-(logit + side * wide))) for side in (-1, 1))


def compared(name: str, n: int, repetitions: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Method -> metric -> coverage and width relative to the percentile interval's."""
    rng = np.random.default_rng([n, *name.encode()])
    large = of_classification(POPULATIONS[name](rng, 200_000))
    truth = {one.metric: one.value for one in large}
    runs = [methods(POPULATIONS[name](rng, n), rng) for _ in range(repetitions)]
    result: dict[str, dict[str, tuple[float, float]]] = {}
    for method in runs[0]:
        for metric, value in truth.items():
            low, high = np.array([run[method][metric] for run in runs]).T
            plain = np.mean([np.diff(run["percentile"][metric]) for run in runs])
            result.setdefault(method, {})[metric] = (
                float(((low <= value) & (value <= high)).mean()),
                float(np.nanmean(high - low) / plain) if plain > 0 else float("nan"),
            )
    return result


def share(value: float) -> str:
    """Write a share as tables of the page do."""
    return "-" if np.isnan(value) else f"{value:.2f}".removeprefix("0") if value < 1 else "1.00"


def chosen_table(found: dict[str, dict[str, list[tuple[float, float, float]]]]) -> str:
    """Coverage of the chosen method: a line for each population and metric."""
    lines = ["| population or task | metric | sizes | coverage | mean width | not defined |",
             "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for name, by_metric in found.items():
        sizes = " / ".join(f"{n:,}" for n in CASES[name].sizes)
        for metric, cells in by_metric.items():
            columns = [" / ".join(share(cell[i]) for cell in cells) for i in range(3)]
            lines.append(f"| {name} | `{metric}` | {sizes} | {' | '.join(columns)} |")
    return "\n".join(lines)


def methods_table(
    found: dict[tuple[str, int], dict[str, dict[str, tuple[float, float]]]],
) -> str:
    """Coverage and relative width of each method."""
    names = [metric.name for metric in METRICS]
    lines = ["| population | clips | method | " + " | ".join(f"`{n}`" for n in names) + " |",
             "| --- | --- | --- |" + " --- |" * len(names)]  # fmt: skip
    for (population, n), by_method in found.items():
        for method, by_metric in by_method.items():
            cells = [f"{share(c)} ({w:.2f})" for c, w in (by_metric[name] for name in names)]
            lines.append(f"| {population} | {n:,} | {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-methods", action="store_true")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = {name: pool.submit(coverage, name, options.repetitions) for name in options.only}
        others = {} if options.no_methods else {
            (name, n): pool.submit(compared, name, n, options.repetitions)
            for name in ("14 unbalanced classes", "groups of 3") for n in SIZES[:3]
        }  # fmt: skip
        tables = {"chosen": chosen_table({name: job.result() for name, job in jobs.items()})}
        if others:
            tables["methods"] = methods_table({key: job.result() for key, job in others.items()})
    for name, table in tables.items():
        print(f"\n{name}\n\n{table}")
        if options.write:
            page = options.write.read_text("utf-8")
            marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
            options.write.write_text(marked.sub(rf"\1\n{table}\n\n\2", page), "utf-8")


if __name__ == "__main__":
    main()
