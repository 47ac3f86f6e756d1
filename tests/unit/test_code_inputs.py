"""The modules that a rule declares are those that its script imports, no more and no less."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from listenread.errors import ConfigError
from listenread.tasks.base import TASKS
from listenread.workflow import code_inputs

SCRIPTS = sorted(path.stem for path in (Path(__file__).parents[2] / "scripts").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_declared_modules_are_those_that_are_really_imported(repository, script):
    """Import what the script imports, in a process of its own, and compare."""
    path = repository / "scripts" / f"{script}.py"
    imports = [
        line for line in path.read_text("utf-8").splitlines() if line.startswith(("import", "from"))
    ]
    code = "\n".join(
        [
            *imports,
            "import sys",
            "for m in list(sys.modules.values()):",
            "    if getattr(m, '__name__', '').split('.')[0] == 'listenread' and m.__file__:",
            "        print(m.__name__)",
        ]
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    )
    really = {
        code_inputs.module_file(name, repository)
        for name in result.stdout.split()
        if name not in code_inputs.PRESENTATION_ONLY
    } - {None}
    declared = set(code_inputs.modules_behind([path], repository)) - {path}
    assert really <= declared
    lazily = declared - really  # imported inside a function: declared all the same
    for module in lazily:
        assert module.is_file()


def test_rules_declare_the_code_of_their_own_script(repository):
    """Every rule with a script has `code(<its script>)` among its inputs, itself or by a function.

    The functions in which a rule's inputs are put together name the script as well. Its parameter
    `contents` is there, without which an older file that replaces another is not noticed.
    """
    rules = 0
    for file in (repository / "rules").glob("*.smk"):
        text = file.read_text("utf-8")
        beside = file.parent / "inputs" / file.name
        functions = text + (beside.read_text("utf-8") if beside.exists() else "")
        for block in re.split(r"\n(?= *(?:rule|checkpoint)(?: \w+)?:\n)", text)[1:]:
            name = re.match(r" *\w+(?: (\w+))?:", block)[1]
            script = re.search(r'"\.\./scripts/(\w+)\.py"', block)[1]
            assert name in (None, script), f"{file.name}: {name}"  # None: of a loop
            inputs = block[: block.index("output:")]
            called = re.findall(r"(?:unpack\(|code=)(?:lambda wildcards: )?(\w+)", inputs)
            behind = [inputs, *(_function(functions, one) for one in called)]
            declares = rf'(?:code|tower_inputs|released_inputs)\([^()]*"{script}\.py"'
            assert any(re.search(declares, part) for part in behind), f"{file.name}: {script}"
            assert "contents=contents_of(" in block, f"{file.name}: {script}"
            rules += 1
    assert rules >= 15


def _function(text, name):
    """The source of a function of a rules file, or of a value that a rule takes."""
    found = re.search(
        rf"^def {name}\(.*?(?=^\S|\Z)|^ *{name} = .*?(?=^ *\S+ = |^$|\Z)",
        text,
        re.MULTILINE | re.DOTALL,
    )
    return found[0] if found else ""


def test_a_metrics_job_does_not_import_torch(repository):
    """Nothing outside of models/ and audio/ imports torch, so that small jobs start at once."""
    measure, *others = (
        repository / f"scripts/{name}.py" for name in ("measure", "score_prompt", "gather_metrics")
    )
    tasks = [code_inputs.module_source(TASKS.module(name), repository) for name in TASKS.names()]
    assert len(tasks) > 5
    for sources in (*([measure, task] for task in tasks), *([one] for one in others)):
        behind = code_inputs.modules_behind(sources, repository)
        assert not [path for path in behind if "models" in path.parts]
    torch_users = [
        path.relative_to(repository)
        for path in (repository / "listenread").rglob("*.py")
        if "import torch" in path.read_text("utf-8")
        and not {"models", "audio"} & set(path.relative_to(repository).parts)
    ]
    assert torch_users == []


@pytest.mark.parametrize("name", ["builtins", "sys", "os", "numpy.linalg._umath_linalg"])
def test_a_module_without_python_source_is_a_sentence(repository, name):
    with pytest.raises(ConfigError, match=f"the module `{name}` has no Python source"):
        code_inputs.module_source(name, repository)
