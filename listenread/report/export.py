"""Tables as files for papers and spreadsheets: LaTeX (booktabs) and csv."""

import csv
import io
import math

from listenread.report.wide import WideTable, three_digits

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
    "\u2032": r"$'$",
}


def escape_latex(text: str) -> str:
    r"""Escape what LaTeX takes for a command.

    >>> escape_latex("pre_joint 50%")
    'pre\\_joint 50\\%'
    """
    return "".join(_ESCAPES.get(character, character) for character in text)


def latex(table: WideTable, caption: str, label: str) -> str:
    """Write a table for ``\\usepackage{booktabs}``; a value that is best alone is bold.

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
    for row in table.rows():
        cells = [*map(escape_latex, row["keys"]), *map(_latex_cell, row["cells"])]
        lines.append(f"    {' & '.join(cells)} \\\\")
    lines += [r"    \bottomrule", r"  \end{tabular}", r"\end{table}", ""]
    return "\n".join(lines)


def _latex_cell(cell: dict[str, object]) -> str:
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
        writer.writerow([*row["keys"], *("" if math.isnan(x) else repr(x) for x in numbers)])
    return file.getvalue()
