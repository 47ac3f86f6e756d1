"""The contract of model families: the built-in ones, those of a user, with one tower or both.

Each is tried at a tiny size with random weights; a new family adds a function to `BUILDERS` that
prepares such a model in a folder. `tests/unit/test_models_registry.py` has the families that are
refused.
"""

import json
import re
import shutil
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import yaml

import listenread
from listenread.audio.base import AudioInput
from listenread.entries import resolve
from listenread.errors import ModelError
from listenread.health import check_prepared_model
from listenread.models import storage
from listenread.models.base import (
    FAMILIES,
    PreparationContext,
    ReleasedVectors,
    TwoTower,
    find_family,
)
from listenread.models.common import tokenization
from listenread.models.common.weights import write_tower
from listenread.models.muscall.sizes import AudioSizes, Sizes, TextSizes
from listenread.models.muscall.towers import TwoTowers, tower_states
from listenread.workflow import config as configuration

TEXTS = [
    "A violin track",
    "a tuba",
    "This is a recording of a flute, and of nothing else",
    "a violin track",
    "",
    "Für Elise",
    "violin " * 200,
    "a track",
]

#: The complete example of docs/own_model.md.
EXAMPLE = re.search(
    r"```python\n(.*?)```",
    (Path(__file__).parents[2] / "docs" / "own_model.md").read_text("utf-8"),
    re.DOTALL,
)[1]
#: What a user may add to it: classes with one tower, and a whole family.
OWN = f'''{EXAMPLE}

from pydantic import Field
from listenread.models import storage
from listenread.models.base import Family, Preparation, TowerSettings


class Listener:
    """The audio tower alone: it cannot read."""

    towers = ("audio",)
    audio_input = SpectrumAndLetters.audio_input

    def __init__(self, model_dir, description, *, tower, device):
        self.both = SpectrumAndLetters(model_dir, description, tower=tower, device=device)

    def encode_audio(self, waveforms):
        return self.both.encode_audio(waveforms)


class Reader:
    """The text tower alone: it cannot listen."""

    towers = ("text",)

    def __init__(self, model_dir, description, *, tower, device):
        self.both = SpectrumAndLetters(model_dir, description, tower=tower, device=device)

    def encode_text(self, texts):
        return self.both.encode_text(texts)


class SeededSettings(TowerSettings):
    """Random matrices."""
    seed: int = Field(0, ge=0, description="Of the matrices.")


def prepare(inputs, model_dir, settings, context):
    wanted = SpectrumAndLetters.audio_input
    storage.write_description(model_dir, context.family, wanted, options=dict(settings))


SPECTRUM = Family(
    name="spectrum",
    description="Spectra and letters.",
    settings=SeededSettings,
    towers=frozenset({{"audio", "text"}}),
    loader=f"{{__name__}}:SpectrumAndLetters",
    preparations=(
        Preparation("prepare_spectrum", prepare, ("model.json",), uses=("seed",)),
    ),
)
'''
#: The module that holds it.
MODULE = "spectrum_and_letters"


def build_muscall(folder, audio_sizes):
    tokenizer = tokenization.train_word_level(text for text in TEXTS if text)
    text_sizes = TextSizes(tokenizer.get_vocab_size(), 16, 16, 2, 2)
    sizes = Sizes(audio_sizes, text_sizes, d_joint=8)
    torch.manual_seed(0)
    audio, text = tower_states(TwoTowers(sizes).state_dict())
    write_tower(folder / storage.AUDIO_TOWER_FILE, audio)
    write_tower(folder / storage.TEXT_TOWER_FILE, text)
    tokenizer.save(str(folder / storage.TOKENIZER_FILE))
    storage.write_description(folder, "muscall", sizes.audio.audio_input, sizes=sizes.to_dict())


def build_muscall_resnet(folder):
    build_muscall(folder, AudioSizes(clip_seconds=2.0, width=8, d_encoder=12))


def build_muscall_cnn(folder):
    sizes = AudioSizes("cnn", clip_seconds=0.5, top_db=40.0, relative_db=True, width=4, d_encoder=9)
    build_muscall(folder, sizes)


def build_hf_clap(folder):
    transformers = pytest.importorskip("transformers")
    from tokenizers import ByteLevelBPETokenizer, processors

    from listenread.models.clap.from_hf import convert_hf_clap

    snapshot = folder.parent / f"{folder.name}-snapshot"
    audio = {"patch_embeds_hidden_size": 16, "hidden_size": 128, "depths": [1, 1, 1, 1]}
    audio["num_attention_heads"] = [2, 2, 4, 4]
    text = {"vocab_size": 400, "hidden_size": 16, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 80}
    torch.manual_seed(0)
    config = transformers.ClapConfig(text_config=text, audio_config=audio, projection_dim=12)
    transformers.ClapModel(config).save_pretrained(snapshot)
    extractor = transformers.ClapFeatureExtractor(frequency_min=50, truncation="rand_trunc")
    extractor.save_pretrained(snapshot)
    trained = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(TEXTS, 380, min_frequency=1, special_tokens=specials)
    tokenizer = trained._tokenizer
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False
    )
    tokenizer.save(str(snapshot / "tokenizer.json"))
    (snapshot / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 77}))
    convert_hf_clap(snapshot, folder)


