"""The authors' definition sentences, read from their released source as data.

The file ``embeddings_generation.py`` at the pinned commit has a list ``definitions`` of them,
in the order of the labels. It is parsed, never executed; the sentences are not part of this
project.
"""

import ast
import csv
from collections.abc import Sequence
from pathlib import Path

from listenread.errors import DataError
from listenread.files import atomic

SOURCE = "embeddings_generation.py"
VARIABLE = "definitions"


def extract_definitions(source: str | Path, output: str | Path, *, labels: Sequence[str]) -> None:
    """Write a csv with `label,definition` from the released source.

    Args:
        source: the released file.
        output: the csv to write.
        labels: in the order of the released list.

    Raises:
        DataError: the file has no such list, or not one sentence for each label.
    """
    sentences = read_list(source, VARIABLE)
    if len(sentences) != len(labels):
        raise DataError(
            f"{source} has {len(sentences)} sentences in `{VARIABLE}` for {len(labels)} labels."
        )
    with (
        atomic.replacing(output) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["label", "definition"])
        writer.writerows(zip(labels, sentences, strict=True))


def read_list(source: str | Path, variable: str) -> list[str]:
    """Find a list of strings that a Python file assigns to a name, anywhere in it.

    Raises:
        DataError: the file is not Python, or assigns no literal list of strings to the name.
    """
    try:
        tree = ast.parse(Path(source).read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise DataError(f"{source} cannot be parsed as Python ({error}).") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == variable for target in node.targets
        ):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                continue
            if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
                return list(value)
    raise DataError(f"{source} assigns no list of strings to `{variable}`.")
