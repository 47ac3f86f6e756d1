"""Lists of checksums, read by `sha256sum` itself."""

import shutil
import subprocess

import pytest

from listenread.errors import DataError
from listenread.files import checksums


def test_earlier_lists_are_taken_over_and_their_files_are_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("tower", "metrics", "scores"):
        (tmp_path / name).write_text(f"the {name}")
    checksums.write("model.sha256", ["tower"])
    (tmp_path / "tower").rename("moved")
    checksums.write("all.sha256", ["scores", "metrics"], ["model.sha256"])
    assert list(checksums.read("all.sha256")) == ["metrics", "scores", "tower"]
    assert checksums.verify("all.sha256").missing == ["tower"]
    (tmp_path / "moved").rename("tower")
    assert checksums.verify("all.sha256") == (3, [], [])
    assert (
        subprocess.run([shutil.which("sha256sum"), "-c", "all.sha256"], check=False).returncode == 0
    )
    (tmp_path / "tower").write_text("another tower")
    assert checksums.verify("all.sha256").changed == ["tower"]


def test_what_is_no_list_is_refused(tmp_path):
    (tmp_path / "model.sha256").write_text("no digest\n")
    with pytest.raises(DataError, match="no list of checksums"):
        checksums.write(tmp_path / "all.sha256", [], [tmp_path / "model.sha256"])
