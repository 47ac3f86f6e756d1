"""Sections of the configuration that are not entries: the experiment and its constants."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from listenread.models.base import HealthLimits
from listenread.settings import Name, Settings, unique
from listenread.tasks.settings import ClassificationSettings

Selection = Annotated[list[str], Field(min_length=1), AfterValidator(unique)]


class Experiment(Settings):
    """Which datasets, models and prompts of the catalogues are evaluated, and how."""

    name: Name = Field(
        description="Folder of the experiment's tables and report, under `results/experiments/`."
    )
    title: str | None = Field(
        default=None, description="Heading of the report; the name where it is null."
    )
    datasets: Selection = Field(description="Names of datasets in the catalogue.")
    models: Selection = Field(description="Names of models in the catalogue.")
    prompts: Selection = Field(description="Names of prompts in the catalogue.")
    tasks: Selection = Field(
        description="What is measured: built-in tasks, or `package.module:NAME` for your own."
    )


class Embedding(Settings):
    """How audio towers are run. Vectors do not depend on it beyond rounding."""

    batch_size: int = Field(default=16, ge=1, description="Clips per forward pass.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="`auto` takes a GPU where there is one."
    )
    precision: Literal["float32", "tf32", "bfloat16"] = Field(
        default="float32",
        description="What towers compute in; vectors stay float32. `tf32` is for a GPU; the health "
        "gate compares it and `bfloat16` with float32 on the CPU.",
    )
    shard_clips: int | None = Field(
        default=None,
        ge=1,
        description="Clips per embedding job, whose files are merged; null is one job for a "
        "dataset. For datasets of many hours, on a cluster.",
    )


class Metrics(ClassificationSettings):
    """Constants that tasks share. A task may have another value under `tasks`."""

    replicates: int = Field(
        default=60,
        ge=0,
        le=10_000,
        description="Replicates of the jackknife, each without one set of groups of clips; 0 gives "
        "values without intervals.",
    )
    confidence_level: float = Field(
        default=0.95,
        gt=0,
        lt=1,
        description="Level of the intervals; 1 minus this is that of the tests.",
    )
    equivalence_margin: float = Field(
        default=0.02,
        gt=0,
        lt=1,
        description="The page says that something makes no difference where the interval of the "
        "difference lies within plus and minus this; it says how large it could be otherwise.",
    )
    seed: int = Field(
        default=2407,
        ge=0,
        description="Seed of the jackknife's sets, of permutations, and of the other draws; the "
        "same sets serve every prompt, so that differences are paired.",
    )


class Released(Settings):
    """Where the paper's released material is."""

    url: Annotated[str, Field(pattern=r"^https://.*[0-9a-f]{40}")] = Field(
        default="https://raw.githubusercontent.com/YannisBilly/i_can_listen_but_cannot_read/"
        "dd3dfd1e3d36f4bff2ce6444b4911df4f7468051",
        description="The authors' repository at a pinned commit.",
    )
    retries: int = Field(default=3, ge=0, description="How often a failed request is tried again.")


class Ontology(Settings):
    """The tree that triplets are taken from."""

    file: str = Field(
        default="resources/ontology/doktorski.csv",
        description="A csv as `listenread/resources/ontology/README.md` describes it, or a json in "
        "the format of AudioSet's `ontology.json`.",
    )
    column: str = Field(default="path", description="The csv's column with the places.")
    root: str | None = Field(
        default=None, description="A node above the families; see `listenread.ontology.read`."
    )


class Report(Settings):
    """What the report draws."""

    histogram_bins: int = Field(default=60, ge=5, description="Bins of the similarity histograms.")
    figure_prompts: int = Field(
        default=4,
        ge=1,
        description="Figures of single prompts are drawn for this many, in the experiment's order.",
    )
    reliability_bins: int = Field(
        default=10,
        ge=2,
        description="Bins of the share of right decisions by margin, with about equally many clips "
        "each.",
    )
    max_others: int = Field(
        default=2000,
        ge=1,
        description="Audio-only histograms compare each clip with at most this many other clips.",
    )
    embed_megabytes: float = Field(
        default=5.0,
        ge=0,
        description="Figures and decisions that the page holds, in 10^6 bytes; what does not fit "
        "is linked.",
    )
    clip_megabytes: float = Field(
        default=5.0,
        ge=0,
        description="Compact copies of clips that the page holds, in 10^6 bytes before base64 "
        "makes them a third larger, all datasets together; the other clips are linked.",
    )
    clip_seconds: float = Field(
        default=2.0, gt=0, description="Length of a compact copy, from the start of the clip."
    )
    clip_sample_rate: Literal[16000, 22050, 24000, 32000, 44100, 48000] = Field(
        default=22050, description="Sample rate of a compact copy, in Hz."
    )
    clip_compression: float = Field(
        default=0.9,
        ge=0,
        le=1,
        description="Of the MP3 encoder; 0 is the best and largest copy, 1 the smallest.",
    )


class Constants(Settings):
    """Everything in the configuration except the catalogues and the settings of tasks."""

    experiment: Experiment
    data_dir: str = Field(
        default="data",
        min_length=1,
        description="Folder of downloads, rendered audio and checkpoints.",
    )
    mirror: str | None = Field(
        default=None,
        description="Folder in `wget -x` layout (`<host>/<path of the URL>`) that is looked into "
        "before a URL is downloaded; checksums are verified in either case.",
    )
    embedding: Embedding = Field(default_factory=Embedding)
    metrics: Metrics = Field(default_factory=Metrics)
    health: HealthLimits = Field(default_factory=HealthLimits)
    released: Released = Field(default_factory=Released)
    ontology: Ontology = Field(default_factory=Ontology)
    prompt_pairs: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        default_factory=list,
        description="Pairs `[prompt, reference]` that tasks per pair compare, where an experiment "
        "has both.",
    )
    report: Report = Field(default_factory=Report)
