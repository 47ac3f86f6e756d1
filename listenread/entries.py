"""Entries: the kinds of things that are added to listenread, found by name.

An entry is one object in one module that says everything about itself: a `Task`, a `Metric`, a
`DatasetKind`, a model `Family`, a `Degradation`. Built-in ones are found by their name in the
package of their kind, those of a user as ``package.module:NAME``; both pass the same checks.
"""

import difflib
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from listenread.errors import ConfigError


class Entry(Protocol):
    """What all kinds of entries have in common."""

    @property
    def name(self) -> str:
        """What it is called in the configuration, in paths and in tables."""
        ...

    def problems(self) -> list[str]:
        """List what breaks the contract of its kind, one sentence each."""
        ...


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True)
class Registry(Generic[E]):
    """All entries of one kind.

    Attributes:
        what: how the kind is called in messages, e.g. ``task``.
        kind: the class of its entries.
        package: the package whose modules hold the built-in entries. Importing them must be cheap:
            the names of all are needed to plan a run.
    """

    what: str
    kind: type[E]
    package: str

    def find(self, name: str) -> E:
        """Find an entry and check that it keeps the contract of its kind.

        Args:
            name: of a built-in entry, or ``package.module:NAME``.

        Raises:
            ConfigError: there is no such entry, it cannot be imported, or it breaks its contract.
        """
        entry = self._own(name) if ":" in name else self._locate(name)[0]
        if id(entry) in self._checked:
            return entry
        if problems := entry.problems():
            raise ConfigError(
                f"{self.module(name)}: the {self.what} `{entry.name}` cannot be used:\n  - "
                + "\n  - ".join(problems)
            )
        self._checked[id(entry)] = entry
        return entry

    def names(self) -> list[str]:
        """List the names of the built-in entries, sorted."""
        return sorted(self._builtin)

    def module(self, name: str) -> str:
        """Name the module that holds an entry: the code that results depend on.

        Raises:
            ConfigError: there is no such built-in entry.
        """
        if ":" in name:
            return name.partition(":")[0]
        return self._locate(name)[1]

    @cached_property
    def _checked(self) -> dict[int, E]:
        """Entries that keep their contract, by identity: they are asked for again and again."""
        return {}

    @cached_property
    def _builtin(self) -> dict[str, tuple[E, str]]:
        """Name -> entry and its module."""
        found: dict[str, tuple[E, str]] = {}
        package = importlib.import_module(self.package)
        for info in pkgutil.iter_modules(package.__path__, f"{self.package}."):
            module = importlib.import_module(info.name)
            for entry in self._entries(module):
                known, where = found.setdefault(entry.name, (entry, info.name))
                if known is not entry:
                    raise ConfigError(
                        f"{info.name}: the {self.what} `{entry.name}` is already in {where}"
                    )
        return found

    def _entries(self, module: ModuleType) -> Iterator[E]:
        """Entries that a module defines: its constants, and members of constant tuples."""
        for name, value in vars(module).items():
            if name.isupper():
                for item in value if isinstance(value, tuple) else (value,):
                    if isinstance(item, self.kind):
                        yield item

    def _locate(self, name: str) -> tuple[E, str]:
        """Find a built-in entry and its module."""
        # Most entries are in a module of their own name: the others need not be imported.
        module = f"{self.package}.{name}"
        if name.isidentifier() and importlib.util.find_spec(module):
            for entry in self._entries(importlib.import_module(module)):
                if entry.name == name:
                    return entry, module
        if name not in self._builtin:
            raise ConfigError(self._unknown(name))
        return self._builtin[name]

    def _own(self, name: str) -> E:
        entry = load(name, f"the {self.what} `{name}`")
        if not isinstance(entry, self.kind):
            raise ConfigError(
                f"{name} is not a {self.what}: it is of type `{type(entry).__name__}`, not "
                f"`{self.kind.__module__}.{self.kind.__name__}`"
            )
        if entry.name in self._builtin:
            raise ConfigError(
                f"{name}: there is a built-in {self.what} named `{entry.name}` already; give yours "
                "another name"
            )
        return entry

    def _unknown(self, name: str) -> str:
        for entry, _ in self._builtin.values():
            if name in getattr(entry, "renamed_from", ()):
                return (
                    f"the {self.what} `{name}` is now called `{entry.name}`. Results under the old "
                    f"name stay where they are (folders and rows named `{name}` belong to it)."
                )
        close = difflib.get_close_matches(name, self.names(), 1)
        hint = f"; did you mean `{close[0]}`?" if close else ""
        known = ", ".join(f"`{one}`" for one in self.names())
        return f"unknown {self.what} `{name}`; there are {known}, or `package.module:NAME`{hint}"


