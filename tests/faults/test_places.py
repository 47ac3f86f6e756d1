"""Places that are full, read-only or oddly named: disks, the source tree, the home folder."""

import json
import os
import shutil

import pytest

from listenread import checksums

from .conftest import LIST, in_mounts, nothing_half_written

pytestmark = pytest.mark.slow
AUDIO = "results/embeddings/audio/tones/spectrum.parquet"


def test_a_disk_that_is_full_while_vectors_are_written(project, as_undisturbed, own_mounts):
    """The disk of the logs is full, too: what is to be done is said all the same."""
    (project.folder / AUDIO).unlink()
    project.config["embedding"] = {"batch_size": 16}
    steps = f"""
        mount -t tmpfs -o size=4k none logs && mount -t tmpfs -o size=4k none {os.path.dirname(AUDIO)} || exit 9
        "$@" -- {AUDIO} && exit 8
        echo left: $(ls -A {os.path.dirname(AUDIO)})
    """  # noqa: PTH120
    result = in_mounts(own_mounts, project, steps)
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert "No space left on device" in said and "The disk is full. Make room." in said
    assert "left:\n" in said, said
    assert "Traceback" not in said

    project.snakemake("--", AUDIO)
    as_undisturbed(project.folder)


@pytest.fixture
def inputs(finished):
    """What a person brings to the small experiment: files beside the project."""

    def copy(folder):
        shutil.copytree(finished.folder / "tones", folder / "tones")
        for name in ("meanings.csv", "own_family.py", "overlay.yaml"):
            shutil.copy2(finished.folder / name, folder / name)

    return copy


def test_a_folder_with_spaces_and_letters_of_many_scripts(
    copy_project, inputs, finished, as_undisturbed, tmp_path
):
    """The whole experiment from empty, where the locale knows ASCII only and there is no home."""
    made = copy_project("plain")
    folder = tmp_path / "mes données d'été (東京) $HOME & Ω"
    made.folder.rename(folder)
    made.folder, made.config = folder, finished.config
    inputs(folder)
    environment = {
        name: value for name, value in os.environ.items() if name not in {"HOME", "LANG"}
    }
    result = in_mounts(["env", "-u", "HOME", "-u", "LANG"], made, '"$@"', LC_ALL="C")
    assert result.returncode == 0, (result.stdout + result.stderr, environment.keys())
    as_undisturbed(folder)
    assert made.planned() == set()


def test_a_source_tree_and_a_home_that_cannot_be_written(
    copy_project, inputs, finished, as_undisturbed, own_mounts, tmp_path
):
    """Results go elsewhere, with `--directory`; caches of libraries go nowhere or to /tmp."""
    made = copy_project("shared")
    made.config = finished.config
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    inputs(work)
    made.command()  # writes the profile
    shutil.copytree(made.folder / "test_profile", work / "test_profile")
    before = sorted(path for path in made.folder.rglob("*"))
    command = made.command("--directory", str(work), "--snakefile", str(made.folder / "Snakefile"))
    command = [str(work / "test_profile") if "test_profile" in word else word for word in command]
    steps = f"""
        mount --bind {made.folder} {made.folder} && mount -o remount,ro,bind {made.folder} || exit 9
        mount -t tmpfs -o ro none {home} || exit 9
        touch {home}/x {made.folder}/x 2> /dev/null && exit 8
        cd {work} && unset XDG_CACHE_HOME MPLCONFIGDIR && HOME={home} "$@"
    """
    import subprocess

    result = subprocess.run(
        [*own_mounts, "sh", "-c", steps, "sh", *command],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert sorted(path for path in made.folder.rglob("*")) == before
    as_undisturbed(work)


def test_make_verify_names_what_changed_and_what_is_missing(project, capsys, monkeypatch):
    monkeypatch.chdir(project.folder)
    assert checksums.main([LIST]) == 0
    changed = project.folder / AUDIO
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)
    (project.folder / "results/experiments/small/metrics.csv").unlink()
    assert checksums.main([LIST]) == 1
    said = capsys.readouterr().out
    assert f"{AUDIO}: changed" in said
    assert "results/experiments/small/metrics.csv: missing" in said
    assert json.dumps(nothing_half_written(project.folder)) == "[]"
