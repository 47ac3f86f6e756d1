"""The report in a real browser: what a reader sees, hears, clicks and prints."""

import base64
import importlib.resources
import importlib.util
import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest

from listenread.metrics.uncertainty import FEW_GROUPS
from listenread.report.decisions import TOP
from listenread.scores import read_scores
from listenread.tasks.base import TASKS
from listenread.tasks.words import three_digits

from .conftest import LEFT_OUT, UNUSED

SICKNESS = "text tower: its vectors are all the same"
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


def tidy_of(experiment):
    return pd.read_parquet(experiment.folder / "metrics.parquet")


def rows_of(page, task):
    """Every row of a table as the reader sees it, and the numbers behind its cells."""
    return page.execute_script(
        """
        return [...document.querySelectorAll(`#table-${arguments[0]} tbody tr`)].map((row) => ({
          keys: [...row.querySelectorAll(":not(.value, small)")].map((c) => c.textContent),
          chance: row.classList.contains("chance"),
          cells: [...row.querySelectorAll(".value")].map((c) => ({
            value: parseFloat(c.dataset.value), low: parseFloat(c.dataset.low),
            high: parseFloat(c.dataset.high), text: c.textContent,
            metric: document.querySelector(`#table-${arguments[0]} thead`).rows[0]
              .cells[c.cellIndex].dataset.metric,
          })),
        }));
        """,
        task,
    )


def press(page, selector):
    page.execute_script("document.querySelector(arguments[0]).click()", selector)


def press_heading(page, task, metric):
    press(page, f"#table-{task} th[data-metric='{metric}'] button")


def choose(page, selector, value):
    page.execute_script(
        "const choice = document.querySelector(arguments[0]); choice.value = arguments[1];"
        "choice.dispatchEvent(new Event('change'))",
        selector,
        value,
    )


def test_console_is_silent_and_nothing_is_asked_from_outside(page):
    press(page, "#confusion button")
    page.execute_async_script("setTimeout(arguments[0], 500)")
    assert page.get_log("browser") == []
    asked = [
        message["params"]["request"]["url"]
        for entry in page.get_log("performance")
        if (message := json.loads(entry["message"])["message"])["method"]
        == "Network.requestWillBeSent"
    ]
    assert asked, "the log of requests is not there, so the test would see nothing"
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [page.current_url]


@pytest.mark.parametrize(
    "task",
    ["audio_only", "audio_separation", "zero_shot", "separation", "margin", "prompt_effects"],
)
def test_every_number_of_a_table_is_the_tidy_one(page, experiment, task):
    tidy = tidy_of(experiment)
    tidy = tidy[tidy["task"] == task]
    names = page.execute_script(
        "return [...document.querySelectorAll(`#table-${arguments[0]} th[data-key]`)]"
        ".map((head) => head.dataset.key)",
        task,
    )
    seen = 0
    for row in rows_of(page, task):
        own = tidy
        for name, text in zip(names, row["keys"], strict=True):
            if not row["chance"] or (name in TASKS.find(task).tables[0].comparable):
                own = own[own[name].fillna("") == text]
        for cell in row["cells"]:
            numbers = own[own["metric"] == cell["metric"]]
            if row["chance"]:
                levels = numbers["chance"].dropna().unique()
                assert cell["text"] == (three_digits(levels.item()) if len(levels) else "—")
                continue
            if cell["text"] == "—":
                assert numbers["value"].isna().all()
                seen += len(numbers)
                continue
            (found,) = numbers.itertuples()
            ends = (found.ci_low, found.ci_high)
            there = found.interval != "not defined"
            shown = (cell["value"], cell["low"], cell["high"])
            assert shown == (found.value, *(ends if there else (None, None)))
            written = three_digits(found.value)
            if there:
                written += "\u2013".join(map(three_digits, ends))
            assert cell["text"] == written + "\u2020" * (found.interval == FEW_GROUPS)
            seen += 1
    assert seen == len(tidy)


