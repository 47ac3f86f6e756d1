"""Sentences, compact clips, decisions, provenance."""

import base64
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from listenread.datasets.rows import ClipRow

from listenread.datasets.base import ClipRow
from listenread.datasets.checking import build_manifest
from listenread.datasets.manifest import write_manifest
from listenread.errors import DataError
from listenread.files import tables
from listenread.report import job_graph, listening, provenance, sentences
from listenread.report.decisions import read_decisions

NAN = float("nan")


def rows(*values, **keys):
    columns = ["prompt", "space", "protocol", "value", "ci_low", "ci_high", "chance"]
    frame = pd.DataFrame(values, columns=columns)
    keys = {"dataset": "d", "model": "m", "metric": "top_1", "n": 9} | keys
    return frame.assign(**keys)


def test_listening_is_said_with_interval_chance_and_effect_of_the_projection():
    frame = rows(
        (None, "joint", "published", 0.99, 0.98, 1.0, 0.25),
        (None, "joint", "corrected", 0.9, 0.85, 0.95, 0.25),
        (None, "pre_joint", "corrected", 0.5, 0.45, 0.55, 0.25),
    )
    (said,) = sentences.listens(frame, 0.95)
    assert "90.0\u202f% (95\u202f% interval 85.0 to 95.0\u202f%) in the joint space" in said
    assert "50.0\u202f%" in said and "99" not in said and "chance is 25.0\u202f%" in said
    assert said.endswith("The projection into the joint space helps, beyond both intervals.")
    frame["ci_low"] = frame["ci_high"] = NAN
    (said,) = sentences.listens(frame, 0.95)
    assert "interval" not in said


def test_reading_names_the_extremes_and_whether_they_lie_apart():
    frame = rows(
        ("a", "joint", "published", 0.6, 0.5, 0.7, 0.1),
        ("b", "joint", "published", 0.3, 0.2, 0.4, 0.1),
        ("c", "joint", "published", NAN, NAN, NAN, 0.1),
    )
    (said,) = sentences.reads(frame, 0.9)
    assert "2 ways" in said and "with “b” to" in said and said.endswith("lie apart.")
    frame.loc[1, "ci_high"] = 0.55
    assert sentences.reads(frame, 0.9)[0].endswith("overlap.")
    assert sentences.reads(frame[:1], 0.9) == []


def test_prompts_above_chance_are_counted_by_their_whole_interval():
    frame = rows(
        ("a", "joint", "published", 0.6, 0.5, 0.7, 0.1),
        ("b", "joint", "published", 0.3, 0.05, 0.4, 0.1),
    )
    assert "1 of 2 prompts are above chance" in sentences.meets(frame, 0.9)[0]
    frame.loc[1, "ci_low"] = 0.2
    assert "All 2 prompts are above chance" in sentences.meets(frame, 0.9)[0]


def test_rewording_is_said_in_signed_points():
    difference = rows(
        ("negated - track", "joint", "corrected", -0.2, -0.25, -0.15, NAN),
        metric="top_1_difference",
    )
    ranking = rows(
        ("negated - track", "joint", "corrected", 0.8125, 0.8, 0.82, 0.0), metric="rank_correlation"
    )
    (said,) = sentences.rewords(pd.concat([difference, ranking]), 0.95)
    assert "“negated” in place of “track”" in said
    assert "by -20.0 points (95\u202f% interval -25.0 to -15.0)" in said and "0.813" in said


def test_missing_is_said_in_the_right_number():
    assert sentences.missing(0, 0).endswith("was computed, and no clip was left out.")
    assert sentences.missing(1, 2) == (
        "1 cell of the experiment could not be computed; 2 clips were left out."
    )


def test_an_empty_experiment_says_nothing():
    empty = rows()
    for sentence in (sentences.listens, sentences.reads, sentences.meets, sentences.triplets):
        assert sentence(empty, 0.95) == []
    assert sentences.compares(pd.DataFrame()) == []


@pytest.fixture
def manifest(tmp_path):
    clips = []
    for number in range(12):
        path = tmp_path / f"{number:02d}.wav"
        tone = 0.4 * np.sin(2 * np.pi * 440 * (1 + number % 2) * np.arange(48000) / 32000)
        soundfile.write(path, tone, 32000)
        clips.append(ClipRow(path.stem, path, ("ab"[number % 2],)))
    write_manifest(tmp_path / "notes.parquet", build_manifest(clips))
    return tmp_path / "notes.parquet"


SETTINGS = {"seconds": 1.0, "sample_rate": 22050, "compression": 0.9}


def encode(manifest, output, megabytes):
    listening.encode_clips(manifest, output, megabytes=megabytes, **SETTINGS)
    table = tables.read(output, ["clip_id", "mp3"]).data
    return dict(zip(table["clip_id"].to_pylist(), table["mp3"].to_pylist(), strict=True))


def test_compact_copies_sound_like_the_clips(manifest, tmp_path):
    copies = encode(manifest, tmp_path / "copies.parquet", 10)
    assert sorted(copies) == [f"{number:02d}" for number in range(12)]
    for name, copy in copies.items():
        sound, rate = soundfile.read(io.BytesIO(copy))
        assert rate == 22050 and len(sound) / rate == pytest.approx(1, abs=0.1)
        spectrum = np.abs(np.fft.rfft(sound[2000:18000] * np.hanning(16000)))
        loudest = spectrum.argmax() * rate / 16000
        assert loudest == pytest.approx(440 * (1 + int(name) % 2), abs=3)


