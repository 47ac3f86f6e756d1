"""A cell of an experiment: what a task or a figure reads, loaded when it is asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from listenread import ontology
from listenread.datasets.manifest import Manifest, read_manifest
from listenread.errors import DataError, Unavailable
from listenread.files import tables
from listenread.metrics.base import Target
from listenread.scores import Scores, read_scores

#: Spaces of the vectors, in the order in which tasks measure them.
SPACES = ("joint", "pre_joint")


class Texts(NamedTuple):
    """Text vectors of one prompt in one space.

    Attributes:
        labels: the L labels (or instruments of an ontology).
        vectors: float32, shape (V, L, d), one block for each variant of the prompt.
    """

    labels: list[str]
    vectors: np.ndarray


@dataclass
class Cell:
    """What a task reads, for one dataset, model and prompt (as far as its `per` has them).

    Everything is loaded when it is asked for, one thing at a time, because vectors and scores can
    be large. What is not there raises `Unavailable` with the reason.

    Attributes:
        keys: values of the columns `dataset`, `model`, `prompt` that it has.
        files: what can be read -> where: ``manifest``, ``scores``, ``audio``, ``text``,
            ``ontology_text``, ``ontology``; ``metrics`` is a list of tidy tables.
        names: label -> the label and its words in every spelling.
        ontology_settings: `column` and `root`; see `listenread.ontology.read`.
        reference: the cell of the reference prompt, for a pair of prompts.
        parts: the cells of an experiment, for a task per experiment.
        facts: what the task notes for the metadata of its table.
        missing: space -> why its vectors are not there, filled by `spaces`; or another part that
            a task leaves out -> why.
    """

    keys: Mapping[str, str]
    files: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ontology_settings: Mapping[str, Any] = field(default_factory=dict)
    reference: "Cell | None" = None
    parts: "Sequence[Cell]" = ()
    facts: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> list[str]:
        """The labels of the dataset in the order of the classes."""
        return self.manifest.vocabulary

    @cached_property
    def manifest(self) -> Manifest:
        """The dataset's manifest."""
        return read_manifest(self.files["manifest"])

    def scores(self) -> Scores:
        """Similarities of clips and classes.

        Raises:
            Unavailable: there are none, and why.
        """
        return read_scores(self.files["scores"])

    def target(self, clip_ids: Sequence[str]) -> Target:
        """Labels of some clips, in their order.

        Raises:
            DataError: a clip is not in the manifest.
        """
        columns = self.manifest.table.select(["labels", "unknown"])
        labels, unknown = (columns[name].to_pylist() for name in columns.column_names)
        rows = self._rows(clip_ids)
        return Target.from_labels(
            [labels[row] for row in rows],
            self.classes,
            [unknown[row] for row in rows] if any(unknown) else (),
        )

    def groups(self, clip_ids: Sequence[str]) -> np.ndarray:
        """Group of some clips, int64, shape (n,): clips that are not independent share one.

        Raises:
            DataError: a clip is not in the manifest.
        """
        return self._group_of[self._rows(clip_ids)]

    def folds(self, clip_ids: Sequence[str]) -> np.ndarray | None:
        """Folds of some clips, int, shape (n,); None where there are fewer than two, or gaps."""
        fold_of = self.manifest.table["fold"].to_pylist()
        folds = [fold_of[row] for row in self._rows(clip_ids)]
        if None in folds or len(set(folds)) < 2:
            return None
        return np.array(folds)

    def _rows(self, clip_ids: Sequence[str]) -> list[int]:
        """Rows of the manifest; released vectors may stand in another order."""
        try:
            return [self._row_of[clip_id] for clip_id in clip_ids]
        except KeyError as error:
            raise DataError(f"clip {error} is not in {self.files['manifest']}") from error

    @cached_property
    def _group_of(self) -> np.ndarray:
        return np.array(self.manifest.group_numbers(), dtype=np.int64)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.manifest.table["clip_id"].to_pylist())}

    def clip_ids(self) -> list[str]:
        """Clips of the audio vectors, in their order.

        Raises:
            Unavailable: there are no audio vectors at all, and why.
        """
        table = tables.read(self.files["audio"], ["clip_id"], only=["clip_id"])
        if table.unavailable:
            raise Unavailable(table.unavailable)
        ids: list[str] = table.data["clip_id"].to_pylist()
        return ids

    def audio(self, space: str) -> np.ndarray:
        """Audio vectors of one space, float32, shape (n, d).

        Raises:
            Unavailable: there are none, and why.
        """
        return tables.read_vectors(self.files["audio"], space)

    def text(self, space: str) -> Texts:
        """Text vectors of one space: of the dataset's labels, or of an ontology's instruments.

        Raises:
            Unavailable: there are none, and why.
        """
        path = self.files["text" if "text" in self.files else "ontology_text"]
        table = tables.read(path, ["label"], only=["label", space])
        why = table.why_without(space)
        if why:
            raise Unavailable(why)
        labels = list(dict.fromkeys(table.data["label"].to_pylist()))
        vectors = tables.to_numpy(table.data[space])  # (V * L, d)
        return Texts(labels, vectors.reshape(-1, len(labels), vectors.shape[1]))

    def spaces(self, load: Callable[[str], Any]) -> Iterator[tuple[str, Any]]:
        """Load the vectors of one space after the other; a space without is noted as missing.

        Args:
            load: `audio` or `text`.

        Yields:
            The name of the space and what was loaded.

        Raises:
            Unavailable: no space has vectors.
        """
        reasons = {}
        for space in SPACES:
            try:
                loaded = load(space)
            except Unavailable as error:
                reasons[space] = str(error)
                continue
            yield space, loaded
            del loaded
        if len(reasons) == len(SPACES):
            raise Unavailable("; ".join(dict.fromkeys(reasons.values())))
        self.missing.update(reasons)

    @cached_property
    def ontology(self) -> ontology.Ontology:
        """The ontology of the experiment."""
        return ontology.read(self.files["ontology"], **self.ontology_settings)

    @property
    def ontology_file(self) -> str:
        """Name of the ontology's file."""
        return Path(self.files["ontology"]).name

    def rows(self, *row_tasks: str) -> Iterator[dict[str, Any]]:
        """Rows of the tidy tables that a figure reads; those of empty cells are not there.

        Args:
            row_tasks: values of the column `task` that are wanted; all where none is given.
        """
        for path in self.files["metrics"]:
            table = tables.read(path)
            if not table.unavailable:
                for batch in table.data.to_batches():
                    yield from (
                        row
                        for row in batch.to_pylist()
                        if not row_tasks or row["task"] in row_tasks
                    )


