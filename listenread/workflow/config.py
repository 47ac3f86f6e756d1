"""The configuration: checked as a whole before any job is planned, then handed out as leaf values.

`resolve` is called once, by the Snakefile. Nothing else in the package knows of the configuration;
functions and scripts get the values that they use.
"""

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from listenread import prompts
from listenread.errors import ConfigError, ListenreadError

Json = dict[str, Any]

#: Loaders whose datasets are made to train on: they have captions, no vocabulary.
CAPTIONED_LOADERS = frozenset({"gm_captions", "magnatagatune"})

#: How many values a configuration file may have, with those behind its aliases.
_MOST_VALUES = 100_000

#: Value of a prompt's `file` that stands for the authors' sentences; they are fetched by a job.
RELEASED_DEFINITIONS = "released"


def resolve(config: Mapping[str, Any], schema: Json, base: Path) -> Json:
    """Check a merged configuration and fill in its defaults.

    Args:
        config: what Snakemake merged from the base file and the overlays.
        schema: the JSON schema, as `load_schema` reads it.
        base: folder of the package; files such as `resources/ontology/doktorski.csv` are in it.

    Returns:
        A new mapping with every default filled in, prompts in their long form and every dataset
        with a vocabulary.

    Raises:
        ConfigError: lists every problem found, each with its key, its value and what is allowed.
    """
    problems = list(_no_text(config, ""))
    problems = problems or [_describe(error, schema) for error in _errors(config, schema)]
    if problems:
        raise _refusal(problems)
    resolved = _with_defaults(copy.deepcopy(dict(config)), schema, schema)
    resolved["prompts"] = {
        name: {"template": spec} if isinstance(spec, str) else spec
        for name, spec in resolved["prompts"].items()
    }
    for spec in resolved["prompts"].values():
        spec.setdefault("spelling", None)
        spec.setdefault("datasets", None)
        if "grid" in spec:
            spec["templates"] = prompts.fill_grid(**spec["grid"])
    problems = [*_selection_problems(resolved), *_model_problems(resolved)]
    problems = problems or list(_vocabulary_problems(resolved))
    problems = problems or list(_prompt_problems(resolved, base))
    if problems:
        raise _refusal(problems)
    return resolved


def load_schema(path: Path) -> Json:
    """Read the schema file."""
    # by libyaml where PyYAML has it: a third of a second, at every call of Snakemake
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return loader(path.read_text(encoding="utf-8")).get_single_data()


def check_duplicate_keys(paths: Iterable[Path]) -> None:
    """Refuse a YAML file in which a key stands twice: the first value would be lost silently.

    Refused, too, is a file that would expand without measure by its aliases.

    Raises:
        ConfigError: names the file, the line and the key.
    """
    problems = []
    for path in paths:
        if path.suffix in {".yaml", ".yml"}:
            try:
                node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
                expanded = _expanded(node, {})
                twice = [] if expanded > _MOST_VALUES else list(_twice(node))
            except (OSError, UnicodeError, yaml.YAMLError) as error:
                raise ConfigError(f"{path} cannot be read as YAML: {error}") from error
            except RecursionError as error:
                raise ConfigError(f"{path} is nested too deeply, or in itself") from error
            if expanded > _MOST_VALUES:
                problems.append(f"{path}: its aliases (`*name`) expand to {expanded:,} values")
            problems += [f"{path}, line {line}: `{key}` stands twice" for key, line in twice]
    if problems:
        raise _refusal(problems)


def words_of(dataset: Json, spelling: str | None) -> dict[str, str]:
    """Return label -> words in a dataset's vocabulary order, in one of its spellings."""
    words = dict(dataset["vocabulary"])
    if spelling is not None:
        words |= dataset.get("spellings", {}).get(spelling, {})
    return words


def names_of(dataset: Json) -> dict[str, list[str]]:
    """Return label -> the label and its words in every spelling, each once."""
    spellings = [words_of(dataset, spelling) for spelling in (None, *dataset["spellings"])]
    return {
        label: list(dict.fromkeys([label, *(words[label] for words in spellings)]))
        for label in dataset["vocabulary"]
    }


