"""An entry is one module: its name stands there and in the catalogue, and nowhere else."""

import re
import subprocess
import sys

import pytest

from listenread.audio.degradations.base import DEGRADATIONS
from listenread.datasets.base import DATASET_KINDS
from listenread.metrics.base import METRICS
from listenread.models.base import FAMILIES
from listenread.tasks.base import TASKS

REGISTRIES = (TASKS, METRICS, DATASET_KINDS, FAMILIES, DEGRADATIONS)
#: Where code and catalogues are searched, as `git grep` would.
PLACES = ("listenread", "rules", "scripts", "config.yaml", "catalogue")
#: Entries whose names are said by nothing else -> the package of what only they use.
ENTRIES = {
    "audio_separation": None,
    "ontology_triplets": None,
    "prompt_effects": None,
    "modality_gap": None,
    "rank_correlation": None,
    "top_1_agreement": None,
    "magnatagatune": None,
    "released_tinysol": None,
    "gm_captions": "listenread/datasets/gm",
    "hf_clap": "listenread/models/clap",
    "laion_clap": "listenread/models/clap",
    "muscall": "listenread/models/muscall",
}
#: The paper's system of the same name, whose released vectors and numbers are no family.
OF_THE_PAPER = {
    "muscall": {
        "listenread/models/base.py",
        "listenread/models/released.py",
        "listenread/paper/vectors.py",
        "listenread/resources/published_results.csv",
        "listenread/resources/released_files.csv",
    }
}


def files(repository):
    for place in PLACES:
        path = repository / place
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in found:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(repository).as_posix(), file.read_bytes()


@pytest.fixture(scope="module")
def sources(repository):
    return dict(files(repository))


def own_files(name):
    """Where an entry may be named: the path of its module, and that of what only it uses."""
    (module,) = (one.module(name) for one in REGISTRIES if name in one.names())
    path = module.replace(".", "/")
    extra = ENTRIES.get(name)
    return (f"{path}.py", f"{path}/", *([f"{extra}/"] if extra else []))


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_is_named_in_its_module_and_the_catalogue(sources, name):
    word = re.compile(rf"\b{name}\b".encode())
    named = {path for path, text in sources.items() if word.search(text)}
    elsewhere = {
        path for path in named if not path.startswith((*own_files(name), "catalogue/", "config"))
    }
    assert elsewhere == OF_THE_PAPER.get(name, set())
    assert any(path.startswith(own_files(name)) for path in named)


def test_three_of_each_kind_are_looked_for():
    for registry in REGISTRIES[:-1]:
        assert len(set(registry.names()) & set(ENTRIES)) == 3, registry.what
    assert DEGRADATIONS.names(), "see the next test; `gain` is a word of sound files too"


def test_rules_and_scripts_choose_by_no_name(sources):
    """Names that are words of English too are looked for as strings."""
    names = {name for registry in REGISTRIES for name in registry.names()}
    # Keys, ways in which vectors come, and the authors' folder of vectors, called as an entry is.
    other = {"folder", "precision", "released", "tinysol"}
    for path, text in sources.items():
        if path.startswith(("rules/", "scripts/", "listenread/workflow/")):
            code = re.sub(r'""".*?"""', "", text.decode("utf-8"), flags=re.DOTALL)
            strings = set(re.findall(r"[\"'](\w+)[\"']", code))
            assert strings & names <= other, path


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda one: one.what)
def test_planning_imports_nothing_that_takes_long(repository, registry):
    heavy = ("torch", "transformers", "sklearn", "pandas", "matplotlib", "soundfile")
    name = registry.package
    code = (
        f"import sys, {name}.base as base\n"
        f"(one,) = (v for v in vars(base).values() if getattr(v, 'package', 0) == {name!r})\n"
        f"one.names(); print(*(m for m in {heavy!r} if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
