"""The contract of dataset kinds: every built-in one, one of a user, and broken ones."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import soundfile

from listenread.datasets.base import DATASET_KINDS, DatasetKind, Places
from listenread.datasets.building import build
from listenread.datasets.manifest import COLUMNS, read_manifest
from listenread.entries import Registry, resolve
from listenread.errors import ConfigError, DataError
from listenread.files import tables
from listenread.settings import Settings

#: A kind of a user, whole: clips of any text file that lists paths and labels.
OWN = '''
from pathlib import Path
from pydantic import Field
from listenread.datasets.base import (
    AudioFileSettings, ClipRow, DatasetKind, DatasetSettings, Places,
)

class ListSettings(AudioFileSettings, DatasetSettings):
    """Clips that a text file lists."""
    file: str = Field(description="The text file: a path, a tab, and labels separated by spaces.")
    upper: bool = Field(False, description="Whether labels are written in capital letters.")

def locate(settings, made):
    return Places(root=Path(settings.file).parent, metadata=Path(settings.file))

def read_clips(places, settings):
    rows = []
    for line in places.metadata.read_text().splitlines():
        path, labels = line.split("\\t")
        labels = labels.upper() if settings["upper"] else labels
        rows.append(ClipRow(path, places.root / path, tuple(labels.split()), group=path[0]))
    return rows

LISTED = DatasetKind(
    name="listed", description="Clips that a text file lists.", settings=ListSettings,
    locate=locate, read_clips=read_clips, uses=("upper",),
)
COMPLETE = dict(name="x", description="A kind.", settings=DatasetSettings,
                locate=lambda settings, made: Places(), read_clips=lambda places, settings: [])
SILENT = DatasetKind(**COMPLETE | {"description": ""})
UNKNOWN = DatasetKind(**COMPLETE | {"uses": ("loudness",)})
NEITHER = DatasetKind(**COMPLETE | {"read_clips": None})
BOTH = DatasetKind(**COMPLETE | {"derive": print})
INSTANCE = DatasetKind(**COMPLETE | {"settings": DatasetSettings(kind="x")})
PLAIN = DatasetKind(**COMPLETE | {"settings": dict})
NOWHERE = DatasetKind(**COMPLETE | {"locate": None})
VECTORS = DatasetKind(**COMPLETE | {"vectors": "bas"})
TAKEN = DatasetKind(**COMPLETE | {"name": "tinysol"})
NOT_A_KIND = "folder"
NO_ROWS = DatasetKind(**COMPLETE | {"read_clips": lambda places, settings: ["a.wav"]})
NO_MANIFEST = DatasetKind(**COMPLETE | {"read_clips": None, "derive": lambda *arguments: {}})
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The name of a module of a user, which can be imported."""
    name = f"own_kinds_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def fields_of(settings: type[Settings]):
    """Every field of a class of settings and of those in it."""
    for name, field in settings.model_fields.items():
        yield f"{settings.__name__}.{name}", field
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            yield from fields_of(field.annotation)


@pytest.mark.parametrize("name", DATASET_KINDS.names())
def test_every_kind_keeps_its_contract(name):
    kind = DATASET_KINDS.find(name)
    assert kind.problems() == []
    assert kind.name == name
    assert kind.description.endswith(".")
    assert kind.licence
    if kind.base is DatasetKind.__dataclass_fields__["base"].default:
        assert kind.citation or name == "folder"
    assert (kind.settings.__doc__ or "").strip().endswith(".")
    missing = [key for key, field in fields_of(kind.settings) if not field.description]
    assert missing == []


@pytest.mark.parametrize("name", DATASET_KINDS.names())
def test_material_stays_in_the_folder_of_its_dataset(name):
    for material in DATASET_KINDS.find(name).material:
        assert material.rule.isidentifier() and material.rule.split("_")[0] in {"fetch", "render"}
        assert callable(resolve(material.make))
        assert material.outputs and material.minutes > 0 and material.megabytes > 0
        for path in map(PurePosixPath, material.outputs.values()):
            assert not path.is_absolute() and ".." not in path.parts


def test_rules_and_outputs_of_material_are_unique():
    kinds = [DATASET_KINDS.find(name) for name in DATASET_KINDS.names()]
    rules = [material.rule for kind in kinds for material in kind.material]
    assert len(set(rules)) == len(rules)
    for kind in kinds:
        outputs = [name for material in kind.material for name in material.outputs]
        assert len(set(outputs)) == len(outputs)


