"""Names, labels, titles and paths that want to be code stay text in the report."""

import pytest

from . import conftest as written

pytestmark = pytest.mark.slow

ALERTS = [
    "<script>window.pwned = 1</script>",
    '"onload="window.pwned=2"',
    "</script><script>window.pwned = 3</script>",
    "<img src=x onerror='window.pwned=4'>",
    "=HYPERLINK(\"javascript:window.pwned=5\",\"{{7*7}}\")",
]  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setattr(written, "CLASSES", ALERTS)
    patch.setattr(written, "TITLE", f"A title {ALERTS[2]} {ALERTS[1]}")
    templates = {
        "track": f"A {{}} track {ALERTS[2]}",
        "negated": "A no {}",
        "context": "{} &lt; {}",
    }
    patch.setattr(written, "TEMPLATES", templates | {"context": "{} </textarea>"})
    yield written.write_experiment(tmp_path_factory.mktemp("hostile <b>'\"& é"), sick=False)
    patch.undo()


def test_nothing_of_the_data_runs_or_becomes_an_element(browser, hostile):
    browser.get_log("browser")
    browser.get(hostile.report.as_uri())
    browser.execute_script("document.querySelector('#confusion button')?.click()")
    browser.execute_async_script("setTimeout(arguments[0], 500)")
    assert browser.execute_script("return window.pwned") is None
    assert browser.get_log("browser") == []
    handlers = browser.execute_script(
        "return [...document.querySelectorAll('*')].flatMap((e) => [...e.attributes])"
        ".filter((a) => a.name.startsWith('on')).map((a) => a.value)"
    )
    assert handlers == []
    sources = browser.execute_script(
        "return [...document.images].map((i) => i.getAttribute('src'))"
    )
    assert "x" not in sources
    text = browser.execute_script("return document.documentElement.textContent")
    for alert in ALERTS[:4]:
        assert alert in text, alert
    assert ALERTS[2] in browser.title
    links = browser.execute_script("return [...document.links].map((a) => a.protocol)")
    assert set(links) <= {"file:", "https:", "data:", "blob:"}


def test_a_label_is_no_formula_in_the_files_that_are_opened_as_tables(hostile):
    tables = list(hostile.folder.rglob("*.csv"))
    assert {"per_class.csv", "metrics.csv"} <= {path.name for path in tables}
    assert len(tables) > 10
    cells = [
        cell.strip('"')
        for path in tables
        for line in path.read_text("utf-8").splitlines()
        for cell in line.split(",")
    ]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]
