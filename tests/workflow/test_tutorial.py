"""docs/tutorial.md gives the numbers that the workflow gives for the same clips."""

import runpy

import pyarrow.parquet as pq
import soundfile

#: The folder of the sounds, and the tutorial's model as a module.
OVERLAY = {
    "experiment": {
        "name": "tutorial",
        "datasets": ["tones"],
        "models": ["pitches"],
        "prompts": ["tone"],
        "tasks": ["zero_shot", "audio_only", "separation", "margin"],
    },
    "metrics": {"top_k": [1]},
    "datasets": {"tones": {"kind": "folder", "root": "tones"}},
    # It reads three words; all other texts have the same vector, which the health gate notices.
    "models": {"pitches": {"family": "pitches:Pitches", "accept_unhealthy": True}},
    "prompts": {"tone": "A {label} tone"},
}
COLUMNS = ("task", "space", "protocol", "metric", "value", "ci_low", "ci_high", "n", "chance")


def test_the_library_gives_the_numbers_of_the_workflow(repository, copy_project):
    tutorial = (repository / "docs/tutorial.md").read_text("utf-8")
    first = tutorial.split("```python\n")[1].split("```")[0]
    python_of = runpy.run_path(str(repository / "tests/package/run_tutorial.py"))["python_of"]
    told: dict = {}
    exec(python_of(tutorial), told)

    project = copy_project("tutorial")
    (project.folder / "pitches.py").write_text(first, "utf-8")
    for index, (label, sound) in enumerate(zip(told["labels"], told["sounds"], strict=True)):
        folder = project.folder / "tones" / label
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{index:02}.wav", sound, 8000, subtype="DOUBLE")
    project.config = OVERLAY
    project.snakemake()
    path = project.folder / "results/experiments/tutorial/metrics.parquet"
    table = pq.read_table(path).to_pylist()

    def rows(found, tasks):
        chosen = [row for row in found if row["task"] in tasks]
        return {tuple(repr(row[name]) for name in COLUMNS) for row in chosen}

    import listenread

    given = {"audio": told["audio"], "text": told["text"], "settings": None}
    for task in OVERLAY["experiment"]["tasks"]:
        settings = {"top_k": [1]} if task in ("zero_shot", "audio_only") else None
        given["settings"] = settings
        measured = listenread.measure(task, told["labels"], told["classes"], **given).to_pylist()
        names = {row["task"] for row in measured}
        whole = [row for row in measured if row["label"] is None]
        assert rows(whole, names) == rows(table, names), task
        assert whole, task
