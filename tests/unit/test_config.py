"""The configuration refuses by name what cannot be used, before any job is planned."""

import copy
import dataclasses
import re
from pathlib import Path

import pytest
import yaml

import listenread
from listenread.audio.degradations.base import DEGRADATIONS
from listenread.datasets.base import DATASET_KINDS
from listenread.errors import ConfigError
from listenread.models.base import FAMILIES
from listenread.prompts import Prompt
from listenread.tasks.base import TASKS
from listenread.workflow import config as configuration
from listenread.workflow import messages, reference
from listenread.workflow.sections import Constants

PACKAGE = Path(listenread.__file__).parent


def shipped(repository) -> dict:
    """The configuration of the project without an overlay."""
    config = {}
    for name in ("datasets", "models", "prompts"):
        config |= yaml.safe_load((repository / "catalogue" / f"{name}.yaml").read_text("utf-8"))
    return config | yaml.safe_load((repository / "config.yaml").read_text("utf-8"))


@pytest.fixture
def base(repository):
    config = shipped(repository)
    overlay = yaml.safe_load((repository / "config" / "quickstart.yaml").read_text("utf-8"))
    config["experiment"] |= overlay["experiment"]
    return config


def resolve(config, files=()):
    return configuration.resolve(config, PACKAGE, files)


def refusal(config, files=()) -> str:
    with pytest.raises(ConfigError) as caught:
        resolve(config, files)
    return str(caught.value)


def test_the_quickstart_is_accepted_and_its_defaults_are_filled_in(base):
    resolved = resolve(base)
    assert resolved.constants.metrics.confidence_level == 0.95
    assert resolved.datasets["gm_notes"].settings.folds == 5
    assert resolved.models["mini"].settings.plain()["train"]["betas"] == [0.9, 0.98]
    track = resolved.prompts["track"]
    assert (track.template, track.spelling, track.datasets) == ("A {label} track", None, None)


def test_the_given_configuration_is_left_as_it_is(base):
    before = copy.deepcopy(base)
    resolve(base)
    assert base == before


def test_the_page_is_told_licences_those_of_derived_datasets_too(repository):
    config = shipped(repository)
    config |= yaml.safe_load((repository / "config" / "released.yaml").read_text("utf-8"))
    config["experiment"]["tasks"] = ["zero_shot"]
    found = resolve(config).licences()
    assert found["datasets"] == {"tinysol_released": "CC BY 4.0",
                                 "tinysol_released_families": "CC BY 4.0"}  # fmt: skip
    assert set(found["models"]) == set(config["experiment"]["models"])
    assert found["models"]["muscall_released"] == FAMILIES.find("released").licence


def test_the_page_is_told_tasks_that_need_a_tower_which_a_model_lacks(base):
    resolved = resolve(base)
    assert resolved.left_out() == {}
    mini = resolved.models["mini"]
    deaf = dataclasses.replace(
        mini, family=dataclasses.replace(mini.family, towers=frozenset({"text"}))
    )
    titles = dataclasses.replace(resolved, models={**resolved.models, "mini": deaf}).left_out()
    assert set(titles) == {"mini"}
    wanted = {TASKS.find(name).title for name in ("zero_shot", "audio_only")}
    assert wanted <= set(titles["mini"]) and TASKS.find("triplets").title not in titles["mini"]


def _set(config, key, value):
    *way, last = key.split(".")
    for step in way:
        config = config[step]
    config[last] = value


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("metrics.replicate", 10, ["`metrics`", "`replicate`", "did you mean `replicates`?"]),
        ("metrics.resamples", 10, ["is now `metrics.replicates`"]),
        ("metrics.confidence_level", 1.5, ["`metrics.confidence_level` is 1.5"]),
        ("metrics.confidence", 0.9, ["is now `metrics.confidence_level`"]),
        ("metrics.replicates", "many", ["`metrics.replicates` is 'many'"]),
        ("embedding.device", "gpu", ["`embedding.device` is 'gpu'", "`cuda`"]),
        ("experiment.models", ["minni"], ["`experiment.models`", "`minni`", "`mini`?"]),
        ("experiment.datasets", ["gm_note"], ["`gm_note`", "`gm_notes`?"]),
        ("experiment.prompts", ["tracks"], ["`tracks`", "`track`?"]),
        ("experiment.datasets", ["gm_captions"], ["captions to train on"]),
        ("experiment.name", "a/b", ["`experiment.name` is 'a/b'"]),
        ("prompts.track", "A violin track", ["`prompts.track`", "{label}"]),
        ("prompts.track", {"template": "no label"}, ["`prompts.track.template`", "{label}"]),
        ("prompts.track", {"template": "{label} {filler}"}, ["`filler_seeds`"]),
        ("prompts.track", {"template": "{label}", "spelling": "old"}, ["no spelling `old`"]),
        (
            "datasets.gm_notes.kind",
            "gm_note",
            ["`datasets.gm_notes.kind`", "`gm_note`", "`gm_notes`?"],
        ),
        ("datasets.gm_notes.velocities", {"mf": 300}, ["velocities.mf` is 300"]),
        ("models.mini.family", "muskall", ["`models.mini.family`", "`muskall`", "`muscall`?"]),
        ("models.mini.train.dataset", "gm", ["`models.mini.train.dataset`", "`gm`"]),
        ("models.mini.train.steps", 0, ["`models.mini.train.steps` is 0"]),
        ("models.mini.train.steps", 60, ["`models.mini.train`: `warmup_steps` must be less"]),
    ],
)
def test_a_wrong_value_is_refused_by_name(base, key, value, wanted):
    base.setdefault("embedding", {})
    _set(base, key, value)
    message = refusal(base)
    for part in wanted:
        assert part in message, message


