"""The examples in the docstrings of metrics and tasks run and give what they print."""

import doctest
import importlib
import pkgutil

import pytest

from listenread import metrics, tasks

MODULES = ["listenread.ontology", "listenread.entries", "listenread.scores"] + [
    module.name
    for package in (metrics, tasks)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
