"""Text in csv files that a spreadsheet opens: it is shown, never computed."""

from typing import Any


def literal(value: Any) -> Any:
    """Put an apostrophe before what a spreadsheet would take for a formula.

    Source: OWASP, CSV injection.

    >>> literal("=1+1"), literal("flute"), literal(-0.5)
    ("'=1+1", 'flute', -0.5)
    """
    formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if formula else value
