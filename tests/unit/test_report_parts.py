"""Parts of the page: sentences, contents, clips, decisions, times and provenance."""

import base64
import io
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from small_cell import KEYS, write_cell

from listenread.datasets.base import ClipRow
from listenread.datasets.checking import build_manifest
from listenread.datasets.manifest import write_manifest
from listenread.errors import ConfigError, DataError
from listenread.files import tables
from listenread.report import contents, listening, provenance, summary, timings
from listenread.report.contents import Contents, FigureFile, Model
from listenread.report.decisions import read_decisions
from listenread.report.tidy import read_per_class
from listenread.tasks import audio_only, margin, prompt_effects, triplets
from listenread.tasks.base import TASKS
from listenread.tasks.claims import Reading
from listenread.tasks.tidy import PER_CLASS, TIDY
from listenread.tasks.zero_shot import answers

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
    (said,) = audio_only.sentences(frame, Reading())
    assert "90.0\u202f% (95\u202f% interval 85.0 to 95.0\u202f%) in the joint space" in said
    assert "50.0\u202f%" in said and "99" not in said and "chance is 25.0\u202f%" in said
    assert said.endswith("(nearest class mean, protocol corrected).")
    frame["ci_low"] = frame["ci_high"] = NAN
    (said,) = audio_only.sentences(frame, Reading())
    assert "interval" not in said


def test_reading_names_the_range_and_how_many_pairs_differ():
    frame = rows(
        ("a", "joint", "published", 0.6, 0.5, 0.7, 0.1),
        ("b", "joint", "published", 0.3, 0.2, 0.4, 0.1),
        ("c", "joint", "published", NAN, NAN, NAN, 0.1),
        ("e", "joint", "published", 0.3, 0.2, 0.4, 0.1),
    )
    assert "differ" not in answers.wordings(frame, Reading())[0]
    about = np.random.default_rng(0).normal(size=(2, 30))
    frame["replicates"] = [0.6 + 0.001 * about[0], 0.3 + 0.001 * about[1], None,
                           0.3 + 0.001 * about[1]]  # fmt: skip
    (said,) = answers.wordings(frame.assign(n_groups=30), Reading())
    assert "3 ways" in said and "30.0\u202f% in the median of 3 prompts" in said
    assert "from 30.0\u202f% (“b”) to 60.0\u202f% (“a”)" in said
    assert "On the same clips 2 of the 3 pairs of prompts differ beyond chance" in said
    same = frame.iloc[[1, 3]].assign(n_groups=30)
    (said,) = answers.wordings(same, Reading())
    assert "no difference between the prompts was found, which could be as large as 11.6" in said
    assert answers.wordings(frame[:1], Reading(0.9)) == []


def test_prompts_above_chance_are_counted_by_corrected_tests():
    frame = rows(
        ("a", "joint", "published", 0.6, 0.5, 0.7, 0.1),
        ("b", "joint", "published", 0.3, 0.05, 0.4, 0.1),
    ).assign(p=[0.03, 0.04])
    assert "None of 2 prompts is above chance" in answers.best_prompts(frame, Reading())[0]
    frame["p"] = [0.01, 0.2]
    assert "One of 2 prompts is above chance" in answers.best_prompts(frame, Reading())[0]
    frame["p"] = [0.01, 0.02]
    said = answers.best_prompts(frame, Reading())[0]
    assert "All 2 prompts are above chance at the 5.0\u202f% level, corrected for 2 tests" in said
    assert "at best" not in said and "45.0\u202f% in the median of 2 prompts" in said


def test_rewording_is_said_in_signed_points():
    difference = rows(
        ("negated - track", "joint", "corrected", -0.2, -0.25, -0.15, NAN),
        metric="top_1_difference",
    )
    ranking = rows(
        ("negated - track", "joint", "corrected", 0.8125, 0.8, 0.82, 0.0), metric="rank_correlation"
    )
    (said,) = prompt_effects.sentences(pd.concat([difference, ranking]), Reading())
    assert "“negated” in place of “track”" in said
    assert "by -20.0 points (95\u202f% interval -25.0 to -15.0)" in said and "0.813" in said


