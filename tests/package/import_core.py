"""Import every module of the installed package that needs no extra; prints how many."""

import importlib
import pkgutil

#: Packages and modules that need an extra of `pyproject.toml`, and which.
ROOMS = {
    "listenread.figures": "report",
    "listenread.report": "report",
    "listenread.models.clap": "models",
    "listenread.models.common": "models",
    "listenread.models.muscall": "models",
    "listenread.workflow": "workflow",
}


def is_core(module: str) -> bool:
    """Whether a module has to be importable with the declared dependencies alone."""
    return not any(module == room or module.startswith(f"{room}.") for room in ROOMS)


def main() -> None:
    """Import them all; the first that fails raises."""
    package = importlib.import_module("listenread")
    names = [info.name for info in pkgutil.walk_packages(package.__path__, "listenread.")]
    core = [name for name in names if is_core(name)]
    for name in core:
        importlib.import_module(name)
    print(f"listenread {package.__version__}: {len(core)} of {len(names)} modules imported")


if __name__ == "__main__":
    main()
