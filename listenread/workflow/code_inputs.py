"""Which package modules a script depends on, so that rules can declare them as inputs.

Snakemake does not see that a script's imported module has changed; a declared input it sees, and it
compares the content. The imports are read from the source, so the list cannot be forgotten.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from listenread.entries import source_of
from listenread.errors import ConfigError

#: Modules that cannot change a number: they say how things go, or start a process quickly. An edit
#: re-runs nothing.
PRESENTATION_ONLY = frozenset(
    {
        "listenread",
        "listenread.errors",
        "listenread.workflow.job",
        "listenread.progress",
        "listenread.workflow.startup",
    }
)


def modules_behind(sources: Iterable[Path], root: Path) -> list[Path]:
    """List the files of the package that some sources import, directly or not.

    Args:
        sources: scripts or modules; they are part of the answer.
        root: the folder that holds the package's folder ``listenread``.

    Returns:
        Sorted paths. Imports inside functions count; modules that a registry names at run time do
        not, and have to be among the `sources`. A module of a user is followed to those of the same
        folder or package.

    Raises:
        ConfigError: a file cannot be parsed.
    """
    found: set[Path] = set()
    pending = list(sources)
    while pending:
        source = pending.pop()
        if source not in found:
            found.add(source)
            pending += _imported(source, root)
    return sorted(found)


@cache
def _imported(source: Path, root: Path) -> tuple[Path, ...]:
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"), filename=str(source))
    except (OSError, SyntaxError, ValueError) as error:
        raise ConfigError(f"{source} cannot be read as Python: {error}") from error
    folder, package = _place(source)
    ours = source.is_relative_to(root / "listenread")
    # Importing a module imports the packages above it too.
    names = (parent for name in _module_names(tree, package) for parent in _with_parents(name))
    files = (
        module_file(name, root if name.split(".")[0] == "listenread" else folder)
        for name in names
        if name not in PRESENTATION_ONLY and (name.split(".")[0] == "listenread" or not ours)
    )
    return tuple(dict.fromkeys(path for path in files if path is not None))


def _place(source: Path) -> tuple[Path, list[str]]:
    """The folder that a module is imported from, and the packages that it is in."""
    folder = source.parent
    package: list[str] = []
    while (folder / "__init__.py").is_file():
        package.insert(0, folder.name)
        folder = folder.parent
    return folder, package


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _module_names(tree: ast.AST, package: list[str]) -> Iterator[str]:
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every statement of a tree; `ast.walk` would visit the ten times as many expressions too."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        inside = getattr(node, part, ())
        for child in inside if isinstance(inside, list) else ():  # a lambda's body is not a list
            yield child
            yield from _statements(child)


def module_source(name: str, root: Path) -> Path:
    """Find the file of a module by its name, of the package or a user's own; it is not imported.

    Raises:
        ConfigError: there is no such module on the import path, or it is built in or compiled.
    """
    source = module_file(name, root) or source_of(name)
    if source is None:
        raise ConfigError(
            f"the module `{name}` has no Python source, so that its changes could not be noticed; "
            "name code of your own that calls it."
        )
    return source


@cache
def module_file(name: str, root: Path) -> Path | None:
    """Find a module's file; a package that only groups modules (an empty `__init__`) has none."""
    path = root.joinpath(*name.split("."))
    if path.with_suffix(".py").is_file():
        return path.with_suffix(".py")
    package = path / "__init__.py"
    return package if package.is_file() and package.stat().st_size else None