def test_missing_is_said_in_the_right_number():
    assert summary.missing(0, 0).endswith("was computed, and no clip was left out.")
    assert summary.missing(1, 2) == (
        "1 cell of the experiment could not be computed; 2 clips were left out."
    )


def test_published_numbers_are_counted_by_verdict_with_reasons():
    verdicts = ["same to the digit", "not computed: a", "not computed: a", "not computed: b: c"]
    paper = pd.DataFrame({"verdict": verdicts})
    assert summary.compares(paper) == [
        "Of 4 published numbers: 3 not computed, 1 same to the digit."
    ]
    assert summary.reasons(paper) == [("not computed", "a", 2), ("not computed", "b: c", 1)]
    assert summary.compares(pd.DataFrame()) == summary.reasons(pd.DataFrame()) == []


def test_an_empty_experiment_says_nothing():
    for name in TASKS.names():
        for answer in TASKS.find(name).answers:
            assert answer.sentences(rows(), Reading()) == []
    assert len(triplets.TASK.answers) == len(margin.TASK.answers) == 1


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
    scores = np.array([[0.1, 0.5, 0.5], [0.9, 0.3, 0.2]], np.float32)
    cell = write_cell(tmp_path, ["c", "b"], "abc", scores=scores)
    found = read_decisions(cell)
    assert (found.dataset, found.model, found.prompt, found.variants) == (*KEYS.values(), 1)
    assert found.top.tolist() == [[1, 2, 0], [0, 1, 2]] and found.rank.tolist() == [1, 1]
    assert found.confusion.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    np.testing.assert_array_equal(found.own, np.float32([0.5, 0.3]))
    packed = np.frombuffer(base64.b64decode(found.as_json()["similarity"]), "<f4")
    np.testing.assert_array_equal(packed, np.float32([0.5, 0.5, 0.1, 0.9, 0.3, 0.2]))
    characters = sum(len(one) for one in found.as_json().values() if isinstance(one, str))
    assert abs(found.bytes - characters) <= 16, "but for padding"
    tables.write_unavailable(cell.files["scores"], "unhealthy")
    assert read_decisions(cell) is None


def test_decisions_are_those_of_the_first_variant(tmp_path):
    scores = np.array([[[0.9, 0.1]], [[0.1, 0.9]]])
    found = read_decisions(write_cell(tmp_path, ["a"], "ab", scores=scores))
    assert found.variants == 2 and found.top.tolist() == [[0, 1]]


def test_there_are_no_decisions_on_clips_of_several_labels(tmp_path):
    cell = write_cell(tmp_path, ["ab", "b"], "ab", scores=np.ones((2, 2)))
    assert read_decisions(cell) is None


def test_a_dataset_is_told_from_its_manifest(manifest, tmp_path):
    (tmp_path / "page").mkdir()
    (tmp_path / "03.wav").unlink()
    found = contents.read_dataset(manifest, tmp_path / "page")
    assert (found.name, found.classes, found.clips_of) == ("notes", ["a", "b"], {"a": 6, "b": 6})
    assert found.links[:4] == ["../00.wav", "../01.wav", "../02.wav", None]
    assert found.seconds == 1.5 and found.labels[1] == ["b"] and found.skipped == []
    assert "vocabulary" not in found.made_by


def test_several_labels_count_for_each_of_their_classes(tmp_path):
    cell = write_cell(tmp_path, ["ab", "b", ""], "abc")
    found = contents.read_dataset(cell.files["manifest"], tmp_path)
    assert found.clips_of == {"a": 1, "b": 2, "c": 0} and math.isnan(found.seconds)


def test_models_without_files_are_told_by_the_configuration(tmp_path):
    (tmp_path / "one").mkdir()
    for name, fact in (("model", {"family": "f"}), ("health", {"failures": ["flat"]})):
        (tmp_path / "one" / f"{name}.json").write_text(json.dumps(fact))
    catalogue = {"two": {"family": "g"}, "one": {"family": "other"}}
    paths = [tmp_path / "one" / name for name in ("model.json", "health.json")]
    two, one = contents.read_models(paths[:1], paths[1:], catalogue)
    assert (two.name, two.description, two.health) == ("two", {"family": "g"}, None)
    assert (one.name, one.description, one.failures) == ("one", {"family": "f"}, ["flat"])


