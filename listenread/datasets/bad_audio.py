"""What is said about clips that cannot be used."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from listenread.datasets.csv_files import LISTED
from listenread.errors import DataError

_ADVICE = (
    "Repair or remove them, or set `on_bad_audio: skip` for this dataset: they are then left out, "
    "and listed in the manifest and the report."
)


class BadAudioError(DataError):
    """Clips cannot be used.

    Attributes:
        clips: each with `clip_id`, `path`, `reason`.
        total: how many the dataset has.
        advice: what to do.
    """

    def __init__(self, clips: Sequence[Mapping[str, str]], total: int, *, skipping: bool = False):
        """Say of how many clips these are, and whether they are being skipped."""
        self.clips, self.total = clips, total
        self.advice = "All clips would be left out." if skipping else _ADVICE
        super().__init__(f"{self._counted()}:\n{_listing(clips)}\n{self.advice}")

    def in_short(self, path: Path) -> str:
        """Say it in one line, for many clips; `path` gets the whole list."""
        lines = [f"{clip['path']}: {clip['reason']}\n" for clip in self.clips]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines), encoding="utf-8")
        reasons = [f"{len(clips)}: {reason}" for reason, clips in _by_reason(self.clips).items()]
        more = len(reasons) - 5
        return (
            f"{self._counted()} ({'; '.join(reasons[-5:])}{f'; and {more} more' * (more > 0)}). "
            f"{path} lists them all. {self.advice}"
        )

    def _counted(self) -> str:
        return f"{len(self.clips)} of {self.total} clips cannot be used"


def _listing(clips: Sequence[Mapping[str, str]]) -> str:
    """Group by reason, so that 2,910 missing files do not hide the one that is damaged."""
    lines = []
    for reason, same in _by_reason(clips).items():
        lines.append(f"  {reason} ({len(same)}):")
        for clip in same[:LISTED]:
            own = "" if clip["reason"] == reason else f": {clip['reason']}"
            lines.append(f"    {clip['path']}{own}")
        if len(same) > LISTED:
            lines.append(f"    ... and {len(same) - LISTED} more")
    return "\n".join(lines)


def _by_reason(clips: Sequence[Mapping[str, str]]) -> dict[str, list[Mapping[str, str]]]:
    """Put clips with one reason together, the rarest first.

    Reasons that differ in their numbers only, as lengths do, are one.
    """
    together: dict[str, list[Mapping[str, str]]] = {}
    for clip in clips:
        together.setdefault(re.sub(r"\d+", "N", clip["reason"]), []).append(clip)
    named = {
        reason if len({clip["reason"] for clip in same}) > 1 else same[0]["reason"]: same
        for reason, same in together.items()
    }
    return dict(sorted(named.items(), key=lambda item: len(item[1])))
