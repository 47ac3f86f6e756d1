"""The tidy table of an experiment, as the report reads it."""

from pathlib import Path
from typing import Any

import pandas as pd

from listenread import tables
from listenread.tidy import PER_CLASS, TIDY


def read_tidy(path: str | Path) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Read the tidy table and the list of cells that it misses on purpose, with their reasons."""
    table = tables.read(path, TIDY.names)
    return table.data.to_pandas(), table.made_by.get("unavailable_cells", [])


def read_per_class(path: str | Path | None) -> pd.DataFrame:
    """Read the rows of classes and anchors; none where there is no such file."""
    if path is None:
        return PER_CLASS.empty_table().to_pandas()
    return tables.read(path, PER_CLASS.names).data.to_pandas()
