"""Rows of a large matrix a block at a time, for what each row gives on its own."""

from collections.abc import Iterator

#: Cells of a block: 32 MB as float64.
CELLS = 2**22


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices that cover all rows in order, of at most `CELLS` cells each, but of one row at least.

    >>> [(block.start, block.stop) for block in row_blocks(3, CELLS // 2)]
    [(0, 2), (2, 3)]
    """
    size = max(1, CELLS // max(columns, 1))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
