"""One progress bar for all long work: rate and time left, quiet without a terminal."""

import os
import sys
from collections.abc import Iterable
from typing import Any, TypeVar, overload

from tqdm import tqdm

T = TypeVar("T")


@overload
def progress(*, total: int | None = None, unit: str, label: str) -> "tqdm[Any]": ...


@overload
def progress(
    items: Iterable[T], *, total: int | None = None, unit: str, label: str
) -> "tqdm[T]": ...


def progress(
    items: Iterable[Any] | None = None, *, total: int | None = None, unit: str, label: str
) -> "tqdm[Any]":
    """Wrap `items` (or count by hand with `.update`) in a bar such as ``120/2913, 31 clips/s``.

    On a terminal the bar redraws ten times a second; in a log file it writes a line every 30 s, so
    that a cluster log stays short. ``LISTENREAD_PROGRESS=0`` switches it off.
    """
    on_terminal = sys.stderr.isatty()
    return tqdm(
        items,
        total=total,
        unit=f" {unit}",
        desc=label,
        mininterval=0.1 if on_terminal else 30.0,
        dynamic_ncols=True,
        disable=os.environ.get("LISTENREAD_PROGRESS") == "0",
        # Under the workflow's live panel the cursor must not move: a finished bar makes room.
        leave=not on_terminal,
    )