def load(reference: str, what: str = "") -> Any:
    """Import an object that is named ``package.module:NAME``.

    Args:
        reference: where it is.
        what: how to call it in an error; the reference itself by default.

    Raises:
        ConfigError: the module cannot be imported, or has no such name.
    """
    module_name, _, attribute = reference.partition(":")
    what = what or f"`{reference}`"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and module_name.startswith(error.name):
            raise ConfigError(
                f"{what}: there is no module `{module_name}`; it must be on PYTHONPATH, in "
                "the working directory, or next to an overlay."
            ) from error
        raise ConfigError(f"{what}: {module_name} cannot be imported: {error}") from error
    except Exception as error:
        raise ConfigError(
            f"{what}: {module_name} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not hasattr(module, attribute):
        close = difflib.get_close_matches(attribute, vars(module), 1)
        hint = f"; did you mean `{close[0]}`?" if close else ""
        raise ConfigError(f"{what}: the module {module_name} has no `{attribute}`{hint}")
    return getattr(module, attribute)


def resolve(reference: Any) -> Any:
    """Return an object given itself or as ``package.module:NAME``.

    Entries name code that planning a run must not import (drawing, torch) by reference.
    """
    return load(reference) if isinstance(reference, str) else reference


def module_of(reference: Any) -> str:
    """Name the module behind an object given itself or as ``package.module:NAME``."""
    if isinstance(reference, str):
        return reference.partition(":")[0]
    return str(reference.__module__)


def source_of(module_name: str) -> Path | None:
    """Find the Python source of a module, which is not imported; None where it has none.

    Raises:
        ConfigError: there is no such module.
    """
    try:
        spec = importlib.util.find_spec(module_name)
    except (ImportError, ValueError, AttributeError):
        spec = None
    if spec is None:
        raise ConfigError(
            f"there is no module `{module_name}`; it must be on PYTHONPATH, in the working "
            "directory, or next to an overlay."
        )
    # Of a module that is built in or frozen, the origin says just that.
    source = Path(spec.origin) if spec.origin else None
    return source if source is not None and source.suffix == ".py" else None


def code_problems(reference: Any, where: str) -> list[str]:
    """Say why an object that an entry names cannot be code that jobs run.

    Args:
        reference: an object, or ``package.module:NAME``.
        where: the entry names it, for the message.
    """
    if isinstance(reference, str) and not all(reference.partition(":")):
        return [f"{where} is {reference!r}, not `package.module:NAME`"]
    if not (isinstance(reference, str) or callable(reference)):
        return [f"{where} is {reference!r}, which cannot be called"]
    try:
        if source_of(module_of(reference)) is not None:
            return []
    except ConfigError as error:
        return [f"{where} is {reference!r}: {error}"]
    return [
        f"{where} is {reference!r}, of a module without Python source, whose changes could not be "
        "noticed; name a function of your own that calls it"
    ]


def reference_to(target: Any) -> str:
    """Name an object given itself or as ``package.module:NAME``, so that a job can import it.

    >>> reference_to(load), reference_to("my_module:draw")
    ('listenread.entries:load', 'my_module:draw')
    """
    if isinstance(target, str):
        return target
    return f"{target.__module__}:{target.__qualname__}"