def cell_of(
    wildcards: Mapping[str, str],
    inputs: Mapping[str, Any],
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    ontology: Mapping[str, Any] | None = None,
    parts: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
) -> Cell:
    """Make the cell of a job.

    Args:
        wildcards: names of the dataset (or ontology), model, prompt and reference prompt.
        inputs: the files that the job reads, by name; those of a reference prompt begin with
            ``reference_``; `code` is ignored.
        names: see `Cell.names`.
        ontology: see `Cell.ontology_settings`.
        parts: for a task per experiment: what is read -> the keys of each cell, in the order of the
            files.
    """
    # Snakemake's lists with names look for values when asked `in`.
    wildcards, inputs = dict(wildcards.items()), dict(inputs.items())
    keys: dict[str, str] = {
        name: wildcards[name] for name in ("dataset", "model", "prompt") if name in wildcards
    }
    if "ontology_name" in wildcards:
        keys = {"dataset": wildcards["ontology_name"], **keys}
    files: dict[str, Any] = {
        name: inputs[name]
        for name in ("manifest", "scores", "audio", "text", "ontology_text", "ontology", "metrics")
        if name in inputs
    }
    if parts:
        return Cell({}, {}, parts=_parts(parts, inputs))
    reference = None
    if "reference" in wildcards:
        other = {name: inputs[f"reference_{name}"] for name in ("scores", "text")
                 if f"reference_{name}" in inputs}  # fmt: skip
        reference = Cell(
            {**keys, "prompt": wildcards["reference"]}, {**files, **other}, names or {}
        )
        keys["prompt"] = f"{wildcards['prompt']} - {wildcards['reference']}"
    return Cell(keys, files, names or {}, ontology or {}, reference)


def _parts(
    parts: Mapping[str, Sequence[Mapping[str, str]]], inputs: Mapping[str, Any]
) -> list[Cell]:
    """The cells of an experiment, each with all files of its dataset, model and prompt."""
    found = {
        what: {tuple(keys.items()): path for keys, path in zip(cells, inputs[what], strict=True)}
        for what, cells in parts.items()
    }
    finest = max(parts.values(), key=lambda cells: max(map(len, cells), default=0))
    return [
        Cell(
            dict(keys),
            {
                what: path
                for what, files in found.items()
                for names, path in files.items()
                if set(names) <= set(keys.items())
            },
        )
        for keys in finest
    ]
