"""The contract of a dataset kind: where clips come from, and how they are read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field

from listenread.entries import Registry, code_problems
from listenread.errors import DataError
from listenread.files.material import Material
from listenread.labels import normalise, normalised_keys
from listenread.settings import Settings

if TYPE_CHECKING:
    from listenread.datasets.manifest import Manifest

Vocabulary = Annotated[
    dict[str, Annotated[str, Field(min_length=1)]],
    AfterValidator(normalised_keys),
    Field(
        min_length=1,
        description="Label in the metadata -> the words that replace `{label}` in a prompt. The "
        "order is that of the classes. Labels are compared as they are seen: composed (NFC), with "
        "single spaces, without invisible characters.",
    ),
]

Spellings = Annotated[
    dict[
        str,
        Annotated[dict[str, Annotated[str, Field(min_length=1)]], AfterValidator(normalised_keys)],
    ],
    Field(
        default_factory=dict,
        description="Name of a spelling -> label -> other words for it; a prompt can ask for a "
        "spelling.",
    ),
]


@dataclass(frozen=True)
class ClipRow:
    """A clip as a dataset's metadata describes it; the file has not been looked at.

    Attributes:
        clip_id: unique in the dataset, and the same on every machine.
        path: the audio file.
        labels: its classes; one in most datasets, any number in others.
        unknown: classes that were not judged for this clip; they count neither for nor against.
        group: clips of one group are not independent (takes of one note, excerpts of one song);
            None for a clip of which that is not known: it counts as a group of its own.
        fold: the dataset's own split, where it has one.
        known: what else the dataset knows, e.g. ``midi_note``; columns of the manifest.
        written: how the labels, then the unknown ones, are written in the metadata; `labels`,
            `unknown` and `group` are normalised by `listenread.labels.normalise`.
    """

    clip_id: str
    path: Path
    labels: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    group: str | None = None
    fold: int | None = None
    known: Mapping[str, Any] = field(default_factory=dict)
    written: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Normalise labels; refuse a text in place of a tuple, whose letters would be labels."""
        for name in ("labels", "unknown"):
            if isinstance(getattr(self, name), str):
                raise DataError(
                    f"clip {self.clip_id!r}: `{name}` must be a tuple of labels, not the text "
                    f"{getattr(self, name)!r}"
                )
        object.__setattr__(self, "written", (*self.labels, *self.unknown))
        for name in ("labels", "unknown"):
            object.__setattr__(self, name, tuple(map(normalise, getattr(self, name))))
        object.__setattr__(self, "group", normalise(self.group or "") or None)
        if "" in (*self.labels, *self.unknown):
            raise DataError(f"clip {self.clip_id!r} has a label without a character that is seen")


def vocabulary_of(rows: Iterable[ClipRow]) -> list[str]:
    """List the labels of some clips in alphabetical order: the vocabulary where none is given."""
    return sorted({label for row in rows for label in row.labels})


class AudioLimits(Settings):
    """What a sound file must be like to be evaluated; see `on_bad_audio`."""

    max_channels: int = Field(
        default=2,
        ge=1,
        description="Up to this many channels are averaged to one; the mean of more is seldom a "
        "sound that anybody recorded.",
    )
    min_sample_rate: int = Field(default=8000, ge=1, description="In Hz.")
    max_sample_rate: int = Field(default=192_000, ge=1, description="In Hz.")
    min_seconds: float = Field(default=0.05, ge=0, description="Shorter files are refused.")
    max_seconds: float = Field(
        default=1800.0, gt=0, description="Longer files are refused; a clip is decoded whole."
    )
    silence_dbfs: float = Field(
        default=-80.0,
        le=0,
        description="A file whose peak is not above this level is silent, in dB below full scale.",
    )
    copy_correlation: float = Field(
        default=0.999,
        gt=0,
        le=1,
        description="Two clips of one length whose waveforms correlate at least so much, with "
        "either sign, are one sound: they are put into one group and listed, and refused if they "
        "have two labels.",
    )
    max_dbfs: float = Field(
        default=120.0,
        description="A file whose peak is above this level is refused as damaged, in dB above full "
        "scale, which files of floating-point numbers may exceed.",
    )


class DatasetSettings(Settings):
    """What every dataset of the catalogue can say."""

    kind: str = Field(description="A built-in kind, or `package.module:NAME` for one of your own.")


class LabelledSettings(DatasetSettings):
    """A dataset whose clips have labels that a prompt can name."""

    vocabulary: Vocabulary
    spellings: Spellings


class AudioFileSettings(Settings):
    """A dataset that has audio files."""

    on_bad_audio: Literal["error", "skip"] = Field(
        default="error",
        description="What a clip that is missing, corrupt, empty, silent or not finite does: "
        "`error` stops with a list of all of them, `skip` goes on without them and says so in the "
        "manifest and the report.",
    )
    audio_limits: AudioLimits = Field(
        default_factory=AudioLimits,
        description="What a sound file must be like to be evaluated; see `on_bad_audio`.",
    )


