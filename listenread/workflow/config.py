"""The configuration: checked as a whole before any job is planned, then handed out as leaf values.

`resolve` is called once, by the Snakefile. Nothing else in the package reads the configuration;
functions and scripts are given the values that they use.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from listenread import prompts
from listenread.audio.degradations.base import DEGRADATIONS
from listenread.datasets.base import DATASET_KINDS, ClipRow, DatasetKind, DatasetSettings
from listenread.datasets.csv_files import refuse
from listenread.entries import Registry, module_of
from listenread.errors import ListenreadError
from listenread.metrics.base import METRICS
from listenread.models.base import FAMILIES, Family, ModelSettings, find_family
from listenread.prompts import DefinitionPrompt, Prompt, PromptSettings
from listenread.settings import Settings
from listenread.tasks.base import TASKS, Task
from listenread.workflow.messages import KeyPath, Problems, check_keys, named, suggest
from listenread.workflow.sections import Constants

#: Value of a prompt's `file` that stands for the authors' sentences; they are fetched by a job.
RELEASED_DEFINITIONS = "released"
#: Keys of earlier versions -> what they are called now.
RENAMED = {
    ("metrics", "confidence"): "`metrics.confidence_level`",
    ("metrics", "resamples"): "`metrics.replicates`, of a jackknife; see docs/uncertainty.md",
}
_CATALOGUES = ("datasets", "models", "prompts")
#: What Snakemake would replace in a path.
_WILDCARD = re.compile(r"\{\s*[.\w]+\s*[,}]")


@dataclass(frozen=True)
class Dataset:
    """A dataset of the catalogue.

    Attributes:
        name: in the catalogue.
        reference: its kind, as the configuration names it.
        kind: the entry.
        settings: checked, with defaults.
        vocabulary: label -> its words, in the order of the classes; empty where it is captioned.
        spellings: name of a spelling -> label -> other words.
    """

    name: str
    reference: str
    kind: DatasetKind
    settings: DatasetSettings
    vocabulary: Mapping[str, str]
    spellings: Mapping[str, Mapping[str, str]]

    @property
    def base(self) -> str | None:
        """Name of the dataset that it is derived from, or None."""
        return self.kind.base(self.settings)

    @property
    def module(self) -> str:
        """The module that holds its kind."""
        return DATASET_KINDS.module(self.reference)

    def clips(self) -> list[ClipRow]:
        """Read the clips that the user brings; none where the kind derives or makes them.

        Raises:
            DataError: the metadata cannot be read.
        """
        return self._clips

    @cached_property
    def _clips(self) -> list[ClipRow]:
        """Read once: a folder may be large, and Snakemake asks several times."""
        if self.kind.material or self.kind.read_clips is None:
            return []
        known = self.settings.plain()
        used = {name: known[name] for name in self.kind.uses}
        return self.kind.read_clips(self.kind.locate(self.settings, {}), used)

    def clip_files(self) -> list[str]:
        """List sound files of the user that are there: the workflow tracks them one by one.

        Raises:
            DataError: the metadata cannot be read, or a path has braces.
        """
        if not getattr(self.settings, "track_clips", False):
            return []
        if self.kind.clip_files is not None:
            files = [*self.kind.clip_files(self.settings)]
        else:
            files = [str(row.path) for row in self.clips() if row.path.exists()]
        refuse(
            "Snakemake takes a name in braces in the path of a file for one of its wildcards; "
            "rename these files, or set `track_clips: false`",
            [path for path in files if _WILDCARD.search(path)],
        )
        return files

    def words(self, spelling: str | None) -> dict[str, str]:
        """Return label -> words in vocabulary order, in one of its spellings."""
        return {**self.vocabulary, **(self.spellings.get(spelling, {}) if spelling else {})}

    @property
    def names(self) -> dict[str, list[str]]:
        """Label -> the label and its words in every spelling, each once."""
        spellings = [self.words(spelling) for spelling in (None, *self.spellings)]
        return {
            label: list(dict.fromkeys([label, *(words[label] for words in spellings)]))
            for label in self.vocabulary
        }


@dataclass(frozen=True)
class Model:
    """A model of the catalogue: its name, the reference of its family, and its settings."""

    name: str
    reference: str
    family: Family
    settings: ModelSettings

    @property
    def module(self) -> str:
        """The module that holds its family."""
        return FAMILIES.module(self.reference)

    @property
    def modules(self) -> list[str]:
        """The modules behind its vectors: of the family, and what loads or reads them."""
        vectors = self.family.vectors
        references = (
            [self.family.loader] if vectors is None else [vectors.read_audio, vectors.read_text]
        )
        return list(
            dict.fromkeys([self.module, *(module_of(one) for one in references if one is not None)])
        )

    @property
    def dataset(self) -> str | None:
        """The dataset that it is trained on, or None."""
        return self.family.preparation(self.settings).dataset(self.settings)

    def can(self, task: Task) -> bool:
        """Whether it has the towers, or the released vectors, that a task needs."""
        return self.family.vectors is not None or task.towers <= self.family.towers


@dataclass(frozen=True)
class ChosenTask:
    """A task of the experiment, with its reference and settings."""

    reference: str
    task: Task
    settings: Any


@dataclass(frozen=True)
class Configuration:
    """A configuration that was checked.

    Attributes:
        constants: everything that is not an entry.
        datasets: of the catalogue, by name.
        models: of the catalogue, by name.
        prompts: of the catalogue, by name.
        tasks: of the experiment, by name, in its order.
    """

    constants: Constants
    datasets: Mapping[str, Dataset]
    models: Mapping[str, Model]
    prompts: Mapping[str, PromptSettings]
    tasks: Mapping[str, ChosenTask]

    def prompts_for(self, dataset: str) -> list[str]:
        """Return the experiment's prompts that a dataset is asked, in the experiment's order.

        A prompt that names datasets is for those alone, and a dataset that is named in this way is
        asked nothing else: labels such as families have no definitions of instruments.
        """
        chosen = self.constants.experiment.prompts
        own = [name for name in chosen if dataset in (self.prompts[name].datasets or [])]
        return own or [name for name in chosen if self.prompts[name].datasets is None]

    def prompts_for_ontology(self) -> list[str]:
        """Return the experiment's prompts that can be asked of every instrument of an ontology.

        These are the templates, but neither those for certain datasets nor those that ask for a
        spelling, which an ontology does not have; definitions exist for a dataset's labels only.
        """
        return [
            name
            for name in self.constants.experiment.prompts
            if Prompt.from_settings(prompt := self.prompts[name]).template
            and prompt.datasets is None
            and prompt.spelling is None
        ]

    def pairs_for(self, dataset: str) -> list[tuple[str, str]]:
        """Return the pairs of prompts that are compared on a dataset."""
        asked = set(self.prompts_for(dataset))
        return [(a, b) for a, b in self.constants.prompt_pairs if {a, b} <= asked]

    def module_of_task(self, name: str) -> str:
        """The module that holds a task of the experiment."""
        return TASKS.module(self.tasks[name].reference)

    def metric_modules(self, task: str) -> list[str]:
        """Modules of the metrics that a task names in its settings."""
        names = getattr(self.tasks[task].settings, "classification_metrics", ())
        return list(dict.fromkeys(METRICS.module(name) for name in names))

    def modules(self) -> list[str]:
        """Every module that holds an entry which the experiment uses, or code that one names."""
        experiment = self.constants.experiment
        datasets = [self.datasets[name] for name in (*experiment.datasets, *self.behind())]
        models = [self.models[name] for name in experiment.models]
        tasks = [one.task for one in self.tasks.values()]
        materials = [
            *(material for one in datasets for material in one.kind.material),
            *(material for one in models for material in one.family.material),
        ]
        references = [
            *(material.make for material in materials),
            *(model.family.preparation(model.settings).make for model in models),
            *(figure.draw for task in tasks for figure in task.figures),
        ]
        found = [
            *(module for one in datasets for module in (one.module, *one.kind.code(one.settings))),
            *(module for one in models for module in one.modules),
            *(self.module_of_task(name) for name in self.tasks),
            *(module for name in self.tasks for module in self.metric_modules(name)),
            *map(module_of, references),
        ]
        return list(dict.fromkeys(found))

    def behind(self) -> list[str]:
        """Datasets that others are derived from, and that models are trained on."""
        experiment = self.constants.experiment
        waiting = [self.datasets[name].base for name in experiment.datasets]
        waiting += [self.models[name].dataset for name in experiment.models]
        found: list[str] = []
        while waiting:
            name = waiting.pop(0)
            if name is not None and name not in found:
                found.append(name)
                waiting.append(self.datasets[name].base)
        return [name for name in found if name not in experiment.datasets]

    def stated(self) -> dict[str, Any]:
        """What the page states, and what reproduces it: all that the numbers depend on."""
        constants = self.constants.plain()
        experiment = self.constants.experiment
        names = {
            "datasets": [*experiment.datasets, *self.behind()],
            "models": [
                *experiment.models,
                *filter(None, (getattr(self.models[name].settings, "known_answers", None)
                               for name in experiment.models)),
            ],
            "prompts": experiment.prompts,
        }  # fmt: skip
        catalogues: dict[str, Mapping[str, Settings]] = {
            "datasets": {name: one.settings for name, one in self.datasets.items()},
            "models": {name: one.settings for name, one in self.models.items()},
            "prompts": self.prompts,
        }
        kept = ("experiment", "embedding", "metrics", "health", "ontology", "report", "released")
        return {
            **{key: constants[key] for key in (*kept, "prompt_pairs")},
            "tasks": {one.reference: one.settings.plain() for one in self.tasks.values()},
            **{
                catalogue: {
                    name: catalogues[catalogue][name].plain() for name in dict.fromkeys(own)
                }
                for catalogue, own in names.items()
            },
        }

    def left_out(self) -> dict[str, list[str]]:
        """Model -> titles of the experiment's tasks whose towers it lacks."""
        models = (self.models[name] for name in self.constants.experiment.models)
        missing = {
            model.name: [one.task.title for one in self.tasks.values() if not model.can(one.task)]
            for model in models
        }
        return {name: titles for name, titles in missing.items() if titles}

    def licences(self) -> dict[str, dict[str, str]]:
        """Licences of the experiment's datasets and models, by name."""
        experiment = self.constants.experiment
        return {
            "datasets": {name: self._licence(self.datasets[name]) for name in experiment.datasets},
            "models": {name: self.models[name].family.licence for name in experiment.models},
        }

    def _licence(self, dataset: Dataset) -> str:
        """Licence of a dataset; that of the one that it is derived from, if it is."""
        if dataset.base is None:
            return dataset.kind.licence
        return self._licence(self.datasets[dataset.base])