def test_every_percentage_of_the_answers_is_in_the_tidy_table(page, experiment):
    """A value, an end of an interval, a chance level, or a median of prompts; and the level."""
    tidy = tidy_of(experiment)
    medians = tidy.groupby(["task", "dataset", "model", "space", "protocol", "metric"])["value"]
    numbers = [*tidy[["value", "ci_low", "ci_high", "chance"]].stack().abs(), *medians.median()]
    known = {f"{100 * number:.1f}" for number in numbers} | {three_digits(x) for x in numbers}
    answers = page.execute_script(
        "return [...document.querySelectorAll('.answer')].map((one) => one.textContent)"
    )
    text = re.sub(r"The projection into the joint space [^.]*\.\d[^:]*?points[^.]*\..*?\)\.", "",
                  " ".join(answers))  # fmt: skip
    text = re.sub(r"which could be as large as \d+\.\d points|at the 5\.0.% level", "", text)
    said = re.findall(r"\d+\.\d+", text)
    assert len(said) > 30
    assert set(said) <= known


def test_a_table_is_sorted_by_a_column_and_back(page):
    before = [row["keys"] for row in rows_of(page, "zero_shot")]
    column = [cell["metric"] for cell in rows_of(page, "zero_shot")[0]["cells"]].index("top_1")
    press_heading(page, "zero_shot", "top_1")
    values = [row["cells"][column]["value"] for row in rows_of(page, "zero_shot")]
    assert values == sorted(values, reverse=True) and len(set(values)) > 3
    press_heading(page, "zero_shot", "top_1")
    values = [row["cells"][column]["value"] for row in rows_of(page, "zero_shot")]
    assert values == sorted(values)
    heading = page.find_element("css selector", "#table-zero_shot th[data-metric='top_1']")
    assert heading.get_attribute("aria-sort") == "ascending"
    press_heading(page, "zero_shot", "top_1")
    assert [row["keys"] for row in rows_of(page, "zero_shot")] == before


def test_a_table_is_filtered_by_words_in_any_column(page):
    everything = rows_of(page, "zero_shot")
    box = page.find_element("css selector", "#table-zero_shot-tools input")
    box.send_keys("SHARP other neg")
    found = rows_of(page, "zero_shot")
    assert [row["keys"] for row in found] == [["other_notes", "sharp", "negated"]]
    assert page.find_element("css selector", "#table-zero_shot-tools output").text == (
        f"1 rows (of {len(everything)})"
    )
    box.clear()
    box.send_keys(" ")
    assert rows_of(page, "zero_shot") == everything


@pytest.mark.parametrize("suffix", ["csv", "tex"])
def test_what_the_page_saves_is_what_the_files_hold(page, experiment, suffix):
    page.execute_script(
        "URL.createObjectURL = (blob) => { window.saved = blob.text(); return 'data:,'; }"
    )
    press(page, f"#table-zero_shot-tools [data-save='{suffix}']")
    saved = page.execute_async_script("window.saved.then(arguments[0])")
    path = experiment.folder / "tables" / f"zero_shot.{suffix}"
    if suffix == "tex":
        assert saved == path.read_text(encoding="utf-8")
    else:
        (experiment.folder / "saved.csv").write_text(saved, encoding="utf-8")
        found = pd.read_csv(experiment.folder / "saved.csv")
        pd.testing.assert_frame_equal(found, pd.read_csv(path), check_dtype=False)


def test_the_matrix_and_its_clips_are_those_of_the_scores(page, experiment):
    choose(page, "#viewer [name='dataset']", "other_notes")
    choose(page, "#viewer [name='model']", "dull")
    path = experiment.root / "results/scores/other_notes/dull/track.parquet"
    scores, classes = read_scores(path).values, read_scores(path).classes
    manifest = pd.read_parquet(experiment.root / "results/manifests/other_notes.parquet")
    labels = manifest["labels"].map(lambda of: classes.index(of[0])).to_numpy()
    predicted = scores[0].argmax(axis=1)
    truth, taken = next(
        (a, b)
        for a, b in itertools.product(range(len(classes)), repeat=2)
        if a != b and ((labels == a) & (predicted == b)).sum() >= 2
    )
    count = int(((labels == truth) & (predicted == taken)).sum())
    press(page, f"#confusion tbody tr:nth-child({truth + 1}) td:nth-child({taken + 2}) button")
    title = page.find_element("id", "clip-title").text
    support = (labels == truth).sum()
    assert title == f"{count} of {support} clips of {classes[truth]} taken for {classes[taken]}"
    shown = page.execute_script(
        "return [...document.querySelectorAll('.clip')].map((clip) => [clip.querySelector('h4')"
        ".textContent, [...clip.querySelectorAll('li')].map((one) => [one.children[0].textContent,"
        " one.children[2].textContent, one.className])])"
    )
    clips = np.flatnonzero((labels == truth) & (predicted == taken))
    assert [name for name, _ in shown] == manifest["clip_id"].iloc[clips].tolist()
    for clip, (_, lines) in zip(clips, shown, strict=True):
        order = np.argsort(-scores[0][clip], kind="stable")[:TOP]
        expected = [
            [classes[one], f"{scores[0][clip, one]:.3f}", "own" if one == truth else ""]
            for one in order
        ]
        assert lines == expected