def test_prompts_are_quoted_from_the_first_table_that_has_them(tmp_path):
    for model, text in (("one", None), ("two", "A cello"), ("three", "Another")):
        path = tmp_path / model / "track.parquet"
        if text is None:
            tables.write_unavailable(path, "unhealthy")
        else:
            columns = {"label": ["c"] * 2, "text": [text, "B"], "variant": [0, 1]}
            tables.write(path, columns)
    paths = [tmp_path / model / "track.parquet" for model in ("one", "two", "three")]
    track, unread = contents.read_prompts(paths, ["track", "unread"])
    assert (track.example, track.variants) == ("A cello", 2)
    assert (unread.name, unread.example, unread.variants) == ("unread", None, 1)


def test_tasks_of_a_page_have_tables_and_metrics():
    zero_shot, probes = contents.read_tasks({"zero_shot": {"top_k": [2]}, "probes": {}})
    assert next(iter(zero_shot.metrics)) == "top_2"
    assert zero_shot.row_tasks_of_results == ["zero_shot"]
    assert [table.name for table in zero_shot.tables] == ["zero_shot", "chance_by_permutation"]
    assert set(probes.row_tasks_of_results) == {"linear_probe", "k_nearest"}
    with pytest.raises(ConfigError, match="did you mean `zero_shot`"):
        contents.read_tasks({"zero_shoot": {}})


def test_a_task_without_tables_has_one_of_all_rows():
    (found,) = contents.read_tasks({"zero_shot": {}})
    bare = replace(found.task, tables=(), row_tasks=())
    (table,) = contents.MeasuredTask(bare, found.metrics).tables
    assert table.name == "zero_shot" and set(table.comparable) < set(table.keys)


def contents_of(**parts):
    empty = {name: [] for name in ("tasks", "unavailable", "datasets", "models", "prompts")}
    empty |= {"experiment": "x", "title": "x", "tidy": TIDY.empty_table().to_pandas()}
    empty |= {"per_class": pd.DataFrame(), "paper": pd.DataFrame(), "figures": [], "decisions": []}
    empty |= {"left_out": {}, "licences": {}, "sounds": {}, "heard": {}, "reading": Reading(0.9)}
    return Contents(**{**empty, "replicates": 10, **parts})


def test_the_state_of_a_model_follows_from_its_numbers_its_holes_and_its_health():
    tidy = pd.DataFrame({"model": ["part", "whole", "sick"]})
    told = contents_of(tidy=tidy, unavailable=[{"model": "part"}, {"model": "none"}])
    sick = {"failures": ["flat", "loud"]}
    assert told.state(Model("whole", {})) == "evaluated"
    assert told.state(Model("part", {})) == "evaluated in part"
    assert told.state(Model("none", {})) == "no number could be computed"
    assert told.state(Model("absent", {}, sick)) == "unhealthy: flat; loud"
    assert told.state(Model("sick", {}, sick)).startswith("unhealthy, but evaluated")


def test_reasons_of_missing_cells_are_put_together():
    one = {"dataset": "d", "model": "m", "task": "t", "why": "because"}
    cells = [{**one, "prompt": "p"}, {**one, "prompt": "q"}, {**one, "why": "else"}]
    first, second = contents_of(unavailable=cells).why_missing
    assert first == {**one, "prompts": ["p", "q"]} and second["why"] == "else"


def test_figures_are_those_of_a_task_and_show_something(tmp_path):
    shown = []
    for dataset in ("notes", "tree", "empty"):
        svg = tmp_path / f"{dataset}.svg"
        svg.with_suffix(".csv").write_text("unavailable\n" if dataset == "empty" else "x\n1\n")
        shown.append(FigureFile("depth", dataset, "m", None, svg))
    dataset = contents.Dataset("notes", [], [], [], [], 1.0, [], [], {})
    told = contents_of(figures=shown, datasets=[dataset])
    keys = [figure.key for figure in told.figures_of("depth")]
    assert keys == ["depth/notes/m", "depth/tree/m"]
    for task, key in (("triplets", keys[0]), ("ontology_triplets", keys[1])):
        assert [one.key for one in told.figures_of("depth", TASKS.find(task))] == [key]
    assert told.figures_of("map") == []


