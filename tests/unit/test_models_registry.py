import gc
import json
import subprocess
import sys

import pytest

from listenread.audio.base import AudioInput
from listenread.errors import ModelError
from listenread.models import storage

OWN_FAMILY = """


class Own:
    audio_input = AudioInput(8000, 0.5)

    def __init__(self, model_dir, description, *, tower, device):
        self.loaded = (model_dir, description, tower, device)
"""


@pytest.fixture
def own_package(tmp_path, monkeypatch):
    (tmp_path / "own_family_for_tests.py").write_text(OWN_FAMILY)
    monkeypatch.syspath_prepend(tmp_path)
    yield "own_family_for_tests:Own"
    sys.modules.pop("own_family_for_tests", None)


def test_every_registered_family_is_a_class():
    for family in prepared.FAMILIES:
        assert isinstance(storage.family_class(family), type)


def test_unknown_family_is_refused_with_those_that_there_are():
    with pytest.raises(ModelError, match=r"'muscal' is not known.*muscall.*package\.module:Class"):
        storage.family_class("muscal")


@pytest.mark.parametrize("family", ["no_such_package.module:Own", "json:NoSuchClass"])
def test_own_family_that_cannot_be_imported_is_named(family):
    with pytest.raises(ModelError, match=f"{family!r} cannot be imported"):
        storage.family_class(family)


def test_own_family_gets_its_options(own_package, tmp_path):
    storage.prepare_own(tmp_path / "model", own_package, {"layer": 3})
    model = storage.load(tmp_path / "model", tower="text")
    model_dir, description, tower, device = model.loaded
    assert (model_dir, tower, device) == (tmp_path / "model", "text", "cpu")
    assert description["options"] == {"layer": 3}
    assert storage.audio_input(tmp_path / "model") == AudioInput(8000, 0.5)


def test_own_family_without_audio_input_is_refused(tmp_path):
    with pytest.raises(ModelError, match="needs a class attribute audio_input"):
        storage.prepare_own(tmp_path, "json:JSONDecoder", {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"model\.json is missing"),
        ("{", r"model\.json is not JSON"),
        ('{"family": "muscall"}', r"model\.json misses audio_input"),
        ("{}", "misses family and audio_input"),
        ('{"family": "muscall", "audio_input": {"rate": 1}}', "audio_input in .* is not usable"),
    ],
)
def test_folder_that_is_no_prepared_model_is_refused(tmp_path, content, message):
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
        "import sys, json; from listenread.models import registry; "
        f"print(registry.audio_input({str(tmp_path)!r}).samples, 'torch' in sys.modules)"
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
        with pytest.raises(KeyError), prepared._without_garbage_collection():
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
