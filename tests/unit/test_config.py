"""The configuration refuses by name what cannot be used, before any job is planned."""

import copy

import pytest
import yaml

from listenread.errors import ConfigError
from listenread.models.muscall.sizes import AudioSizes, Sizes, TextSizes
from listenread.models.muscall.training.settings import TrainingSettings
from listenread.workflow import config as configuration
from listenread.workflow import config_reference


@pytest.fixture(scope="module")
def schema(repository):
    return configuration.load_schema(repository / "config" / "schema.yaml")


@pytest.fixture
def base(repository):
    config = yaml.safe_load((repository / "config.yaml").read_text("utf-8"))
    overlay = yaml.safe_load((repository / "config" / "quickstart.yaml").read_text("utf-8"))
    config["experiment"] |= overlay["experiment"]
    return config


def refusal(config, schema, repository) -> str:
    with pytest.raises(ConfigError) as caught:
        configuration.resolve(config, schema, repository / "listenread")
    return str(caught.value)


def test_the_quickstart_is_accepted_and_its_defaults_are_filled_in(base, schema, repository):
    resolved = configuration.resolve(base, schema, repository / "listenread")
    assert resolved["metrics"]["confidence"] == 0.95
    assert resolved["datasets"]["gm_notes"]["folds"] == 5
    assert resolved["models"]["mini"]["train"]["betas"] == [0.9, 0.98]
    track = {"template": "A {label} track", "spelling": None, "datasets": None}
    assert resolved["prompts"]["track"] == track


def test_the_given_configuration_is_left_as_it_is(base, schema, repository):
    before = copy.deepcopy(base)
    configuration.resolve(base, schema, repository / "listenread")
    assert base == before


def _set(config, key, value):
    *way, last = key.split(".")
    for step in way:
        config = config[step]
    config[last] = value


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("metrics.resample", 10, ["`metrics`", "`resample`", "did you mean `resamples`?"]),
        ("metrics.confidence", 1.5, ["`metrics.confidence` is 1.5"]),
        ("metrics.resamples", "many", ["`metrics.resamples` is 'many'"]),
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
        ("datasets.gm_notes.loader", "nsynt", ["`datasets.gm_notes.loader` is 'nsynt'"]),
        ("datasets.gm_notes.velocities", {"mf": 300}, ["velocities.mf` is 300"]),
        ("models.mini.family", "muskall", ["`models.mini.family` is 'muskall'"]),
        ("models.mini.train.dataset", "gm", ["`models.mini.train.dataset`", "`gm`"]),
        ("models.mini.train.steps", 0, ["`models.mini.train.steps` is 0"]),
    ],
)
def test_a_wrong_value_is_refused_by_name(base, schema, repository, key, value, wanted):
    base.setdefault("embedding", {})
    _set(base, key, value)
    message = refusal(base, schema, repository)
    for part in wanted:
        assert part in message, message


def test_every_problem_is_listed_at_once(base, schema, repository):
    base["metrics"] = {"confidence": 2, "seed": -1, "bootstraps": 5}
    message = refusal(base, schema, repository)
    assert message.count("\n  - ") == 3, message


def test_labels_that_no_prompt_could_tell_apart_are_refused(base, schema, repository):
    base["datasets"]["gm_notes"]["vocabulary"]["Viola"] = "Violin"
    message = refusal(base, schema, repository)
    assert "duplicate label: `Violin` and `Viola`" in message


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("label,definition\nviolin,A {label}.\n", "no definition of 'Bass Tuba'"),
        ("label,text\nviolin,A {label}.\n", "misses the column(s) definition"),
        ("label,definition\nviolin,a\nVIOLIN,b\n", "has the label 'VIOLIN' twice"),
        (None, "cannot be read"),
    ],
)
def test_a_definition_file_must_serve_every_label(
    base, schema, repository, tmp_path, content, wanted
):
    path = tmp_path / "definitions.csv"
    if content is not None:
        path.write_text(content, "utf-8")
    base["prompts"]["definition"] = {"file": str(path)}
    assert wanted in refusal(base, schema, repository)


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    path = tmp_path / "overlay.yaml"
    path.write_text("datasets:\n  notes:\n    vocabulary:\n      A: a\n      A: b\n", "utf-8")
    with pytest.raises(ConfigError, match=r"overlay.yaml, line 5: `A` stands twice"):
        configuration.check_duplicate_keys([path])


def test_a_folder_without_vocabulary_takes_the_labels_that_it_finds(base, schema, repository):
    base["datasets"]["mine"] = {"loader": "folder", "root": "tests/unit/nowhere"}
    base["experiment"]["datasets"] = ["mine"]
    assert "tests/unit/nowhere" in refusal(base, schema, repository)


def test_spellings_change_the_words_of_some_labels_only(base, schema, repository):
    dataset = configuration.resolve(base, schema, repository / "listenread")["datasets"]["gm_notes"]
    released = configuration.words_of(dataset, None)
    plain = configuration.words_of(dataset, "plain")
    assert list(released) == list(plain)
    assert (released["Cello"], plain["Cello"]) == ("violoncello", "cello")
    assert released["Oboe"] == plain["Oboe"]
    assert configuration.names_of(dataset)["Cello"] == ["Cello", "violoncello", "cello"]


