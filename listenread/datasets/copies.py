"""Finding clips that are one sound: the same waveform, at any gain and of either polarity.

Clips of one length are compared by a fingerprint that neither changes, and those whose fingerprints
are near by their waveforms: the search is not quadratic in the clips.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from listenread.datasets.base import AudioLimits, ClipRow
from listenread.datasets.manifest import Checked
from listenread.datasets.notes import counted, note

#: Clips that were decoded without a complaint.
Good = Sequence[tuple[ClipRow, Checked]]

#: Parts of a clip whose shares of its energy are in the fingerprint.
_PARTS = 24
#: Delays in samples at which its autocorrelation is.
_LAGS = (1, 2, 4, 8, 16, 32, 64, 128)
#: Fingerprints of copies are not farther apart; tried with copies at -60 dB in 16 bits.
_NEAR = 0.1


def fingerprint(waveform: np.ndarray) -> np.ndarray:
    """Describe a waveform by what neither gain nor polarity changes.

    Args:
        waveform: mono, shape (frames,), not silent.

    Returns:
        Float32, shape (32,): roots of the shares of energy of equal parts, and the normalised
        autocorrelation at a few delays.

    Example:
        >>> sound = np.sin(np.arange(1000.0) ** 1.2)
        >>> bool(np.allclose(fingerprint(sound), fingerprint(-0.01 * sound), atol=1e-6))
        True
    """
    sound = np.asarray(waveform)
    starts = np.arange(_PARTS) * len(sound) // _PARTS
    energies = [np.dot(part, part) for part in np.split(sound, starts[1:])]
    whole = sum(energies) or 1.0
    delayed = [np.dot(sound[lag:], sound[:-lag]) if lag < len(sound) else 0.0 for lag in _LAGS]
    return np.concatenate([np.sqrt(np.array(energies) / whole), np.array(delayed) / whole]).astype(
        np.float32
    )


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Cosine of two waveforms of one length, without its sign; 0 where one is silent.

    Example:
        >>> round(correlation(np.array([1.0, -2.0]), np.array([-0.5, 1.0])), 9)
        1.0
    """
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return abs(float(np.dot(first, second))) / norm if norm else 0.0


