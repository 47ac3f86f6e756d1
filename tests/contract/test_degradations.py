"""The contract of degradations: every built-in one, one of a user, and broken ones."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from listenread.audio.degradations.apply import chain, clip_seed, degrader
from listenread.audio.degradations.base import DEGRADATIONS, Degradation
from listenread.entries import Registry
from listenread.errors import ConfigError, DataError

RATE = 16_000
OWN = '''
import numpy as np
from pydantic import Field
from listenread.audio.degradations.base import Degradation
from listenread.settings import Settings

class HissSettings(Settings):
    """Noise."""
    bright: bool = Field(False, description="Whether the noise has no low frequencies.")

def hiss(waveform, sample_rate, level, seed, settings):
    noise = np.random.default_rng(seed).standard_normal(len(waveform), np.float32)
    noise = np.diff(noise, prepend=noise[:1]) if settings.bright else noise
    return waveform + noise * np.float32(10 ** (level / 20))

COMPLETE = dict(name="hiss", title="Hiss", level="noise in dB below full scale", apply=hiss,
                reference="own", examples=(-60.0, -20.0), settings=HissSettings)
HISS = Degradation(**COMPLETE)
UNTITLED = Degradation(**COMPLETE | {"title": ""})
NO_LEVEL = Degradation(**COMPLETE | {"level": ""})
NO_SOURCE = Degradation(**COMPLETE | {"reference": ""})
INSTANCE = Degradation(**COMPLETE | {"settings": HissSettings()})
ONE_LEVEL = Degradation(**COMPLETE | {"examples": (1.0, 1.0)})
NOTHING = Degradation(**COMPLETE | {"apply": None})
TAKEN = Degradation(**COMPLETE | {"name": "gain"})
NOT_ONE = hiss
DOUBLE = Degradation(**COMPLETE | {"apply": lambda waveform, *rest: waveform.astype("f8")})
MATRIX = Degradation(**COMPLETE | {"apply": lambda waveform, *rest: waveform[None]})
LISTS = Degradation(**COMPLETE | {"apply": lambda waveform, *rest: waveform.tolist()})
EMPTY = Degradation(**COMPLETE | {"apply": lambda waveform, *rest: waveform[:0]})
BROKEN = Degradation(**COMPLETE | {"apply": lambda waveform, *rest: waveform / np.float32(0)})
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The name of a module of a user, which can be imported."""
    name = f"own_degradations_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def sound() -> np.ndarray:
    """Half a second of a tone with noise, float32, shape (8000,)."""
    noise = 0.01 * np.random.default_rng(0).standard_normal(RATE // 2)
    return (0.3 * np.sin(np.arange(RATE // 2) / 7) + noise).astype(np.float32)


@pytest.fixture(params=[*DEGRADATIONS.names(), "HISS"])
def name(request, own):
    """Every built-in degradation, and one of a user."""
    return f"{own}:HISS" if request.param == "HISS" else request.param


def test_every_degradation_is_a_pure_function(name):
    degradation = DEGRADATIONS.find(name)
    settings = degradation.settings()
    waveform = sound()
    for level in degradation.examples:
        first = degradation.apply(waveform, RATE, level, 7, settings)
        np.testing.assert_array_equal(waveform, sound())
        assert first.dtype == np.float32 and first.ndim == 1 and len(first)
        assert np.isfinite(first).all()
        again = degradation.apply(waveform, RATE, level, 7, settings)
        np.testing.assert_array_equal(first, again)


def test_the_level_changes_the_clip(name):
    degradation = DEGRADATIONS.find(name)
    results = [
        degradation.apply(sound(), RATE, level, 7, degradation.settings())
        for level in degradation.examples
    ]
    for before, after in pairwise([sound(), *results]):
        assert not np.array_equal(before, after)


def test_settings_and_texts(name):
    degradation = DEGRADATIONS.find(name)
    assert degradation.problems() == []
    assert all(field.description for field in degradation.settings.model_fields.values())


def test_a_clip_is_degraded_alike_in_any_order_and_process(own):
    degrade = degrader(f"{own}:HISS", -40.0, seed=3)
    clips = {clip_id: degrade(sound(), RATE, clip_id) for clip_id in ("a", "b", "c")}
    for clip_id in ("c", "a"):
        np.testing.assert_array_equal(degrade(sound(), RATE, clip_id), clips[clip_id])
    assert not np.array_equal(clips["a"], clips["b"])
    other = degrader(f"{own}:HISS", -40.0, seed=4)
    assert not np.array_equal(other(sound(), RATE, "a"), clips["a"])
    code = "from listenread.audio.degradations.apply import clip_seed; print(clip_seed(3, 'a'))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert int(result.stdout) == clip_seed(3, "a")


def test_options_are_settings_of_the_degradation(own):
    name = f"{own}:HISS"
    dull, bright = (degrader(name, -20.0, 0, {"bright": value}) for value in (False, True))
    assert not np.array_equal(dull(sound(), RATE, "a"), bright(sound(), RATE, "a"))
    with pytest.raises(ValidationError, match="loud"):
        degrader(name, -20.0, 0, {"loud": True})


def test_a_chain_applies_one_after_the_other(own):
    steps = [
        {"name": f"{own}:HISS", "level": -20.0, "seed": 1, "options": {"bright": True}},
        {"name": "gain", "level": -6.0, "seed": 0, "options": {}},
    ]
    expected = degrader(**steps[0])(sound(), RATE, "a")
    expected = degrader(**steps[1])(expected, RATE, "a")
    np.testing.assert_array_equal(chain(steps)(sound(), RATE, "a"), expected)
    assert chain([]) is None


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("UNTITLED", "`title` is empty"),
        ("NO_LEVEL", "`level` is empty"),
        ("NO_SOURCE", "`reference` is empty"),
        ("ONE_LEVEL", "`examples` needs at least two levels"),
        ("INSTANCE", "`settings` is not a subclass"),
        ("NOTHING", "`apply` cannot be called"),
        ("TAKEN", "there is a built-in degradation named `gain` already"),
        ("NOT_ONE", "is not a degradation: it is of type `function`"),
    ],
)
def test_broken_degradations_are_refused_by_name(own, entry, reason):
    with pytest.raises(ConfigError) as error:
        degrader(f"{own}:{entry}", 0.0)
    assert own in str(error.value)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("DOUBLE", r"must return a float32 .*, not float64 of shape \(8000,\)"),
        ("MATRIX", r"must return a float32 .*, not float32 of shape \(1, 8000\)"),
        ("LISTS", "must return a float32 .*, not list"),
        ("EMPTY", "leaves no sound"),
        ("BROKEN", "not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_what_a_degradation_returns_is_checked(own, entry, reason):
    with pytest.raises(DataError, match=f"clip 'a': the degradation `{own}:{entry}`.* {reason}"):
        degrader(f"{own}:{entry}", 0.0)(sound(), RATE, "a")


def test_a_degradation_that_lacks_a_part_is_refused_with_its_module_and_the_part(
    tmp_path, monkeypatch
):
    (tmp_path / "degradation_without_source.py").write_text(
        "from listenread.audio.degradations.base import Degradation\n"
        "HISS = Degradation(name='hiss', title='Hiss', level='dB', apply=max, examples=(1., 2.))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ConfigError, match=r"degradation_without_source cannot be imported: .*'reference'"
    ):
        DEGRADATIONS.find("degradation_without_source:HISS")


def test_two_modules_with_one_name_are_refused(tmp_path, monkeypatch):
    folder = tmp_path / "degradations_twice"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    for name in ("one", "two"):
        (folder / f"{name}.py").write_text(
            "from dataclasses import replace\n"
            "from listenread.audio.degradations.gain import GAIN as original\n"
            "GAIN = replace(original)\n"
        )
    monkeypatch.syspath_prepend(tmp_path)
    degradations = Registry("degradation", Degradation, "degradations_twice")
    message = r"degradations_twice\.two: .* `gain` is already in degradations_twice\.one"
    with pytest.raises(ConfigError, match=message):
        degradations.names()
