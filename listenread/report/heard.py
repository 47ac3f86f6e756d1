"""What is said about the part of the clips that a tower hears."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from listenread.audio.heard import HEARD
from listenread.datasets.base import AudioLimits
from listenread.datasets.manifest import read_manifest
from listenread.datasets.notes import counted, note
from listenread.files import tables

_PARTS = {"first": "the first {} s", "centre": "the middle {} s", "mean_of_windows": "all"}


def read_heard(
    paths: Iterable[str | Path],
    manifests: Iterable[str | Path],
    descriptions: Mapping[str, Mapping[str, Any]],
) -> dict[str, list[str]]:
    """Say of each dataset what its models do not hear.

    Args:
        paths: audio vectors, ``{dataset}/{model}.parquet``.
        manifests: of the datasets, ``{dataset}.parquet``.
        descriptions: model -> what its ``model.json`` holds.

    Returns:
        Dataset -> notes as `listenread.datasets.notes` makes them; none about models that hear all.
    """
    manifest_of = {Path(path).stem: Path(path) for path in manifests}
    models_of: dict[str, dict[str, list[str]]] = {}
    for path in map(Path, paths):
        dataset, model = path.parent.name, path.stem
        hears = descriptions.get(model, {}).get("audio_input")
        if hears is None:
            continue
        said = _note(path, manifest_of[dataset], hears)
        if said:
            models_of.setdefault(dataset, {}).setdefault(said, []).append(model)
    return {
        dataset: [
            f"{', '.join(models)} {'hears' if len(models) == 1 else 'hear'} {said}"
            for said, models in together.items()
        ]
        for dataset, together in models_of.items()
    }


def _note(vectors: Path, manifest: Path, hears: Mapping[str, Any]) -> str | None:
    heard = tables.read(vectors, only=["clip_id", HEARD])
    if heard.why_without(HEARD):
        return None
    seconds = read_manifest(manifest).table["duration_s"].to_numpy()
    window = hears["clip_seconds"]
    is_longer = seconds > window + 1 / hears["sample_rate"]
    part = _PARTS[hears["cropping"]].format(f"{window:g}")
    said = [f"{part} of a clip"]
    if is_longer.any() and hears["cropping"] != "mean_of_windows":
        said = [
            f"{part} of clips of up to {seconds.max():.1f} s: {is_longer.sum():,} of "
            f"{counted(len(seconds), 'clip')} {'is' if is_longer.sum() == 1 else 'are'} longer"
        ]
    silence = tables.read_facts(manifest).get("silence_dbfs", AudioLimits().silence_dbfs)
    is_silent = heard.data[HEARD].to_numpy() <= silence
    if is_silent.any():
        names = np.array(heard.data["clip_id"].to_pylist(), dtype=object)[is_silent]
        clips = counted(int(is_silent.sum()), "clip is", "clips are")
        return note("; ".join([*said, f"{clips} silent there"]), [*names])
    return f"{said[0]}." if said[0].endswith("longer") else None