def resolve(config: Mapping[str, Any], base: Path, files: Iterable[Path] = ()) -> Configuration:
    """Check a merged configuration and fill in its defaults.

    Args:
        config: what Snakemake merged from the base files and the overlays; it is left as it is.
        base: folder of the package, from which its resources are found.
        files: the files that were merged, to say where a key stands.

    Raises:
        ConfigError: lists every problem found, each with its key, its value and what is allowed.
    """
    problems = Problems(files)
    check_keys(config, problems)
    problems.raise_if_any()
    _check_renamed(config, problems)
    constants = problems.validate(Constants, _constants(config))
    tasks = _tasks(config, problems) if constants is not None else {}
    datasets = dict(_datasets(config, problems))
    models = dict(_models(config, problems))
    catalogue = dict(_prompts(config, problems))
    problems.raise_if_any()
    resolved = Configuration(constants, datasets, models, catalogue, tasks)
    _check_selection(resolved, problems)
    _check_models(resolved, problems)
    problems.raise_if_any()
    resolved = Configuration(
        constants, _with_vocabularies(resolved, problems), models, catalogue, tasks
    )
    problems.raise_if_any()
    _check_prompts(resolved, base, problems)
    problems.raise_if_any()
    return resolved


def _constants(config: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that `Constants` checks; unknown sections among it."""
    return {key: value for key, value in config.items() if key not in ("tasks", *_CATALOGUES)}


def _check_renamed(config: Mapping[str, Any], problems: Problems) -> None:
    for (section, key), now in RENAMED.items():
        if isinstance(config.get(section), Mapping) and key in config[section]:
            problems.add((section, key), f" is now {now}")
    problems.raise_if_any()


def _mapping(config: Mapping[str, Any], key: str, problems: Problems) -> Mapping[str, Any]:
    value = config.get(key) or {}
    if isinstance(value, Mapping):
        return value
    problems.add((key,), f" is {value!r}: it must be a mapping")
    return {}


def _tasks(config: Mapping[str, Any], problems: Problems) -> dict[str, ChosenTask]:
    """Find the tasks of the experiment and check the settings of all that are named."""
    given = _mapping(config, "tasks", problems)
    metrics = config.get("metrics") or {}
    chosen: dict[str, ChosenTask] = {}
    references = (config.get("experiment") or {}).get("tasks") or []
    for reference in dict.fromkeys([*references, *given]):
        key = ("experiment", "tasks") if reference in references else ("tasks", reference)
        task = _find(TASKS, reference, key, problems)
        if task is None:
            continue
        own = given.get(reference) or {}
        if not isinstance(own, Mapping):
            problems.add(("tasks", reference), f" is {own!r}: it must be a mapping")
            continue
        shared = {name: metrics[name] for name in task.settings.model_fields if name in metrics}
        settings = problems.validate(task.settings, {**shared, **own}, ("tasks", reference))
        if settings is None or reference not in references:
            continue
        key_of_metrics = ("metrics", "classification_metrics")
        named = getattr(settings, "classification_metrics", ())
        if None not in [_find(METRICS, name, key_of_metrics, problems) for name in named]:
            try:
                task.check_metrics(settings)
            except ListenreadError as error:
                problems.add(key_of_metrics if named else key, f": {error}")
        if task.name in chosen:
            problems.add(key, f": two tasks are named `{task.name}`")
        chosen[task.name] = ChosenTask(reference, task, settings)
    return chosen


def _datasets(config: Mapping[str, Any], problems: Problems) -> Iterator[tuple[str, Dataset]]:
    for name, entry, key in _entries(config, "datasets", "kind", problems):
        kind = _find(DATASET_KINDS, entry["kind"], (*key, "kind"), problems)
        settings = kind and problems.validate(kind.settings, entry, key)
        if kind is not None and settings is not None:
            vocabulary = getattr(settings, "vocabulary", None) or {}
            spellings = getattr(settings, "spellings", None) or {}
            yield name, Dataset(name, entry["kind"], kind, settings, vocabulary, spellings)


def _models(config: Mapping[str, Any], problems: Problems) -> Iterator[tuple[str, Model]]:
    for name, entry, key in _entries(config, "models", "family", problems):
        try:
            family = find_family(entry["family"])
        except ListenreadError as error:
            problems.add((*key, "family"), f": {error}")
            continue
        settings = problems.validate(family.settings, entry, key)
        if settings is not None:
            yield name, Model(name, entry["family"], family, settings)


def _prompts(config: Mapping[str, Any], problems: Problems) -> Iterator[tuple[str, PromptSettings]]:
    for name, entry in _mapping(config, "prompts", problems).items():
        key = ("prompts", name)
        if not _is_name(name, key, problems):
            continue
        if isinstance(entry, str):
            if "{label}" not in entry:
                problems.add(key, f" is {entry!r}: a prompt template must contain {{label}}")
                continue
            entry = {"template": entry}
        settings = problems.validate(prompts.settings_of(entry), entry, key)
        if settings is not None:
            yield name, settings


def _entries(
    config: Mapping[str, Any], catalogue: str, what: str, problems: Problems
) -> Iterator[tuple[str, dict[str, Any], KeyPath]]:
    """Entries of a catalogue that say what they are."""
    for name, entry in _mapping(config, catalogue, problems).items():
        key = (catalogue, name)
        if not _is_name(name, key, problems):
            continue
        if not isinstance(entry, Mapping):
            problems.add(key, f" is {entry!r}: it must be a mapping")
        elif "loader" in entry and what == "kind":
            problems.add(key, ": `loader` is now called `kind`")
        elif not isinstance(entry.get(what), str):
            problems.add(key, f": misses `{what}`" if what not in entry else f": `{what}` is "
                         f"{entry[what]!r}")  # fmt: skip
        else:
            yield name, dict(entry), key


def _is_name(name: str, key: KeyPath, problems: Problems) -> bool:
    allowed = name[:1].isalnum() and name.isascii() and all(c.isalnum() or c in "_.-" for c in name)
    if not allowed:
        problems.add(
            key[:1],
            f": the name {name!r} must be of letters, digits, `_`, `-` and `.`; it becomes a "
            "folder",
        )
    return allowed


def _find(registry: Registry[Any], name: Any, key: KeyPath, problems: Problems) -> Any:
    if not isinstance(name, str):
        problems.add(key, f" is {name!r}: a name is needed")
        return None
    try:
        return registry.find(name)
    except ListenreadError as error:
        problems.add(key, f": {error}")
        return None


def _check_selection(config: Configuration, problems: Problems) -> None:
    experiment = config.constants.experiment
    for catalogue in _CATALOGUES:
        known = getattr(config, catalogue)
        for name in getattr(experiment, catalogue):
            if name not in known:
                problems.add(
                    ("experiment", catalogue),
                    f": no such entry `{name}`{suggest([name], sorted(known))}",
                )
    for name in experiment.datasets:
        if name in config.datasets and config.datasets[name].kind.captioned:
            problems.add(
                ("experiment", "datasets"),
                f": `{name}` has captions to train on, no labels to evaluate",
            )
    for name, dataset in config.datasets.items():
        if dataset.base is not None and dataset.base not in config.datasets:
            hint = suggest([dataset.base], sorted(config.datasets))
            problems.add(("datasets", name, "dataset"), f": no such dataset `{dataset.base}`{hint}")
        degradation = getattr(dataset.settings, "degradation", None)
        if degradation is not None:
            key: KeyPath = ("datasets", name, "degradation")
            found = _find(DEGRADATIONS, degradation, key, problems)
            if found is not None:
                options = getattr(dataset.settings, "options", {})
                problems.validate(found.settings, options, ("datasets", name, "options"))
    _check_figures(config, problems)
    for pair in config.constants.prompt_pairs:
        for name in pair:
            if name not in config.prompts:
                hint = suggest([name], sorted(config.prompts))
                problems.add(("prompt_pairs",), f": no such prompt `{name}`{hint}")


def _check_figures(config: Configuration, problems: Problems) -> None:
    """Refuse two tasks that would draw into the same files."""
    drawn_by: dict[tuple[str, bool], str] = {}
    for name, chosen in config.tasks.items():
        for figure in chosen.task.figures:
            other = drawn_by.setdefault((figure.name, chosen.task.per == "ontology"), name)
            if other != name:
                problems.add(
                    ("experiment", "tasks"),
                    f": `{other}` and `{name}` both draw a figure named `{figure.name}`; give one "
                    "of them another `name`",
                )


def _check_models(config: Configuration, problems: Problems) -> None:
    released = [name for name, model in config.models.items() if model.family.vectors is not None]
    for name, model in config.models.items():
        for preparation in model.family.preparations:
            captions = (
                preparation.dataset(model.settings) if preparation.when(model.settings) else None
            )
            if captions is not None and captions not in config.datasets:
                problems.add(
                    ("models", name, "train", "dataset"),
                    f": no such dataset `{captions}`{suggest([captions], sorted(config.datasets))}",
                )
        known = getattr(model.settings, "known_answers", None)
        if known is not None and known not in released:
            problems.add(
                ("models", name, "known_answers"),
                f": no released model `{known}`{suggest([known], released)}",
            )


def _with_vocabularies(config: Configuration, problems: Problems) -> dict[str, Dataset]:
    """Give every dataset of the experiment a vocabulary, and check what it says of its labels."""
    completed = dict(config.datasets)
    for name in config.behind():
        _check_files(config.datasets[name], problems)
    for name in config.constants.experiment.datasets:
        dataset = _completed(config, name, problems)
        if dataset is None:
            continue
        completed[name] = dataset
        _check_files(dataset, problems)
        for spelling, words in dataset.spellings.items():
            unknown = [label for label in words if label not in dataset.vocabulary]
            if unknown:
                problems.add(
                    ("datasets", name, "spellings", spelling),
                    f": no such label {named(unknown)}{suggest(unknown, list(dataset.vocabulary))}",
                )
        for words_of in (None, *dataset.spellings):
            _check_words(dataset, words_of, problems)
    return completed


def _check_files(dataset: Dataset, problems: Problems) -> None:
    """Read the metadata here: an error in an input function would be shown with its traceback."""
    try:
        dataset.clip_files()
    except ListenreadError as error:
        problems.add(("datasets", dataset.name), f": {error}")


def _completed(config: Configuration, name: str, problems: Problems) -> Dataset | None:
    """A dataset with its own vocabulary, that of its base, or the labels of its clips."""
    dataset = config.datasets[name]
    if dataset.vocabulary:
        return dataset
    if dataset.base is not None:
        base = _completed(config, dataset.base, problems)
        if base is None:
            return None
        vocabulary, spellings = base.vocabulary, {**base.spellings, **dataset.spellings}
    else:
        try:
            labels = {one for row in dataset.clips() for one in (*row.labels, *row.unknown)}
        except ListenreadError as error:
            problems.add(("datasets", name), f": {error}")
            return None
        vocabulary = {label: label for label in sorted(labels)}
        spellings = dict(dataset.spellings)
    return Dataset(name, dataset.reference, dataset.kind, dataset.settings, vocabulary, spellings)


def _check_words(dataset: Dataset, spelling: str | None, problems: Problems) -> None:
    where = ("vocabulary",) if spelling is None else ("spellings", spelling)
    first: dict[str, str] = {}
    for label, text in dataset.words(spelling).items():
        other = first.setdefault(text.casefold(), label)
        if other != label:
            problems.add(
                ("datasets", dataset.name, *where),
                f": duplicate label: `{other}` and `{label}` are both written {text!r}, so no "
                "prompt could tell them apart",
            )


def _check_prompts(config: Configuration, base: Path, problems: Problems) -> None:
    for name, prompt in config.prompts.items():
        for strange in sorted(set(prompt.datasets or ()) - set(config.datasets)):
            problems.add(
                ("prompts", name, "datasets"),
                f": there is no dataset `{strange}`{suggest([strange], sorted(config.datasets))}",
            )
    for dataset in (config.datasets[name] for name in config.constants.experiment.datasets):
        for name in config.prompts_for(dataset.name):
            prompt = config.prompts[name]
            if prompt.spelling is not None and prompt.spelling not in dataset.spellings:
                problems.add(
                    ("prompts", name, "spelling"),
                    f": dataset `{dataset.name}` has no spelling `{prompt.spelling}`"
                    f"{suggest([prompt.spelling], sorted(dataset.spellings))}",
                )
                continue
            path = None
            if isinstance(prompt, DefinitionPrompt):
                if prompt.file == RELEASED_DEFINITIONS:
                    continue
                path = prompts.find_file(prompt.file, base)
            try:
                said = prompts.Prompt.from_settings(prompt)
                first = said._replace(
                    templates=said.templates[:1], filler_seeds=said.filler_seeds[:1]
                )
                texts = first.texts(dataset.words(prompt.spelling), path, dataset.names)
            except ListenreadError as error:
                problems.add(("prompts", name, "file"), f", dataset `{dataset.name}`: {error}")
                continue
            alike = prompts.alike(texts)
            empty = [one for one in alike if not one[1]]
            if alike and (prompt.same_texts == "stop" or empty):
                problems.add(
                    ("prompts", name),
                    f", dataset `{dataset.name}`: {prompts.say_alike(alike)}, so that none can be "
                    "told from the others"
                    + ("" if empty else "; `same_texts: flag` asks it nevertheless"),
                )
