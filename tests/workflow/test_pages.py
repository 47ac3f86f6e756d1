"""The pages of real runs, in a real browser: what the workflow writes is what a reader gets."""

import importlib.resources
import importlib.util
import json
import math
import re
import time

import pandas as pd
import pytest

from .test_health_gate import FLAT_FAMILY

pytestmark = pytest.mark.slow

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


@pytest.fixture
def open_page(browser):
    """Opens a page with empty logs."""

    def opened(path):
        browser.get("about:blank")
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(path.as_uri())
        return browser

    yield opened
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_script("localStorage.clear()")


def assert_sound(page, folder):
    """Every page is quiet, self-contained and accessible, and its numbers are the tables'."""
    assert page.get_log("browser") == []
    asked = [
        message["params"]["request"]["url"]
        for entry in page.get_log("performance")
        if (message := json.loads(entry["message"])["message"])["method"]
        == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [page.current_url]

    known = set()
    for name in ("metrics.csv", "per_class.csv", "paper_comparison.csv"):
        numbers = pd.read_csv(folder / name).select_dtypes("number")
        known |= {
            f"{number:.9g}" for number in numbers.to_numpy().ravel() if not math.isnan(number)
        }
    shown = page.execute_script(
        "return [...document.querySelectorAll('table.wide td.value')].flatMap((cell) =>"
        "[cell.dataset.value, cell.dataset.low, cell.dataset.high]).filter((one) => one)"
    )
    numbers = {f"{float(one):.9g}" for one in shown if one != "nan"}
    assert len(numbers) > 20 and numbers <= known

    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    width = page.execute_script("return document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    if importlib.util.find_spec("axe_playwright_python") is None:
        return
    axe = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js")
    page.execute_script("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    time.sleep(0.2)
    page.execute_script(axe.read_text(encoding="utf-8"))
    found = page.execute_async_script("axe.run(document).then(arguments[0])")
    assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]] == []


def test_the_page_of_the_released_vectors(released, open_page):
    folder = released.folder / "results/experiments/released"
    page = open_page(folder / "report.html")
    text = page.find_element("id", "paper").text
    assert "same to the digit" in text and "inside the interval" in text
    triplets = page.execute_script(
        "return document.querySelector('#table-triplets tbody').textContent"
    )
    assert "0.414" in triplets and "0.469" in triplets
    missing = page.find_element("id", "missing").text
    assert "neither in the mirror nor downloaded" in missing
    assert_sound(page, folder)


def test_the_page_of_an_unhealthy_model_and_a_clip_left_out(project, open_page):
    (project.folder / "flat_family.py").write_text(FLAT_FAMILY, "utf-8")
    (project.folder / "tones" / "broken.wav").write_bytes(b"no sound at all")
    with (project.folder / "tones" / "metadata.csv").open("a", encoding="utf-8") as file:
        file.write("broken.wav,low,0\n")
    project.config["models"]["flat"] = {"family": "flat_family:Flat"}
    project.config["datasets"]["tones"]["on_bad_audio"] = "skip"
    project.config["experiment"] |= {"models": ["spectrum", "flat"], "prompts": ["track"]}
    project.config["experiment"]["tasks"] += ["triplets", "ontology_triplets"]
    project.snakemake()
    folder = project.folder / "results/experiments/small"
    page = open_page(folder / "report.html")
    state = page.find_element("css selector", "#evaluated tbody tr:nth-child(2)").text
    assert state.startswith("flat ") and "unhealthy: " in state
    missing = page.find_element("id", "missing").text
    assert "broken" in missing and "1 clip was left out" in missing
    # Tones are no instruments, and the ontology's instruments need no clips.
    assert re.search(r"doktorski\.csv has no instrument or alias 'high', 'low', 'middle'", missing)
    whole = page.find_element("id", "table-ontology_triplets").text
    assert "0.500" in whole and "flat" not in whole
    assert_sound(page, folder)
