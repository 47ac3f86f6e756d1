"""A dataset whose clips are degraded before a model hears them, e.g. softer or with noise."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError, model_validator

from listenread.audio.degradations.base import DEGRADATIONS
from listenread.datasets.base import DatasetKind, DatasetSettings, Places, Spellings, Vocabulary
from listenread.errors import ConfigError, DataError

if TYPE_CHECKING:
    from listenread.datasets.manifest import Manifest


class DegradedSettings(DatasetSettings):
    """The clips of another dataset, degraded between decoding and the tower."""

    dataset: str = Field(description="The dataset to take the clips from.")
    degradation: str = Field(
        description="A built-in degradation, or `package.module:NAME` for one of your own."
    )
    level: float = Field(
        allow_inf_nan=False, description="How strong it is, in the unit of the degradation."
    )
    seed: int = Field(
        default=0,
        ge=0,
        description="Seed of its random numbers; each clip derives its own from it.",
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="Settings of the degradation."
    )
    vocabulary: Vocabulary | None = Field(
        default=None, description="As for the other dataset, whose vocabulary is the default."
    )
    spellings: Spellings

    @model_validator(mode="after")
    def _can_be_applied(self) -> "DegradedSettings":
        try:
            DEGRADATIONS.find(self.degradation).settings.model_validate(self.options)
        except ValidationError as error:
            raise ValueError(
                "; ".join(
                    f"`{'.'.join(['options', *map(str, problem['loc'])])}`: {problem['msg']}"
                    for problem in error.errors()
                )
            ) from error
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return self


def derive(
    base: "Manifest | None",
    places: Places,
    settings: Mapping[str, Any],
    vocabulary: Sequence[str] | None,
) -> "Manifest":
    """Make a manifest of the same files that says what happens to them after decoding.

    Args:
        base: the manifest to take the clips from.
        places: not used.
        settings: `degradation, level, seed, options`.
        vocabulary: the classes; those of the base by default.

    Raises:
        DataError: there is no base, or a label of a clip is not in the vocabulary.
    """
    from listenread.datasets.manifest import Manifest  # not at the top: it imports pyarrow

    if base is None:
        raise DataError("a degraded dataset needs the manifest of its base")
    classes = list(vocabulary) if vocabulary is not None else base.vocabulary
    used = {label for labels in base.table["labels"].to_pylist() for label in labels}
    if used - set(classes):
        raise DataError(
            f"labels that are not in the vocabulary: {', '.join(sorted(used - set(classes)))}; "
            f"it has {classes}"
        )
    degradation = {
        "name": settings["degradation"],
        "level": settings["level"],
        "seed": settings["seed"],
        "options": dict(settings["options"]),
    }
    title = DEGRADATIONS.find(degradation["name"])
    note = (
        f"Every clip is degraded before it is embedded: {title.title}, {title.level}: "
        f"{degradation['level']:g}."
    )
    return Manifest(
        base.table,
        classes,
        base.skipped,
        [*base.notes, note],
        [*base.degradations, degradation],
        base.groups,
    )


KIND = DatasetKind(
    name="degraded",
    description="The clips of another dataset, degraded between decoding and the tower.",
    settings=DegradedSettings,
    locate=lambda settings, made: Places(),
    derive=derive,
    base=lambda settings: settings.dataset,
    vectors="embed",
    uses=("degradation", "level", "seed", "options"),
    licence="that of the other dataset",
    groups="Those of the other dataset.",
    code=lambda settings: (DEGRADATIONS.module(settings.degradation),),
)