def test_every_problem_is_listed_at_once(base):
    base["metrics"] = {"confidence_level": 2, "seed": -1, "bootstraps": 5}
    message = refusal(base)
    assert message.count("\n  - ") == 3, message


def test_labels_that_no_prompt_could_tell_apart_are_refused(base):
    base["datasets"]["gm_notes"]["vocabulary"]["Viola"] = "Violin"
    message = refusal(base)
    assert "duplicate label: `Violin` and `Viola`" in message


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("label,definition\nviolin,A {label}.\n", "no definition of 'Bass Tuba'"),
        ("label,text\nviolin,A {label}.\n", "misses the column(s) definition"),
        ("label,definition\nviolin,a\nVIOLIN,b\n", "has the label 'VIOLIN' twice"),
        (None, "does not exist"),
    ],
)
def test_a_definition_file_must_serve_every_label(base, tmp_path, content, wanted):
    path = tmp_path / "definitions.csv"
    if content is not None:
        path.write_text(content, "utf-8")
    base["prompts"]["definition"] = {"file": str(path)}
    assert wanted in refusal(base)


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    path = tmp_path / "overlay.yaml"
    path.write_text("datasets:\n  notes:\n    vocabulary:\n      A: a\n      A: b\n", "utf-8")
    with pytest.raises(ConfigError, match=r"overlay.yaml, line 5: `A` stands twice"):
        messages.check_duplicate_keys([path])


def test_a_folder_without_vocabulary_takes_the_labels_that_it_finds(base):
    base["datasets"]["mine"] = {"kind": "folder", "root": "tests/unit/nowhere"}
    base["experiment"]["datasets"] = ["mine"]
    assert "tests/unit/nowhere" in refusal(base)


def test_spellings_change_the_words_of_some_labels_only(base):
    dataset = resolve(base).datasets["gm_notes"]
    released = dataset.words(None)
    plain = dataset.words("plain")
    assert list(released) == list(plain)
    assert (released["Cello"], plain["Cello"]) == ("violoncello", "cello")
    assert released["Oboe"] == plain["Oboe"]
    assert dataset.names["Cello"] == ["Cello", "violoncello", "cello"]


def test_every_overlay_of_the_project_is_valid(repository, tmp_path):
    base = shipped(repository)
    clips = tmp_path / "metadata.csv"
    clips.write_text("path,label\na.wav,violin\nb.wav,flute\n", "utf-8")
    base["prompts"]["definition"] = "{label}"  # of labels that only the user knows
    base["prompts"]["definition_masked"] = "{label}"
    overlays = list((repository / "config").glob("*.yaml"))
    assert overlays
    for overlay in overlays:
        messages.check_duplicate_keys([overlay])
        merged = _merge(copy.deepcopy(base), yaml.safe_load(overlay.read_text("utf-8")))
        if "own_clips" in merged["datasets"]:
            merged["datasets"]["own_clips"]["metadata"] = str(clips)
        resolve(merged)


def _merge(base, overlay):
    """Key by key, lists replaced: as Snakemake merges configuration files."""
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value
    return base


@pytest.mark.parametrize("page", ["configuration", "catalogue"])
def test_the_reference_is_generated(repository, page):
    text = (repository / "docs" / f"{page}.md").read_text("utf-8")
    assert text == reference.main([page]), "run `make docs`"


def _keys(settings, prefix=""):
    for name, field in settings.model_fields.items():
        yield f"{prefix}{name}", field, settings
        nested = reference._nested(field.annotation)
        if nested is not None:
            yield from _keys(nested, f"{prefix}{name}.")


def _settings_of_all_entries():
    """Where a section of the reference stands, and the settings that it must describe."""
    for name in TASKS.names():
        yield f"`tasks.{name}`", TASKS.find(name).settings
    for name in DATASET_KINDS.names():
        yield f"`datasets.<name>` with `kind: {name}`", DATASET_KINDS.find(name).settings
    for name in FAMILIES.names():
        yield f"`models.<name>` with `family: {name}`", FAMILIES.find(name).settings
    for name in DEGRADATIONS.names():
        where = f"`datasets.<name>.options` with `degradation: {name}`"
        yield where, DEGRADATIONS.find(name).settings


