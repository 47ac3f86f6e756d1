"""What a run would replace: results of a finished experiment, and what earlier overlays say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from listenread.files import checksums
from listenread.workflow import layout
from listenread.workflow.layout import Layout
from listenread.workflow.messages import named

#: Folders of an experiment that hold files of its entries.
_FOLDERS = ("figures", "clips", "tables", "model_index", "tasks")
#: So many names are said; the rest is counted.
_MOST = 5


def changes(plan: Layout, folder: Path = Path()) -> list[str]:
    """Say what a finished experiment of the same name asked, and this configuration does not.

    Args:
        plan: files of the experiment that is about to run.
        folder: that holds ``results/``.

    Returns:
        Nothing where the experiment has not been finished, or asked the same.
    """
    name = plan.config.constants.experiment.name
    place = layout.EXPERIMENT.format(experiment=name)
    try:
        before = asked(checksums.read(folder / place / "checksums.sha256"))
    except (OSError, ValueError):
        return []
    now = asked(plan.listed_files())
    differences = {
        "without": {what: before[what] - now[what] for what in now},
        "with": {what: now[what] - before[what] for what in now},
    }
    parts = [
        f"{how} the {what} {_few(sorted(names))}"
        for how, entries in differences.items()
        for what, names in entries.items()
        if names
    ]
    if not parts:
        return []
    return [
        f"The experiment `{name}` is finished. Its report and tables in {place} are replaced by "
        f"others {', '.join(parts)}. To keep them, give `experiment.name` another value."
    ]


def left_over(plan: Layout, folder: Path = Path()) -> list[str]:
    """Say which figures, tables and clips in the experiment's folder are not of this experiment.

    Args:
        plan: files of the experiment that is about to run.
        folder: that holds ``results/``.
    """
    place = layout.EXPERIMENT.format(experiment=plan.config.constants.experiment.name)
    expected = set(plan.shown_files())
    found = [
        path.relative_to(folder / place).as_posix()
        for name in _FOLDERS
        for path in sorted((folder / place / name).rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() not in expected
    ]
    if not found:
        return []
    return [
        f"{place} holds {len(found)} file{'s' if len(found) > 1 else ''} that no entry of this "
        f"experiment makes: {_few(found)}. Delete what an earlier configuration left."
    ]


def asked(files: Iterable[str]) -> dict[str, set[str]]:
    """Read from the paths of an experiment's results what it asks.

    >>> asked(["results/manifests/tones.parquet", "results/metrics/tones/mini/zero_shot/a.parquet"])
    {'datasets': {'tones'}, 'models': {'mini'}, 'prompts': set(), 'tasks': {'zero_shot'}}
    """
    paths = [file.removesuffix(".parquet").split("/") for file in files]
    datasets = {path[2] for path in paths if path[1] == "manifests"}
    models, prompts, tasks = set(), set(), set()
    for path in paths:
        match path[1:]:
            case ["embeddings", "audio", _, model]:
                models.add(model)
            case ["embeddings", "text", _, model, prompt]:
                models.add(model)
                prompts.add(prompt)
            case ["metrics", dataset, model, task, *_] if dataset in datasets:
                models.add(model)
                tasks.add(task)
            case ["metrics", task, *_] | ["experiments", _, "tasks", task]:
                tasks.add(task)
    return {"datasets": datasets, "models": models, "prompts": prompts, "tasks": tasks}


def undone(overlays: Sequence[tuple[Path, Mapping[str, Any]]], ours: Path) -> list[str]:
    """Say which keys of a user's overlay are undone by one of the project that is named later.

    Args:
        overlays: in their order, each with its content; the last one wins.
        ours: the folder of the project's overlays.
    """
    said = []
    for place, (later, values) in enumerate(overlays):
        if not later.resolve().is_relative_to(ours.resolve()):
            continue
        for earlier, before in overlays[:place]:
            if earlier.resolve().is_relative_to(ours.resolve()):
                continue
            set_now = dict(_leaves(values))
            keys = [
                ".".join(key)
                for key, value in _leaves(before)
                if key in set_now and set_now[key] != value
            ]
            if keys:
                said.append(
                    f"{later} stands after {earlier} and undoes {_few(keys)} there; the last "
                    "overlay wins, so name your own last."
                )
    return said


def _leaves(values: Any, key: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(values, Mapping):
        for name, inner in values.items():
            yield from _leaves(inner, (*key, str(name)))
    else:
        yield key, values


def _few(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return named(names[:_MOST]) + (f" and {more} more" if more > 0 else "")
