"""Settings and metrics that tasks with a classification share."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

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
        """The metrics, top-k accuracy first."""
        named = (METRICS.find(name) for name in self.classification_metrics)
        return [*(top(k) for k in self.top_k), *named]


def of_classification(settings: ClassificationSettings) -> Sequence[Metric]:
    """The metrics of a task that measures a classification and nothing else."""
    return settings.metrics()
