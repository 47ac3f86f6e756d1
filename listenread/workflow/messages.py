"""What is wrong with a configuration, in sentences: which key, which file, what is allowed."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from listenread.errors import ConfigError

#: Keys from the top of the configuration down to a value.
KeyPath = tuple[str, ...]

#: Type of a validation error -> what a value must be, for people who write YAML.
_KINDS = {
    "dict_type": "it must be a mapping, `key: value` on lines of their own",
    "model_type": "it must be a mapping, `key: value` on lines of their own",
    "list_type": "it must be a list, `[one, two]`",
    "string_type": "it must be a string; quote it",
    "int_type": "it must be a whole number",
    "float_type": "it must be a number",
    "bool_type": "it must be `true` or `false`",
}

# libyaml reads a file ten times as fast, where PyYAML was built with it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Problems:
    """Problems of one configuration, each with its key."""

    def __init__(self, files: Iterable[Path] = ()):
        """Start without problems.

        Args:
            files: the configuration files in the order in which they are merged, to say where a key
                stands.
        """
        self.files = list(files)
        self.found: list[tuple[KeyPath, str]] = []

    def add(self, key: KeyPath, text: str) -> None:
        """Add a problem; `text` follows the key, e.g. ``misses `url```."""
        self.found.append((key, text))

    def validate(self, kind: type[BaseModel], value: Any, key: KeyPath = ()) -> Any:
        """Make settings of a value; on errors add them all and return None.

        Args:
            kind: class of the settings.
            value: a mapping from YAML.
            key: where it stands in the configuration.
        """
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            for one in error.errors():
                location = tuple(str(part) for part in one["loc"] if part != "[key]")
                self.add(*_described(one, key, location, kind, value))
        return None

    def raise_if_any(self) -> None:
        """Raise a `ConfigError` that lists all problems, if there are any.

        Raises:
            ConfigError: each problem with its key, and the file and line that set it.
        """
        if not self.found:
            return
        places = _places(self.files)
        lines = []
        for key, text in dict.fromkeys(self.found):
            name = f"`{'.'.join(key)}`" if key else "the configuration"
            where = next((places[key[:n]] for n in range(len(key), 0, -1) if key[:n] in places), "")
            lines.append(f"  - {name}{text}{where and f' ({where})'}")
        raise ConfigError("The configuration cannot be used:\n" + "\n".join(lines))


def named(names: Iterable[str]) -> str:
    """Join names, each in backticks."""
    return ", ".join(f"`{name}`" for name in names)


def suggest(unknown: Sequence[str], known: Sequence[str]) -> str:
    """Say what is allowed in place of unknown names, and which one may have been meant.

    >>> suggest(["minni"], ["mini", "music_clap"])
    '; allowed: `mini`, `music_clap`; did you mean `mini`?'
    """
    close = [match for name in unknown for match in difflib.get_close_matches(name, known, 1)]
    hint = f"; did you mean {named(close)}?" if close else ""
    return f"; allowed: {named(known)}{hint}" if known else hint


def check_keys(value: Any, problems: Problems, key: KeyPath = ()) -> None:
    """Find keys that YAML does not read as strings (`no`, `1`), and NUL characters."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(name, str):
                check_keys(inner, problems, (*key, name))
            else:
                problems.add(key, f": key `{name}` must be a string; quote it")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            check_keys(inner, problems, (*key, str(number)))
    elif isinstance(value, str) and "\0" in value:
        problems.add(key, f" is {value!r}: a NUL character")


