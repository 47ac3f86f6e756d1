"""The examples in the docstrings of the metrics run and say what they print."""

import doctest
import importlib
import pkgutil

import pytest

from listenread import metrics

MODULES = ["listenread.ontology"] + [
    f"listenread.metrics.{module.name}" for module in pkgutil.iter_modules(metrics.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