def _defaults(part):
    return {name: sub.get("default") for name, sub in part["properties"].items()}


def test_the_schema_says_the_same_as_the_code_that_takes_the_values(schema):
    """One list for people, one for the code: a name or a default in only one is an error."""
    training = _defaults(schema["$defs"]["training"])
    for outside in ("dataset", "threads"):
        del training[outside]
    settings = TrainingSettings().to_dict()
    del settings["sizes"], settings["tokenizer"]  # keys of the model, beside `train`
    assert training == {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}
    sizes = schema["$defs"]["muscall_sizes"]
    for name, part in (("audio", AudioSizes()), ("text", TextSizes())):
        wanted = vars(part) | {"blocks": list(part.blocks)} if name == "audio" else dict(vars(part))
        wanted.pop("vocabulary", None)  # set from the tokenizer
        assert _defaults(sizes["properties"][name]) == wanted
    assert sizes["properties"]["d_joint"]["default"] == Sizes().d_joint


def test_every_overlay_of_the_project_is_valid(repository, schema, tmp_path):
    base = yaml.safe_load((repository / "config.yaml").read_text("utf-8"))
    clips = tmp_path / "metadata.csv"
    clips.write_text("path,label\na.wav,violin\nb.wav,flute\n", "utf-8")
    base["prompts"]["definition"] = "{label}"  # of labels that only the user knows
    base["prompts"]["definition_masked"] = "{label}"
    overlays = [
        path for path in (repository / "config").glob("*.yaml") if path.name != "schema.yaml"
    ]
    assert overlays
    for overlay in overlays:
        configuration.check_duplicate_keys([overlay])
        merged = _merge(copy.deepcopy(base), yaml.safe_load(overlay.read_text("utf-8")))
        if "own_clips" in merged["datasets"]:
            merged["datasets"]["own_clips"]["metadata"] = str(clips)
        configuration.resolve(merged, schema, repository / "listenread")


def _merge(base, overlay):
    """Key by key, lists replaced: as Snakemake merges configuration files."""
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value
    return base


def test_the_configuration_reference_is_generated_from_the_schema(repository, schema):
    text = (repository / "docs" / "configuration.md").read_text("utf-8")
    assert text == config_reference.reference(schema), "run `make docs`"


def _leaf_keys(part, schema, prefix=""):
    for name, sub in part.get("properties", {}).items():
        yield f"{prefix}{name}", config_reference._resolved(sub, schema)


def test_every_key_of_the_schema_is_described(schema):
    parts = [schema, *schema["properties"].values(), *schema["$defs"].values()]
    for part in parts:
        for key, entry in _leaf_keys(part, schema):
            assert "const" in entry or entry.get("description"), key


def test_a_grid_is_filled_in_every_way_and_its_mistakes_are_named(repository, schema):
    base = yaml.safe_load((repository / "config.yaml").read_text("utf-8"))
    grid = {"template": "{opening} {label} {end}", "words": {"opening": ["A", ""], "end": ["x"]}}
    base["experiment"]["prompts"] = ["study"]
    base["prompts"]["study"] = {"grid": grid}
    resolved = configuration.resolve(base, schema, repository / "listenread")
    assert resolved["prompts"]["study"]["templates"] == ["A {label} x", "{label} x"]
    grid["words"]["nowhere"] = ["y"]
    with pytest.raises(ConfigError, match=r"the template has no \{nowhere\}"):
        configuration.resolve(base, schema, repository / "listenread")
    del grid["words"]["nowhere"], grid["words"]["end"]
    with pytest.raises(ConfigError, match=r"nothing says what \{end\} in 'A \{label\} \{end\}'"):
        configuration.resolve(base, schema, repository / "listenread")
    base["prompts"]["study"] = {"templates": ["A {label}", "no place for it"]}
    with pytest.raises(ConfigError, match=r"must contain \{label\}"):
        configuration.resolve(base, schema, repository / "listenread")


def test_the_order_of_keys_makes_no_difference_but_that_of_the_labels_does(repository, schema):
    base = yaml.safe_load((repository / "config.yaml").read_text("utf-8"))
    resolved = configuration.resolve(base, schema, repository / "listenread")
    shuffled = configuration.resolve(_reversed(base), schema, repository)
    for name, model in resolved["models"].items():
        assert repr(shuffled["models"][name]) == repr(model)
    parts = resolved["datasets"]["magnatagatune"]["parts"]
    assert repr(shuffled["datasets"]["magnatagatune"]["parts"]) == repr(parts)
    labels = list(resolved["datasets"]["tinysol"]["vocabulary"])
    assert list(shuffled["datasets"]["tinysol"]["vocabulary"]) == labels[::-1]


def _reversed(value):
    """The same mappings with their keys the other way round; lists as they are."""
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value
