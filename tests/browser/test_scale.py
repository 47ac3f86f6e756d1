"""A page of many models, datasets and prompts: soon there, and still usable."""

import importlib.util
import time

import pytest

pytestmark = pytest.mark.slow

#: A part of `render_page.WHOLE`, which takes 30 s to render and as long to make up.
SIZE = {"models": 10, "datasets": 6, "prompts": 60}


@pytest.fixture(scope="module")
def render_page(repository):
    path = repository / "benchmarks" / "render_page.py"
    spec = importlib.util.spec_from_file_location("render_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_large_page_is_rendered_in_time_and_answers(render_page, browser, tmp_path):
    page, seconds = render_page.render(tmp_path, **SIZE)
    cells, whole = (
        size["models"] * size["datasets"] * size["prompts"] for size in (SIZE, render_page.WHOLE)
    )
    # Twice the share of the cells: what does not grow with them counts, too.
    assert seconds < 2 * render_page.LIMIT_SECONDS * cells / whole
    browser.get_log("browser")
    browser.get(page.as_uri())
    started = time.perf_counter()
    first = browser.execute_script(
        "const head = document.querySelector(`#table-zero_shot th[data-metric='top_1'] button`);"
        "head.click(); head.click();"
        "return [...document.querySelectorAll('#table-zero_shot tbody tr:not(.chance)')]"
        ".slice(0, 50).map((row) => parseFloat(row.querySelector('.value').dataset.value))"
    )
    assert time.perf_counter() - started < 5
    assert len(first) == 50 and first in (sorted(first), sorted(first, reverse=True))
    # Random numbers: the 50 extremes of 3,600 lie near 0 or 1, those of 300 rows do not.
    assert max(first) < 0.05 or min(first) > 0.95
    shown = browser.execute_script(
        "const tools = document.querySelector('#table-zero_shot-tools');"
        "return tools.querySelector('output').textContent"
    )
    assert str(cells) in shown.replace(",", "").replace("\u202f", "") or "of" in shown
    assert browser.get_log("browser") == []