def sources(page):
    press(page, "#confusion td.own button")
    return page.execute_script(
        "return [...document.querySelectorAll('#clip-list audio')].map((one) => one.src)"
    )


PLAY = """
const done = arguments[1];
const sound = document.querySelectorAll("#clip-list audio")[arguments[0]];
sound.addEventListener("error", () => done({ error: sound.error.message }));
sound.addEventListener("ended", () => done({ duration: sound.duration, at: sound.currentTime }));
sound.play().catch((error) => done({ error: String(error) }));
"""


def test_clips_play_embedded_or_beside_the_page(page):
    found = sources(page)
    embedded = [i for i, source in enumerate(found) if source.startswith("data:audio/mpeg")]
    linked = [i for i, source in enumerate(found) if source.startswith("file:")]
    assert embedded and linked, "the trial is to have clips of both kinds in its first cell"
    heard = page.execute_async_script(PLAY, embedded[0])
    assert heard.get("duration") == pytest.approx(0.4, abs=0.1), heard  # padded by the encoder
    assert page.execute_async_script(PLAY, linked[0])["duration"] == pytest.approx(0.5, abs=0.02)


def test_the_matrix_is_one_tab_stop_and_answers_to_keys(page):
    from selenium.webdriver.common.keys import Keys

    stops = page.find_elements("css selector", "#confusion button[tabindex='0']")
    assert len(stops) == 1
    page.execute_script("arguments[0].focus()", stops[0])
    stops[0].send_keys(Keys.ARROW_DOWN)
    now = page.switch_to.active_element
    assert now != stops[0] and now.tag_name == "button"
    now.send_keys(Keys.ENTER)
    assert page.find_element("id", "clip-dialog").get_attribute("open") is not None
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert page.find_element("id", "clip-dialog").get_attribute("open") is None
    assert page.switch_to.active_element == now


def paper_colour(page):
    return page.execute_script("return getComputedStyle(document.body).backgroundColor")


def emulate(page, media="", scheme="light"):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def test_dark_follows_the_system_or_the_choice_and_is_remembered(page):
    emulate(page)
    light = paper_colour(page)
    emulate(page, scheme="dark")
    dark = paper_colour(page)
    assert light == "rgb(255, 255, 255)" != dark
    choose(page, "#theme", "light")
    assert paper_colour(page) == light
    emulate(page)
    choose(page, "#theme", "dark")
    assert paper_colour(page) == dark
    page.refresh()
    assert paper_colour(page) == dark
    emulate(page, media="print", scheme="dark")
    assert paper_colour(page) == light, "paper is white"


def test_print_view_has_content_and_no_tools(page):
    emulate(page, media="print")
    hidden = page.execute_script(
        "return [...document.querySelectorAll('nav, .tools, button.button, select')]"
        ".every((one) => one.checkVisibility() === false)"
    )
    assert hidden
    table = page.find_element("id", "table-zero_shot")
    assert table.is_displayed() and page.find_element("id", "confusion").is_displayed()
    printed = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert printed.startswith(b"%PDF") and len(printed) > 20_000


def test_a_phone_scrolls_down_and_not_sideways(page):
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    width, seen = page.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert seen == PHONE["width"] and width <= seen
    press(page, "#confusion button")
    right, left = page.execute_script(
        "const box = document.querySelector('#clip-dialog').getBoundingClientRect();"
        "return [box.right, box.left]"
    )
    assert left >= 0 and right <= PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["page", "dialog"])
