"""Settings and metrics that tasks with a classification share."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from listenread.errors import ConfigError
from listenread.metrics.base import METRICS, Metric
from listenread.metrics.classification import top
from listenread.settings import Settings, unique


class ClassificationSettings(Settings):
    """What a classification is measured by."""

    top_k: Annotated[
        list[Annotated[int, Field(ge=1)]], Field(min_length=1), AfterValidator(unique)
    ] = Field(default_factory=lambda: [1, 2, 3, 4, 5], description="The k of top-k accuracy.")
    classification_metrics: Annotated[list[str], AfterValidator(unique)] = Field(
        default_factory=lambda: ["f1_weighted", "f1_macro", "roc_auc_macro", "pr_auc_macro"],
        description="What else is measured: built-in metrics, or `package.module:NAME`.",
    )

    def metrics(self) -> list[Metric]:
        """The metrics, top-k accuracy first.

        Raises:
            ConfigError: an unknown metric, one that is not of a classification, or two of one name.
        """
        named = [METRICS.find(name) for name in self.classification_metrics]
        problems = [
            f"`{metric.name}` is not computed from the scores of a classification: it has no "
            "`weighted`"
            for metric in named
            if metric.weighted is None
        ]
        found = [*(top(k) for k in self.top_k), *named]
        counts = Counter(metric.name for metric in found)
        problems += [f"two metrics are named `{name}`" for name, n in counts.items() if n > 1]
        if problems:
            raise ConfigError("`top_k` and `classification_metrics`: " + "; ".join(problems))
        return found


def of_classification(settings: ClassificationSettings) -> Sequence[Metric]:
    """The metrics of a task that measures a classification and nothing else."""
    return settings.metrics()
