"""Tables as files for papers and spreadsheets: LaTeX (booktabs) and csv."""

import csv
import io
import math

from listenread.report.wide import BEST, Cell, WideTable

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def escape_latex(text: str) -> str:
    r"""Escape what LaTeX takes for a command.

    >>> escape_latex("pre_joint 50%")
    'pre\\_joint 50\\%'
    """
    return "".join(_ESCAPES.get(character, character) for character in text)


def latex(table: WideTable, caption: str, label: str) -> str:
    """Write a table for ``\\usepackage{booktabs}``; the single best value of a column is bold.

    Args:
        table: from `listenread.report.wide.widen`.
        caption: plain text.
        label: of the LaTeX float.
    """
    columns = "l" * len(table.key_names) + "r" * len(table.metrics)
    headings = [*table.key_names, *table.headings]
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escape_latex(caption)}}}",
        rf"  \label{{{label}}}",
        rf"  \begin{{tabular}}{{{columns}}}",
        r"    \toprule",
        f"    {' & '.join(map(escape_latex, headings))} \\\\",
        r"    \midrule",
    ]
    for row in table.rows:
        cells = [*map(escape_latex, row.keys), *map(_latex_cell, row.cells)]
        lines.append(f"    {' & '.join(cells)} \\\\")
    lines += [r"    \bottomrule", r"  \end{tabular}", r"\end{table}", ""]
    return "\n".join(lines)


def _latex_cell(cell: Cell | None) -> str:
    if cell is None or math.isnan(cell.value):
        return "--"
    value = f"{cell.value:.3f}"
    if cell.mark == BEST:
        value = rf"\textbf{{{value}}}"
    if math.isnan(cell.low):
        return value
    return rf"{value} {{\scriptsize [{cell.low:.3f}, {cell.high:.3f}]}}"


def as_csv(table: WideTable) -> str:
    """Write a table as csv, three columns for each metric: value, `_low` and `_high`."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    metrics = [f"{metric}{end}" for metric in table.metrics for end in ("", "_low", "_high")]
    writer.writerow([*table.key_names, *metrics])
    for row in table.rows:
        numbers = [
            "" if cell is None or math.isnan(number) else repr(float(number))
            for cell in row.cells
            for number in ((cell.value, cell.low, cell.high) if cell else (0.0,) * 3)
        ]
        writer.writerow([*row.keys, *numbers])
    return file.getvalue()
