"""listenread as a module of another workflow, in another folder, with the lines of the README."""

import re
from pathlib import Path

import contributing
import pytest
import yaml

pytestmark = pytest.mark.slow

README = (contributing.REPOSITORY / "README.md").read_text("utf-8")
LINES = next(
    block
    for block in re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    if "module listenread:" in block
).replace("path/to/listenread", str(contributing.REPOSITORY))
RULE = """

rule count_rows:
    input:
        rules.listenread_gather_metrics.output.csv.format(experiment="study"),
    output:
        "rows.txt",
    shell:
        "wc -l < {input} > {output}"
"""


def small() -> dict:
    """One dataset, one prompt, one task."""
    overlay = contributing.overlay()
    overlay["experiment"] = {
        "name": "study",
        "datasets": ["notes"],
        "models": ["spectrum"],
        "prompts": ["track"],
        "tasks": ["zero_shot"],
    }
    return overlay | {"tasks": {"zero_shot": {"permutations": 5}}}


def prepare(folder: Path) -> Path:
    """Make a folder with clips and the module of the examples."""
    contributing.write_notes(folder / "notes")
    code = "".join(contributing.code_blocks().values())
    (folder / "own_entries.py").write_text(code, "utf-8")
    return folder


@pytest.fixture
def importer(tmp_path):
    """Somebody's workflow, which takes listenread's rules."""
    folder = prepare(tmp_path / "importer")
    (folder / "config.yaml").write_text(yaml.safe_dump({"listenread": small()}), "utf-8")
    (folder / "Snakefile").write_text(LINES + RULE, "utf-8")
    return folder


def test_the_rules_run_in_another_workflow_and_give_the_same_numbers(importer, tmp_path):
    dry = contributing.snakemake(importer, "--dry-run")
    assert dry.returncode == 0, dry.stdout + dry.stderr
    jobs = contributing.planned(dry)
    assert jobs["listenread_measure_zero_shot"] == jobs["all"] == 1
    assert not (importer / "results").exists()
    result = contributing.snakemake(importer, "all", "rows.txt")
    assert result.returncode == 0, result.stdout + result.stderr
    study = Path("results/experiments/study")
    rows = (importer / study / "metrics.csv").read_text("utf-8")
    assert int((importer / "rows.txt").read_text("utf-8")) == rows.count("\n") > 5
    assert contributing.planned(contributing.snakemake(importer, "--dry-run")) == {}

    direct = prepare(tmp_path / "direct")
    (direct / "own.yaml").write_text(yaml.safe_dump(small()), "utf-8")
    alone = contributing.snakemake(
        direct, "--snakefile", contributing.REPOSITORY / "Snakefile", "--configfile", "own.yaml"
    )
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert (direct / study / "metrics.csv").read_text("utf-8") == rows


def test_rules_keep_their_names_and_their_target_where_nothing_else_is_defined(importer):
    """`use rule * from listenread` is enough: the report is then what is made."""
    lines = LINES.partition("rule all:")[0].replace(" as listenread_*", "")
    (importer / "Snakefile").write_text(lines, "utf-8")
    dry = contributing.snakemake(importer, "--dry-run")
    assert dry.returncode == 0, dry.stdout + dry.stderr
    jobs = contributing.planned(dry)
    assert {"build_manifest", "measure_zero_shot", "write_report", "all"} <= set(jobs)


def test_a_mistake_is_refused_with_its_key(importer):
    """The configuration of a module is checked like any other."""
    overlay = small()
    overlay["metrics"]["replicate"] = 3
    (importer / "config.yaml").write_text(yaml.safe_dump({"listenread": overlay}), "utf-8")
    result = contributing.snakemake(importer, "--dry-run")
    assert result.returncode == 1
    said = result.stdout + result.stderr
    assert "unknown key `replicate`" in said
    assert "did you mean `replicates`?" in said
    assert "Traceback" not in said
