"""Tables as files for papers and spreadsheets: LaTeX (booktabs) and csv."""

import csv
import io
import math
from typing import Any

from listenread.files.spreadsheets import literal
from listenread.report.wide import WideTable
from listenread.tasks.words import three_digits

#: The characters that LaTeX reads as commands, and the prime sign that its fonts lack.
_ESCAPES = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"\u2032": "$'$"}
)


def escape_latex(text: str) -> str:
    r"""Escape the characters that LaTeX reads as commands.

    >>> escape_latex("pre_joint 50%")
    'pre\\_joint 50\\%'
    """
    return text.translate(_ESCAPES)


def latex(table: WideTable, caption: str, label: str) -> str:
    """Write a table for ``\\usepackage{booktabs}``, single best values in bold.

    Args:
        table: from `listenread.report.wide.widen`.
        caption: plain text.
        label: of the LaTeX float.
    """
    header = [escape_latex(heading) for heading in (*table.key_names, *table.headings)]
    rows = [
        [*map(escape_latex, row["keys"]), *map(_latex_cell, row["cells"])] for row in table.rows()
    ]
    columns = "l" * len(table.key_names) + "r" * len(table.metrics)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(caption)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _latex_row(header),
        r"\midrule",
        *map(_latex_row, rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _latex_row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex_cell(cell: dict[str, Any]) -> str:
    if math.isnan(cell["value"]):
        return "--"
    value = three_digits(cell["value"])
    if cell["mark"] == "best":
        value = rf"\textbf{{{value}}}"
    if math.isnan(cell["low"]):
        return value
    return rf"{value} {{\scriptsize [{three_digits(cell['low'])}, {three_digits(cell['high'])}]}}"


def as_csv(table: WideTable) -> str:
    """Write a table as csv, three columns for each metric: value, `_low` and `_high`."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    metrics = [f"{metric}{end}" for metric in table.metrics for end in ("", "_low", "_high")]
    writer.writerow([*table.key_names, *metrics])
    for row in table.rows():
        numbers = [cell[name] for cell in row["cells"] for name in ("value", "low", "high")]
        writer.writerow(
            [*map(literal, row["keys"]), *("" if math.isnan(x) else repr(x) for x in numbers)]
        )
    return file.getvalue()
