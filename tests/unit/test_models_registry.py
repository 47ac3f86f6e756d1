"""Families by name, and the description of a prepared model."""

import gc
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from listenread.audio.base import AudioInput
from listenread.errors import ConfigError, DownloadError, ModelError
from listenread.files.material import Source
from listenread.models import storage
from listenread.models.base import FAMILIES, PreparationContext, find_family, remote_file
from listenread.settings import LocalOrRemoteFile

OWN_FAMILY = """
from dataclasses import replace

from listenread.audio.base import AudioInput
from listenread.models.base import Family, OwnSettings, Preparation, ReleasedVectors


class Own:
    audio_input = AudioInput(8000, 0.5)

    def __init__(self, model_dir, description, *, tower, device):
        self.loaded = (model_dir, description, tower, device)

    def encode_audio(self, waveforms): ...

    def encode_text(self, texts): ...


class Deaf:
    towers = ("text",)

    def __init__(self, model_dir, description, *, tower, device):
        self.loaded = (model_dir, description, tower, device)

    def encode_text(self, texts): ...


class Incomplete:
    def encode_audio(self, waveforms): ...


class Seeing(Own):
    towers = ("audio", "vision")


WHOLE = Family(
    name="whole",
    description="A family of a user.",
    settings=OwnSettings,
    towers=frozenset({"audio", "text"}),
    loader=f"{__name__}:Own",
    preparations=(
        Preparation("prepare_whole", "listenread.models.storage:prepare_own", ("model.json",)),
    ),
)
VECTORS = ReleasedVectors("a:b", "a:c", "none")
UNDESCRIBED = replace(WHOLE, description="")
NOT_A_CLASS = replace(WHOLE, settings={"layer": 3})
ANOTHER_CLASS = replace(WHOLE, settings=dict)
SEES = replace(WHOLE, towers=frozenset({"audio", "vision"}))
NO_TOWER = replace(WHOLE, towers=frozenset())
TOWERS_AND_VECTORS = replace(WHOLE, vectors=VECTORS)
NO_LOADER = replace(WHOLE, loader=None)
UNPREPARED = replace(WHOLE, preparations=())
UNKNOWN_SETTING = replace(
    WHOLE, preparations=(replace(WHOLE.preparations[0], uses=("options", "layer")),)
)
UNDESCRIBED_MODEL = replace(
    WHOLE, preparations=(replace(WHOLE.preparations[0], outputs=("tower.safetensors",)),)
)
TAKEN = replace(WHOLE, name="muscall")
NOT_ONE = 3
"""


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """The name of a module of a user, which can be imported."""
    name = "own_family_for_tests"
    (tmp_path / f"{name}.py").write_text(OWN_FAMILY)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize("name", FAMILIES.names())
def test_every_family_of_the_registry_keeps_its_contract(name):
    family = find_family(name)
    assert family.name == name and family.problems() == []
    assert FAMILIES.module(name) == f"listenread.models.{name}"
    assert family.licence and family.training_data


def test_unknown_family_is_refused_with_those_that_there_are():
    wanted = r"`muscal`.*`hf_clap`.*`muscall`.*package\.module:NAME.*did you mean `muscall`"
    with pytest.raises(ConfigError, match=wanted):
        find_family("muscal")


@pytest.mark.parametrize(
    ("family", "message"),
    [
        ("no_such_package.module:Own", "no module `no_such_package.module`"),
        ("json:NoSuchClass", "the module json has no `NoSuchClass`"),
    ],
)
def test_own_family_that_cannot_be_imported_is_named(family, message):
    with pytest.raises(ConfigError, match=f"the model family `{family}`: .*{message}"):
        find_family(family)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("UNDESCRIBED", "`description` is empty"),
        ("NOT_A_CLASS", "`settings` is not a subclass of `listenread.models.base.ModelSettings`"),
        ("ANOTHER_CLASS", "`settings` is not a subclass of `listenread.models.base.ModelSettings`"),
        ("SEES", "unknown tower(s) vision; there are audio and text"),
        ("NO_TOWER", "needs `towers`, or else `vectors`"),
        ("TOWERS_AND_VECTORS", "needs `towers`, or else `vectors`"),
        ("NO_LOADER", "has towers, but no `loader`"),
        ("UNPREPARED", "has no `preparations`"),
        ("UNKNOWN_SETTING", "no setting(s) layer, which `uses` names"),
        ("UNDESCRIBED_MODEL", "preparation `prepare_whole` has no `model.json`"),
        ("TAKEN", "there is a built-in model family named `muscall` already"),
        ("NOT_ONE", "is not a model family: it is of type `int`"),
        ("Incomplete", "`encode_text` is missing"),
        ("Incomplete", "`audio_input` is missing"),
        ("Seeing", "unknown tower(s) vision"),
    ],
)
def test_a_family_that_breaks_its_contract_is_refused(own_module, name, missing):
    with pytest.raises(ConfigError) as refused:
        find_family(f"{own_module}:{name}")
    assert own_module in str(refused.value)
    assert missing in str(refused.value)


