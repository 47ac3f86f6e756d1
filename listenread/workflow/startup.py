"""A job is a process of its own, often of less than a second: what its start and its end cost.

Measured in `docs/performance.md`. Nothing here changes what is computed.
"""

import atexit
import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder

#: Parameters of mallopt, as malloc.h numbers them.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
#: New objects between two looks for garbage in Snakemake's process; Python's own is 700.
_SELDOM = 50_000


class _NoPandas(MetaPathFinder):
    """Finds no pandas, whether it is installed or not, and leaves the rest to other finders."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def keep_pandas_out() -> None:
    """Let pyarrow find no pandas the first time that it looks for it by itself.

    With the first list that it makes an array of, pyarrow imports pandas where it is installed, to
    know data frames and missing values from others. That is half of the time of a metrics job,
    which has no data frames. Who asks for one (`to_pandas`) still gets it: pyarrow then looks
    again. It is for processes of our own, hence not beside what reads tables; where pyarrow is not
    imported yet, or pandas is, it does nothing.
    """
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
    """Spare the process a last look for garbage when it ends.

    Torch leaves a million objects; to visit each once more takes half a second.
    """
    atexit.register(gc.freeze)


def collect_seldom() -> None:
    """Let the process that plans and schedules look for garbage seldom, and not when it ends.

    What is there, Snakemake and its plugins, stays out of every look from now on (`gc.freeze`);
    what comes is a plan of jobs, which stays, too. To go through both again and again was a quarter
    of a run with nothing to do.
    """
    gc.freeze()
    gc.set_threshold(_SELDOM, *gc.get_threshold()[1:])
    exit_quickly()


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Import, or load, without looking for garbage: what comes stays, and there is much of it.

    It was off before, it stays off.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def keep_freed_memory() -> None:
    """Keep memory that is freed for what is allocated next; for processes that embed audio.

    A layer's output is larger than what the C library holds back, so that each would be asked of
    the system anew, and its pages be faulted in one by one. Without glibc, nothing happens; see
    mallopt(3).
    """
    with contextlib.suppress(AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