def check_duplicate_keys(paths: Iterable[Path]) -> None:
    """Refuse a YAML file in which a key stands twice: the first value would be lost silently.

    Raises:
        ConfigError: names the file, the line and the key.
    """
    problems = []
    for path in paths:
        if path.suffix in {".yaml", ".yml"}:
            try:
                twice = list(_twice(_compose(path)))
            except (OSError, UnicodeError, yaml.YAMLError) as error:
                raise ConfigError(f"{path} cannot be read as YAML: {error}") from error
            except RecursionError as error:
                raise ConfigError(f"{path} is nested too deeply, or in itself") from error
            problems += [f"{path}, line {line}: `{key}` stands twice" for key, line in twice]
    if problems:
        raise ConfigError(
            "The configuration cannot be used:\n" + "\n".join(f"  - {one}" for one in problems)
        )


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises:
        ConfigError: it cannot be read, or is something else.
    """
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path} must have keys at its top level")
    return value


def _described(
    error: Any, start: KeyPath, location: KeyPath, kind: type[BaseModel], whole: Any
) -> tuple[KeyPath, str]:
    key, value = (*start, *location), error["input"]
    parent = key[:-1]
    match error["type"]:
        case "extra_forbidden":
            known = sorted(_fields(kind, location[:-1]))
            return parent, f": unknown key `{key[-1]}`{suggest([key[-1]], known)}"
        case "missing":
            return parent, f": misses `{key[-1]}`"
        case "literal_error":
            model = _model_at(kind, location[:-1])
            allowed = _choices(model, location[-1]) if model else []
            return key, f" is {value!r}{suggest([str(value)], allowed)}"
        case "value_error":
            return key, f": {error['ctx']['error']}"
        case "string_pattern_mismatch" if "{label" in error["ctx"]["pattern"].replace("\\", ""):
            return key, f" is {value!r}: a prompt template must contain {{label}}"
    message = _KINDS.get(error["type"]) or error["msg"][0].lower() + error["msg"][1:]
    model = _model_at(kind, location[:-1])
    described = ""
    if model is not None and location and location[-1] in model.model_fields:
        described = model.model_fields[location[-1]].description or ""
    return key, f" is {_short(value)}: {message}" + (f" ({described})" if described else "")


def _short(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 200 else f"{text[:200]} ..."


def _model_at(kind: type[BaseModel], location: KeyPath) -> type[BaseModel] | None:
    """Find the settings class below a class, as far as the keys lead to one."""
    for part in location:
        if part.isdigit():
            continue
        field = kind.model_fields.get(part)
        nested = None if field is None else _nested(field.annotation)
        if nested is None:
            return None
        kind = nested
    return kind


def _nested(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _nested(part)
        if found is not None:
            return found
    return None


def _fields(kind: type[BaseModel], location: KeyPath) -> list[str]:
    model = _model_at(kind, location)
    return [] if model is None else list(model.model_fields)


def _choices(model: type[BaseModel], name: str) -> list[str]:
    field = model.model_fields.get(name)
    return [] if field is None else [str(one) for one in literals(field.annotation)]


def literals(annotation: Any) -> list[Any]:
    """List the values of a `Literal`, also below a union or an `Annotated`."""
    if getattr(annotation, "__origin__", None) is not None and str(annotation).startswith(
        "typing.Literal"
    ):
        return list(annotation.__args__)
    return [one for part in getattr(annotation, "__args__", ()) for one in literals(part)]


def _compose(path: Path) -> yaml.Node | None:
    return yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)


def _places(files: Iterable[Path]) -> dict[KeyPath, str]:
    """Key -> file and line that set it last."""
    places: dict[KeyPath, str] = {}
    for path in files:
        if path.suffix in {".yaml", ".yml"}:
            try:
                places.update(
                    (key, f"{path}, line {line}") for key, line in _lines(_compose(path), ())
                )
            except (OSError, UnicodeError, yaml.YAMLError, RecursionError):
                continue
    return places


def _lines(
    node: yaml.Node | None, key: KeyPath, seen: frozenset[int] = frozenset()
) -> Iterator[tuple[KeyPath, int]]:
    if isinstance(node, yaml.MappingNode) and id(node) not in seen:
        for name, value in node.value:
            inner = (*key, str(name.value))
            yield inner, name.start_mark.line + 1
            yield from _lines(value, inner, seen | {id(node)})


def _twice(node: yaml.Node | None, seen: set[int] | None = None) -> Iterator[tuple[str, int]]:
    """Keys that a mapping has twice; what aliases refer to is visited once."""
    seen = set() if seen is None else seen
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        names = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is not None and name in names and name != "<<":
                yield name, key.start_mark.line + 1
            names.add(name)
            yield from _twice(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item, seen)