def build_laion_clap(folder):
    """The same towers from another source; its conversion has tests of its own."""
    build_hf_clap(folder)
    description = storage.describe(folder)
    wanted = AudioInput(**description.pop("audio_input"))
    description["family"] = "laion_clap"
    storage.write_description(folder, audio_input=wanted, **description)


def build_own(folder, name):
    reference = f"{MODULE}:{name}"
    (preparation,) = find_family(reference).preparations
    settings = {"options": {"seed": 1}, "seed": 1}
    used = {key: settings[key] for key in preparation.uses}
    context = PreparationContext(reference)
    storage.prepare(reference, preparation.rule, {}, folder, used, context)


BUILDERS = {
    "muscall": build_muscall_resnet,
    "muscall (cnn)": build_muscall_cnn,
    "hf_clap": build_hf_clap,
    "laion_clap": build_laion_clap,
    "own class": partial(build_own, name="SpectrumAndLetters"),
    "own family": partial(build_own, name="SPECTRUM"),
    "own audio tower": partial(build_own, name="Listener"),
    "own text tower": partial(build_own, name="Reader"),
}
#: Models that have one tower only.
ONE_TOWER = {"own audio tower": "audio", "own text tower": "text"}
WITH_BOTH = [name for name in BUILDERS if name not in ONE_TOWER]
TOWERS = [
    (name, tower)
    for name in BUILDERS
    for tower in ("audio", "text")
    if ONE_TOWER.get(name, tower) == tower
]


class Case(NamedTuple):
    """A tower of a model, and what it is fed with."""

    name: str
    tower: str
    model: Any
    encode: Any
    batch: Any


