"""In CI a skip that is not expected fails; `tests/conftest.py` is tried on small test files."""

import os
import shutil
import subprocess
import sys

import pytest

# Each starts a pytest of its own.
pytestmark = pytest.mark.slow

REASONS = ["no GPU: torch sees none", "no trial data: nowhere", "no Slurm here"]
TESTS = f"""
import pytest

@pytest.mark.parametrize("reason", {REASONS})
def test_skipped(reason):
    pytest.skip(reason)

@pytest.mark.xfail(strict=True)
def test_expected_to_fail():
    assert False
"""


@pytest.fixture
def run_pytest(tmp_path, repository):
    tests = tmp_path / "tests"
    shutil.copytree(repository / "tests/reference", tests / "reference")
    shutil.copy2(repository / "tests/conftest.py", tests)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def run(source: str, **environment: str) -> tuple[int, str]:
        (tests / "test_it.py").write_text(source, "utf-8")
        kept = {k: v for k, v in os.environ.items() if k not in ("CI", "LISTENREAD_TRIAL_DATA")}
        command = [sys.executable, "-m", "pytest", "-rsf"]
        result = subprocess.run(
            command,
            cwd=tmp_path,
            env=kept | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return result.returncode, result.stdout + result.stderr

    return run


def test_a_skip_is_a_skip_outside_ci(run_pytest):
    code, out = run_pytest(TESTS)
    assert code == 0
    assert "3 skipped, 1 xfailed" in out


def test_in_ci_only_expected_skips_pass(run_pytest):
    code, out = run_pytest(TESTS, CI="true")
    assert code == 1
    assert "2 failed, 1 skipped, 1 xfailed" in out
    assert "skipped, which CI does not expect: no Slurm here" in out
    assert "does not expect: no GPU" not in out


def test_in_ci_a_module_that_is_skipped_as_a_whole_fails(run_pytest):
    code, out = run_pytest("import pytest\npytest.importorskip('not_installed')\n", CI="true")
    assert code == 2
    assert "skipped, which CI does not expect: could not import 'not_installed'" in out


@pytest.mark.parametrize(("folder", "code"), [("none", 0), ("nowhere", 1)])
def test_trial_data_can_be_left_out_on_purpose_only(run_pytest, folder, code):
    source = "def test_of_recordings(shared_data):\n    assert shared_data.is_dir()\n"
    found, out = run_pytest(source, CI="true", LISTENREAD_TRIAL_DATA=folder)
    assert found == code, out
