"""Configurations: values of any type at any key, YAML that expands, repeats or contains itself."""

import copy
import random
import string
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import listenread
from listenread.workflow import config as configuration
from listenread.workflow import messages

from .conftest import mutated, times

VALUES = [
    None, True, False, 0, -1, 1, 1.5, 10**30, float("nan"), float("inf"), "", " ", "\0",
    "x" * 5_000,
    "../../outside", "/etc/passwd", "a/b", "{label}", "{label} {filler}", "{", "$(touch canary)",
    "`touch canary`", "; touch canary", "<script>", "é", "=1+1", "no.such:thing", "auto", "cuda:99",
    [], [None], [[]], [1, 1], ["track", "track"], {}, {"": ""}, {"a": None}, {1: 2}, {None: None},
    {"url": "http://example.org/x", "sha256": "0" * 64}, {"path": "../x"}, {"file": "/etc/passwd"},
]  # fmt: skip
#: What names may be made of: they become folders, wildcards and parts of a page.
SAFE = set(string.ascii_letters + string.digits + "_-.")


@pytest.fixture(scope="module")
def base(repository):
    config = {}
    for path in (*(repository / "catalogue").glob("*.yaml"), repository / "config.yaml"):
        config |= yaml.safe_load(path.read_text("utf-8"))
    overlay = yaml.safe_load((repository / "config" / "quickstart.yaml").read_text("utf-8"))
    config["experiment"] |= overlay["experiment"]
    return config


def resolve(config):
    resolved = configuration.resolve(config, Path(listenread.__file__).parent)
    names = [resolved.constants.experiment.name]
    for catalogue in (resolved.datasets, resolved.models, resolved.prompts):
        names += catalogue
    for name in names:
        assert set(name) <= SAFE and not name.startswith("."), name


def places(value, path=()):
    """Every key of a configuration, as a path."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def replaced(config, path, value):
    config = copy.deepcopy(config)
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    if path:
        inner[path[-1]] = value
    return config if path else value


def test_any_value_at_any_key(trial, base):
    rng = random.Random("values")
    keys = [path for path in places(base) if path]
    for _ in range(times(250)):
        path, value = rng.choice(keys), copy.deepcopy(rng.choice(VALUES))
        config = replaced(base, path, value)
        trial(lambda c=config: resolve(c), why=(path, value))


def test_keys_that_nobody_knows(trial, base):
    rng = random.Random("keys")
    maps = [path for path in places(base) if isinstance(_at(base, path), dict)]
    for _ in range(times(150)):
        path, key = (
            rng.choice(maps),
            rng.choice(["x", "", "../x", "a b", 1, None, True, "<b>", "é/é"]),
        )
        config = copy.deepcopy(base)
        _at(config, path)[key] = copy.deepcopy(rng.choice(VALUES))
        trial(lambda c=config: resolve(c), why=(path, key))


def _at(config, path):
    for key in path:
        config = config[key]
    return config


@settings(max_examples=times(100))
@given(
    label=st.text(max_size=10),
    words=st.text(max_size=10),
    template=st.text(max_size=20),
    title=st.text(max_size=20),
    name=st.sampled_from(["mine", "mine-2", "a.b"]) | st.text(max_size=6),
)
def test_any_text_where_text_belongs(trial, base, label, words, template, title, name):
    config = copy.deepcopy(base)
    config["datasets"]["gm_notes"]["vocabulary"] = {"Flute": "flute", label: words}
    del config["datasets"]["gm_notes"]["spellings"]  # of labels that are gone
    config["prompts"][name] = template + "{label}"
    config["experiment"] |= {"title": title, "prompts": ["track", name]}
    trial(lambda: resolve(config), why=(label, words, template, title, name))


def check(path):
    messages.check_duplicate_keys([path])


def test_damaged_yaml(trial, repository):
    content = (repository / "config" / "quickstart.yaml").read_bytes()
    rng = random.Random("yaml")
    path = trial.folder / "overlay.yaml"
    for number in range(times(400)):
        path.write_bytes(mutated(content, rng, head=len(content)))
        trial(lambda: check(path), path, number)


@settings(max_examples=times(300))
@given(text=st.text(alphabet="ab:-&*[]{}<>!|'\"#%@,? \n\t", max_size=60))
def test_yaml_of_any_characters(trial, text):
    path = trial.folder / "overlay.yaml"
    path.write_text(text)
    trial(lambda: check(path), path, text)


BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        BOMB.replace("[", "{k: [").replace("]\n", "]}\n"),
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "a: &a\n  b: &b [*a]\n",
        "[" * 5_000,
        "{a: " * 5_000,
        "a: 1\na: 2\n",
        "a: {b: 1, b: 1}\n",
        "? [a, b]\n: 1\n",
        "!!python/object/apply:os.system ['touch canary']\n",
        "a: !!python/name:os.system\n",
        "a: *nowhere\n",
        "a: 1\n---\nb: 2\n",
        "a: \x00\n",
        "\ufeffa: 1\n",
        "%YAML 9.9\n---\na: 1\n",
        "a: !!binary '='\n",
    ],
)
def test_yaml_that_expands_repeats_or_runs(trial, text):
    path = trial.folder / "overlay.yaml"
    path.write_text(text, "utf-8")
    trial(lambda: check(path), path, text[:60])