class UserFileSettings(AudioFileSettings):
    """A dataset whose audio files are in a folder of the user."""

    track_clips: bool = Field(
        default=True,
        description="Whether every audio file is an input of the workflow, so that a replaced one "
        "is noticed when jobs are planned. Switch it off beyond some 100,000 clips; the csv is "
        "tracked in any case, and a clip that differs from the manifest is never embedded.",
    )


@dataclass(frozen=True)
class Places:
    """Where the files of a dataset are.

    Attributes:
        root: the folder that the clips' paths are relative to; None where there is no audio.
        metadata: the csv, or the folder of its tables; None where the folders are the labels.
        others: further files by name, from the kind's material.
    """

    root: Path | None = None
    metadata: Path | None = None
    others: Mapping[str, Path] = field(default_factory=dict)

    def root_and_metadata(self) -> tuple[Path, Path]:
        """Return both, for a kind that needs them.

        Raises:
            DataError: one is missing.
        """
        if self.root is None or self.metadata is None:
            raise DataError("the dataset needs a folder of clips and a file that describes them")
        return self.root, self.metadata


Derive: TypeAlias = (
    "Callable[[Manifest | None, Places, Mapping[str, Any], Sequence[str] | None], Manifest]"
)


@dataclass(frozen=True)
class DatasetKind:
    """A kind of dataset.

    Attributes:
        name: of the kind, `datasets.<name>.kind` in the configuration.
        description: one sentence.
        settings: a subclass of `DatasetSettings`.
        locate: called as ``locate(settings, made)`` with the paths of the material by name; says
            where the files are.
        read_clips: called as ``read_clips(places, settings)`` with a mapping of the settings that
            `uses` names; gives a list of `ClipRow` without opening a sound file. None for a kind
            that derives its manifest.
        notes: called as ``notes(places, settings, rows)``: sentences about its files, for the page;
            by default about those next to the clips that are not used.
        derive: called as ``derive(base, places, settings, vocabulary)`` with the manifest of the
            dataset that `base` names (None without), the settings that `uses` names, and the labels
            in the order of the classes (None where the settings give none); gives the manifest. For
            kinds that have no sound files of their own.
        base: called with the settings: the dataset that this one is derived from, or None.
        vectors: where its audio vectors come from: ``embed``, through the model's audio tower;
            ``base``, those of the dataset that it is derived from; ``released``, the paper's
            authors only, as there is no audio.
        uses: settings that the manifest depends on, apart from the vocabulary and the limits of
            audio.
        material: what is fetched or rendered.
        licence: of the data.
        citation: how to cite it.
        groups: what makes clips dependent, and shared by those of one `ClipRow.group`; or why that
            is not known. One sentence for the page and the catalogue.
        captioned: whether it has captions in place of classes: material to train on.
        clip_files: called with the settings, for kinds with material whose sound files may be the
            user's: those that are there and are to be tracked one by one. Of kinds without material
            the paths of the rows are.
        code: called with the settings: further modules that the manifest and the vectors depend on.
        of_the_paper: whether its clips are those of the paper, whose numbers are then compared.
        renamed_from: names that it had before.
    """

    name: str
    description: str
    settings: type[DatasetSettings]
    locate: Callable[[Any, Mapping[str, Path]], Places]
    read_clips: Callable[[Places, Mapping[str, Any]], list[ClipRow]] | None = None
    notes: Callable[[Places, Mapping[str, Any], Sequence[ClipRow]], list[str]] | None = None
    derive: "Derive | None" = None
    base: Callable[[Any], str | None] = lambda settings: None
    vectors: Literal["embed", "base", "released"] = "embed"
    uses: tuple[str, ...] = ()
    material: tuple[Material, ...] = ()
    licence: str = ""
    citation: str = ""
    groups: str = "What makes clips dependent is not known."
    captioned: bool = False
    clip_files: Callable[[Any], Sequence[str]] | None = None
    code: Callable[[Any], tuple[str, ...]] = lambda settings: ()
    of_the_paper: bool = False
    renamed_from: tuple[str, ...] = ()

    def problems(self) -> list[str]:
        """List what breaks the contract."""
        found = [] if self.description else ["`description` is empty"]
        if not (isinstance(self.settings, type) and issubclass(self.settings, DatasetSettings)):
            found.append(
                "`settings` is not a subclass of `listenread.datasets.base.DatasetSettings`"
            )
        else:
            for uses, where in ((self.uses, ""), *((one.uses, one.rule) for one in self.material)):
                if unknown := set(uses) - set(self.settings.model_fields):
                    found.append(
                        f"`uses` of {where or 'the kind'} names settings that do not exist: "
                        f"{', '.join(sorted(unknown))}"
                    )
        for one in self.material:
            found += code_problems(one.make, f"`make` of `{one.rule}`")
        if (self.read_clips is None) == (self.derive is None):
            found.append("needs one of `read_clips`, `derive`")
        if not callable(self.locate):
            found.append("`locate` cannot be called")
        if self.vectors not in ("embed", "base", "released"):
            found.append(f"`vectors` is {self.vectors!r}; it can be 'embed', 'base' or 'released'")
        return found


DATASET_KINDS: Registry[DatasetKind] = Registry("dataset kind", DatasetKind, "listenread.datasets")
