"""Reading the csv files of datasets, and listing what is wrong with them; cheap to import.

What a csv says is text, as it is written there: `01`, `1e5` and `nan` are names as good as others.
Columns that are declared to be numbers are read by `whole_number` and `number`.
"""

import csv
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from listenread.errors import DataError
from listenread.files.missing import does_not_exist

#: How many single problems an error message lists before it only counts.
LISTED = 20


def read_csv(
    path: Path | str,
    required: Iterable[str],
    encoding: str = "utf-8-sig",
    *,
    one_of: Iterable[str] = (),
    encoding_advice: str = "",
) -> dict[int, dict[str, str]]:
    """Read a csv with a header whose every line has as many fields as the header.

    Args:
        path: the csv, separated by commas.
        required: columns that it must have.
        encoding: of the text; the default is UTF-8 with or without a byte order mark.
        one_of: columns of which it must have exactly one.
        encoding_advice: what else than saving it as UTF-8 can be done about another encoding.

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
        raise DataError(does_not_exist(path)) from error
    except LookupError as error:
        raise DataError(f"{path}: {encoding!r} is an unknown encoding") from error
    except UnicodeError as error:
        raise DataError(
            f"{path} is not {encoding} text ({error}); save it as UTF-8{encoding_advice}"
        ) from error
    except (csv.Error, OSError) as error:
        raise DataError(f"{path} cannot be read as csv: {error}") from error


def _records(
    path: Path, file: Iterable[str], required: list[str], one_of: list[str]
) -> dict[int, dict[str, str]]:
    # a space after the comma is not part of the field, so that `a.wav, "x"` is quoted
    reader = csv.reader(file, strict=True, skipinitialspace=True)
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


def whole_number(text: str, limit: int = 2**63) -> int:
    """Read a whole number as people and spreadsheets write it: digits, or digits and ``.0``.

    >>> whole_number("03"), whole_number("2.0")
    (3, 2)

    Raises:
        ValueError: it is anything else, or not below `limit`.
    """
    if (
        not re.fullmatch(r"[+-]?[0-9]{1,19}(\.0*)?", text)
        or abs(int(text.partition(".")[0])) >= limit
    ):
        raise ValueError(f"{text!r} is not a whole number below {limit}")
    return int(text.partition(".")[0])


def number(text: str) -> float:
    """Read a finite number in decimal or scientific notation.

    Raises:
        ValueError: it is anything else, such as ``nan`` or ``1_000``.
    """
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", text):
        raise ValueError(f"{text!r} is not a number")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is too large")
    return value


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
