"""The contract of a task: what it reads, what it measures, and how that is told."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from listenread.entries import Registry
from listenread.errors import ConfigError, ListenreadError
from listenread.figures.base import Figure, Reads
from listenread.metrics.base import Measurement, Metric, Resampling
from listenread.settings import NoSettings, Settings

if TYPE_CHECKING:
    import pandas as pd

    from listenread.tasks.cell import Cell
    from listenread.tasks.claims import Reading

#: What a task runs for; see `Task.per`.
Per = Literal["model", "prompt", "pair", "ontology", "experiment"]
#: The question of the page that numbers answer.
Question = Literal["listens", "reads", "meets"]


@dataclass(frozen=True)
class Row:
    """A number and the columns of the tidy table that tell it from the cell's other numbers.

    Attributes:
        measurement: the number with its interval.
        space: ``joint`` or ``pre_joint``.
        protocol: ``published`` or ``corrected``.
        task: column `task`, where it is not the task's name; one of `Task.row_tasks`.
        prompt: column `prompt`, where it is not the cell's.
        label: the class or anchor that the number is about; None for a number about all.
    """

    measurement: Measurement
    space: str
    protocol: str
    task: str | None = None
    prompt: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Table:
    """How rows of a task are laid out on the page and in ``tables/{name}.csv`` and ``.tex``.

    Attributes:
        name: of the files; that of the task for its main table.
        keys: columns of the tidy table that tell the rows apart.
        comparable: those within which values may be compared.
        caption: of the table.
        method: how the numbers are made and read: a paragraph of HTML for the page.
        docs: anchor in docs/protocols.md that says more; None for none.
        row_tasks: values of the column `task` that it holds; those of the task by default.
        protocol: the only value of the column `protocol` that it holds; None for all.
        question: section of the page; that of the task by default.
        ranked: whether the best values are marked.
        folded: heading under which the table is folded away; None where it is in sight.
    """

    name: str
    keys: tuple[str, ...]
    comparable: tuple[str, ...]
    caption: str
    method: str = ""
    docs: str | None = None
    row_tasks: tuple[str, ...] = ()
    protocol: str | None = None
    question: Question | None = None
    ranked: bool = True
    folded: str | None = None


@dataclass(frozen=True)
class Answer:
    """Sentences that answer a question of the page from the rows of a task.

    Attributes:
        question: section of the page.
        sentences: called as ``sentences(rows, reading)`` with the rows of the tidy table whose
            column `task` is `row_task`, as a pandas data frame, and how they are to be read.
        row_task: that of the task by default.
    """

    question: Question
    sentences: "Callable[[pd.DataFrame, Reading], list[str]]"
    row_task: str | None = None


@dataclass(frozen=True)
class Task:
    """Something that is measured of a model.

    Attributes:
        name: in the configuration, in paths and in the column `task`.
        title: what it is called in a heading.
        question: of the page, which its numbers answer.
        per: what it runs for: each ``model`` on a dataset; each ``prompt`` of these; each ``pair``
            of prompts; each model and prompt on the ``ontology``; or once for the ``experiment``.
        reads: what `measure` may ask its cell for.
        measure: called as ``measure(cell, settings, resampling)``; yields rows. A
            `listenread.errors.Unavailable` that it lets pass makes the cell empty, with the reason.
        metrics: called with the settings: every metric that rows can have.
        settings: what can be chosen, under `tasks.<name>` in the configuration. A setting that
            the section `metrics` has too is taken from there where it is not given.
        row_tasks: values of the column `task` of its rows; its name alone by default.
        per_class: whether some rows have a `label`.
        tables: its tables, the main one first.
        per_class_table: the table of rows with a label, or None.
        answers: its sentences.
        figures: what is drawn of it.
        minutes: run time to ask a scheduler for, and `megabytes` of memory; both doubled with every
            attempt.
        megabytes: see `minutes`.
        priority: of its jobs, where others wait for them.
        hub_task: type and name of the task in a model card's ``model-index``.
        renamed_from: names that it had before.
    """

    name: str
    title: str
    question: Question
    per: Per
    reads: tuple[Reads, ...]
    measure: "Callable[[Cell, Any, Resampling], Iterable[Row]]"
    metrics: Callable[[Any], Sequence[Metric]]
    settings: type[Settings] = NoSettings
    row_tasks: tuple[str, ...] = ()
    per_class: bool = False
    tables: tuple[Table, ...] = ()
    per_class_table: Table | None = None
    answers: tuple[Answer, ...] = ()
    figures: tuple[Figure, ...] = ()
    minutes: int = 5
    megabytes: int = 2000
    priority: int = 0
    hub_task: tuple[str, str] | None = None
    renamed_from: tuple[str, ...] = ()

    @property
    def all_row_tasks(self) -> tuple[str, ...]:
        """Values that its rows have in the column `task`."""
        return self.row_tasks or (self.name,)

    @property
    def towers(self) -> frozenset[str]:
        """Towers that a model must have to take part."""
        needed = {
            "scores": {"audio", "text"}, "audio": {"audio"}, "text": {"text"},
            "ontology_text": {"text"},
        }  # fmt: skip
        return frozenset(tower for what in self.reads for tower in needed.get(what, ()))

    def check_metrics(self, settings: Settings) -> None:
        """Refuse settings for which the task cannot say what it measures.

        Raises:
            ConfigError: `metrics` breaks down, gives something else, or two metrics of one name.
        """
        try:
            metrics = list(self.metrics(settings))
        except ListenreadError:
            raise
        except Exception as error:
            raise ConfigError(
                f"`metrics` of the task `{self.name}` breaks down: {type(error).__name__}: {error}"
            ) from error
        strangers = [one for one in metrics if not isinstance(one, Metric)]
        if strangers:
            raise ConfigError(f"`metrics` of the task `{self.name}` gives {strangers[0]!r}")
        twice = [name for name, n in Counter(one.name for one in metrics).items() if n > 1]
        if twice:
            raise ConfigError(f"the task `{self.name}` has two metrics named {', '.join(twice)}")

    def problems(self) -> list[str]:
        """List what breaks the contract."""
        found = [f"`{key}` is empty" for key in ("title", "reads") if not getattr(self, key)]
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            found.append(f"the name {self.name!r} is not an identifier")
        if not (isinstance(self.settings, type) and issubclass(self.settings, Settings)):
            found.append("`settings` is not a subclass of `listenread.settings.Settings`")
        for key in ("measure", "metrics"):
            if not callable(getattr(self, key)):
                found.append(f"`{key}` cannot be called")
        known = [name for name in get_args(Reads) if name != "metrics"]
        unknown = sorted(set(self.reads) - set(known))
        if unknown:
            found.append(
                f"`reads` has unknown name(s) {', '.join(unknown)}; there are {', '.join(known)}"
            )
        if self.per not in get_args(Per):
            found.append(f"`per` is {self.per!r}")
        if self.question not in get_args(Question):
            found.append(f"`question` is {self.question!r}")
        if self.per_class_table is not None and not self.per_class:
            found.append("there is a `per_class_table`, but `per_class` is not set")
        for table in (*self.tables, *([self.per_class_table] if self.per_class_table else [])):
            if not set(table.comparable) <= set(table.keys):
                found.append(f"table `{table.name}`: `comparable` has columns that `keys` lacks")
            found += self._strangers(f"table `{table.name}`", table.row_tasks)
        for answer in self.answers:
            found += self._strangers("an answer", [answer.row_task] if answer.row_task else [])
        for what, items in (("tables", self.tables), ("figures", self.figures)):
            names = [one.name for one in items]
            if len(set(names)) < len(names):
                found.append(f"two of its {what} have the same name")
        for figure in self.figures:
            found += figure.problems()
        return found

    def _strangers(self, what: str, row_tasks: Sequence[str]) -> list[str]:
        """Say which values of the column `task` are wanted that the task does not give."""
        unknown = [name for name in row_tasks if name not in self.all_row_tasks]
        return (
            [f"{what} is of rows {', '.join(unknown)}, which `row_tasks` lacks"] if unknown else []
        )


TASKS: Registry[Task] = Registry("task", Task, "listenread.tasks")