def test_copies_that_do_not_fit_are_missing_from_every_class_alike(manifest, tmp_path):
    everything = encode(manifest, tmp_path / "all.parquet", 10)
    budget = sum(map(len, everything.values())) / 2e6
    some = encode(manifest, tmp_path / "some.parquet", budget)
    assert 4 <= len(some) < 12 and sum(map(len, some.values())) <= budget * 1e6
    even = sum(int(name) % 2 == 0 for name in some)
    assert abs(2 * even - len(some)) <= 1
    assert encode(manifest, tmp_path / "none.parquet", 0) == {}


def test_copies_are_the_same_on_every_run(manifest, tmp_path):
    assert encode(manifest, tmp_path / "1.parquet", 1) == encode(
        manifest, tmp_path / "2.parquet", 1
    )


def test_a_clip_that_is_not_at_hand_is_left_out_and_a_broken_one_is_named(manifest, tmp_path):
    (tmp_path / "03.wav").unlink()
    assert len(encode(manifest, tmp_path / "copies.parquet", 10)) == 11
    (tmp_path / "04.wav").write_bytes(b"no sound")
    with pytest.raises(DataError, match=r"04\.wav"):
        encode(manifest, tmp_path / "copies.parquet", 10)


def test_decisions_hold_the_largest_similarities(tmp_path):
    path = tmp_path / "notes" / "model" / "track.parquet"
    columns = {"a": [0.1, 0.9], "b": [0.5, 0.3], "c": [0.5, 0.2]}
    columns = {name: np.array(values, np.float32) for name, values in columns.items()}
    tables.write(path, {"clip_id": ["x", "y"], "label": ["c", "b"], **columns})
    found = read_decisions(path)
    assert (found.dataset, found.model, found.prompt) == ("notes", "model", "track")
    assert found.top.tolist() == [[1, 2, 0], [0, 1, 2]] and found.rank.tolist() == [1, 1]
    assert found.confusion.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    packed = np.frombuffer(base64.b64decode(found.as_json()["similarity"]), "<f4")
    np.testing.assert_array_equal(packed, np.float32([0.5, 0.5, 0.1, 0.9, 0.3, 0.2]))
    tables.write_unavailable(path, "unhealthy")
    assert read_decisions(path) is None


def test_the_overlay_reads_back_as_the_configuration():
    configuration = {
        "experiment": {"name": "x", "title": None},
        "prompts": {"t": "A {label} é 'x'"},
    }
    lines = provenance.how_to_reproduce(configuration, "abc-dirty")
    assert "git checkout abc " in lines and "not committed" in lines
    body = lines.split("<<'END_OF_OVERLAY'\n")[1].split("\nEND_OF_OVERLAY")[0]
    assert yaml.safe_load(body) == configuration


def test_pasted_lines_write_the_overlay(tmp_path):
    lines = provenance.how_to_reproduce({"experiment": {"name": "it's $HOME"}}, None)
    first = lines[: lines.index("make setup")]
    subprocess.run(["bash", "-euc", first], cwd=tmp_path, check=True)
    written = yaml.safe_load((tmp_path / "reproduce.yaml").read_text())
    assert written == {"experiment": {"name": "it's $HOME"}}


def write_record(records, path, rule, read, start, end, log):
    """A record as Snakemake's file persistence names and writes it, long names in folders."""
    name = base64.urlsafe_b64encode(path.encode()).decode()
    parts = [name[i : i + 254] for i in range(0, len(name), 254)]
    place = records.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
    place.parent.mkdir(parents=True, exist_ok=True)
    record = {"rule": rule, "input": read, "log": [log], "starttime": start, "endtime": end}
    place.write_text(json.dumps(record))


def test_the_jobs_behind_a_page_are_found_in_the_records(tmp_path):
    long = "a/" + "x" * 300
    write_record(tmp_path, "raw", "fetch", [], 1.0, 3.0, "fetch.log")
    for name in (long, "b"):  # one job of two outputs
        write_record(tmp_path, name, "embed", ["raw", "code.py"], 3.0, 7.0, "embed.log")
    write_record(tmp_path, "c", "embed", ["raw"], 3.0, 4.5, "other.log")
    write_record(tmp_path, "m", "measure", [long, "b", "c", "raw"], 8.0, 9.0, "measure.log")
    write_record(tmp_path, "elsewhere", "draw", ["m"], 9.0, 99.0, "draw.log")
    graph = job_graph.read_job_graph(["m", "no/such/file"], tmp_path)
    assert graph.stages == [("fetch", 1, 2.0), ("embed", 2, 5.5), ("measure", 1, 1.0)]
    assert graph.edges == [("embed", "measure"), ("fetch", "embed")]
    drawn = ElementTree.fromstring(job_graph.as_svg(graph))
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[2:4] == ["embed", "2 jobs, 5.5 s"]
    assert job_graph.read_job_graph(["m"], tmp_path / "absent") is None


def test_links_into_the_docs_have_their_headings(repository):
    """Anchors as GitHub makes them: lower case, hyphens for spaces, no other punctuation."""
    template = (repository / "listenread/report/templates/page.html.j2").read_text("utf-8")
    text = (repository / "docs" / "protocols.md").read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
    wanted = re.findall(r'more\("([^"]+)"\)', template)
    assert len(wanted) >= 5 and set(wanted) <= anchors


def test_the_page_needs_neither_torch_nor_matplotlib(repository):
    code = (
        "import sys, listenread.report.page;"
        "sys.exit(', '.join({'torch', 'matplotlib', 'transformers'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
