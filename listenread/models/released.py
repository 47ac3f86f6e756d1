"""The vectors that the paper's authors released, as the embeddings tables of this workflow.

Vasilakis, Bittner, Pauwels, ISMIR 2024, arXiv 2407.18058. `resources/released_files.csv` lists the
files of the authors' repository ``YannisBilly/i_can_listen_but_cannot_read`` at the pinned commit
with their git blob SHA-1. What was not released, or is not at hand, becomes a table that says so.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from listenread.datasets import tinysol
from listenread.errors import ModelError
from listenread.files import tables
from listenread.paper.files import ReleasedFile, read_clip_order, read_listing, verify

#: Folders of the released systems.
SYSTEMS = {
    "muscall": "MusCALL",
    "music_laion_clap": "Music CLAP",
    "music_speech_laion_clap": "Music/Speech CLAP",
}
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
#: Classes of the three family prompts, in the order of the released rows.
FAMILIES = ("key", "brass", "woodwind", "string")
#: Our names of the spaces -> the authors' folders.
SPACES = {"pre_joint": "pre_joint", "joint": "joint_space"}


def audio_path(system: str, space: str, dataset: str) -> str:
    """Where the authors' repository would have a dataset's audio vectors."""
    return f"model_embeddings/{system}/audio/{SPACES[space]}/{dataset}.npy"


def text_path(system: str, space: str, prompt: str) -> str:
    """Where the authors' repository would have a prompt's text vectors.

    Args:
        system: a name in `SYSTEMS`.
        space: ``pre_joint`` or ``joint``.
        prompt: a name in `PROMPTS`; any other is looked for under its own name.
    """
    return f"model_embeddings/{system}/text/{SPACES[space]}/{PROMPTS.get(prompt, prompt)}.npy"


def released_audio(
    output: str | Path,
    *,
    system: str,
    dataset: str,
    pre_joint: str | Path | None,
    joint: str | Path | None,
    ground_truth: str | Path,
    listing: str | Path,
    vocabulary: Sequence[str] = tuple(tinysol.VOCABULARY),
) -> None:
    """Write a dataset's released audio vectors: `clip_id, label, pre_joint, joint`.

    A space whose file is not released or not at hand has no column; the table's metadata say why
    under ``not_released``. Without any file the table is empty and says why.

    Args:
        output: the parquet file to write.
        system: a name in `SYSTEMS`.
        dataset: name of the dataset; the authors released ``tinysol``.
        pre_joint: the downloaded ``.npy`` of this space, or None where it is not at hand.
        joint: likewise.
        ground_truth: the released csv that says which clip a row is.
        listing: `resources/released_files.csv`.
        vocabulary: labels in the order of the ground truth's columns.

    Raises:
        ModelError: a file does not have a row for each clip.
        DownloadError: a file is not the released one.
    """
    files = {
        space: (path, audio_path(system, space, dataset))
        for space, path in (("pre_joint", pre_joint), ("joint", joint))
    }
    columns, why_not = _columns(files, read_listing(listing))
    made_by = {"model": f"released:{system}", "dataset": dataset}
    if not columns:
        return tables.write_unavailable(output, _sentence(why_not), **made_by)
    order = read_clip_order(ground_truth, listing)
    _refuse_wrong_rows(columns, files, len(order.clip_ids), "clips in the ground truth")
    keys = {"clip_id": order.clip_ids, "label": [vocabulary[index] for index in order.classes]}
    _write(output, keys, columns, why_not, vocabulary=list(vocabulary), **made_by)


def released_text(
    output: str | Path,
    *,
    system: str,
    prompt: str,
    pre_joint: str | Path | None,
    joint: str | Path | None,
    labels: Sequence[str],
    listing: str | Path,
    texts: Sequence[str] | None = None,
) -> None:
    """Write a prompt's released text vectors: `label, text, pre_joint, joint`.

    Spaces that are not released are treated as in `released_audio`.

    Args:
        output: the parquet file to write.
        system: a name in `SYSTEMS`.
        prompt: a name in `PROMPTS`.
        pre_joint: the downloaded ``.npy`` of this space, or None where it is not at hand.
        joint: likewise.
        labels: one per row: the vocabulary in the ground truth's order, or `FAMILIES`.
        listing: `resources/released_files.csv`.
        texts: what was embedded, where it is known; the definitions and the random sentences are
            not stored with the vectors, and their column is null.

    Raises:
        ModelError: a file does not have a row for each label.
        DownloadError: a file is not the released one.
    """
    files = {
        space: (path, text_path(system, space, prompt))
        for space, path in (("pre_joint", pre_joint), ("joint", joint))
    }
    columns, why_not = _columns(files, read_listing(listing))
    made_by = {"model": f"released:{system}", "prompt": prompt}
    if not columns:
        return tables.write_unavailable(output, _sentence(why_not), **made_by)
    _refuse_wrong_rows(columns, files, len(labels), "labels")
    text = pa.nulls(len(labels), pa.string()) if texts is None else list(texts)
    _write(output, {"label": list(labels), "text": text}, columns, why_not, **made_by)


def _columns(
    files: Mapping[str, tuple[str | Path | None, str]], listing: Mapping[str, ReleasedFile]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Vectors by space, and for the other spaces why there are none."""
    columns, why_not = {}, {}
    for space, (path, released_path) in files.items():
        if released_path not in listing:
            why_not[space] = f"not released: the authors' repository has no {released_path}"
        elif path is None or not Path(path).is_file():
            why_not[space] = (
                f"released, but {released_path} is neither in the mirror nor downloaded"
            )
        else:
            verify(path, released_path, listing)
            columns[space] = read_vectors(path)
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
    files: Mapping[str, tuple[str | Path | None, str]],
    rows: int,
    of_what: str,
) -> None:
    for space, values in columns.items():
        if len(values) != rows:
            raise ModelError(f"{files[space][0]} has {len(values)} rows for {rows} {of_what}.")


def _write(
    output: str | Path,
    keys: Mapping[str, object],
    columns: Mapping[str, np.ndarray],
    why_not: Mapping[str, str],
    **made_by: object,
) -> None:
    vectors = {space: tables.vectors(values) for space, values in columns.items()}
    tables.write(output, {**keys, **vectors}, not_released=dict(why_not), **made_by)


def _sentence(why_not: Mapping[str, str]) -> str:
    return "; ".join(dict.fromkeys(why_not.values()))
