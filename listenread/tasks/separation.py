"""Separation: are similarities of matching clips and texts larger than those of others?"""

from collections.abc import Iterator, Sequence

from pydantic import Field

from listenread.metrics import separation
from listenread.metrics.base import Metric, Resampling
from listenread.settings import Settings
from listenread.tasks.base import Row, Table, Task
from listenread.tasks.cell import Cell


class SeparationSettings(Settings):
    """Separation of matching from other pairs of a clip and a text."""

    bins: int = Field(
        default=200,
        ge=2,
        description="Bins between -1 and 1 of the distributions that overlap is computed from.",
    )


def measure(cell: Cell, settings: SeparationSettings, resampling: Resampling) -> Iterator[Row]:
    """Measure how text-audio similarities separate, and the modality gap, for one prompt."""
    scores = cell.scores()
    labels, groups = cell.target(scores.clip_ids).labels, cell.groups(scores.clip_ids)
    cell.facts["variants"] = len(scores.values)
    profile = separation.text_audio_profile(scores.values, labels, bins=settings.bins)
    del scores  # as large as what is read next
    measured = separation.measure(profile, groups, resampling)
    del profile
    texts = cell.text("joint").vectors
    gap = separation.measure_modality_gap(
        cell.audio("joint"), texts.reshape(-1, texts.shape[-1]), groups, resampling
    )
    yield from (Row(one, "joint", "corrected") for one in (*measured, gap))


def metrics(settings: SeparationSettings) -> Sequence[Metric]:
    """How pairs separate, and the modality gap."""
    return (*separation.OF_PAIRS, separation.MODALITY_GAP)


TASK = Task(
    name="separation",
    title="Separation of matching from other pairs",
    question="meets",
    per="prompt",
    reads=("scores", "audio", "text"),
    measure=measure,
    metrics=metrics,
    settings=SeparationSettings,
    tables=(
        Table(
            name="separation",
            keys=("dataset", "model", "prompt"),
            comparable=("dataset",),
            caption="Separation of matching from other pairs of a clip and a prompt",
            method="Mean similarity of pairs that belong together (positive) and of others "
            "(negative); d\u2032 is their distance in units of their spread, overlap the common "
            "area of the two histograms, and the modality gap the distance between the centroids "
            "of audio and text.",
        ),
    ),
)