def test_two_built_in_families_of_one_name_are_refused(tmp_path, monkeypatch):
    package = tmp_path / "families_for_tests"
    package.mkdir()
    (package / "__init__.py").touch()
    whole = OWN_FAMILY.partition("VECTORS =")[0]
    for name in ("first", "second"):
        (package / f"{name}.py").write_text(whole)
    monkeypatch.syspath_prepend(tmp_path)
    registry = replace(FAMILIES, package=package.name)
    with pytest.raises(ConfigError, match=r"families_for_tests\.second: .*already in .*\.first"):
        registry.names()


def test_a_file_is_fetched_unless_the_user_has_it(tmp_path):
    material = remote_file("fetch_words", "words", "words.json")
    assert (material.rule, material.outputs) == ("fetch_words", {"words": "words.json"})
    content = b"[]"
    mirrored = tmp_path / "models.invalid/words.json"
    mirrored.parent.mkdir()
    mirrored.write_bytes(content)
    url, sha256 = "https://models.invalid/words.json", hashlib.sha256(content).hexdigest()

    def settings(**file):
        return SimpleNamespace(words=LocalOrRemoteFile(**file) if file else None)

    remote = settings(url=url, sha256=sha256)
    assert material.when(remote)
    assert not material.when(settings(url=url, path="mine.json"))
    assert not material.when(settings())
    outputs, used = {"words": tmp_path / "words.json"}, {"words": remote.words.plain()}
    material.make(outputs, used, Source(tmp_path, str(tmp_path)))
    assert outputs["words"].read_bytes() == content
    outputs["words"].unlink()
    mirrored.write_bytes(b"{}")
    with pytest.raises(DownloadError, match=r"words\.json"):
        material.make(outputs, used, Source(tmp_path, str(tmp_path), retries=0))


def prepare(folder, family, **options):
    context = PreparationContext(family)
    storage.prepare(family, "prepare_own", {}, folder, {"options": options}, context)


def test_own_family_gets_its_options(own_module, tmp_path):
    prepare(tmp_path / "model", f"{own_module}:Own", layer=3)
    model = storage.load(tmp_path / "model", tower="text")
    model_dir, description, tower, device = model.loaded
    assert (model_dir, tower, device) == (tmp_path / "model", "text", "cpu")
    assert description["options"] == {"layer": 3}
    assert storage.audio_input(tmp_path / "model") == AudioInput(8000, 0.5)


def test_a_tower_that_a_family_lacks_is_not_loaded(own_module, tmp_path):
    prepare(tmp_path / "model", f"{own_module}:Deaf")
    assert storage.load(tmp_path / "model", tower="text").loaded[2] == "text"
    with pytest.raises(ModelError, match="has no audio tower"):
        storage.load(tmp_path / "model", tower="audio")
    with pytest.raises(ModelError, match="the model has no audio tower"):
        storage.audio_input(tmp_path / "model")


def test_released_vectors_have_no_towers_to_load(tmp_path):
    storage.write_description(tmp_path, "released", None, system="muscall")
    with pytest.raises(ModelError, match="'released' has no towers to load"):
        storage.load(tmp_path, tower="text")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"model\.json is missing"),
        ("{", r"model\.json is not JSON"),
        ('{"family": "muscall"}', r"model\.json has no audio_input: the model has no audio"),
        ("{}", "does not name a family"),
        ("[]", "does not describe a model"),
        ('{"family": "muscall", "audio_input": {"rate": 1}}', "audio_input in .* is not usable"),
    ],
)
def test_folder_that_is_not_a_prepared_model_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    with pytest.raises(ModelError, match=message):
        storage.audio_input(tmp_path)


def test_description_is_read_back(tmp_path):
    wanted = AudioInput(48000, 10.0, "repeat_pad", "mean_of_windows", True)
    storage.write_description(tmp_path / "new", "muscall", wanted, sizes={"d_joint": 8})
    assert storage.audio_input(tmp_path / "new") == wanted
    assert storage.describe(tmp_path / "new")["sizes"] == {"d_joint": 8}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["model.json"]


def test_unknown_tower_is_refused(tmp_path):
    storage.write_description(tmp_path, "muscall", AudioInput(16000, 1.0))
    with pytest.raises(ValueError, match="'audio', 'text' or 'both'"):
        storage.load(tmp_path, tower="vision")


def test_audio_input_is_known_without_torch(tmp_path):
    storage.write_description(tmp_path, "muscall", AudioInput(16000, 20.0))
    program = (
        "import sys, json; from listenread.models import storage; "
        f"print(storage.audio_input({str(tmp_path)!r}).samples, 'torch' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["320000", "False"]


@pytest.mark.parametrize("was_on", [True, False])
def test_garbage_collection_is_as_it_was(was_on):
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with pytest.raises(KeyError), storage._without_garbage_collection():
            assert not gc.isenabled()
            raise KeyError
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()


def test_description_is_json_that_a_person_can_read(tmp_path):
    storage.write_description(tmp_path, "muscall", AudioInput(16000, 1.0), note="Übung")
    text = (tmp_path / "model.json").read_text(encoding="utf-8")
    assert "Übung" in text and text.count("\n") > 5
    assert json.loads(text)["audio_input"]["clip_seconds"] == 1.0
