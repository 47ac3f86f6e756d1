"""The tidy table of an experiment, as the report reads it."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from listenread.files import tables
from listenread.tasks.tidy import PER_CLASS, TIDY


def read_tidy(path: str | Path) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Read the tidy table and the list of cells that it misses on purpose, with their reasons."""
    table = tables.read(path, TIDY.names)
    return table.data.to_pandas(), table.made_by.get("unavailable_cells", [])


def read_per_class(path: str | Path | None, prompts: Collection[str] = ()) -> pd.DataFrame:
    """Read the rows of classes and anchors; none where there is no such file.

    Args:
        path: a table of `PER_CLASS`.
        prompts: whose rows are wanted; all where it is empty.
    """
    if path is None:
        return PER_CLASS.empty_table().to_pandas()
    wanted = [("prompt", "in", sorted(prompts))] if prompts else None
    return pq.read_table(path, columns=PER_CLASS.names, filters=wanted).to_pandas()