def test_naming_the_kinds_does_not_import_what_decodes_or_draws():
    heavy = {"torch", "transformers", "sklearn", "pandas", "matplotlib", "soundfile", "soxr"}
    code = (
        "import sys; from listenread.datasets.base import DATASET_KINDS; DATASET_KINDS.names(); "
        f"print(*sorted({heavy!r} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


def write_list(folder: Path) -> Path:
    for number, name in enumerate(("a.wav", "b.wav"), 1):
        soundfile.write(folder / name, 0.1 * np.sin(0.1 * number * np.arange(8_000)), 16_000)
    (folder / "list.txt").write_text("a.wav\tlow loud\nb.wav\thigh\n")
    return folder / "list.txt"


def test_a_kind_of_a_user_gives_a_manifest(own, tmp_path):
    name = f"{own}:LISTED"
    kind = DATASET_KINDS.find(name)
    assert DATASET_KINDS.module(name) == own
    settings = kind.settings(kind=name, file=str(write_list(tmp_path)))
    used = {key: settings.plain()[key] for key in kind.uses}
    build(name, used, kind.locate(settings, {}), tmp_path / "m.parquet")
    manifest = read_manifest(tmp_path / "m.parquet")
    assert tuple(manifest.table.column_names) == COLUMNS
    assert manifest.vocabulary == ["high", "loud", "low"]
    assert manifest.table["labels"].to_pylist() == [["low", "loud"], ["high"]]
    assert manifest.table["group"].to_pylist() == ["a", "b"]
    assert tables.read(tmp_path / "m.parquet").made_by["kind"] == name


def test_the_checks_of_audio_are_those_of_every_kind(own, tmp_path):
    places = Places(tmp_path, write_list(tmp_path))
    (tmp_path / "a.wav").write_bytes(b"")
    output = tmp_path / "m.parquet"
    with pytest.raises(DataError, match="1 of 2 clips cannot be used"):
        build(f"{own}:LISTED", {"upper": True}, places, output)
    build(f"{own}:LISTED", {"upper": True}, places, output, on_bad_audio="skip")
    assert read_manifest(output).vocabulary == ["HIGH", "LOUD", "LOW"]
    assert len(read_manifest(output).skipped) == 1
    with pytest.raises(DataError, match="All clips would be left out"):
        limits = {"min_seconds": 1.0}
        build(f"{own}:LISTED", {"upper": True}, places, output, on_bad_audio="skip", limits=limits)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("SILENT", "`description` is empty"),
        ("UNKNOWN", "`uses` of the kind names settings that do not exist: loudness"),
        ("NEITHER", "needs one of `read_clips`, `derive`"),
        ("BOTH", "needs one of `read_clips`, `derive`"),
        ("INSTANCE", "`settings` is not a subclass"),
        ("PLAIN", "`settings` is not a subclass"),
        ("NOWHERE", "`locate` cannot be called"),
        ("VECTORS", "`vectors` is 'bas'; it can be 'embed', 'base' or 'released'"),
        ("TAKEN", "there is a built-in dataset kind named `tinysol` already"),
        ("NOT_A_KIND", "is not a dataset kind: it is of type `str`"),
        ("MISSING", "has no `MISSING`"),
    ],
)
def test_broken_kinds_are_refused_by_name(own, entry, reason):
    with pytest.raises(ConfigError) as error:
        DATASET_KINDS.find(f"{own}:{entry}")
    assert own in str(error.value)
    assert reason in str(error.value)


def test_what_a_kind_returns_is_checked(own, tmp_path):
    output = tmp_path / "m.parquet"
    with pytest.raises(DataError, match=f"{own}:NO_ROWS` must return a list of `ClipRow`"):
        build(f"{own}:NO_ROWS", {}, Places(), output)
    with pytest.raises(DataError, match=f"{own}:NO_MANIFEST` must return a `Manifest`"):
        build(f"{own}:NO_MANIFEST", {}, Places(), output)
    assert not output.exists()


def test_material_that_uses_what_is_not_a_setting_is_refused():
    kind = DATASET_KINDS.find("gm_notes")
    material = replace(kind.material[0], uses=("loudness",))
    assert replace(kind, material=(material,)).problems() == [
        "`uses` of render_gm_notes names settings that do not exist: loudness"
    ]


def test_two_modules_with_one_name_are_refused(tmp_path, monkeypatch):
    folder = tmp_path / "kinds_twice"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    lines = (
        "from dataclasses import replace\n"
        "from listenread.datasets.folder import KIND as original\n"
        "KIND = replace(original)\n"
    )
    for name in ("one", "two"):
        (folder / f"{name}.py").write_text(lines)
    monkeypatch.syspath_prepend(tmp_path)
    kinds = Registry("dataset kind", DatasetKind, "kinds_twice")
    with pytest.raises(ConfigError, match=r"kinds_twice\.two: .* `folder` is already in .*\.one"):
        kinds.names()


def test_a_kind_that_lacks_a_part_is_refused_with_its_module_and_the_part(tmp_path, monkeypatch):
    (tmp_path / "kind_without_place.py").write_text(
        "from listenread.datasets.base import DatasetKind, DatasetSettings\n"
        "KIND = DatasetKind(name='x', description='A kind.', settings=DatasetSettings)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"kind_without_place cannot be imported: .*'locate'"):
        DATASET_KINDS.find("kind_without_place:KIND")