@pytest.fixture(scope="module", autouse=True)
def own_module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / f"{MODULE}.py").write_text(OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield
    sys.modules.pop(MODULE, None)


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    """Gives the folder of a model that is prepared when it is first asked for."""

    @cache
    def build(name):
        folder = tmp_path_factory.mktemp("models") / "model"
        BUILDERS[name](folder)
        return folder

    return build


@pytest.fixture(scope="module")
def load(model_dir):
    """Gives a model that is loaded once."""
    return cache(lambda name: storage.load(model_dir(name), ONE_TOWER.get(name, "both"), threads=1))


def waveforms(audio_input):
    """Noises, a tone, a quiet clip, and silence: full scale must not leak from one to another."""
    rng = np.random.default_rng(0)
    clips = rng.uniform(-1, 1, (8, audio_input.samples)) * rng.uniform(0.01, 1, (8, 1))
    clips[3] = np.sin(np.arange(audio_input.samples) * 0.1)
    clips[5] *= 1e-3
    clips[6] = 0.0
    return clips.astype(np.float32)  # (8, samples)


def batch_of(model, tower):
    """The function of a tower, and what it is fed with."""
    if tower == "text":
        return model.encode_text, TEXTS
    return model.encode_audio, waveforms(model.audio_input)


@pytest.fixture(scope="module", params=TOWERS, ids=" - ".join)
def case(request, load):
    name, tower = request.param
    model = load(name)
    return Case(name, tower, model, *batch_of(model, tower))


# --- entries ---


@pytest.fixture(params=[*FAMILIES.names(), f"{MODULE}:SPECTRUM"])
def family(request):
    """Every family of the registry, and one of a user."""
    return FAMILIES.find(request.param)


def test_every_registered_family_is_tried():
    with_towers = {name for name in FAMILIES.names() if FAMILIES.find(name).towers}
    assert with_towers and with_towers <= set(BUILDERS)


def test_a_family_is_complete(family):
    assert family.problems() == []
    for one in (*family.preparations, *family.material):
        assert callable(resolve(one.make))
    if family.towers:
        assert callable(resolve(family.loader))
    else:
        assert isinstance(family.vectors, ReleasedVectors)
        assert callable(resolve(family.vectors.read_audio))
        assert callable(resolve(family.vectors.read_text))


def test_rules_have_one_name_each():
    families = [FAMILIES.find(name) for name in FAMILIES.names()]
    rules = [one.rule for family in families for one in (*family.preparations, *family.material)]
    assert len(set(rules)) == len(rules)


def test_planning_a_run_imports_no_tower():
    program = (
        "import sys; from listenread.models.base import FAMILIES; FAMILIES.names(); "
        "print([name for name in ('torch', 'transformers', 'pandas') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


# --- models with both towers, or with one ---


@pytest.mark.parametrize("name", WITH_BOTH)
def test_protocol(load, name):
    assert isinstance(load(name), TwoTower)


@pytest.mark.parametrize("name", WITH_BOTH)
def test_both_towers_have_one_joint_space(load, name):
    encoders = (batch_of(load(name), tower) for tower in ("audio", "text"))
    assert len({encode(batch[:2]).joint.shape[1] for encode, batch in encoders}) == 1


@pytest.mark.parametrize("name", [name for name, tower in TOWERS if tower == "audio"])
def test_audio_input_is_what_the_description_says(load, model_dir, name):
    assert isinstance(load(name).audio_input, AudioInput)
    assert storage.audio_input(model_dir(name)) == load(name).audio_input


@pytest.mark.parametrize(("name", "tower"), ONE_TOWER.items())
def test_a_tower_that_is_not_there_is_refused(model_dir, name, tower):
    other = {"audio": "text", "text": "audio"}[tower]
    with pytest.raises(ModelError, match=f"has no {other} tower"):
        storage.load(model_dir(name), other)


@pytest.mark.parametrize(("name", "tower"), ONE_TOWER.items())
def test_the_health_gate_checks_the_tower_that_is_there(model_dir, tmp_path, name, tower):
    health = check_prepared_model(model_dir(name), tmp_path / "health.json")
    assert health["healthy"], health["failures"]
    checked = {check["name"].partition(" ")[0] for check in health["checks"]}
    assert checked & {"audio", "text"} == {tower}


@pytest.mark.parametrize(("name", "tower"), ONE_TOWER.items())
def test_tasks_that_need_a_tower_which_is_not_there_are_left_out(repository, name, tower):
    """The model takes part in the experiment; the page says what it has no tower for."""
    config = {}
    for file in ("datasets", "models", "prompts"):
        config |= yaml.safe_load((repository / f"catalogue/{file}.yaml").read_text("utf-8"))
    config |= yaml.safe_load((repository / "config.yaml").read_text("utf-8"))
    overlay = yaml.safe_load((repository / "config/quickstart.yaml").read_text("utf-8"))
    own = {"audio": "Listener", "text": "Reader"}[tower]
    config["models"]["mine"] = {"family": f"{MODULE}:{own}", "options": {"seed": 1}}
    tasks = ["zero_shot", "audio_only", "audio_separation", "prompt_effects", "ontology_triplets"]
    changed = {"models": ["mini", "mine"], "tasks": tasks}
    config["experiment"] |= overlay["experiment"] | changed
    resolved = configuration.resolve(config, Path(listenread.__file__).parent)
    needed = {name: chosen.task.towers for name, chosen in resolved.tasks.items()}
    assert needed["zero_shot"] == {"audio", "text"} and needed["audio_only"] == {"audio"}
    left_out = [
        chosen.task.title for name, chosen in resolved.tasks.items() if needed[name] - {tower}
    ]
    assert 0 < len(left_out) < len(tasks)
    assert resolved.left_out() == {"mine": left_out}


# --- towers ---


def test_shapes_dtypes_and_values(case):
    encode, batch = case.encode, case.batch
    vectors = encode(batch)
    for values in vectors:
        assert values.dtype == np.float32 and values.ndim == 2 and len(values) == len(batch)
        assert np.isfinite(values).all()
    assert encode(batch[:1]).joint.shape == (1, vectors.joint.shape[1])


def test_joint_vectors_have_norm_1(case):
    encode, batch = case.encode, case.batch
    sounding = [i for i in range(len(batch)) if case.tower == "text" or batch[i].any()]
    norms = np.linalg.norm(encode(batch).joint[sounding], axis=1)
    np.testing.assert_allclose(norms, 1.0, atol=1e-5)


def test_the_same_again(case):
    encode, batch = case.encode, case.batch
    for first, again in zip(encode(batch), encode(batch), strict=True):
        np.testing.assert_array_equal(first, again)


def assert_close(ours, expected):
    for space, value, wanted in zip(ours._fields, ours, expected, strict=True):
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-5 * scale, err_msg=space)


@pytest.mark.parametrize("size", [1, 3])
def test_batch_size_does_not_matter(case, size):
    encode, batch = case.encode, case.batch
    parts = [encode(batch[start : start + size]) for start in range(0, len(batch), size)]
    joined = type(parts[0])(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    assert_close(joined, encode(batch))


def test_order_does_not_matter(case):
    encode, batch = case.encode, case.batch
    order = np.random.default_rng(1).permutation(len(batch))
    shuffled = encode([batch[i] for i in order] if case.tower == "text" else batch[order])
    expected = encode(batch)
    assert_close(shuffled, type(expected)(*(values[order] for values in expected)))


def test_different_inputs_have_different_vectors(case):
    encode, batch = case.encode, case.batch
    for values in encode(batch[:3]):
        assert abs(values[0] - values[1]).max() > 1e-4
        assert abs(values[0] - values[2]).max() > 1e-4


def test_towers_load_apart(case, model_dir, tmp_path):
    alone = tmp_path / "model"
    shutil.copytree(model_dir(case.name), alone)
    others = {
        "audio": (storage.TEXT_TOWER_FILE, storage.TOKENIZER_FILE),
        "text": (storage.AUDIO_TOWER_FILE,),
    }
    for name in others[case.tower]:
        (alone / name).unlink(missing_ok=True)
    encode, batch = batch_of(storage.load(alone, case.tower, threads=1), case.tower)
    assert_close(encode(batch), case.encode(batch))
