"""The profiles for clusters name rules that exist, and keep downloads on the login node."""

import os
import re
import subprocess
import sys

import pytest
import yaml

from listenread.datasets.base import DATASET_KINDS
from listenread.models.base import FAMILIES

CLUSTERS = ("slurm", "cluster-generic")


def read(repository, name):
    return yaml.safe_load((repository / "profiles" / name / "config.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def rules(repository):
    """Names of all rules, those that are made in a loop among them."""
    listed = subprocess.run(
        [sys.executable, "-m", "snakemake", "--list"],
        cwd=repository, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    return set(listed.stdout.split())


def material_rules():
    """Rule -> whether it uses the network, for all that entries fetch or make."""
    entries = [DATASET_KINDS.find(name) for name in DATASET_KINDS.names()]
    entries += [FAMILIES.find(name) for name in FAMILIES.names()]
    return {one.rule: one.network for entry in entries for one in entry.material}


@pytest.fixture(scope="module")
def local(repository):
    """Rules that stay on the login node: one by its source, material by what it says of itself."""
    text = (repository / "rules" / "fetch.smk").read_text("utf-8")
    assert text.count("localrule:") == 2 and "localrule: material.network" in text
    (named,) = re.findall(
        r"^rule (\w+):(?:\n(?!rule ).*)*\n    localrule: True", text, re.MULTILINE
    )
    return {named} | {rule for rule, network in material_rules().items() if network}


@pytest.mark.parametrize("name", CLUSTERS)
def test_groups_hold_rules_that_exist_and_that_need_no_network(repository, rules, local, name):
    profile = read(repository, name)
    assert set(profile["groups"]) <= rules
    assert set(profile["groups"].values()) == set(profile["group-components"])
    # A rule in a group is submitted, whatever it says of itself.
    assert not set(profile["groups"]) & local


def test_every_rule_that_fetches_stays_on_the_login_node(rules, local):
    fetching = {rule for rule in rules if rule.startswith("fetch_")}
    assert len(fetching) > 5
    assert fetching <= local <= rules


@pytest.mark.slow
def test_the_rules_that_the_documentation_shares_can_be_shared(repository, rules, tmp_path):
    """Snakemake looks at what it would put into its cache before it plans."""
    (line,) = re.findall(
        r"^  --cache (.*)$", (repository / "docs" / "cluster.md").read_text("utf-8"), re.MULTILINE
    )
    assert set(line.split()) <= rules
    planned = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", "--configfile", "config/quickstart.yaml",
         "--cache", *line.split()],
        cwd=repository, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "SNAKEMAKE_OUTPUT_CACHE": str(tmp_path)},
    )  # fmt: skip
    assert planned.returncode == 0, planned.stdout + planned.stderr


@pytest.mark.parametrize("name", CLUSTERS)
@pytest.mark.slow
def test_no_group_of_the_papers_experiment_waits_for_itself(copy_project, name):
    """Snakemake refuses it, but only when jobs are planned: some models are checked against texts
    of another model before their own are embedded."""
    project = copy_project("planned")
    result = project.snakemake("--profile", f"profiles/{name}", "--dry-run")
    planned = re.findall(r"^ *rule (\w+):$", result.stdout + result.stderr, re.MULTILINE)
    assert set(read(project.folder, name)["groups"]) <= set(planned)


def test_profiles_for_clusters_agree_where_they_can(repository):
    slurm, generic = (read(repository, name) for name in CLUSTERS)
    shared = ("groups", "group-components", "retries", "latency-wait", "cores", "jobs")
    assert {key: slurm[key] for key in shared} == {key: generic[key] for key in shared}
