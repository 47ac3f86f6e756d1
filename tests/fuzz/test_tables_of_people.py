"""What people write: csv metadata, definitions, ontologies. Any text, any bytes, any table."""

import csv
import io
import json
import random

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from listenread import ontology, prompts
from listenread.datasets import folder as folder_dataset
from listenread.datasets import tinysol
from listenread.datasets.checking import build_manifest
from listenread.datasets.manifest import write_manifest
from listenread.files import tables
from listenread.workflow.config import Dataset

from .conftest import mutated, times

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")']
ODD = [
    "", " ", "0", "-1", "1e400", "nan", "inf", "9" * 40, "9" * 5_000, "1_000", "٣", "²", "1.5",
    "TRUE", "\0", "a\0b", "\ufeff", "\u202e", "é", "e\u0301", "💥", "a" * 300, "a/" * 2_000 + "b",
    "x" * 140_000, "../canary", "/etc/passwd", "C:\\x.wav", "~", "a.wav", "sub/b.wav", "{label}",
    "{filler}", "{0}",
    "</script><script>alert(1)</script>", "'; DROP TABLE", '"', "\"\"", "a,b", "line\nbreak", "\r",
    "2024-01-01", *FORMULAS,
]  # fmt: skip
FIELD = st.sampled_from(ODD) | st.text(max_size=12)
GENUINE = "path,label,fold,take\na.wav,low,0,1\nsub/b.wav,high,1,2\n"


@pytest.fixture
def clips(trial):
    """The two clips that the tables may name."""
    tone = 0.5 * np.sin(np.arange(4_000))
    (trial.folder / "sub").mkdir()
    for name in ("a.wav", "sub/b.wav"):
        soundfile.write(trial.folder / name, tone, 8_000)
    return trial.folder


def use(path, **options):
    """All that a run does with a csv, up to a manifest that is read again."""
    rows = folder_dataset.read_folder(path.parent, path, **options)
    entry = folder_dataset.FolderSettings(kind="folder", metadata=str(path))
    Dataset("own", "folder", folder_dataset.KIND, entry, {}, {}).clip_files()
    made = build_manifest(rows, on_bad_audio="skip", workers=1, working_directory=path.parent)
    write_manifest(path.parent / "manifest.parquet", made)
    assert tables.read(path.parent / "manifest.parquet").data.num_rows == len(made)
    for clip in made.clips:
        assert (path.parent / clip.path).resolve().is_relative_to(path.parent)


