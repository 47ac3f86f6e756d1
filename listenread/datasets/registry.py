"""Finds a dataset's module by the name of its loader."""

import difflib
import importlib
import importlib.util
import pkgutil
from types import ModuleType

from listenread import datasets
from listenread.errors import ConfigError


def names() -> list[str]:
    """List the loaders that come with listenread: its modules that have a `read_clips`."""
    modules = (module.name for module in pkgutil.iter_modules(datasets.__path__))
    return sorted(name for name in modules if _is_loader(_import(name)))


def _import(name: str) -> ModuleType:
    return importlib.import_module(f"{datasets.__name__}.{name}")


def _is_loader(module: ModuleType) -> bool:
    return callable(getattr(module, "read_clips", None))


def load(loader: str) -> ModuleType:
    """Import a loader.

    A loader is a module with ``read_clips(root, metadata, **settings) -> list[ClipRow]``, and,
    where the labels have an order of their own, ``VOCABULARY``. Those that make their audio also
    have ``render``.

    Args:
        loader: one of `names`, or the dotted name of a module of one's own.

    Raises:
        ConfigError: there is no such loader, or it has no ``read_clips``.
    """
    own = "." in loader
    if not own and importlib.util.find_spec(f"{datasets.__name__}.{loader}"):
        module = _import(loader)
        if _is_loader(module):
            return module
    if not own:
        near = difflib.get_close_matches(loader, names(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"there is no dataset loader {loader!r}; there are {', '.join(names())}, or "
            f"`some_package.module` of your own.{hint}"
        )
    try:
        module = importlib.import_module(loader)
    except ModuleNotFoundError as error:
        raise ConfigError(f"dataset loader {loader!r}: {error}; is it installed?") from error
    if not _is_loader(module):
        raise ConfigError(f"dataset loader {loader!r} has no function `read_clips`")
    return module
