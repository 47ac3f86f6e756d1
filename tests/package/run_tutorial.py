"""Run the Python blocks of a Markdown file as one script: ``python run_tutorial.py FILE.md``."""

import re
import sys
from pathlib import Path


def python_of(markdown: str) -> str:
    """Blank out what is not in a ```` ```python ```` block; a line keeps its number."""
    lines, inside = [], False
    for line in markdown.splitlines():
        fence = re.match(r"```(\w*)", line)
        lines.append(line if inside and not fence else "")
        if fence:
            inside = not inside and fence[1] == "python"
    return "\n".join(lines) + "\n"


def main(path: str) -> None:
    """Execute the blocks; a traceback names the lines of the Markdown file."""
    source = python_of(Path(path).read_text("utf-8"))
    if not source.strip():
        sys.exit(f"{path}: no Python block")
    exec(compile(source, path, "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main(sys.argv[1])
