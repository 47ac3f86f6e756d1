"""TinySOL's clips in the order of the paper authors' released vectors, without their audio."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listenread.datasets import tinysol
from listenread.datasets.base import DatasetKind, LabelledSettings, Places
from listenread.errors import ModelError
from listenread.files.material import Material, Source
from listenread.settings import RemoteFile

if TYPE_CHECKING:
    from listenread.datasets.manifest import Manifest


class ReleasedTinySolSettings(LabelledSettings):
    """TinySOL in the order of the authors' released vectors, without its audio."""

    metadata: RemoteFile


def fetch_ground_truth(
    outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source
) -> None:
    """Download the authors' csv that says which clip a row of their vectors is."""
    from listenread.paper.files import GROUND_TRUTH, fetch_released, read_listing

    fetch_released(read_listing()[GROUND_TRUTH], outputs["ground_truth"], source)


def locate(settings: ReleasedTinySolSettings, made: Mapping[str, Path]) -> Places:
    """Both csv are fetched; there is no audio."""
    return Places(metadata=made["metadata"], others={"ground_truth": made["ground_truth"]})


def derive(base: "Manifest | None", places: Places, settings: Mapping[str, Any]) -> "Manifest":
    """Make TinySOL's manifest in the order of the released vectors.

    Columns that only the audio can tell (`duration_s, sample_rate, sha256`) are null.

    Raises:
        ModelError: the two files do not name the same clips with the same labels.
        DownloadError: the ground truth is not the released one.
    """
    import pyarrow as pa

    from listenread.datasets.manifest import Manifest
    from listenread.paper.files import read_clip_order

    assert places.metadata is not None
    ground_truth, vocabulary = places.others["ground_truth"], list(settings["vocabulary"])
    order = read_clip_order(ground_truth)
    clips = {row.clip_id: row for row in tinysol.read(Path(), places.metadata)}
    absent = [clip_id for clip_id in order.clip_ids if clip_id not in clips]
    differing = [
        clip_id
        for clip_id, index in zip(order.clip_ids, order.classes, strict=True)
        if clip_id in clips and clips[clip_id].labels != (vocabulary[index],)
    ]
    if absent or differing:
        raise ModelError(
            f"{ground_truth} and {places.metadata} differ: {len(absent)} clips are not in the "
            f"latter ({', '.join(absent[:5])}), {len(differing)} have another label "
            f"({', '.join(differing[:5])})."
        )
    rows = [clips[clip_id] for clip_id in order.clip_ids]
    strings = pa.list_(pa.string())
    columns = {
        "clip_id": pa.array(order.clip_ids),
        "path": pa.array([row.path.as_posix() for row in rows]),
        "labels": pa.array([list(row.labels) for row in rows], strings),
        "unknown": pa.array([[] for _ in rows], strings),
        "group": pa.nulls(len(rows), pa.string()),
        "fold": pa.array([row.fold for row in rows], pa.int16()),
        "duration_s": pa.nulls(len(rows), pa.float64()),
        "sample_rate": pa.nulls(len(rows), pa.int32()),
        "sha256": pa.nulls(len(rows), pa.string()),
    }
    columns |= {name: pa.array([row.known[name] for row in rows]) for name in rows[0].known}
    notes = ["The authors' released vectors are evaluated; no audio was read."]
    return Manifest(pa.table(columns), vocabulary, [], notes)


KIND = DatasetKind(
    name="released_tinysol",
    description="TinySOL in the order of the authors' released vectors, without its audio.",
    settings=ReleasedTinySolSettings,
    locate=locate,
    derive=derive,
    vectors="released",
    material=(
        Material(
            rule="fetch_released_tinysol_metadata",
            outputs={"metadata": "metadata.csv"},
            make=tinysol.fetch_metadata,
            uses=("metadata",),
        ),
        Material(
            rule="fetch_ground_truth",
            outputs={"ground_truth": "ground_truth.csv"},
            make=fetch_ground_truth,
        ),
    ),
    licence="CC BY 4.0 (TinySOL)",
    citation="Vasilakis, Bittner, Pauwels, ISMIR 2024, arXiv 2407.18058; TinySOL",
    of_the_paper=True,
)
