"""Write the reference of the configuration and the catalogue of entries from the registries.

``python -m listenread.workflow.reference configuration`` and ``... catalogue`` write the pages of
the documentation; ``... tasks my_module:TASK`` describes entries of your own.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from listenread.audio.degradations.base import DEGRADATIONS
from listenread.datasets.base import DATASET_KINDS
from listenread.entries import Registry
from listenread.errors import ListenreadError
from listenread.metrics.base import METRICS
from listenread.models.base import FAMILIES, find_family
from listenread.prompts import DefinitionPrompt, PromptSet, TemplatePrompt
from listenread.settings import NoSettings
from listenread.tasks.base import TASKS
from listenread.workflow.messages import literals
from listenread.workflow.sections import Constants

_CONFIGURATION = """\
# Configuration reference

Generated from the settings classes of the registries by `make docs`; do not edit.

`config.yaml` is the paper's experiment, `catalogue/*.yaml` hold datasets, models and prompts; an
overlay named with `--configfile` is merged over them, key by key: mappings are extended, lists are
replaced. Everything is checked before any job is planned, and a key that is not listed here is
refused. An overlay is code: Snakemake runs Python in it where it says `__use_yte__`.
"""
_CATALOGUE = """\
# What there is to choose from

Generated from the registries by `make docs`; do not edit. Each entry is one module; CONTRIBUTING.md
shows how to add one, and your own is named `package.module:NAME` in an overlay.
"""
_HEAD = "| key | type | default | allowed | meaning |\n| --- | --- | --- | --- | --- |"
#: Kinds of entries, as on the command line -> their registry.
_REGISTRIES: dict[str, Registry[Any]] = {
    "tasks": TASKS,
    "metrics": METRICS,
    "datasets": DATASET_KINDS,
    "models": FAMILIES,
    "degradations": DEGRADATIONS,
}


def configuration() -> str:
    """Write the whole reference as Markdown."""
    parts = [_CONFIGURATION]
    single = {}
    for name, field in Constants.model_fields.items():
        section = _nested(field.annotation)
        if section is None:
            single[name] = field
        else:
            parts.append(_section(f"`{name}`", section))
    parts.append(f"## Other keys\n\n{_HEAD}\n" + "\n".join(_rows(single, "")) + "\n")
    for name in TASKS.names():
        parts.append(_settings("tasks", name))
    for name in DATASET_KINDS.names():
        parts.append(_settings("datasets", name))
    for title, kind in (
        ("as a template", TemplatePrompt),
        ("as a set of templates", PromptSet),
        ("as a definition", DefinitionPrompt),
    ):
        parts.append(_section(f"`prompts.<name>` {title}", kind))
    for name in FAMILIES.names():
        parts.append(_settings("models", name))
    for name in DEGRADATIONS.names():
        parts.append(_settings("degradations", name))
    return "\n".join(part for part in parts if part)


def _settings(what: str, name: str) -> str:
    """The section of an entry's settings; empty where it has none."""
    entry = _find(what, name)
    if issubclass(entry.settings, NoSettings):
        return ""
    where = {
        "tasks": f"`tasks.{name}`",
        "datasets": f"`datasets.<name>` with `kind: {name}`",
        "models": f"`models.<name>` with `family: {name}`",
        "degradations": f"`datasets.<name>.options` with `degradation: {name}`",
    }[what]
    return _section(where, entry.settings, getattr(entry, "description", None))


def _section(title: str, settings: type[BaseModel], description: str | None = None) -> str:
    text = description or " ".join((settings.__doc__ or "").split())
    rows = "\n".join(_rows(settings.model_fields, ""))
    return f"## {title}\n\n{text}\n\n{_HEAD}\n{rows}\n"


def _rows(fields: dict[str, FieldInfo], prefix: str) -> Iterator[str]:
    for name, field in fields.items():
        key = f"{prefix}{name}"
        nested = _nested(field.annotation)
        description = field.description or " ".join(
            (nested.__doc__ or "").split() if nested else []
        )
        cells = [f"`{key}`", _type(field.annotation), _default(field), _allowed(field), description]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        if nested is not None:
            yield from _rows(nested.model_fields, f"{key}.")


