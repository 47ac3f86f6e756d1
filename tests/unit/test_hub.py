"""Fetching a repository: from a mirror, or an error that says what to do."""

import json
import os
import subprocess
import sys

import pytest

from listenread.errors import DownloadError
from listenread.files.hub import fetch_repository

WANTED = {"repository": "laion/clap-htsat-unfused", "revision": "8" * 40}


def test_a_mirrored_repository_is_taken_without_asking_the_hub(tmp_path):
    place = tmp_path / "mirror/huggingface.co/laion/clap-htsat-unfused/resolve" / WANTED["revision"]
    place.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "merges.txt", "flax_model.msgpack"):
        (place / name).write_text(name)
    fetch_repository(tmp_path / "folder", **WANTED, mirror=tmp_path / "mirror")
    found = {path.name for path in (tmp_path / "folder").iterdir()}
    assert found == {"config.json", "model.safetensors", "merges.txt", "source.json"}


def test_a_mirrored_dataset_keeps_its_folders_and_says_where_it_came_from(tmp_path):
    wanted = {"repository": "somebody/captions", "revision": "main", "kind": "dataset"}
    place = tmp_path / "mirror/huggingface.co/datasets/somebody/captions/resolve/main"
    (place / "data").mkdir(parents=True)
    with pytest.raises(DownloadError, match=r"main has none of \*\.parquet"):
        fetch_repository(tmp_path / "folder", **wanted, mirror=tmp_path / "mirror")
    (place / "data" / "train.parquet").write_text("rows")
    (place / "README.md").write_text("card")
    fetch_repository(tmp_path / "folder", **wanted, mirror=tmp_path / "mirror")
    files = {str(path.relative_to(tmp_path / "folder")) for path in tmp_path.glob("folder/**/*.*")}
    assert files == {"data/train.parquet", "source.json"}
    source = json.loads((tmp_path / "folder" / "source.json").read_text())
    assert source == {"repository": "somebody/captions", "revision": "main", "commit": "main"}


@pytest.mark.parametrize(
    "environment", [{"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}]
)
def test_a_hub_that_cannot_be_reached_is_named_with_the_way_out(tmp_path, environment):
    """In a new process, as the hub's client reads its environment when it is imported."""
    program = (
        "from listenread.files.hub import fetch_repository\n"
        f"fetch_repository({str(tmp_path / 'folder')!r}, **{WANTED}, mirror=None)\n"
    )
    inherited = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
    run = subprocess.run(
        [sys.executable, "-c", program], env=inherited | environment, capture_output=True, text=True
    )
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("listenread.errors.DownloadError: laion/clap-htsat-unfused at 888")
    assert "put its files into" in last and WANTED["revision"] in last
