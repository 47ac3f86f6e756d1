"""Places that are full, read-only or oddly named: disks, the source tree, the home folder."""

import copy
import functools
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from listenread.files import checksums, tables

from .conftest import LIST, in_mounts, nothing_half_written

pytestmark = pytest.mark.slow
#: Of float32 vectors of length 1, between batches of other sizes.
TOLERANCE = 1e-5
AUDIO = "results/embeddings/audio/tones/spectrum.parquet"


def test_a_disk_that_is_full_while_vectors_are_written(project, as_undisturbed, own_mounts):
    """The disk of the logs is full, too: what is to be done is said all the same."""
    (project.folder / AUDIO).unlink()
    folder = Path(AUDIO).parent.parent
    steps = f"""
        mount -t tmpfs -o size=12k none logs && mount -t tmpfs -o size=4k none {folder} || exit 9
        mkdir -p logs/embed_audio/tones && head -c 99999 /dev/zero > logs/full
        touch {folder}/keep
        "$@" -- {AUDIO} && exit 8
        echo left: $(find {folder} -type f)
    """
    result = in_mounts(own_mounts, project, steps)
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert "No space left on device" in said and "The disk is full. Make room." in said
    assert f"left: {folder}/keep\n" in said
    assert "Traceback" not in said

    project.snakemake("--", AUDIO)
    as_undisturbed(project.folder)


@pytest.fixture(scope="module")
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
    result = in_mounts(["env", "-u", "HOME", "-u", "LANG"], made, '"$@"', LC_ALL="C")
    assert result.returncode == 0, result.stdout + result.stderr
    as_undisturbed(folder)
    assert made.planned() == set()


@pytest.fixture(scope="module")
def elsewhere(copy_project, inputs, finished, own_mounts, tmp_path_factory):
    """A second run from empty: one core, another batch size, another order of the jobs.

    The source tree is read-only, as one that several people share; results go elsewhere, with
    `--directory`. The home folder cannot be written: Snakemake says so, and is told another place.
    """
    made = copy_project("shared")
    made.config = copy.deepcopy(finished.config) | {"embedding": {"batch_size": 2}}
    tmp_path = tmp_path_factory.mktemp("elsewhere")
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    inputs(work)
    made.command()  # writes the profile
    shutil.copytree(made.folder / "test_profile", work / "test_profile")
    before = sorted(path for path in made.folder.rglob("*"))
    command = made.command(
        "--directory", str(work), "--snakefile", str(made.folder / "Snakefile"), "--cores", "1",
        "--prioritize", "results/metrics/tones/tiny/zero_shot/meaning.parquet", "--",
    )  # fmt: skip
    command = [str(work / "test_profile") if "test_profile" in word else word for word in command]
    steps = f"""
        mount --bind {made.folder} {made.folder} && mount -o remount,ro,bind {made.folder} || exit 9
        mount -t tmpfs -o ro none {home} || exit 9
        touch {home}/x {made.folder}/x 2> /dev/null && exit 8
        cd {work} && unset XDG_CACHE_HOME MPLCONFIGDIR && export HOME={home}
        "$@" --dry-run > refused 2>&1 && exit 8
        XDG_CACHE_HOME={work}/.cache "$@"
    """
    result = subprocess.run(
        [*own_mounts, "sh", "-c", steps, "sh", *command],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert sorted(path for path in made.folder.rglob("*")) == before
    return work


def test_a_source_tree_and_a_home_that_cannot_be_written(elsewhere):
    assert (elsewhere / "results/experiments/small/report.html").stat().st_size > 100_000
    assert "Read-only file system" in (elsewhere / "refused").read_text()
    assert not nothing_half_written(elsewhere)


def test_other_cores_batches_and_order_give_the_same_metrics(elsewhere, finished):
    """Numbers and tables to the last digit; audio vectors within the tolerance of their batch."""
    for name in ("metrics.csv", "paper_comparison.csv"):
        path = f"results/experiments/small/{name}"
        assert (elsewhere / path).read_bytes() == (finished.folder / path).read_bytes()
    ones, others = (checksums.read(folder / LIST) for folder in (finished.folder, elsewhere))
    assert ones.keys() == others.keys()
    differing = [path for path in ones if ones[path] != others[path]]
    assert {Path(path).parts[1] for path in differing} <= {"embeddings", "scores"}
    for path in differing:
        one, other = (tables.read(folder / path).data for folder in (finished.folder, elsewhere))
        assert one.schema.equals(other.schema)
        for name in one.column_names:
            if pa.types.is_fixed_size_list(one[name].type):
                vectors, theirs = tables.to_numpy(one[name]), tables.to_numpy(other[name])
                assert np.abs(vectors - theirs).max() <= TOLERANCE, (path, name)
            elif pa.types.is_floating(one[name].type):
                values, theirs = one[name].to_numpy(), other[name].to_numpy()
                np.testing.assert_allclose(values, theirs, rtol=0, atol=TOLERANCE)
            else:
                assert one[name].equals(other[name]), (path, name)


def test_make_verify_names_what_changed_and_what_is_missing(project, repository):
    verify = [
        "make",
        "--silent",
        "-C",
        str(project.folder),
        "-f",
        str(repository / "Makefile"),
        "verify",
    ]
    verify = functools.partial(
        subprocess.run, verify, env=os.environ | {"LC_ALL": "C"}, capture_output=True, text=True
    )
    assert verify().returncode == 0
    changed = project.folder / AUDIO
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)
    (project.folder / "results/experiments/small/metrics.csv").unlink()
    checked = verify()
    assert checked.returncode != 0
    assert f"{AUDIO}: FAILED\n" in checked.stdout
    assert "results/experiments/small/metrics.csv: FAILED open or read\n" in checked.stdout
