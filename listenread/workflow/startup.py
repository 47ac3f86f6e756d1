"""Start-up and shutdown tweaks for short-lived jobs, measured in `docs/performance.md`.

Nothing here changes what is computed.
"""

import atexit
import gc
import sys
from importlib.abc import MetaPathFinder

#: New objects between two garbage collections; Python's default is 700.
_SELDOM = 50_000


class _NoPandas(MetaPathFinder):
    """Makes `import pandas` fail, and leaves all other modules to the other finders."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def keep_pandas_out() -> None:
    """Make the first array that pyarrow builds without importing pandas.

    pyarrow imports pandas for it, if it is installed, to recognise data frames: 0.20 of the 0.44
    CPU seconds in which a metrics job starts. `to_pandas` still works, as pyarrow then tries again.
    Does nothing if pyarrow is not imported yet, or pandas is.
    """
    # docs/upstream.md, "pyarrow imports pandas with the first array"
    arrow = sys.modules.get("pyarrow")
    if arrow is None or "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        arrow.array([0])
    finally:
        sys.meta_path.remove(finder)


def exit_quickly() -> None:
    """Skip the last garbage collection of the process: torch alone leaves a million objects."""
    atexit.register(gc.freeze)


def collect_seldom() -> None:
    """Collect garbage rarely in this process, and not when it ends.

    In the process that plans and schedules, modules and the plan of jobs are never garbage; going
    through them took a quarter of a run with nothing to do. In a job, torch's import makes a
    million objects that all stay.
    """
    gc.freeze()
    gc.set_threshold(_SELDOM, *gc.get_threshold()[1:])
    exit_quickly()
