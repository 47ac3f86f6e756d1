"""listenread: does an audio-text model listen, and does it read?

>>> import listenread
>>> "zero_shot" in listenread.list_tasks()
True

`load_model`, `embed_audio`, `embed_text`, `score`, `evaluate` and `measure` are all that a script
needs; docs/tutorial.md uses them. The workflow around them needs Snakemake, this package does not.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from listenread.api import (
        embed_audio,
        embed_text,
        evaluate,
        list_metrics,
        list_tasks,
        load_model,
        measure,
        score,
    )

__version__ = "0.1.0"
__all__ = [
    "embed_audio",
    "embed_text",
    "evaluate",
    "list_metrics",
    "list_tasks",
    "load_model",
    "measure",
    "score",
]


def __getattr__(name: str) -> Any:
    """Import the library when it is used: the workflow imports this package in every process."""
    if name in __all__:
        from listenread import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