def find_copies(
    lengths: Sequence[tuple[int, int]],
    fingerprints: Sequence[np.ndarray],
    load: Callable[[int], np.ndarray],
    *,
    least: float,
) -> list[list[int]]:
    """Find the clips that are one sound.

    Args:
        lengths: frames and sample rate of each clip.
        fingerprints: see `fingerprint`.
        load: gives the waveform of a clip, mono, shape (frames,).
        least: correlation of two copies, in (0, 1].

    Returns:
        Each sound that occurs more than once: its clips in order.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    alike: dict[tuple[int, int], list[int]] = {}
    for clip, length in enumerate(lengths):
        alike.setdefault(length, []).append(clip)
    found = []
    for clips in alike.values():
        if len(clips) < 2:
            continue
        near = cKDTree(np.stack([fingerprints[clip] for clip in clips])).query_pairs(
            _NEAR, output_type="ndarray"
        )  # (pairs, 2)
        ones = np.ones(len(near), dtype=bool)
        graph = coo_array((ones, (near[:, 0], near[:, 1])), shape=(len(clips), len(clips)))
        parts = connected_components(graph, directed=False)[1]
        order = np.argsort(parts, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(parts[order])) + 1):
            if len(part) > 1:
                found += _same([clips[index] for index in part], load, least)
    return sorted(found)


def _same(clips: Sequence[int], load: Callable[[int], np.ndarray], least: float) -> list[list[int]]:
    """Compare each clip with one of every sound that was seen before."""
    sounds: list[tuple[np.ndarray, list[int]]] = []
    for clip in clips:
        waveform = load(clip)
        for known, members in sounds:
            if correlation(known, waveform) >= least:
                members.append(clip)
                break
        else:
            sounds.append((waveform, [clip]))
    return [members for _, members in sounds if len(members) > 1]


def of_clips(good: Good, limits: AudioLimits) -> list[list[int]]:
    """Find the sounds of which a dataset has copies, each as positions in `good`."""
    from listenread.audio import loading  # not at the top: planning a run decodes nothing

    first_of: dict[str, int] = {}
    same_file: dict[int, list[int]] = {}
    for clip, (_, checked) in enumerate(good):
        first = first_of.setdefault(checked.sha256, clip)
        same_file.setdefault(first, []).append(clip)
    distinct = list(same_file)

    def load(index: int) -> np.ndarray:
        path = good[distinct[index]][0].path
        sound = loading.decode(path.read_bytes(), "", max_seconds=limits.max_seconds)
        return loading.mono(sound.waveform)

    described = [good[clip][1] for clip in distinct]
    found = find_copies(
        [(one.frames, one.sample_rate) for one in described],
        [one.fingerprint for one in described if one.fingerprint is not None],
        load,
        least=limits.copy_correlation,
    )
    together = [[distinct[index] for index in sound] for sound in found]
    alone = set(distinct).difference(*together)
    sounds = [*together, *([clip] for clip in alone)]
    whole = [sorted(clip for first in sound for clip in same_file[first]) for sound in sounds]
    return sorted(sound for sound in whole if len(sound) > 1)


def contradictions(good: Good, sounds: Sequence[Sequence[int]]) -> dict[int, str]:
    """Say which clips are one sound under two labels, and why they cannot be used.

    Where clips have several labels, or none, people differ in what they mention: nothing is
    contradicted.
    """
    if any(len(row.labels) != 1 for row, _ in good):
        return {}
    found = {}
    for sound in sounds:
        rows = [good[clip][0] for clip in sound]
        for clip, row in zip(sound, rows, strict=True):
            other = next((one for one in rows if one.labels != row.labels), None)
            if other is not None:
                found[clip] = (
                    f"is labelled {row.labels[0]!r} and is the same sound as {other.path}, "
                    f"labelled {other.labels[0]!r}"
                )
    return found


def group(good: Good, sounds: Sequence[Sequence[int]]) -> list[tuple[ClipRow, Checked]]:
    """Put copies into one group, with all that shared a group with one of them."""
    grouped = list(good)
    for sound in sounds:
        names = {name for clip in sound if (name := grouped[clip][0].group) is not None}
        name = min(names, default=f"copies of {grouped[sound[0]][0].clip_id}")
        members = set(sound)
        if len(names) > 1:
            members |= {i for i, (row, _) in enumerate(grouped) if row.group in names}
        for clip in members:
            row, checked = grouped[clip]
            if row.group != name:
                grouped[clip] = (replace(row, group=name), checked)
    return grouped


def divided(good: Good) -> list[str]:
    """Say which groups the folds of the dataset itself divide."""
    folds: dict[str, dict[int | None, str]] = {}
    for row, _ in good:
        if row.group is not None and row.fold is not None:
            folds.setdefault(row.group, {}).setdefault(row.fold, row.clip_id)
    return [
        "a fold must not divide a group, whose clips are not independent: "
        + ", ".join(f"{clip} is in fold {fold}" for fold, clip in by_fold.items())
        + f" (group {name!r}); give them one fold, or leave the folds out"
        for name, by_fold in folds.items()
        if len(by_fold) > 1
    ]


def notes(good: Good, sounds: Sequence[Sequence[int]]) -> list[str]:
    """List the copies for the page."""
    if not sounds:
        return []
    names = [" = ".join(good[clip][0].clip_id for clip in sound) for sound in sounds]
    copies = sum(len(sound) - 1 for sound in sounds)
    return [
        note(
            f"{counted(copies, 'clip is a copy', 'clips are copies')} of another (the same "
            "waveform, up to gain or polarity) and in its group",
            names,
        )
    ]