def test_every_key_of_every_entry_is_in_the_reference(repository):
    """Against the registries: a section or a key that the generator forgets is an error."""
    text = (repository / "docs" / "configuration.md").read_text("utf-8")
    sections = dict(re.findall(r"^## (.*)\n((?:(?!^## ).*\n?)*)", text, re.MULTILINE))
    checked = 0
    for title, settings in _settings_of_all_entries():
        for key, _, _ in _keys(settings):
            assert f"| `{key}` |" in sections[title], f"{title}: {key}"
            checked += 1
    for name, field in Constants.model_fields.items():
        section = reference._nested(field.annotation)
        if section is None:
            assert f"| `{name}` |" in sections["Other keys"], name
        else:
            for key, _, _ in _keys(section):
                assert f"| `{key}` |" in sections[f"`{name}`"], f"{name}.{key}"
    assert checked > 100


def test_every_key_is_described():
    for title, settings in [*_settings_of_all_entries(), ("constants", Constants)]:
        for key, field, _ in _keys(settings):
            nested = reference._nested(field.annotation)
            assert field.description or (nested and nested.__doc__), f"{title}: {key}"


def test_config_yaml_has_every_constant_with_its_default(repository):
    """No secret defaults: what changes a number is in config.yaml."""
    given = yaml.safe_load((repository / "config.yaml").read_text("utf-8"))
    tasks = given.pop("tasks")
    defaults = Constants.model_validate({"experiment": given["experiment"]}).plain()
    assert given == defaults | {"prompt_pairs": given["prompt_pairs"]}
    for name in TASKS.names():
        fields = TASKS.find(name).settings.model_fields
        own = {k: f.get_default(call_default_factory=True) for k, f in fields.items()
               if k not in given["metrics"]}  # fmt: skip
        assert tasks.get(name, {}) == own, name


def test_a_grid_is_filled_in_every_way_and_its_mistakes_are_named(repository):
    base = shipped(repository)
    grid = {"template": "{opening} {label} {end}", "words": {"opening": ["A", ""], "end": ["x"]}}
    base["experiment"]["prompts"] = ["study"]
    base["prompts"]["study"] = {"grid": grid}
    resolved = resolve(base)
    study = Prompt.from_settings(resolved.prompts["study"])
    assert study.templates == ["A {label} x", "{label} x"]
    grid["words"]["nowhere"] = ["y"]
    with pytest.raises(ConfigError, match=r"the template has no \{nowhere\}"):
        resolve(base)
    del grid["words"]["nowhere"], grid["words"]["end"]
    with pytest.raises(ConfigError, match=r"nothing says what \{end\} in 'A \{label\} \{end\}'"):
        resolve(base)
    base["prompts"]["study"] = {"templates": ["A {label}", "no place for it"]}
    with pytest.raises(ConfigError, match=r"must contain \{label\}"):
        resolve(base)


def test_the_order_of_keys_makes_no_difference_but_that_of_the_labels_does(repository):
    base = shipped(repository)
    resolved, shuffled = resolve(base), resolve(_reversed(base))
    for name, model in resolved.models.items():
        assert repr(shuffled.models[name].settings.plain()) == repr(model.settings.plain())
    parts = [
        one.datasets["magnatagatune"].settings.plain()["parts"] for one in (resolved, shuffled)
    ]
    assert repr(parts[0]) == repr(parts[1])
    labels = list(resolved.datasets["tinysol"].vocabulary)
    assert list(shuffled.datasets["tinysol"].vocabulary) == labels[::-1]


def test_a_problem_is_told_with_the_file_and_the_line_that_set_it(base, tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("metrics:\n  top_k: [1]\n  resample: 10\n", "utf-8")
    base["metrics"] = yaml.safe_load(overlay.read_text("utf-8"))["metrics"]
    assert f"({overlay}, line 1)" in refusal(base, [overlay])
    base["metrics"] = {"replicates": -1}
    overlay.write_text("metrics:\n  replicates: -1\n", "utf-8")
    assert f"({overlay}, line 2)" in refusal(base, [overlay])


def test_a_renamed_task_says_where_its_results_are(base):
    base["experiment"]["tasks"] = ["confidence"]
    message = refusal(base)
    assert "`confidence` is now called `margin`" in message
    assert "Results under the old name stay" in message


@pytest.mark.parametrize("text", ["def broken(:\n", "import no_such_library\n", "TASK = 3\n"])
def test_a_module_of_your_own_that_is_broken_is_named(base, tmp_path, monkeypatch, text):
    name = f"own_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    base["experiment"]["tasks"] = [f"{name}:TASK"]
    message = refusal(base)
    assert f"{name}:TASK" in message


def _reversed(value):
    """The same mappings with their keys the other way round; lists as they are."""
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value