def test_rows_of_classes_are_read_for_the_wanted_prompts(tmp_path):
    row = dict.fromkeys(PER_CLASS.names) | {"n": 1, "value": 0.5, "label": "a"}
    rows = PER_CLASS.empty_table().from_pylist(
        [{**row, "prompt": prompt} for prompt in ("p", "q")], schema=PER_CLASS
    )
    tables.write(tmp_path / "per_class.parquet", rows)
    assert len(read_per_class(tmp_path / "per_class.parquet")) == 2
    found = read_per_class(tmp_path / "per_class.parquet", {"q", "r"})
    assert found["prompt"].tolist() == ["q"]
    assert read_per_class(None).empty


def test_sounds_and_the_paper_are_read_as_far_as_they_are_there(tmp_path):
    columns = {"clip_id": ["x"], "mp3": [b"sound"]}
    tables.write(tmp_path / "notes.parquet", columns)
    assert contents.read_sounds(tmp_path / "notes.parquet") == {"x": "c291bmQ="}
    assert contents.read_paper(None).empty


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


def write_benchmark(logs, path, seconds, megabytes):
    file = logs / f"{path}.benchmark.tsv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:01\t{megabytes}\n")


def test_times_and_memory_are_summed_by_rule(tmp_path):
    write_benchmark(tmp_path, "embed_audio/notes/mini", 4.0, 300.5)
    write_benchmark(tmp_path, "embed_audio/notes/maxi/3", 2.0, 400.0)  # a shard
    write_benchmark(tmp_path, "embed_audio/others/mini", 100.0, 900.0)  # another experiment's
    write_benchmark(tmp_path, "train/mini", 90.0, "-")
    write_benchmark(tmp_path, "score/notes/mini", 0.4, 7.0)
    write_benchmark(tmp_path, "score/notes/maxi", 1.6, 50.0)
    (tmp_path / "score/notes/maxi.log").write_text("no times")
    (tmp_path / "score/mini.benchmark.tsv").write_text("s\tmax_rss\n")  # cut off
    found = timings.read_timings(tmp_path, ["notes", "mini", "maxi"])
    assert [one[:3] for one in found] == [
        ("train", 1, 90.0), ("embed_audio", 2, 6.0), ("score", 2, 2.0),
    ]  # fmt: skip
    assert math.isnan(found[0].megabytes)
    assert [one.megabytes for one in found[1:]] == [400.0, 50.0]
    assert all(one.seconds >= other.seconds for one, other in pairwise(found))
    assert timings.read_timings(tmp_path / "absent", ["notes"]) == []


def test_memory_of_jobs_that_were_too_short_is_unknown(tmp_path):
    """Snakemake looks at a job when it starts and half a second later."""
    write_benchmark(tmp_path, "hash/mini", 0.52, 3.0)
    (found,) = timings.read_timings(tmp_path, ["mini"])
    assert found.seconds == 0.52 and math.isnan(found.megabytes)


def test_versions_and_the_machine_are_stated():
    versions = provenance.versions()
    assert list(versions)[:2] == ["listenread", "Python"]
    assert versions["numpy"] == np.__version__
    assert provenance.machine()["processor cores"].isdigit()


def test_a_commit_is_named_inside_a_working_copy_only(tmp_path):
    assert provenance.commit(tmp_path) is None
    for command in (
        ["init", "-q"],
        ["-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "--allow-empty", "-m", "m"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    assert re.fullmatch("[0-9a-f]{40}", provenance.commit(tmp_path))


def test_the_docs_are_linked_from_where_the_page_lies(repository):
    assert provenance.docs(repository / "results" / "x") == "../../docs"


def test_links_into_the_docs_have_their_headings(repository):
    """Anchors as GitHub makes them: lower case, hyphens for spaces, no other punctuation."""
    text = (repository / "docs" / "protocols.md").read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
    tasks = map(TASKS.find, TASKS.names())
    wanted = {table.docs for task in tasks for table in task.tables if table.docs}
    assert len(wanted) >= 4 and wanted <= anchors


def test_the_page_needs_neither_torch_nor_matplotlib(repository):
    code = (
        "import sys, listenread.report.page;"
        "sys.exit(', '.join({'torch', 'matplotlib', 'transformers'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
