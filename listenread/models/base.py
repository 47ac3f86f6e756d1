"""The two-tower protocol: what a model must offer to be evaluated.

A *family* is a class. `registry.load` makes an instance for one tower at a time, because a text job
never needs the audio tower. Both vectors of a clip or a text come from one forward pass.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from pydantic import Field

from listenread.audio.base import AudioInput, Resampler
from listenread.entries import Registry, code_problems, load
from listenread.errors import ConfigError
from listenread.files.material import Material, Source
from listenread.settings import Settings

Tower = Literal["audio", "text"]
LoadTower = Literal["audio", "text", "both"]


class Vectors(NamedTuple):
    """Vectors of a batch, before and after the projection into the joint space.

    Attributes:
        pre_joint: float32, shape (batch, d_encoder): what the encoder gives, not normalised.
        joint: float32, shape (batch, d_joint): after the projection, L2-normalised.
    """

    pre_joint: np.ndarray
    joint: np.ndarray


@runtime_checkable
class TwoTower(Protocol):
    """An audio tower and a text tower with one joint space.

    Vectors must be the same whatever the batch that they came in, and the same on every call.
    """

    audio_input: AudioInput

    def encode_audio(self, waveforms: np.ndarray) -> Vectors:
        """Encode float32 waveforms in [-1, 1], shape (batch, `audio_input.samples`)."""
        ...

    def encode_text(self, texts: list[str]) -> Vectors:
        """Encode a batch of texts.

        A model may have ``count_tokens(texts)`` beside it, which gives the tokens of each text, and
        how many the tower reads: what it does not read is then said.
        """
        ...


class TowerLoader(Protocol):
    """How a prepared model is loaded: the class that a family names."""

    def __call__(
        self, model_dir: Path, description: Mapping[str, Any], *, tower: LoadTower, device: str
    ) -> TwoTower:
        """Load one tower or both for inference.

        Args:
            model_dir: folder of the prepared model.
            description: the mapping in its ``model.json``.
            tower: what will be used; the files of another tower must not be read.
            device: a torch device such as ``cpu`` or ``cuda:0``.

        Raises:
            ModelError: a file is missing, damaged or not of this family.
        """
        ...


class ModelSettings(Settings):
    """What every model of the catalogue can say."""

    family: str = Field(
        description="A built-in family, or `package.module:NAME` for one of your own."
    )
    system: Literal["muscall", "music_clap", "music_speech_clap"] | None = Field(
        default=None,
        description="The paper's system that this model is compared with; null for none.",
    )


class HealthLimits(Settings):
    """Limits of the health gate, which every model must pass before anything is scored."""

    smallest_vocabulary: int = Field(
        default=32, ge=1, description="Tokens that a tokenizer must have."
    )
    largest_mean_text_cosine: float = Field(
        default=0.99,
        description="Mean cosine of joint text vectors of different prompts. MusCALL's released "
        "ones have .25 to .81, the broken tower that made this check has .9993.",
    )
    largest_mean_audio_cosine: float = Field(
        default=0.99, description="Mean cosine of joint audio vectors of different sounds."
    )
    largest_norm_error: float = Field(
        default=1e-3, description="How far the norm of a joint vector may be from 1."
    )
    largest_repeat_error: float = Field(
        default=1e-5, description="Relative difference of two vectors of the same clip or text."
    )
    largest_batch_error: float = Field(
        default=1e-3, description="Relative difference of vectors from batches of one and of many."
    )
    largest_precision_error: float = Field(
        default=0.05,
        description="Relative difference of vectors in the precision in use and in float32.",
    )
    smallest_known_cosine: float = Field(
        default=0.999, description="Cosine with a known answer for the same text."
    )


class TowerSettings(ModelSettings):
    """What every model with towers can say."""

    known_answers: str | None = Field(
        default=None,
        description="A model of the family `released` whose text vectors of the prompt `track` "
        "this model must give; the health gate compares them where they are available.",
    )
    resampler: Resampler = Field(
        default="HQ",
        description="What clips are resampled by to the tower's rate: a preset of soxr, or "
        "`torchaudio`, the resampler of the paper's released code, for its systems.",
    )
    accept_unhealthy: bool = Field(
        default=False,
        description="Evaluate the model although it failed the health gate; the report says so.",
    )


@dataclass(frozen=True)
class Preparation:
    """One way in which a prepared model is made.

    Attributes:
        rule: name of its rule, verb first, e.g. ``convert_laion_clap``.
        make: a function or ``package.module:function``, called as ``make(inputs, model_dir,
            settings, context)`` with paths by name, the folder of the prepared model, a mapping of
            the settings that `uses` names, and a `PreparationContext`.
        outputs: files of the prepared model that it writes; ``model.json`` among them.
        inputs: called as ``inputs(settings, made)`` with the paths of the material by name: what it
            reads, by name.
        uses: settings that the prepared model depends on.
        when: called with the settings: whether this is the way for them.
        dataset: called with the settings: a captioned dataset whose manifest it reads, or None; it
            is the input `manifest`.
        code: called with the settings: further modules that the result depends on.
        trains: whether it trains, on a GPU where there is one.
        threads: called with the settings.
        minutes: run time to ask a scheduler for.
        megabytes: memory to ask for.
    """

    rule: str
    make: (
        "str | Callable[[Mapping[str, Path], Path, Mapping[str, Any], PreparationContext], object]"
    )
    outputs: tuple[str, ...]
    inputs: Callable[[Any, Mapping[str, Path]], Mapping[str, Path]] = lambda settings, made: {}
    uses: tuple[str, ...] = ()
    when: Callable[[Any], bool] = lambda settings: True
    dataset: Callable[[Any], str | None] = lambda settings: None
    code: Callable[[Any], tuple[str, ...]] = lambda settings: ()
    trains: bool = False
    threads: Callable[[Any], int] = lambda settings: 1
    minutes: int = 15
    megabytes: int = 4000


@dataclass(frozen=True)
class PreparationContext:
    """What a preparation is told in addition to its settings.

    Attributes:
        family: name of the family, as the configuration has it.
        device: ``auto``, ``cpu`` or ``cuda``; for training.
        threads: CPU threads.
        checkpoint_dir: where a training keeps its checkpoints.
        source: where downloads come from.
    """

    family: str
    device: str = "cpu"
    threads: int = 1
    checkpoint_dir: Path = Path("checkpoints")
    source: Source = field(default_factory=lambda: Source(Path("downloads")))


@dataclass(frozen=True)
class ReleasedVectors:
    """Where a family without towers takes its vectors from.

    Attributes:
        read_audio: ``package.module:function`` that writes a dataset's audio vectors, or raises
            `Unavailable`; see `listenread.paper.vectors.read_audio`.
        read_text: the same for the text vectors of a prompt; see
            `listenread.paper.vectors.read_text`.
        without_ontology: why there are no text vectors of an ontology's instruments.
    """

    read_audio: str
    read_text: str
    without_ontology: str


@dataclass(frozen=True)
class Family:
    """A family of models.

    Attributes:
        name: of the family, `models.<name>.family` in the configuration.
        description: one sentence.
        settings: a subclass of `ModelSettings` (`TowerSettings` where there are towers).
        towers: which towers its models have: ``audio``, ``text``, or both; none where `vectors`
            reads what somebody released. Tasks that need another tower are left out.
        loader: ``package.module:Class``, see `TowerLoader`; imports torch or whatever it needs.
        preparations: how a prepared model is made, one for each way.
        material: what is fetched for it.
        vectors: for a family without towers.
        licence: of weights and code.
        training_data: what the models were trained on, as far as it is known.
        renamed_from: names that it had before.
    """

    name: str
    description: str
    settings: type[ModelSettings]
    towers: frozenset[Tower]
    loader: str | None = None
    preparations: tuple[Preparation, ...] = ()
    material: tuple[Material, ...] = ()
    vectors: ReleasedVectors | None = None
    licence: str = ""
    training_data: str = ""
    renamed_from: tuple[str, ...] = ()

    def preparation(self, settings: Any) -> Preparation:
        """Choose the way in which a model with these settings is prepared."""
        return next(one for one in self.preparations if one.when(settings))

    def problems(self) -> list[str]:
        """List what breaks the contract."""
        found = [] if self.description else ["`description` is empty"]
        if not (isinstance(self.settings, type) and issubclass(self.settings, ModelSettings)):
            found.append("`settings` is not a subclass of `listenread.models.base.ModelSettings`")
        else:
            uses = [one.uses for one in self.preparations] + [one.uses for one in self.material]
            if unknown := sorted(set().union(*uses) - set(self.settings.model_fields)):
                found.append(f"no setting(s) {', '.join(unknown)}, which `uses` names")
        if unknown := sorted(set(self.towers) - {"audio", "text"}):
            found.append(f"unknown tower(s) {', '.join(unknown)}; there are audio and text")
        if bool(self.towers) == (self.vectors is not None):
            found.append("needs `towers`, or else `vectors`")
        if self.towers and self.loader is None:
            found.append("has towers, but no `loader`")
        if self.loader is not None:
            found += code_problems(self.loader, "`loader`")
        made = {one.rule: one.make for one in self.preparations}
        for rule, make in (made | {one.rule: one.make for one in self.material}).items():
            found += code_problems(make, f"`make` of `{rule}`")
        if not self.preparations:
            found.append("has no `preparations`")
        found += [
            f"`outputs` of the preparation `{one.rule}` has no `model.json`"
            for one in self.preparations
            if "model.json" not in one.outputs
        ]
        return found


FAMILIES: Registry[Family] = Registry("model family", Family, "listenread.models")

#: Files of a prepared model with towers of torch.
PREPARED = ("model.json", "audio_tower.safetensors", "text_tower.safetensors", "tokenizer.json")

Cropping = Annotated[
    Literal["first", "centre", "mean_of_windows"],
    Field(description="What is heard of a clip that is longer than the tower's input."),
]


def remote_file(rule: str, key: str, path: str) -> Material:
    """Make the material of a file that a setting describes as a `LocalOrRemoteFile`.

    Args:
        rule: name of its rule.
        key: of the setting; the file is called so among the inputs, too.
        path: where it goes, below the model's folder.

    Returns:
        Material that is needed where the setting has a URL and no path of the user's own.
    """

    def when(settings: Any) -> bool:
        file = getattr(settings, key)
        return file is not None and file.path is None

    return Material(rule, outputs={key: path}, make=fetch_files, uses=(key,), when=when)


def fetch_files(outputs: Mapping[str, Path], settings: Mapping[str, Any], source: Source) -> None:
    """Download files, each as the setting of its name describes it."""
    from listenread.files.download import fetch

    for key, target in outputs.items():
        file = {name: value for name, value in settings[key].items() if name != "path"}
        fetch(target=target, mirror=source.mirror, **file)


def own_or_made(*keys: str) -> Callable[[Any, Mapping[str, Path]], Mapping[str, Path]]:
    """Make a function for `Preparation.inputs`: the user's own files, or those that are fetched."""

    def inputs(settings: Any, made: Mapping[str, Path]) -> Mapping[str, Path]:
        own = {key: getattr(settings, key).path for key in keys}
        return {key: made[key] if path is None else Path(path) for key, path in own.items()}

    return inputs


