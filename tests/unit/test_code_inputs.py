"""The modules that a rule declares are those that its script imports, no more and no less."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
    """Every rule with a script has `code(<its script>)` among its inputs, under the rule's name."""
    rules = 0
    for file in (repository / "rules").glob("*.smk"):
        for block in re.split(r"\n(?=rule )", file.read_text("utf-8"))[1:]:
            name = re.match(r"rule (\w+):", block)[1]
            script = re.search(r'"\.\./scripts/(\w+)\.py"', block)
            assert script and script[1] == name, f"{file.name}: {name}"
            assert re.search(rf'code\(\s*"{name}\.py"', block), f"{file.name}: {name}"
            rules += 1
    assert rules >= 10


def test_a_metrics_job_does_not_import_torch(repository):
    """Nothing outside listenread/models imports torch, so that small jobs start at once."""
    for script in ("measure_zero_shot", "measure_audio_only", "score_prompt", "gather_metrics"):
        behind = code_inputs.modules_behind([repository / "scripts" / f"{script}.py"], repository)
        assert not [path for path in behind if "models" in path.parts]
    torch_users = [
        path.relative_to(repository)
        for path in (repository / "listenread").rglob("*.py")
        if "import torch" in path.read_text("utf-8") and "models" not in path.parts
    ]
    assert torch_users == []
