"""Fetching a repository: from a mirror, or a clear word that it cannot be had."""

import pytest

from listenread.errors import DownloadError
from listenread.models.hub import fetch_repository

WANTED = {"repository": "laion/clap-htsat-unfused", "revision": "8" * 40}


def test_a_mirrored_repository_is_taken_without_asking_the_hub(tmp_path):
    place = tmp_path / "mirror/huggingface.co/laion/clap-htsat-unfused/resolve" / WANTED["revision"]
    place.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "merges.txt", "flax_model.msgpack"):
        (place / name).write_text(name)
    fetch_repository(tmp_path / "folder", **WANTED, mirror=tmp_path / "mirror")
    found = {path.name for path in (tmp_path / "folder").iterdir()}
    assert found == {"config.json", "model.safetensors", "merges.txt"}


def test_a_hub_that_cannot_be_reached_is_named_with_the_way_out(tmp_path, monkeypatch):
    import socket

    def refuse(*args, **kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(DownloadError, match="put its files into") as caught:
        fetch_repository(tmp_path / "folder", **WANTED, mirror=None)
    assert WANTED["revision"] in str(caught.value)
