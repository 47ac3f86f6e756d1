"""The vectors that the paper's authors released, as the embeddings tables of this workflow.

Vasilakis, Bittner, Pauwels, ISMIR 2024, arXiv 2407.18058; see `listenread.paper.files`. What was
not released, or could not be fetched, raises `Unavailable` with the reason.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from listenread.errors import DownloadError, ModelError, Unavailable, UnreachableError
from listenread.files import atomic, tables
from listenread.files.material import Source
from listenread.paper.files import (
    GROUND_TRUTH,
    fetch_file,
    listing,
    read_clip_order,
    read_listing,
    verify,
)
from listenread.prompts import from_template

#: Written in the folder of the files: where they came from, and which are absent.
SOURCE_FILE = "source.json"

#: Our names of the prompts -> the authors' file names.
PROMPTS = {
    "track": "muscall_prompt",
    "recording": "this_is_a_recording_of",
    "solo": "solo_musical_instrument_sound_of",
    "sound": "sound_of_musical_instrument",
    "random_context": "label_random_context",
    "negated": "negative_muscall_prompts",
    "definition": "definition",
    "definition_masked": "definition_no_label_word",
    "families": "muscall_prompt_instruments",
    "families_instruments": "muscall_prompt_and_instruments",
    "families_musical_instruments": "muscall_prompt_and_musical_instruments",
}
#: Our names of the spaces -> the authors' folders.
SPACES = {"pre_joint": "pre_joint", "joint": "joint_space"}


def audio_path(system: str, space: str, dataset: str) -> str:
    """Where the authors' repository would have a dataset's audio vectors."""
    return f"model_embeddings/{system}/audio/{SPACES[space]}/{dataset}.npy"


def text_path(system: str, space: str, prompt: str) -> str:
    """Where the authors' repository would have a prompt's text vectors.

    Args:
        system: a folder of the released vectors.
        space: ``pre_joint`` or ``joint``.
        prompt: a name in `PROMPTS`; any other is looked for under its own name.
    """
    return f"model_embeddings/{system}/text/{SPACES[space]}/{PROMPTS.get(prompt, prompt)}.npy"


def fetch_system(folder: Path, system: str, source: Source) -> None:
    """Fetch all vectors of a released system and the ground truth, each verified.

    A file that is not available is not an error: its cells will say so. `SOURCE_FILE` in the folder
    names them, each with the reason.

    Args:
        folder: where the files go, under their paths in the authors' repository.
        system: a folder of the released vectors, e.g. ``muscall``.
        source: where downloads come from.

    Raises:
        DownloadError: the listing has no such system, or a file is not the released one.
    """
    listed = read_listing(listing())
    prefix = f"model_embeddings/{system}/"
    wanted = [path for path in listed if path.startswith(prefix)]
    if not wanted:
        raise DownloadError(f"{listing()} has no files of a system {system!r}.")
    folder.mkdir(parents=True, exist_ok=True)
    absent: dict[str, str] = {}
    unreachable = False
    for path in (*wanted, GROUND_TRUTH):
        try:
            fetch_file(
                folder / path,
                path=path,
                base_url=source.released_url,
                listing=listing(),
                mirror=source.mirror,
                retries=0 if unreachable else source.retries,
            )
        except DownloadError as error:
            unreachable = unreachable or isinstance(error, UnreachableError)
            absent[path] = str(error)
    found = {"source": source.released_url, "files": len(wanted) - len(absent), "absent": absent}
    atomic.write_text(folder / SOURCE_FILE, json.dumps(found, indent=2) + "\n")


def read_source(folder: Path) -> dict[str, Any]:
    """Read what was fetched: the source, the number of files, and why others are absent."""
    found: dict[str, Any] = json.loads((folder / SOURCE_FILE).read_text(encoding="utf-8"))
    return found


def read_audio(
    output: str | Path,
    *,
    folder: str | Path,
    system: str,
    released_dataset: str | None,
    vocabulary: Sequence[str],
) -> None:
    """Write a dataset's released audio vectors: `clip_id`, and a column for each space.

    A space without a file has no column; the table's metadata say why under ``not_released``.

    Args:
        output: the parquet file to write.
        folder: the fetched files.
        system: a folder of the released vectors.
        released_dataset: what the authors call the dataset; None where they did not embed it.
        vocabulary: labels in the order of the ground truth's columns.

    Raises:
        Unavailable: there is no file, and why.
        ModelError: a file does not have a row for each clip.
        DownloadError: a file is not the released one.
    """
    if released_dataset is None:
        raise Unavailable("not released: the authors embedded TinySOL only")
    paths = {space: audio_path(system, space, released_dataset) for space in SPACES}
    columns, why_not = _columns(Path(folder), paths)
    order = read_clip_order(Path(folder) / GROUND_TRUTH, listing())
    _refuse_wrong_rows(columns, paths, len(order.clip_ids), "clips in the ground truth")
    _write(
        output,
        {"clip_id": order.clip_ids},
        columns,
        why_not,
        vocabulary=list(vocabulary),
        model=f"released:{system}",
        dataset=released_dataset,
    )


def read_text(
    output: str | Path,
    *,
    folder: str | Path,
    system: str,
    prompt: str,
    words: Mapping[str, str],
    template: str | None,
) -> None:
    """Write a prompt's released text vectors: `label, text`, and a column for each space.

    Args:
        output: the parquet file to write.
        folder: the fetched files.
        system: a folder of the released vectors.
        prompt: our name of the prompt.
        words: label -> its words, one per row of the released file; they fill the template.
        template: where the texts are known; None for definitions. They are not stored with the
            vectors of random sentences either, and their column is null then.

    Raises:
        Unavailable: there is no file, and why.
        ModelError: a file does not have a row for each label.
        DownloadError: a file is not the released one.
    """
    paths = {space: text_path(system, space, prompt) for space in SPACES}
    columns, why_not = _columns(Path(folder), paths)
    _refuse_wrong_rows(columns, paths, len(words), "labels")
    texts: Any = pa.nulls(len(words), pa.string())
    if template is not None and "{filler}" not in template:
        texts = [row.text for row in from_template(template, words)]
    _write(
        output,
        {"label": list(words), "text": texts},
        columns,
        why_not,
        model=f"released:{system}",
        prompt=prompt,
    )


def _columns(
    folder: Path, paths: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Vectors by space, and for the other spaces why there are none.

    Raises:
        Unavailable: no space has vectors.
    """
    listed = read_listing(listing())
    columns, why_not = {}, {}
    for space, path in paths.items():
        if path not in listed:
            why_not[space] = f"not released: the authors' repository has no {path}"
        elif not (folder / path).is_file():
            why_not[space] = f"released, but {path} is neither in the mirror nor downloaded"
        else:
            verify(folder / path, path, listed)
            columns[space] = read_vectors(folder / path)
    if not columns:
        raise Unavailable("; ".join(dict.fromkeys(why_not.values())))
    return columns, why_not


def read_vectors(path: str | Path) -> np.ndarray:
    """Read a released ``.npy`` as data: float32, shape (rows, d).

    Raises:
        ModelError: the file holds something else, pickled objects for instance.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except Exception as error:  # numpy reads the header as Python, which fails in many ways
        raise ModelError(f"{path} cannot be read as an array of numbers ({error}).") from error
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype.kind != "f":
        raise ModelError(f"{path} holds no table of vectors.")
    return values.astype(np.float32)


def _refuse_wrong_rows(
    columns: Mapping[str, np.ndarray],
    paths: Mapping[str, str],
    rows: int,
    of_what: str,
) -> None:
    for space, values in columns.items():
        if len(values) != rows:
            raise ModelError(f"{paths[space]} has {len(values)} rows for {rows} {of_what}.")


def _write(
    output: str | Path,
    keys: Mapping[str, object],
    columns: Mapping[str, np.ndarray],
    why_not: Mapping[str, str],
    **made_by: object,
) -> None:
    vectors = {space: tables.vectors(values) for space, values in columns.items()}
    tables.write(output, {**keys, **vectors}, not_released=dict(why_not), **made_by)