def _nested(annotation: Any) -> type[BaseModel] | None:
    """The settings class of a key that is a mapping of its own, or a list of these."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) else None
    found = [_nested(part) for part in getattr(annotation, "__args__", ())]
    return next((one for one in found if one is not None), None)


def _type(annotation: Any) -> str:
    if literals(annotation):
        return "choice"
    if annotation is type(None):
        return "null"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    if annotation in names:
        return names[annotation]
    origin = getattr(annotation, "__origin__", None)
    if origin in (list, tuple):
        return "list"
    if origin is dict:
        return "mapping"
    parts = getattr(annotation, "__args__", ())
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _type(origin)
    return " or ".join(dict.fromkeys(_type(part) for part in parts)) or "any"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or value == {}:
        return ""
    if value is None or isinstance(value, bool):
        return f"`{'null' if value is None else str(value).lower()}`"
    return f"`{value}`"


def _allowed(field: FieldInfo) -> str:
    choices = literals(field.annotation)
    if choices:
        return ", ".join(f"`{'null' if one is None else one}`" for one in choices)
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        f"{sign} {getattr(one, name):g}"
        for one in field.metadata
        for name, sign in signs.items()
        if getattr(one, name, None) is not None
    ]
    return ", ".join(bounds)


def catalogue() -> str:
    """Write a page with every entry of every kind as Markdown."""
    return "\n".join([_CATALOGUE, *(_table(what, registry.names()) for what, registry in
                                    _REGISTRIES.items())])  # fmt: skip


_COLUMNS = {
    "tasks": ("task", "title", "per", "reads", "towers"),
    "metrics": ("metric", "title", "better", "range", "definition"),
    "datasets": ("kind", "what it is", "licence", "citation"),
    "models": ("family", "what it is", "towers", "licence", "trained on"),
    "degradations": ("degradation", "title", "level", "definition"),
}


def _table(what: str, names: Sequence[str]) -> str:
    head = _COLUMNS[what]
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(cell.replace("|", "\\|") for cell in _cells(what, name)) for name in names]
    return f"## {what.capitalize()}\n\n" + "\n".join(f"| {line} |" for line in lines) + "\n"


def _find(what: str, name: str) -> Any:
    return find_family(name) if what == "models" else _REGISTRIES[what].find(name)


def _cells(what: str, name: str) -> list[str]:
    entry = _find(what, name)
    first = f"`{entry.name}`"
    match what:
        case "tasks":
            towers = " and ".join(sorted(entry.towers))
            return [first, entry.title, entry.per, ", ".join(entry.reads), towers]
        case "metrics":
            extent = f"{entry.low:g} to {entry.high:g}"
            return [first, entry.title, entry.better or "neither", extent, entry.reference]
        case "datasets":
            return [first, entry.description, entry.licence, entry.citation]
        case "models":
            towers = " and ".join(sorted(entry.towers)) or "none: released vectors"
            return [first, entry.description, towers, entry.licence, entry.training_data]
    return [first, entry.title, entry.level, entry.reference]


def describe(what: str, names: Sequence[str]) -> str:
    """Describe some entries of one kind, of your own for instance, with all their settings.

    Args:
        what: ``tasks``, ``metrics``, ``datasets``, ``models`` or ``degradations``.
        names: of built-in entries, or ``package.module:NAME``.

    Raises:
        ConfigError: there is no such entry, or it breaks its contract.
    """
    parts = [_table(what, names)]
    if what != "metrics":
        parts += [_settings(what, name) for name in names]
    return "\n".join(part for part in parts if part)


def main(arguments: Sequence[str]) -> str:
    """Choose by the arguments of the command line."""
    match arguments:
        case ["configuration"]:
            return configuration()
        case ["catalogue"]:
            return catalogue()
        case [what, *names] if what in _REGISTRIES and names:
            return describe(what, names)
    usage = f"usage: reference configuration | catalogue | ({' | '.join(_REGISTRIES)}) NAME ...\n"
    raise SystemExit(usage)


if __name__ == "__main__":
    sys.path.insert(0, "")
    try:
        print(main(sys.argv[1:]), end="")
    except ListenreadError as error:
        raise SystemExit(str(error)) from None