def as_csv(rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


@settings(max_examples=times(400))
@given(
    header=st.permutations(["path", "label", "fold", "clip_id", "extra", "other", "third"])
    | st.permutations(["path", "labels", "unknown", "group", "clip_id", "extra", "fold"])
    | st.permutations(["path", "label", "fold", "clip_id", "extra", "label", "duration_s"]),
    columns=st.sampled_from([7, 7, 7, 3]),
    body=st.lists(st.lists(FIELD, min_size=7, max_size=7), max_size=4),
    paths=st.lists(st.sampled_from(["a.wav", "sub/b.wav"]), unique=True, max_size=2),
    plain=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-8", "utf-16", "latin-1", "cp1252"]),
)
def test_metadata_of_any_fields(trial, clips, header, columns, body, paths, plain, encoding):
    body = body[: len(paths)] if plain else body
    for number, (row, path) in enumerate(zip(body, paths, strict=False)):
        row[header.index("path")] = path
        if plain:
            row[header.index("fold")] = str(number)
            where = header.index("label" if "label" in header else "labels")
            row[where] = row[where].strip() or "x"
    text = as_csv([row[:columns] for row in [header, *body]])
    path = clips / "metadata.csv"
    path.write_bytes(text.encode(encoding, errors="replace"))
    trial(lambda: use(path), why=text[:200])


@settings(max_examples=times(150))
@given(rows=st.lists(st.tuples(FIELD, FIELD), min_size=1, max_size=2))
def test_labels_and_columns_of_any_text(trial, clips, rows):
    lines = [[name, label, other] for name, (label, other) in zip(
        ("a.wav", "sub/b.wav"), rows, strict=False)]  # fmt: skip
    path = clips / "metadata.csv"
    path.write_bytes(as_csv([["path", "label", "other"], *lines]).encode("utf-8", "replace"))
    trial(lambda: use(path), why=rows)


@settings(max_examples=times(150))
@given(content=st.binary(max_size=200), head=st.sampled_from([b"", b"path,label\n", b"\xff\xfe"]))
def test_metadata_of_any_bytes(trial, clips, head, content):
    path = clips / "metadata.csv"
    path.write_bytes(head + content)
    trial(lambda: use(path), path, (head, content))


def test_damaged_metadata(trial, clips):
    rng = random.Random("csv")
    path = clips / "metadata.csv"
    for number in range(times(300)):
        path.write_bytes(mutated(GENUINE.encode(), rng))
        trial(lambda: use(path), why=number)


def test_damaged_metadata_of_tinysol(trial, published_files):
    (genuine,) = published_files.rglob("TinySOL_metadata.csv*")
    content = genuine.read_bytes()
    head = b"\n".join(content.split(b"\n")[:20]) + b"\n"
    rng = random.Random("tinysol")
    path = trial.folder / "metadata.csv"
    for number in range(times(200)):
        path.write_bytes(mutated(head, rng, head=len(head)))
        trial(lambda: tinysol.read_metadata(trial.folder, path), path, number)


@settings(max_examples=times(200))
@given(names=st.lists(st.text(max_size=8) | st.sampled_from(ODD[:30]), max_size=4))
def test_folders_of_any_name(trial, names):
    root = trial.folder / f"root{random.getrandbits(60)}"
    for number, name in enumerate(names):
        if len(name) > 300:
            continue
        try:
            place = root / str(number) / name.strip("/").replace("..", "")
            place.mkdir(parents=True, exist_ok=True)
            (place / "a.wav").write_bytes(b"RIFF")
        except (OSError, ValueError):
            continue
    trial(lambda: folder_dataset.read_folder(root), root, names)


@settings(max_examples=times(200))
@given(rows=st.lists(st.tuples(FIELD, FIELD), max_size=4), names=st.lists(FIELD, max_size=3))
def test_definitions_of_any_text(trial, rows, names):
    path = trial.folder / "definitions.csv"
    text = as_csv([["label", "definition"], *rows])
    path.write_bytes(text.encode("utf-8", "replace"))
    labels = {name: [name] for name in [*names, *[label for label, _ in rows]]}

    def act():
        words = {label: label for label in labels}
        made = prompts.Prompt(mask_label=True).texts(words, path, labels)
        assert len(made) == len(labels)

    trial(act, path if labels else "", (rows, names))


def test_damaged_definitions(trial, repository):
    content = b"label,definition\nlow,A {label} tone.\nhigh,A {label} tone.\n"
    rng = random.Random("definitions")
    path = trial.folder / "definitions.csv"
    for number in range(times(300)):
        path.write_bytes(mutated(content, rng))
        trial(lambda: prompts.definitions(path, {"low": ["low"]}), path, number)


@settings(max_examples=times(150))
@given(
    template=st.text(max_size=30)
    | st.sampled_from(["{label}", "{label} {filler}", "{label!r:>9999}"]),
    words=st.dictionaries(FIELD, FIELD, min_size=1, max_size=3),
    seeds=st.lists(st.integers(), max_size=2),
)
def test_templates_of_any_text(trial, template, words, seeds):
    prompt = prompts.Prompt(template=template, filler_seeds=seeds)
    made = trial(lambda: prompt.texts(words))
    assert len(made) == len(words) * max(len(seeds), 1)
    if "{" not in template:
        assert {row.text for row in made} == {template}


def test_damaged_ontologies(trial, repository):
    content = (repository / "listenread/resources/ontology/doktorski.csv").read_bytes()[:1_500]
    node = {"id": "/m/1", "name": "Musical instrument", "child_ids": ["/m/2"], "restrictions": []}
    leaf = {"id": "/m/2", "name": "Flute, pipe", "child_ids": [], "restrictions": ["x"]}
    tree = json.dumps([node, leaf]).encode()
    rng = random.Random("ontology")
    for number in range(times(200)):
        path = trial.folder / "tree.csv"
        path.write_bytes(mutated(content, rng, head=len(content)))
        trial(lambda p=path: ontology.read(p), path, number)
        path = trial.folder / "tree.json"
        path.write_bytes(mutated(tree, rng, head=len(tree)))
        trial(lambda p=path: ontology.read(p), path, number)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["id", "name", "child_ids", "restrictions"]), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=times(150))
@given(content=JSON)
def test_ontologies_of_any_json(trial, content):
    path = trial.folder / "tree.json"
    path.write_text(json.dumps(content))
    trial(lambda: ontology.read(path), path, content)
