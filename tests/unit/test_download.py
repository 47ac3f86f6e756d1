"""`listenread.files.download` against a real HTTP server on this machine, archives and a mirror."""

import csv
import hashlib
import http.server
import io
import re
import socket
import stat
import subprocess
import tarfile
import threading
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from listenread.datasets import tinysol
from listenread.errors import DownloadError
from listenread.files import download
from listenread.files.checksums import checksum

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html>\n<html><head><title>Please sign in</title></head><body>...</body></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT; the path names what goes wrong, and how often."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server.notes
        server.seen.append((self.path, self.headers.get("Range")))
        server.counts[self.path] += 1
        behaviour, _, times = self.path.strip("/").split("?")[0].partition("-")
        times = int(times or 10**9)
        go_wrong = server.counts[self.path] <= times
        getattr(self, f"_{behaviour}", self._missing)(go_wrong)

    def _send(self, body: bytes, status: int = 200, cut_at: int | None = None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut_at])
        if cut_at is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def _file(self, go_wrong: bool, cut_at: int | None = None):
        requested = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if not requested:
            return self._send(CONTENT, cut_at=cut_at)
        start = int(requested[1])
        if start >= len(CONTENT):
            return self._send(b"", 416, Content_Range=f"bytes */{len(CONTENT)}")
        where = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        return self._send(CONTENT[start:], 206, cut_at, Content_Range=where)

    def _cut(self, go_wrong: bool):
        self._file(False, cut_at=700_000 if go_wrong else None)

    def _ignores_range(self, go_wrong: bool):
        self._send(CONTENT, cut_at=700_000 if go_wrong else None)

    def _busy(self, go_wrong: bool):
        self._send(b"slow down", 429, Retry_After="1") if go_wrong else self._file(False)

    def _broken(self, go_wrong: bool):
        self._send(b"out of order", 503) if go_wrong else self._file(False)

    def _missing(self, go_wrong: bool):
        self._send(b"nothing here", 404)

    def _private(self, go_wrong: bool):
        self._send(b"who are you", 403)

    def _page(self, go_wrong: bool):
        self._send(PAGE)

    def _moved(self, go_wrong: bool):
        self._send(b"", 302, Location="/file")

    def _away(self, go_wrong: bool):
        self._send(b"", 302, Location="http://example.invalid/file")

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Say nothing: a client that refuses a file hangs up."""


@pytest.fixture
def server():
    httpd = Server(("127.0.0.1", 0), Handler)
    httpd.notes = SimpleNamespace(seen=[], counts=Counter())
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield SimpleNamespace(
        url=f"http://127.0.0.1:{httpd.server_port}",
        host=f"127.0.0.1:{httpd.server_port}",
        notes=httpd.notes,
    )
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def fetch(server, path: str, target: Path, **kwargs) -> Path:
    settings = {"backoff_s": 0.01, "timeout_s": 5.0, "sha256": SHA256} | kwargs
    return download.fetch(f"{server.url}/{path}", target, **settings)


def assert_nothing_left(folder: Path):
    assert [path.name for path in folder.iterdir()] == []


def test_a_file_arrives(server, tmp_path):
    target = tmp_path / "new" / "file.bin"
    assert fetch(server, "file", target, bytes=len(CONTENT)) == target
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]


def test_a_file_with_the_checksum_is_not_downloaded_again(server, tmp_path):
    target = tmp_path / "file.bin"
    target.write_bytes(CONTENT)
    fetch(server, "file", target)
    assert server.notes.seen == []
    target.write_bytes(CONTENT[:-1] + b"x")
    fetch(server, "file", target)
    assert len(server.notes.seen) == 1
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_checksums(server, tmp_path, algorithm):
    right = hashlib.new(algorithm, CONTENT).hexdigest()
    wrong = hashlib.new(algorithm, CONTENT + b"x").hexdigest()
    fetch(server, "file", tmp_path / "a", **{"sha256": None, algorithm: right.upper()})
    with pytest.raises(DownloadError, match=f"its {algorithm} is {right} instead of {wrong}"):
        fetch(server, "file", tmp_path / "b", **{"sha256": None, algorithm: wrong})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_git_blob_sha1_is_gits(server, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    asked = subprocess.run(
        ["git", "hash-object", str(path)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    digest = asked.stdout.strip()
    assert checksum(path, "git_blob_sha1") == digest
    fetch(server, "file", tmp_path / "a", sha256=None, git_blob_sha1=digest)
    with pytest.raises(DownloadError, match="git_blob_sha1"):
        fetch(server, "file", tmp_path / "b", sha256=None, git_blob_sha1="0" * 40)


def test_git_blob_sha1_of_the_papers_released_files(repository, published_files):
    (root,) = published_files.glob(
        "raw.githubusercontent.com/YannisBilly/i_can_listen_but_cannot_read/*"
    )
    with (repository / "listenread/resources/released_files.csv").open() as file:
        listed = {row["path"]: row["git_blob_sha1"] for row in csv.DictReader(file)}
    there = [path for path in root.rglob("*") if path.is_file()]
    assert len(there) == 10
    for path in there:
        name = path.relative_to(root).as_posix()
        assert checksum(path, "git_blob_sha1") == listed[name], name


def test_a_wrong_size_is_refused(server, tmp_path):
    with pytest.raises(DownloadError, match=r"3,000,000 bytes instead of 3,000,001"):
        fetch(server, "file", tmp_path / "file", bytes=3_000_001, sha256=None)
    assert_nothing_left(tmp_path)


def test_a_web_page_instead_of_the_file_is_explained(server, tmp_path):
    with pytest.raises(DownloadError, match=r"web page, titled 'Please sign in'"):
        fetch(server, "page", tmp_path / "file")
    with pytest.raises(DownloadError, match=r"web page, titled 'Please sign in'"):
        fetch(server, "page", tmp_path / "file", sha256=None)
    assert_nothing_left(tmp_path)


def test_a_missing_file_is_named_at_once(server, tmp_path):
    with pytest.raises(DownloadError, match=r"/nowhere: the server has no such file .*404"):
        fetch(server, "nowhere", tmp_path / "file")
    with pytest.raises(DownloadError, match=r"refuses access .*403"):
        fetch(server, "private", tmp_path / "file")
    assert len(server.notes.seen) == 2


def test_a_busy_server_is_asked_again_when_it_says(server, tmp_path):
    assert fetch(server, "busy-1", tmp_path / "file").read_bytes() == CONTENT
    assert len(server.notes.seen) == 2


def test_a_broken_server_is_asked_again(server, tmp_path):
    assert fetch(server, "broken-2", tmp_path / "file").read_bytes() == CONTENT
    assert len(server.notes.seen) == 3


def test_a_server_that_stays_broken_is_given_up(server, tmp_path):
    with pytest.raises(DownloadError, match=r"stays busy or out of order \(503"):
        fetch(server, "broken", tmp_path / "file", retries=2)
    assert len(server.notes.seen) == 3


def test_a_cut_connection_is_continued(server, tmp_path):
    assert fetch(server, "cut-2", tmp_path / "file").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.notes.seen] == [
        None,
        "bytes=700000-",
        "bytes=1400000-",
    ]


def test_a_cut_connection_without_range_support_starts_again(server, tmp_path):
    assert fetch(server, "ignores_range-2", tmp_path / "file").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.notes.seen] == [None, "bytes=700000-", "bytes=700000-"]


def test_what_arrived_is_kept_for_the_next_call(server, tmp_path):
    with pytest.raises(DownloadError, match=r"700,000 bytes.*run again to continue"):
        fetch(server, "cut", tmp_path / "file", retries=0)
    assert not (tmp_path / "file").exists()
    assert (tmp_path / ".file.partial").stat().st_size == 700_000
    assert fetch(server, "file", tmp_path / "file").read_bytes() == CONTENT
    assert server.notes.seen[-1] == ("/file", "bytes=700000-")


@pytest.mark.parametrize("size", [700_000, 3_000_000, 3_500_000])
@pytest.mark.parametrize("known_size", [True, False])
def test_a_foreign_partial_file_does_no_harm(server, tmp_path, size, known_size):
    (tmp_path / ".file.partial").write_bytes(b"x" * size)
    expected = {"bytes": len(CONTENT)} if known_size else {}
    assert fetch(server, "file", tmp_path / "file", **expected).read_bytes() == CONTENT


def test_nothing_is_continued_that_cannot_be_verified(server, tmp_path):
    (tmp_path / ".file.partial").write_bytes(b"x" * 100)
    assert fetch(server, "file", tmp_path / "file", sha256=None).read_bytes() == CONTENT
    assert server.notes.seen == [("/file", None)]
    assert fetch(server, "cut-1", tmp_path / "other", sha256=None).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.notes.seen] == [None] * 3


def test_a_whole_partial_file_is_only_renamed(server, tmp_path):
    (tmp_path / ".file.partial").write_bytes(CONTENT)
    fetch(server, "file", tmp_path / "file", bytes=len(CONTENT))
    assert server.notes.seen == []


def test_redirects_are_followed_but_not_into_the_open(server, tmp_path):
    assert fetch(server, "moved", tmp_path / "file", sha256=None).read_bytes() == CONTENT
    with pytest.raises(DownloadError, match=r"http://example\.invalid/file: plain http is only"):
        fetch(server, "away", tmp_path / "other", sha256=None)


def test_no_server_is_an_error_that_shows_the_way_out(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file"
    with pytest.raises(DownloadError, match=r"cannot be reached .*wget -x -P DIR"):
        download.fetch(url, tmp_path / "file", retries=1, backoff_s=0.01)
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("url", ["ftp://example.org/x", "file:///etc/passwd", "x.bin", "https://"])
def test_only_https(tmp_path, url):
    with pytest.raises(DownloadError, match="is not an https URL"):
        download.fetch(url, tmp_path / "file", sha256="0" * 64)


def test_plain_http_needs_a_checksum(tmp_path):
    with pytest.raises(DownloadError, match="plain http is only allowed with a checksum"):
        download.fetch("http://example.invalid/x", tmp_path / "file")


def test_a_full_disk_is_noticed_before(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000))
    with pytest.raises(DownloadError, match=r"1,000 bytes free, but 3,000,000 more"):
        fetch(server, "file", tmp_path / "file")


@pytest.mark.parametrize("name", ["file.csv", "file.csv?download=1"])
@pytest.mark.parametrize("host", ["127.0.0.1", None])
def test_the_mirror_comes_first(server, tmp_path, name, host):
    place = tmp_path / "mirror" / (host or server.host) / "record" / "a b" / name
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    path = "record/a%20b/file.csv?download=1"
    fetch(server, path, tmp_path / "file", mirror=tmp_path / "mirror")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.notes.seen == []
    place.write_bytes(PAGE)
    with pytest.raises(DownloadError, match=r"the mirror's file .*file\.csv.*It is a web page"):
        fetch(server, path, tmp_path / "other", mirror=tmp_path / "mirror")


def test_what_the_mirror_lacks_is_downloaded(server, tmp_path):
    (tmp_path / "mirror").mkdir()
    fetch(server, "file", tmp_path / "file", mirror=tmp_path / "mirror")
    assert len(server.notes.seen) == 1
    with pytest.raises(DownloadError, match="is not a folder"):
        fetch(server, "file", tmp_path / "other", mirror=tmp_path / "nowhere")


def test_a_url_cannot_leave_the_mirror(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "mirror" / "h").mkdir(parents=True)
    assert download.find_in_mirror("https://h/../../secret", tmp_path / "mirror") is None
    assert download.find_in_mirror("https://h/%2e%2e/%2e%2e/secret", tmp_path / "mirror") is None


def test_a_mirror_may_consist_of_links(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "file").write_text("content")
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "h").symlink_to(tmp_path / "disk")
    found = download.find_in_mirror("https://h/file", tmp_path / "mirror")
    assert found.read_text() == "content"


def test_tinysols_official_metadata_come_from_the_mirror(published_files, tmp_path):
    path = download.fetch(
        "https://zenodo.org/record/3685367/files/TinySOL_metadata.csv?download=1",
        tmp_path / "metadata.csv",
        md5="a86c9bb115f69e61f2f25872e397fc4a",
        bytes=317_576,
        mirror=published_files,
    )
    tinysol.check_official(tinysol.read_metadata(tmp_path, path))


# Archives


def make_tar(path: Path, members: dict[str, bytes | Callable], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if callable(content):
                content(info)
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


MAKERS = {
    "tar.gz": make_tar,
    "tar": lambda path, members: make_tar(path, members, "w"),
    "tar.xz": lambda path, members: make_tar(path, members, "w:xz"),
    "zip": make_zip,
}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("kind", MAKERS)
def test_archives_unpack(tmp_path, kind):
    files = {"a/b.wav": CONTENT[:5000], "a/c/d.wav": b"", "readme.txt": b"hello"}
    archive = MAKERS[kind](tmp_path / f"x.{kind}", files)
    made = download.extract(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == files
    assert made == [tmp_path / "out" / name for name in files]
    wanted = download.extract(
        archive,
        tmp_path / "some",
        placed=lambda name: name.removeprefix("a/") if name.endswith(".wav") else None,
    )
    assert len(wanted) == 2
    assert set(tree(tmp_path / "some")) == {"b.wav", "c/d.wav"}
    with pytest.raises(DownloadError, match="has none of the wanted files"):
        download.extract(archive, tmp_path / "none", placed=lambda name: None)


def test_unpacking_twice_replaces(tmp_path):
    archive = make_zip(tmp_path / "x.zip", {"a": b"new"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_bytes(b"old")
    (tmp_path / "out" / "mine").write_bytes(b"kept")
    download.extract(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == {"a": b"new", "mine": b"kept"}


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.parametrize(
    "name",
    [
        "/etc/x",
        "../x",
        "a/../../x",
        "..\\x",
        "C:/x",
        "\\\\host\\x",
        "a/b/../../../x",
        "a\x1b[31mb",
        "a\nb",
    ],
)
def test_unsafe_paths_are_refused(tmp_path, kind, name):
    archive = MAKERS[kind](tmp_path / f"x.{kind}", {name: b"bad"})
    with pytest.raises(DownloadError, match="unsafe path"):
        download.extract(archive, tmp_path / "deep" / "out")
    assert tree(tmp_path / "deep") == {}


def link(kind: bytes, target: str = "/etc/passwd"):
    def change(info: tarfile.TarInfo):
        info.type, info.linkname = kind, target

    return change


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(tmp_path, kind):
    archive = make_tar(tmp_path / "x.tar.gz", {"ok": b"x", "bad": link(kind)})
    with pytest.raises(DownloadError, match="'bad' is a link or a device"):
        download.extract(archive, tmp_path / "out")
    download.extract(archive, tmp_path / "out", placed=lambda n: n if n == "ok" else None)
    assert set(tree(tmp_path / "out")) == {"ok"}


def test_a_link_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        info = zipfile.ZipInfo("bad")
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DownloadError, match="'bad' is a link or a device"):
        download.extract(tmp_path / "x.zip", tmp_path / "out")


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_archive_that_unpacks_to_too_much_is_stopped(tmp_path, kind):
    archive = MAKERS[kind](tmp_path / f"x.{kind}", {"a": b"0" * 600_000, "b": b"0" * 600_000})
    assert archive.stat().st_size < 10_000
    with pytest.raises(DownloadError, match="more than is allowed"):
        download.extract(archive, tmp_path / "out", max_bytes=1_000_000)
    assert tree(tmp_path / "out") == {}


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_archive_of_too_many_members_is_stopped(tmp_path, kind):
    archive = MAKERS[kind](tmp_path / f"x.{kind}", {f"{n}.txt": b"" for n in range(30)})
    with pytest.raises(DownloadError, match="more members than are allowed"):
        download.extract(archive, tmp_path / "out", max_members=29)
    assert tree(tmp_path / "out") == {}
    download.extract(archive, tmp_path / "out", max_members=30)
    assert len(tree(tmp_path / "out")) == 30


@pytest.mark.parametrize(
    ("kind", "keep"),
    [(kind, keep) for kind in ("tar.gz", "tar", "zip") for keep in (0, 0.3, 0.9)]
    + [("tar.gz", 0.999), ("zip", 0.999)],
)
def test_damaged_archives_are_refused(tmp_path, kind, keep):
    whole = MAKERS[kind](tmp_path / f"x.{kind}", {"a": CONTENT[:100_000], "b": CONTENT[:100_000]})
    content = whole.read_bytes()
    whole.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(DownloadError, match=r"damaged|has none"):
        download.extract(whole, tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_a_flipped_bit_is_noticed(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a": CONTENT[:100_000]})
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DownloadError, match="damaged"):
        download.extract(path, tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_tinysols_archive_layout(tmp_path):
    inside = {
        "Winds/Flute/ordinario/Fl-ord-C4-mf-N-T14d.wav": b"1",
        "TinySOL/Brass/Horn/ordinario/Hn-ord-A#1-pp-N-N.wav": b"2",
        "Strings/._Cb.wav": b"junk",
        "README.txt": b"3",
    }
    archive = make_tar(tmp_path / "TinySOL.tar.gz", inside)
    download.extract(archive, tmp_path / "audio", placed=tinysol.place_in_root)
    assert set(tree(tmp_path / "audio")) == {
        "Winds/Flute/ordinario/Fl-ord-C4-mf-N-T14d.wav",
        "Brass/Horn/ordinario/Hn-ord-A#1-pp-N-N.wav",
    }
