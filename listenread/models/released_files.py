"""Reading the fetched vectors of the paper's authors: a cell's, or that there are none."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from listenread.files import tables
from listenread.models import released
from listenread.prompts import from_template


def read_audio(
    output: str | Path,
    *,
    folder: str | Path,
    ground_truth: str | Path,
    listing: str | Path,
    system: str,
    released_dataset: str | None,
    vocabulary: Sequence[str],
) -> None:
    """Write a dataset's released audio vectors, or a table that says that there are none.

    Args:
        output: the parquet file to write.
        folder: the fetched files.
        ground_truth: the released csv that says which clip a row is.
        listing: `resources/released_files.csv`.
        system: a folder of the released vectors.
        released_dataset: what the authors call the dataset; None where they did not embed it.
        vocabulary: labels in the order of the ground truth's columns.
    """
    if released_dataset is None:
        return tables.write_unavailable(output, "not released: the authors embedded TinySOL only")
    spaces = {
        space: _at_hand(folder, released.audio_path(system, space, released_dataset))
        for space in released.SPACES
    }
    released.released_audio(
        output,
        system=system,
        dataset=released_dataset,
        ground_truth=ground_truth,
        listing=listing,
        vocabulary=vocabulary,
        **spaces,
    )


def read_text(
    output: str | Path,
    *,
    folder: str | Path,
    listing: str | Path,
    system: str,
    prompt: str,
    labels: Sequence[str],
    words: Mapping[str, str],
    template: str | None,
) -> None:
    """Write a prompt's released text vectors, or a table that says that there are none.

    Args:
        output: the parquet file to write.
        folder: the fetched files.
        listing: `resources/released_files.csv`.
        system: a folder of the released vectors.
        prompt: our name of the prompt.
        labels: one per row of the released file.
        words: label -> its words, which fill the template in.
        template: where the texts are known; None for definitions and random sentences.
    """
    texts = None
    if template is not None and "{filler}" not in template:
        texts = [row.text for row in from_template(template, {x: words[x] for x in labels})]
    spaces = {
        space: _at_hand(folder, released.text_path(system, space, prompt))
        for space in released.SPACES
    }
    released.released_text(
        output,
        system=system,
        prompt=prompt,
        labels=labels,
        listing=listing,
        texts=texts,
        **spaces,
    )


def _at_hand(folder: str | Path, path: str) -> Path | None:
    """A fetched file, or None where it could not be had."""
    found = Path(folder) / path
    return found if found.is_file() else None
