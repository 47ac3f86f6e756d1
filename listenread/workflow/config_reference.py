"""Write the configuration reference: `python -m listenread.workflow.config_reference`.

It is part of the project (docs/configuration.md); a test compares the two, so it cannot drift.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from listenread.workflow.config import Json, load_schema

_INTRODUCTION = """\
# Configuration reference

Generated from `config/schema.yaml` by `make docs`; do not edit.

`config.yaml` is the paper's experiment and holds the catalogues; an overlay named with
`--configfile` is merged over it, key by key: mappings are extended, lists are replaced. Everything
is checked before any job is planned, and a key that is not listed here is refused.
"""
#: Parts of the schema with a section of their own, and how their keys are reached.
_SECTIONS = {
    "tinysol": "datasets.<name>` with `loader: tinysol",
    "gm_notes": "datasets.<name>` with `loader: gm_notes",
    "gm_captions": "datasets.<name>` with `loader: gm_captions",
    "magnatagatune": "datasets.<name>` with `loader: magnatagatune",
    "folder": "datasets.<name>` with `loader: folder",
    "template_prompt": "prompts.<name>` as a template",
    "prompt_set": "prompts.<name>` as a set of templates",
    "definition_prompt": "prompts.<name>` as a definition",
    "own_family": "models.<name>` of a family of your own",
    "muscall": "models.<name>` with `family: muscall",
}


def reference(schema: Json) -> str:
    """Write the whole reference as Markdown."""
    parts = [_INTRODUCTION]
    for name, part in schema["properties"].items():
        if "properties" in part:
            parts.append(_section(f"`{name}`", part, schema))
    single = {k: v for k, v in schema["properties"].items() if "properties" not in v}
    parts.append(_section("Other keys", {"properties": single}, schema))
    for name, where in _SECTIONS.items():
        parts.append(_section(f"`{where}`", schema["$defs"][name], schema))
    return "\n".join(parts)


def _section(title: str, part: Json, schema: Json) -> str:
    rows = "\n".join(_rows(part, schema, ""))
    text = f"\n{part['description']}\n" if "description" in part else ""
    head = "| key | type | default | allowed | meaning |\n| --- | --- | --- | --- | --- |"
    return f"## {title}\n{text}\n{head}\n{rows}\n"


def _rows(part: Json, schema: Json, prefix: str) -> Iterator[str]:
    required = part.get("required", [])
    for name, sub in part.get("properties", {}).items():
        key, entry = f"{prefix}{name}", _resolved(sub, schema)
        if "const" in entry:
            continue
        cells = [
            f"`{key}`",
            _type(entry, schema),
            "**required**" if name in required else _default(entry),
            _allowed(entry),
            entry.get("description", ""),
        ]
        yield (
            "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
        )
        if "properties" in entry:
            yield from _rows(entry, schema, f"{key}.")


def _resolved(part: Json, schema: Json) -> Json:
    """Follow `$ref`; what stands beside it wins."""
    if "$ref" not in part:
        return part
    target: Any = schema
    for step in part["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return {**_resolved(target, schema), **{k: v for k, v in part.items() if k != "$ref"}}


def _type(entry: Json, schema: Json) -> str:
    if "enum" in entry:
        return "choice"
    if "oneOf" in entry:
        return " or ".join(_type(_resolved(option, schema), schema) for option in entry["oneOf"])
    kinds = entry.get("type", "any")
    names = {"object": "mapping", "array": "list", "number": "number"}
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(names.get(kind, kind) for kind in kinds)


def _default(entry: Json) -> str:
    if "default" not in entry or entry["default"] == {}:
        return ""
    value = entry["default"]
    return (
        f"`{'null' if value is None else str(value).lower() if isinstance(value, bool) else value}`"
    )


def _allowed(entry: Json) -> str:
    if "enum" in entry:
        return ", ".join(f"`{value}`" for value in entry["enum"])
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return ", ".join(f"{sign} {entry[name]}" for name, sign in bounds.items() if name in entry)


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    print(reference(load_schema(root / "config" / "schema.yaml")), end="")
