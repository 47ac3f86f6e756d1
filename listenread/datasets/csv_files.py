"""Reading the csv files of datasets, and listing what is wrong with them; cheap to import."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from listenread.errors import DataError

#: How many single problems an error message lists before it only counts.
LISTED = 20


def read_csv(
    path: Path | str,
    required: Iterable[str],
    encoding: str = "utf-8-sig",
    *,
    one_of: Iterable[str] = (),
) -> dict[int, dict[str, str]]:
    """Read a csv with a header whose every line has as many fields as the header.

    Args:
        path: the csv, separated by commas.
        required: columns that it must have.
        encoding: of the text; the default is UTF-8 with or without a byte order mark.
        one_of: columns of which it must have exactly one.

    Returns:
        Line number in the file -> column -> text without space around it, for lines that are not
        empty.

    Raises:
        DataError: the file does not exist, has another encoding, or is not such a csv.
    """
    path = Path(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            return _records(path, file, list(required), list(one_of))
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error
    except LookupError as error:
        raise DataError(f"{path}: {encoding!r} is an unknown encoding") from error
    except UnicodeError as error:
        raise DataError(
            f"{path} is not {encoding} text ({error}); save it as UTF-8 or name its encoding in "
            "the dataset's key `encoding`"
        ) from error
    except (csv.Error, OSError) as error:
        raise DataError(f"{path} cannot be read as csv: {error}") from error


def _records(
    path: Path, file: Iterable[str], required: list[str], one_of: list[str]
) -> dict[int, dict[str, str]]:
    reader = csv.reader(file, strict=True)
    header = [name.strip() for name in next(reader, [])]
    missing = [name for name in required if name not in header]
    alternatives = [name for name in one_of if name in header]
    if one_of and not alternatives:
        missing.append(" or ".join(one_of))
    twice = sorted({name for name in header if header.count(name) > 1})
    if missing:
        raise DataError(
            f"{path} misses the column(s) {', '.join(missing)}; its first line has "
            f"{', '.join(header) or 'nothing'}. Columns are separated by commas."
        )
    if len(alternatives) > 1:
        raise DataError(
            f"{path} has the columns {' and '.join(alternatives)}; only one of them can be used"
        )
    if twice:
        raise DataError(f"{path} has more than one column named {', '.join(twice)}")
    lines, problems = {}, []
    for line, fields in _numbered(reader):
        if any("\0" in field for field in fields):
            problems.append(f"line {line} has a NUL character: not text, or text in UTF-16")
        elif len(fields) == len(header):
            lines[line] = dict(zip(header, (field.strip() for field in fields), strict=True))
        else:
            problems.append(f"line {line} has {len(fields)} fields, the header {len(header)}")
    refuse(f"{path} is not a valid csv", problems)
    return lines


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    for fields in reader:
        if any(fields):
            yield reader.line_num, fields


def refuse(what: str, problems: list[str]) -> None:
    """Raise a `DataError` that lists all problems, if there are any."""
    if problems:
        raise DataError(f"{what}:\n  - " + "\n  - ".join(_first(problems)))


def listed(names: Iterable[str]) -> str:
    """Join names with commas, only counting those beyond the first `LISTED`."""
    return ", ".join(_first(list(names)))


def _first(items: list[str]) -> list[str]:
    more = len(items) - LISTED
    return [*items[:LISTED], *([f"and {more} more"] if more > 0 else [])]
