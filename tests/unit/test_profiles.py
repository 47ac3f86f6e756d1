"""The profiles for clusters name rules that exist, and keep downloads on the login node."""

import re

import pytest
import yaml

CLUSTERS = ("slurm", "cluster-generic")


def read(repository, name):
    return yaml.safe_load((repository / "profiles" / name / "config.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def rules(repository):
    """Rule -> its source."""
    text = "\n".join(path.read_text("utf-8") for path in (repository / "rules").glob("*.smk"))
    parts = re.split(r"^rule (\w+):$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", CLUSTERS)
def test_groups_hold_rules_that_exist_and_that_need_no_network(repository, rules, name):
    profile = read(repository, name)
    assert set(profile["groups"]) <= set(rules)
    assert set(profile["groups"].values()) == set(profile["group-components"])
    # A rule in a group is submitted, whatever it says of itself.
    assert not [rule for rule in profile["groups"] if "localrule: True" in rules[rule]]


def test_every_rule_that_fetches_stays_on_the_login_node(rules):
    fetching = {rule for rule in rules if rule.startswith("fetch_")}
    assert len(fetching) > 5
    assert not [rule for rule in fetching if "localrule: True" not in rules[rule]]


def test_profiles_for_clusters_agree_where_they_can(repository):
    slurm, generic = (read(repository, name) for name in CLUSTERS)
    shared = ("groups", "group-components", "retries", "latency-wait", "cores", "jobs")
    assert {key: slurm[key] for key in shared} == {key: generic[key] for key in shared}
