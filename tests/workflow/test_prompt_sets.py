"""A prompt set: one job and one file for many templates, and a number for each."""

import pytest

from listenread.files import tables

pytestmark = pytest.mark.slow

TABLE = "results/experiments/small/metrics.parquet"
REPORT = "results/experiments/small/report.html"
GRID = {
    "template": "{opening} {label} {end}",
    "words": {"opening": ["A", "One"], "end": ["tone", "track"]},
}


def test_a_grid_is_one_job_for_a_model_and_a_row_for_a_template(project):
    before = tables.read(project.folder / TABLE).data.to_pandas()
    project.config["prompts"]["study"] = {"grid": GRID}
    project.config["experiment"]["prompts"] += ["study"]
    planned = {job for job in project.planned() if job.endswith("/study")}
    assert {job for job in planned if job.startswith("embed_text")} == {
        "embed_text tones/spectrum/study",
        "embed_text tones/tiny/study",
    }
    project.snakemake()
    rows = tables.read(project.folder / TABLE).data.to_pandas()
    assert len(rows[rows["prompt"].isin(["track", "meaning"])]) == len(
        before.dropna(subset="prompt")
    )
    mine = rows[(rows["model"] == "spectrum") & (rows["metric"] == "top_1")]
    mine = mine[mine["task"] == "zero_shot"].set_index("prompt")["value"]
    templates = ["A {label} tone", "A {label} track", "One {label} tone", "One {label} track"]
    each = mine[[f"study: {template}" for template in templates]]
    assert mine["study"] == pytest.approx(each.mean())
    # one template of the set says what the prompt `track` says, and must score what it scores
    assert mine["study: A {label} track"] == mine["track"]
    assert "study: One {label} tone" in (project.folder / REPORT).read_text("utf-8")
    assert project.planned() == set()
