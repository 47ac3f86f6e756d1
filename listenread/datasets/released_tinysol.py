"""TinySOL in the order of the vectors that the paper's authors released, without its audio.

Vasilakis, Bittner, Pauwels, ISMIR 2024, arXiv 2407.18058.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from listenread.datasets import tinysol
from listenread.datasets.base import DatasetKind, LabelledSettings, Places
from listenread.errors import DataError
from listenread.files.material import Material, Source
from listenread.settings import RemoteFile

if TYPE_CHECKING:
    from listenread.datasets.manifest import Manifest


class ReleasedTinysolSettings(LabelledSettings):
    """TinySOL in the order of the authors' released vectors, without its audio."""

    metadata: RemoteFile = Field(description="TinySOL's official csv.")


def fetch(outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source) -> None:
    """Download TinySOL's csv, and the authors' list of clips and classes."""
    from listenread.files import download
    from listenread.paper import files

    download.fetch(target=outputs["metadata"], mirror=source.mirror, **settings["metadata"])
    files.fetch_file(
        outputs["ground_truth"],
        path=files.GROUND_TRUTH,
        base_url=source.released_url,
        listing=files.listing(),
        mirror=source.mirror,
        retries=source.retries,
    )


def locate(settings: ReleasedTinysolSettings, made: Mapping[str, Path]) -> Places:
    """Say where both files are."""
    return Places(metadata=made["metadata"], others={"ground_truth": made["ground_truth"]})


def derive(
    base: "Manifest | None",
    places: Places,
    settings: Mapping[str, Any],
    vocabulary: Sequence[str] | None,
) -> "Manifest":
    """Make TinySOL's manifest in the order of the released vectors, without its audio.

    Columns that only the audio can tell (`duration_s, sample_rate, sha256`) are null.

    Args:
        base: not used.
        places: TinySOL's official csv, for the folds and all else that it knows, and the released
            ground truth.
        settings: none are used.
        vocabulary: the classes in the order of the ground truth's columns.

    Raises:
        ModelError: the ground truth does not give exactly one class to each clip.
        DataError: there is no csv or vocabulary, or the two files do not name the same clips with
            the same labels.
    """
    from listenread.datasets.manifest import Manifest, manifest_table
    from listenread.paper import files

    if places.metadata is None or vocabulary is None:
        raise DataError("the released TinySOL needs its csv and a vocabulary")
    ground_truth = places.others["ground_truth"]
    order = files.read_clip_order(ground_truth, files.listing())
    clips = {row.clip_id: row for row in tinysol.read_metadata(Path(), places.metadata)}
    missing = [clip_id for clip_id in order.clip_ids if clip_id not in clips]
    differing = [
        clip_id
        for clip_id, index in zip(order.clip_ids, order.classes, strict=True)
        if clip_id in clips and clips[clip_id].labels != (vocabulary[index],)
    ]
    if missing or differing:
        raise DataError(
            f"{ground_truth} and {places.metadata} differ: {len(missing)} clips are not in the "
            f"latter ({', '.join(missing[:5])}), {len(differing)} have another label "
            f"({', '.join(differing[:5])})."
        )
    rows = [clips[clip_id] for clip_id in order.clip_ids]
    table = manifest_table(rows, [None] * len(rows), Path.cwd())
    notes = ["The authors' released vectors are evaluated; no audio was read."]
    return Manifest(table, list(vocabulary), [], notes)


KIND = DatasetKind(
    name="released_tinysol",
    description="TinySOL in the order of the authors' released vectors, without its audio.",
    settings=ReleasedTinysolSettings,
    locate=locate,
    derive=derive,
    vectors="released",
    material=(
        Material(
            rule="fetch_released_tinysol",
            outputs={"metadata": "metadata.csv", "ground_truth": "ground_truth.csv"},
            make=fetch,
            uses=("metadata",),
        ),
    ),
    licence=tinysol.KIND.licence,
    citation="Vasilakis, Bittner, Pauwels: I can listen but cannot read: an evaluation of "
    "two-tower multimodal systems for instrument recognition, ISMIR 2024, arXiv 2407.18058; "
    + tinysol.KIND.citation,
    groups=tinysol.KIND.groups,
    of_the_paper=True,
)
