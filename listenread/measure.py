"""Tasks: from scores and vectors to the tidy table of metrics with their uncertainty."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from listenread import tables
from listenread.datasets.base import read_manifest
from listenread.metrics import prototypes, zero_shot
from listenread.metrics.uncertainty import Measurement
from listenread.scores import class_indices, read_scores

#: Columns of the tidy table, in this order.
TIDY = pa.schema(
    [
        ("dataset", pa.string()),
        ("model", pa.string()),
        ("task", pa.string()),
        ("space", pa.string()),
        ("prompt", pa.string()),
        ("protocol", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("n", pa.int64()),
        ("chance", pa.float64()),
    ]
)
SPACES = ("joint", "pre_joint")
PROTOCOLS = ("published", "corrected")


def metric_names(top_k: Sequence[int]) -> list[str]:
    """Names of the metrics that every classification is measured with.

    >>> metric_names([1, 5])
    ['top_1', 'top_5', 'f1_weighted', 'f1_macro', 'roc_auc_macro', 'pr_auc_macro']
    """
    rest = [name for name in zero_shot.METRICS if not name.startswith("top_")]
    return [f"top_{k}" for k in top_k] + rest


def measure_zero_shot(
    scores_path: str | Path,
    output: str | Path,
    *,
    dataset: str,
    model: str,
    prompt: str,
    top_k: Sequence[int],
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Measure zero-shot classification by one prompt; write its rows of the tidy table.

    A prompt's published and corrected protocols are one and the same: nothing is evaluated on what
    built it, so the rows say `published`.
    """
    loaded = read_scores(scores_path)
    if isinstance(loaded, str):
        return tables.write_unavailable(
            output, loaded, dataset=dataset, model=model, task="zero_shot", prompt=prompt
        )
    scores, labels, _ = loaded
    measurements = zero_shot.measure(
        scores,
        labels,
        metrics=metric_names(top_k),
        resamples=resamples,
        confidence=confidence,
        seed=seed,
    )
    rows = _rows(
        measurements,
        dataset=dataset,
        model=model,
        task="zero_shot",
        space="joint",
        prompt=prompt,
        protocol="published",
    )
    tables.write(output, pa.Table.from_pylist(rows, TIDY), variants=len(scores))


def measure_audio_only(
    embeddings_path: str | Path,
    manifest_path: str | Path,
    output: str | Path,
    *,
    dataset: str,
    model: str,
    top_k: Sequence[int],
    resamples: int,
    confidence: float,
    seed: int,
) -> None:
    """Measure audio-only classification by class prototypes, in both spaces, by both protocols."""
    vectors = tables.read(embeddings_path, ["label"])
    if vectors.unavailable:
        return tables.write_unavailable(
            output, vectors.unavailable, dataset=dataset, model=model, task="audio_only"
        )
    manifest = read_manifest(manifest_path)
    labels = class_indices(vectors.data["label"].to_pylist(), manifest.vocabulary)
    folds = _folds(manifest.table["fold"])
    rows = []
    for space in SPACES:
        if space not in vectors.data.column_names:
            continue
        for protocol in PROTOCOLS:
            scores = prototypes.scores(
                tables.to_numpy(vectors.data[space]),
                labels,
                len(manifest.vocabulary),
                protocol=protocol,
                folds=folds,
            )
            measurements = zero_shot.measure(
                scores,
                labels,
                metrics=metric_names(top_k),
                resamples=resamples,
                confidence=confidence,
                seed=seed,
            )
            rows += _rows(
                measurements,
                dataset=dataset,
                model=model,
                task="audio_only",
                space=space,
                prompt=None,
                protocol=protocol,
            )
    held_out = "official folds" if folds is not None else "leave-one-out"
    tables.write(output, pa.Table.from_pylist(rows, TIDY), corrected_by=held_out)


def _folds(column: pa.ChunkedArray) -> np.ndarray | None:
    """Official folds, or None where the dataset has fewer than two (then leave-one-out)."""
    if column.null_count:
        return None
    folds = column.to_numpy()
    return folds if len(np.unique(folds)) > 1 else None


def _rows(measurements: Iterable[Measurement], **keys: str | None) -> list[dict[str, object]]:
    return [
        {
            **keys,
            "metric": one.metric,
            "value": one.value,
            "ci_low": one.ci_low,
            "ci_high": one.ci_high,
            "n": one.n,
            "chance": one.chance,
        }
        for one in measurements
    ]


def gather(paths: Sequence[str | Path], output: str | Path, csv: str | Path) -> None:
    """Put the tidy tables of an experiment together, as parquet and as csv.

    Cells that are empty on purpose are listed, with their reason, in the metadata of the parquet
    file (`unavailable_cells`).
    """
    parts, empty = [], []
    for path in paths:
        table = tables.read(path)
        if table.unavailable:
            keys = ("dataset", "model", "task", "prompt")
            empty.append({key: table.made_by.get(key) for key in keys} | {"why": table.unavailable})
        else:
            parts.append(table.data.select(TIDY.names))
    together = pa.concat_tables([TIDY.empty_table(), *parts]).replace_schema_metadata(None)
    tables.write(output, together, unavailable_cells=empty)
    partial = Path(f"{csv}.partial")
    together.to_pandas().to_csv(partial, index=False)
    partial.replace(csv)
