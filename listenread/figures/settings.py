"""Constants that figures use, of the sections `report` and `metrics` of the configuration.

They are apart from the code that draws, which imports matplotlib: planning a run must not.
"""

from listenread.settings import Settings


class HistogramSettings(Settings):
    """Of the similarity histogram of one prompt."""

    histogram_bins: int


class AudioHistogramSettings(HistogramSettings):
    """Of the similarity histogram of pairs of clips."""

    max_others: int
    seed: int


class MarginSettings(HistogramSettings):
    """Of the margins of decisions, and their reliability."""

    reliability_bins: int
    replicates: int
    confidence_level: float
    seed: int


class IntervalSettings(Settings):
    """Of one metric of all prompts with its intervals."""

    top_k: list[int]
