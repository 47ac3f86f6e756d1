"""What `pyproject.toml` declares is what the package imports."""

import ast
import re
import runpy
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Where a distribution's module has another name.
MODULES = {
    "huggingface-hub": "huggingface_hub",
    "laion-clap": "laion_clap",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}
#: Declared for the package, and not imported by it.
NOT_IMPORTED = {
    "laion-clap": "what tests verify converted checkpoints against",
    "pretty_midi": "ships the SoundFont, which is found without importing it",
    "snakemake": "runs rules/, which import it",
    "snakemake-executor-plugin-cluster-generic": "named by profiles/cluster-generic",
    "snakemake-executor-plugin-slurm": "named by profiles/slurm",
    "snakemake-logger-plugin-rich": "named by profiles/default",
    "torchvision": "laion-clap imports it and does not declare it",
}
#: Extras for developers; the package imports nothing of them.
DEVELOPMENT = {"test", "lint"}


def module_level(tree: ast.AST) -> Iterator[ast.AST]:
    """Statements that run when the module is imported: not bodies of functions or TYPE_CHECKING."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        yield node
        yield from module_level(node)


def third_party(nodes: Iterator[ast.AST]) -> set[str]:
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module)
    top = {name.split(".")[0] for name in names}
    return top - sys.stdlib_module_names - {"listenread", "__future__"}


@pytest.fixture(scope="module")
def project(repository):
    return tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]


def distributions(requirements: list[str]) -> set[str]:
    names = {re.match(r"[A-Za-z0-9._-]+", line)[0] for line in requirements}
    return names - {"listenread"}


@pytest.fixture(scope="module")
def core(project) -> set[str]:
    """Modules of the declared dependencies."""
    return {MODULES.get(name, name) for name in distributions(project["dependencies"])}


@pytest.fixture(scope="module")
def declared(project, core) -> set[str]:
    """Distributions of the dependencies and of every extra that users install."""
    extras = project["optional-dependencies"]
    lines = [line for name in extras.keys() - DEVELOPMENT for line in extras[name]]
    return distributions(project["dependencies"]) | distributions(lines)


@pytest.fixture(scope="module")
def trees(repository) -> dict[Path, ast.Module]:
    paths = sorted((repository / "listenread").rglob("*.py"))
    return {path.relative_to(repository): ast.parse(path.read_text("utf-8")) for path in paths}


def test_every_import_is_declared(trees, declared):
    modules = {MODULES.get(name, name) for name in declared}
    undeclared = {
        str(path): third_party(ast.walk(tree)) - modules
        for path, tree in trees.items()
        if third_party(ast.walk(tree)) - modules
    }
    assert not undeclared


def test_every_declared_distribution_is_imported_or_has_a_reason(trees, declared):
    imported = set().union(*(third_party(ast.walk(tree)) for tree in trees.values()))
    unused = {name for name in declared if MODULES.get(name, name) not in imported}
    assert unused == set(NOT_IMPORTED)


def test_the_core_imports_extras_only_inside_functions(repository, trees, core):
    is_core = runpy.run_path(str(repository / "tests/package/import_core.py"))["is_core"]
    modules = {path: ".".join(path.with_suffix("").parts) for path in trees}
    needs_an_extra = {
        modules[path]: third_party(module_level(tree)) - core
        for path, tree in trees.items()
        if is_core(modules[path]) and third_party(module_level(tree)) - core
    }
    assert not needs_an_extra


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch", {"torch"}),
        ("from torch.nn import functional", {"torch"}),
        ("try:\n    import torch\nexcept ImportError:\n    torch = None", {"torch"}),
        ("class A:\n    import torch", {"torch"}),
        ("def f():\n    import torch", set()),
        ("if TYPE_CHECKING:\n    import torch", set()),
        ("import os, json\nfrom . import torch\nimport listenread.audio", set()),
    ],
)
def test_which_imports_count(source, expected):
    assert third_party(module_level(ast.parse(source))) == expected


def test_developers_get_the_types_of_what_is_imported(project, declared):
    """A stub of a package that is gone would stay for ever."""
    stubs = {
        re.sub(r"^types-|-stubs$", "", name)
        for name in distributions(project["optional-dependencies"]["lint"])
        if name.startswith("types-") or name.endswith("-stubs")
    }
    assert stubs <= declared