def prompts_for(config: Json, dataset: str) -> list[str]:
    """Return the experiment's prompts that a dataset is asked, in the experiment's order.

    A prompt that names datasets is for those alone, and a dataset that is named so is asked
    nothing else: labels such as families have no definitions of instruments.
    """
    chosen = config["experiment"]["prompts"]
    own = [name for name in chosen if dataset in (config["prompts"][name]["datasets"] or [])]
    return own or [name for name in chosen if config["prompts"][name]["datasets"] is None]


def prompts_for_ontology(config: Json) -> list[str]:
    """Return the experiment's prompts that can be asked of every instrument of an ontology.

    These are the templates, but neither those for certain datasets nor those that ask for a
    spelling, which an ontology does not have; definitions exist for a dataset's labels only.
    """
    return [
        name
        for name in config["experiment"]["prompts"]
        if (prompt := config["prompts"][name]).get("template")
        and prompt["datasets"] is None
        and prompt.get("spelling") is None
    ]


def clip_files(dataset: Json) -> list[str]:
    """List the audio files of a dataset that the user brings, those that exist.

    A missing one is the manifest's to complain about, or to skip.
    """
    if dataset["loader"] == "tinysol":  # whose csv may not be fetched yet
        return sorted(str(path) for path in Path(dataset["root"]).rglob("*.wav"))
    return [str(row.path) for row in _clips(dataset) if row.path.exists()]


def _clips(dataset: Json) -> list:
    # Imported here: it costs half a second, and most experiments bring no clips of their own.
    from listenread.datasets import registry

    root = dataset["root"] or Path(dataset["metadata"]).parent
    return registry.load(dataset["loader"]).read_clips(root, dataset["metadata"])


def _refusal(problems: list[str]) -> ConfigError:
    lines = "\n".join(f"  - {problem}" for problem in problems)
    return ConfigError(f"The configuration cannot be used:\n{lines}")


