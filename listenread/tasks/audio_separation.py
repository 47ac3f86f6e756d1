"""Audio separation: are clips of one class more similar to each other than to other clips?"""

from collections.abc import Iterator, Sequence

from pydantic import Field

from listenread.metrics import separation
from listenread.metrics.base import Metric, Resampling
from listenread.tasks.base import Row, Table, Task
from listenread.tasks.cell import Cell
from listenread.tasks.separation import SeparationSettings


class AudioSeparationSettings(SeparationSettings):
    """Separation of pairs of clips."""

    max_others: int = Field(
        default=5000,
        ge=1,
        description="A clip is compared with all others up to this many, beyond that with this "
        "many drawn by the seed.",
    )


def measure(cell: Cell, settings: AudioSeparationSettings, resampling: Resampling) -> Iterator[Row]:
    """Measure how similarities between clips separate, in both spaces."""
    clip_ids = cell.clip_ids()
    labels, groups = cell.target(clip_ids).labels, cell.groups(clip_ids)
    for space, vectors in cell.spaces(cell.audio):
        measured = separation.measure_clip_pairs(
            vectors,
            labels,
            groups,
            resampling,
            bins=settings.bins,
            max_others=settings.max_others,
        )
        yield from (Row(one, space, "corrected") for one in measured)


def metrics(settings: AudioSeparationSettings) -> Sequence[Metric]:
    """How pairs separate."""
    return separation.OF_PAIRS


TASK = Task(
    name="audio_separation",
    title="Separation of clips of one class from others",
    question="listens",
    per="model",
    reads=("audio",),
    measure=measure,
    metrics=metrics,
    settings=AudioSeparationSettings,
    tables=(
        Table(
            name="audio_separation",
            keys=("dataset", "space", "model"),
            comparable=("dataset", "space"),
            caption="Separation of pairs of clips of one class from other pairs",
            method="Mean similarity of pairs of clips of one class (positive) and of others "
            "(negative); d\u2032 is their distance in units of their spread, overlap the common "
            "area of the two histograms.",
        ),
    ),
)