class OwnSettings(TowerSettings):
    """A class of your own, named `package.module:Class`."""

    options: dict[str, Any] = Field(
        default_factory=dict, description="Handed to the class as it is."
    )


def find_family(name: str) -> Family:
    """Find a family: a built-in one, a `Family` of your own, or a class that is a model.

    Args:
        name: of a built-in family, or ``package.module:NAME`` of a `Family` or of a class as
            docs/own_model.md describes it, which is made a family of its own.

    Raises:
        ConfigError: there is no such family, or it breaks its contract.
    """
    if ":" in name:
        found = load(name, f"the model family `{name}`")
        if isinstance(found, type) and not issubclass(found, Family):
            return _of_class(name, found)
    return FAMILIES.find(name)


def _of_class(name: str, found: type) -> Family:
    towers = frozenset(getattr(found, "towers", ("audio", "text")))
    needed = {"audio": "encode_audio", "text": "encode_text"}
    problems = [
        f"`{needed[tower]}` is missing"
        for tower in sorted(towers)
        if tower in needed and not hasattr(found, needed[tower])
    ]
    if "audio" in towers and not isinstance(getattr(found, "audio_input", None), AudioInput):
        problems.append(
            "the class attribute `audio_input` is missing, an instance of "
            "listenread.audio.base.AudioInput"
        )
    family = Family(
        name=name,
        description=(inspect.getdoc(found) or "A class of your own.").partition("\n")[0],
        settings=OwnSettings,
        towers=towers,
        loader=name,
        preparations=(
            Preparation(
                rule="prepare_own",
                make="listenread.models.storage:prepare_own",
                outputs=("model.json",),
                uses=("options",),
            ),
        ),
    )
    problems += family.problems()
    if problems:
        raise ConfigError(
            f"{name}: the class cannot be used as a model:\n  - " + "\n  - ".join(problems)
        )
    return family
