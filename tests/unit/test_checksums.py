"""Lists of checksums, read by `sha256sum` itself."""

import subprocess

from listenread.files import checksums


def test_earlier_lists_are_taken_over_and_their_files_are_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("tower", "metrics", "the scores"):
        (tmp_path / name).write_text(f"the {name}")
    checksums.write("model.sha256", ["tower"])
    (tmp_path / "tower").rename("moved")
    checksums.write("all.sha256", ["the scores", "metrics"], ["model.sha256"])
    assert list(checksums.read("all.sha256")) == ["metrics", "the scores", "tower"]
    check = ["sha256sum", "--check", "--quiet", "all.sha256"]
    assert subprocess.run(check, check=False, capture_output=True).returncode == 1
    (tmp_path / "moved").rename("tower")
    assert subprocess.run(check, check=False).returncode == 0
    (tmp_path / "tower").write_text("another tower")
    checked = subprocess.run(check, check=False, capture_output=True, text=True)
    assert checked.stdout == "tower: FAILED\n"
