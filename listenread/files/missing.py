"""Saying that a file is not there."""

from pathlib import Path


def does_not_exist(path: Path | str) -> str:
    """Say that a file or folder does not exist, and where it was looked for.

    >>> does_not_exist("/no/such/file")
    '/no/such/file does not exist'
    """
    if Path(path).is_absolute():
        return f"{path} does not exist"
    return f"{path} does not exist in {Path.cwd()}, where relative paths begin"