def _no_text(value: Any, key: str) -> Iterator[str]:
    """Find keys that YAML reads as something else than text (`no`, `1`), and NUL characters."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(name, str):
                yield from _no_text(inner, f"{key}.{name}".lstrip("."))
            else:
                yield f"`{key}`: the key {name!r} is no text; put it in quotation marks"
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _no_text(inner, f"{key}.{number}")
    elif isinstance(value, str) and "\0" in value:
        yield f"`{key}` is {value!r}: a NUL character"


def _errors(config: Mapping[str, Any], schema: Json) -> Iterator[jsonschema.ValidationError]:
    validator = jsonschema.Draft202012Validator(schema)
    for error in sorted(
        validator.iter_errors(config), key=lambda error: list(map(str, error.path))
    ):
        yield from _leaves(error)


def _leaves(error: jsonschema.ValidationError) -> Iterator[jsonschema.ValidationError]:
    """Yield the errors that a person can act on, below those that only wrap others."""
    if error.validator in {"anyOf", "oneOf"} and error.context:
        yield error
    elif error.context:
        for cause in error.context:
            yield from _leaves(cause)
    else:
        yield error


def _describe(error: jsonschema.ValidationError, schema: Json) -> str:
    key = ".".join(map(str, error.absolute_path)) or "the configuration"
    value = error.instance
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(str(name) for name in set(value) - set(known))
        return f"`{key}`: unknown key {_named(unknown)}{_suggest(unknown, known)}"
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in value]
        return f"`{key}`: misses {_named(missing)}"
    if error.validator == "anyOf":
        ways = [option["required"] for option in error.validator_value if "required" in option]
        return f"`{key}`: needs one of {_named(name for way in ways for name in way)}"
    if error.validator == "enum":
        return (
            f"`{key}` is {value!r}{_suggest([str(value)], list(map(str, error.validator_value)))}"
        )
    if error.validator == "pattern" and "{label" in str(error.validator_value).replace("\\", ""):
        return f"`{key}` is {value!r}: a prompt template must contain {{label}}"
    expected = error.schema.get("description", "")
    return f"`{key}` is {value!r}: {error.message}" + (f" ({expected})" if expected else "")


def _named(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _suggest(unknown: list[str], known: list[str]) -> str:
    close = [match for name in unknown for match in difflib.get_close_matches(name, known, 1)]
    hint = f"; did you mean {_named(close)}?" if close else ""
    return f"; allowed: {_named(known)}{hint}" if known else hint


def _expanded(node: yaml.Node | None, known: dict[int, int]) -> int:
    """Count the values below a node, those behind an alias each time that it is used."""
    if node is None or isinstance(node, yaml.ScalarNode):
        return 1
    if known.setdefault(id(node), 0) == 0:
        children = node.value
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in node.value for part in pair]
        known[id(node)] = -1  # while it is counted
        known[id(node)] = 1 + sum(_expanded(child, known) for child in children)
    elif known[id(node)] == -1:
        raise RecursionError
    return known[id(node)]


def _twice(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is not None and name in seen and name != "<<":
                yield name, key.start_mark.line + 1
            seen.add(name)
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item)


def _with_defaults(value: Any, schema: Json, root: Json) -> Any:
    """Fill in defaults below a value that is known to be valid.

    Keys come in the schema's order: Snakemake compares params as text, and a configuration with its
    keys in another order says the same.
    """
    for part in _parts(value, schema, root):
        if isinstance(value, list) and "items" in part:
            value = [_with_defaults(item, part["items"], root) for item in value]
        if not isinstance(value, dict):
            continue
        for name, sub in part.get("properties", {}).items():
            if name not in value:
                found, default = _default(sub, root)
                if found:
                    value[name] = copy.deepcopy(default)
            if name in value:
                value[name] = _with_defaults(value.pop(name), sub, root)
        rest = part.get("additionalProperties")
        if isinstance(rest, dict):
            for name in set(value) - set(part.get("properties", {})):
                value[name] = _with_defaults(value[name], rest, root)
    return value


def _default(schema: Json, root: Json) -> tuple[bool, Any]:
    while "default" not in schema and "$ref" in schema:
        schema = _target(schema["$ref"], root)
    return "default" in schema, schema.get("default")


def _parts(value: Any, schema: Json, root: Json) -> Iterator[Json]:
    """Yield a schema and those that it refers to for this value: `$ref`, `allOf`, `if`."""
    yield schema
    if "$ref" in schema:
        yield from _parts(value, _target(schema["$ref"], root), root)
    for option in schema.get("allOf", []):
        yield from _parts(value, option, root)
    if "if" in schema:
        holds = jsonschema.Draft202012Validator(schema["if"]).is_valid(value)
        branch = schema.get("then" if holds else "else")
        if branch is not None:
            yield from _parts(value, branch, root)


def _target(reference: str, root: Json) -> Json:
    target: Any = root
    for step in reference.removeprefix("#/").split("/"):
        target = target[step]
    return target


def _selection_problems(config: Json) -> Iterator[str]:
    for catalogue in ("datasets", "models", "prompts"):
        for name in config["experiment"][catalogue]:
            if name not in config[catalogue]:
                known = sorted(config[catalogue])
                yield f"`experiment.{catalogue}`: no such entry `{name}`{_suggest([name], known)}"
    for name in config["experiment"]["datasets"]:
        if config["datasets"].get(name, {}).get("loader") in CAPTIONED_LOADERS:
            yield f"`experiment.datasets`: `{name}` has captions to train on, no labels to evaluate"
    for name, dataset in config["datasets"].items():
        original = dataset.get("dataset")
        if original is not None and original not in config["datasets"]:
            hint = _suggest([original], sorted(config["datasets"]))
            yield f"`datasets.{name}.dataset`: no such dataset `{original}`{hint}"
    for pair in config["prompt_pairs"]:
        for name in pair:
            if name not in config["prompts"]:
                known = sorted(config["prompts"])
                yield f"`prompt_pairs`: no such prompt `{name}`{_suggest([name], known)}"


def _model_problems(config: Json) -> Iterator[str]:
    released = [name for name, model in config["models"].items() if model["family"] == "released"]
    for name, model in config["models"].items():
        captions = model.get("train", {}).get("dataset")
        if captions is not None and captions not in config["datasets"]:
            yield (
                f"`models.{name}.train.dataset`: no such dataset `{captions}`"
                f"{_suggest([captions], sorted(config['datasets']))}"
            )
        known = model.get("known_answers")
        if known is not None and known not in released:
            yield (
                f"`models.{name}.known_answers`: no released model `{known}`"
                f"{_suggest([known], released)}"
            )


def _vocabulary_problems(config: Json) -> Iterator[str]:
    for name in config["experiment"]["datasets"]:
        dataset = config["datasets"][name]
        if dataset.get("vocabulary") is None:
            try:
                labels = sorted({row.label for row in _clips(dataset)})
            except ListenreadError as error:
                yield f"`datasets.{name}`: {error}"
                continue
            dataset["vocabulary"] = {label: label for label in labels}
        for spelling, words in dataset["spellings"].items():
            unknown = [label for label in words if label not in dataset["vocabulary"]]
            if unknown:
                yield (
                    f"`datasets.{name}.spellings.{spelling}`: no such label {_named(unknown)}"
                    f"{_suggest(unknown, list(dataset['vocabulary']))}"
                )
        for spelling in (None, *dataset["spellings"]):
            yield from _same_words(name, spelling, words_of(dataset, spelling))


def _same_words(name: str, spelling: str | None, words: Mapping[str, str]) -> Iterator[str]:
    where = "vocabulary" if spelling is None else f"spellings.{spelling}"
    first: dict[str, str] = {}
    for label, text in words.items():
        other = first.setdefault(text.casefold(), label)
        if other != label:
            yield (
                f"`datasets.{name}.{where}`: duplicate label: `{other}` and `{label}` are both "
                f"written {text!r}, so no prompt could tell them apart"
            )


def _prompt_problems(config: Json, base: Path) -> Iterator[str]:
    for name in config["experiment"]["prompts"]:
        prompt = config["prompts"][name]
        has_seeds = bool(prompt.get("filler_seeds"))
        if "templates" in prompt:
            yield from _set_problems(name, prompt)
        if "{filler}" in prompt.get("template", "") and not has_seeds:
            yield f"`prompts.{name}`: the template has {{filler}}, so it needs `filler_seeds`"
        if has_seeds and "{filler}" not in prompt["template"]:
            yield f"`prompts.{name}`: `filler_seeds` are given, but the template has no {{filler}}"
        for dataset_name in config["experiment"]["datasets"]:
            if name not in prompts_for(config, dataset_name):
                continue
            dataset = config["datasets"][dataset_name]
            spelling = prompt["spelling"]
            if spelling is not None and spelling not in dataset["spellings"]:
                yield (
                    f"`prompts.{name}.spelling`: dataset `{dataset_name}` has no spelling "
                    f"`{spelling}`{_suggest([spelling], sorted(dataset['spellings']))}"
                )
            elif prompt.get("file", RELEASED_DEFINITIONS) != RELEASED_DEFINITIONS:
                try:
                    prompts.definitions(prompts.find_file(prompt["file"], base), names_of(dataset))
                except ListenreadError as error:
                    yield f"`prompts.{name}.file`, dataset `{dataset_name}`: {error}"


def _set_problems(name: str, prompt: Json) -> Iterator[str]:
    for place in prompt.get("grid", {}).get("words", ()):
        if f"{{{place}}}" not in prompt["grid"]["template"]:
            yield f"`prompts.{name}.grid.words`: the template has no {{{place}}}"
    for template in prompt["templates"]:
        unknown = sorted(set(re.findall(r"\{(\w+)\}", template)) - {"label"})
        if unknown:
            yield (
                f"`prompts.{name}`: nothing says what {{{unknown[0]}}} in {template!r} stands for"
            )
            return
    if len(set(prompt["templates"])) < len(prompt["templates"]):
        yield f"`prompts.{name}.grid`: two ways to fill it in give the same template"