def test_accessibility_checker_finds_no_violation(page, scheme, state):
    if importlib.util.find_spec("axe_playwright_python") is None:
        pytest.skip("axe-playwright-python, which ships axe-core, is not installed")
    axe = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js")
    emulate(page, scheme=scheme)
    page.execute_script("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    if state == "dialog":
        press(page, "#confusion button")
    page.execute_script(axe.read_text(encoding="utf-8"))
    found = page.execute_async_script("axe.run(document).then(arguments[0])")
    assert len(found["passes"]) > 20, "the checker has looked at the page"
    problems = [
        f"{one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
    assert problems == []


def test_what_is_missing_is_said_with_its_reason(page):
    text = page.find_element("id", "missing").text
    assert "24 cells of the experiment could not be computed; 1 clip was left out." in text
    assert SICKNESS in text and "broken & <odd>" in text
    state = page.find_element("css selector", "#evaluated tbody tr:nth-child(3)").text
    assert state == f"sick muscall 2.56 s at 16000 Hz GPL-3.0 unhealthy: {SICKNESS}"


def test_a_note_on_many_files_is_a_sentence_and_a_folded_list(page):
    (note,) = page.execute_script(
        "return [...document.querySelectorAll('#evaluated .note')].map((p) => p.textContent)"
        ".filter((text) => text.includes('not used'))"
    )
    assert note == f"700 files are not used: {', '.join(UNUSED[:5])} and 695 more."
    items, last, is_open = page.execute_script(
        "const [list] = [...document.querySelectorAll('#evaluated details')].filter("
        "(one) => one.querySelector('summary').textContent === 'All 700');"
        "return [[...list.querySelectorAll('li')].map((li) => li.textContent),"
        "list.querySelector('p').textContent, list.open]"
    )
    assert items == UNUSED[:500]
    assert last == "and 200 more, in the notes of the dataset's manifest"
    assert is_open is False


def test_tasks_left_out_licences_and_times_are_said_once(page):
    text = page.execute_script("return document.querySelector('main').textContent")
    assert text.count(LEFT_OUT) == 1
    model = page.find_element("css selector", "#evaluated tbody tr:nth-child(2)").text
    assert model.endswith(f"evaluated. Left out, because it lacks a tower: {LEFT_OUT}")
    assert "Licence: CC <BY>." in page.find_element("id", "evaluated").text
    rules = page.execute_script(
        "return [...document.querySelectorAll('#provenance tbody tr')].map((row) =>"
        "[...row.cells].map((cell) => cell.textContent))"
    )
    assert rules == [["embed_audio", "1", "1 min 15 s", "612 MiB"]]


def test_every_figure_is_on_the_page_once(page, experiment):
    shown = page.execute_script(
        "return [...document.querySelectorAll('figure, template')].flatMap((one) =>"
        "[...(one.content ?? one).querySelectorAll('figcaption a[href$=svg]')])"
        ".filter((one) => !one.closest('#viewer')).map((one) => one.getAttribute('href'))"
    )
    drawn = [
        path.relative_to(experiment.folder).as_posix()
        for path in (experiment.folder / "figures").rglob("*.svg")
        if "sick" not in path.as_posix() and path.parts[-4] != "confusion"
    ]
    assert sorted(shown) == sorted(drawn)


def test_figures_without_anything_to_draw_are_not_shown(page, experiment):
    labels = page.execute_script(
        "return [...document.querySelectorAll('figure svg')].map((one) => one.ariaLabel)"
    )
    assert any("sharp on notes" in label for label in labels)
    assert not any("sick" in label for label in labels)
    assert (experiment.folder / "figures/audio_similarity/notes/sick.svg").exists()


def test_published_values_stand_beside_ours_with_verdicts(page, experiment):
    paper = pd.read_csv(experiment.folder / "paper_comparison.csv")
    rows = rows_of(page, "paper")
    assert [row["keys"][-2:] for row in rows] == [
        [verdict.partition(":")[0], metric]
        for verdict, metric in zip(paper["verdict"], paper["metric"], strict=True)
    ]
    shown = [[cell["value"] for cell in row["cells"]] for row in rows]
    expected = paper[["published", "ours", "delta"]].astype(object).where(paper.notna(), None)
    assert shown == expected[["published", "ours", "delta"]].to_numpy().tolist()
    said = page.find_element("id", "paper").text
    assert "Of 4 published numbers: 1 same to the digit, 1 inside the interval, 1 differs" in said
    assert "differs (1): another <reading> of the paper" in said


def test_the_page_is_light(experiment):
    assert experiment.report.stat().st_size < 15e6
