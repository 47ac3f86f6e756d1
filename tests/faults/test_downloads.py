"""Downloads through the workflow, from a real https server that misbehaves.

`tests/unit/test_download.py` has the cases one by one; here they come all at once, in a run that
goes on with what it can do, and a second run that has only the rest to do.
"""

import hashlib
import http.server
import re
import socket
import ssl
import subprocess
import threading
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from .conftest import in_mounts, kill, nothing_half_written, script, start, wait_for

pytestmark = pytest.mark.slow

CONTENT = np.random.default_rng(1).bytes(2_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>"
CUT = 700_000


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT; the path names what goes wrong while the server is ill."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        notes = self.server.notes
        name = self.path.strip("/")
        notes.counts[name] += 1
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        begin = int(asked[1]) if asked else 0
        notes.seen.append((name, begin))
        first = notes.counts[name] == 1
        if name == "missing" and notes.ill:
            self._send(b"nothing here", 404)
        elif name == "page" and notes.ill:
            self._send(PAGE)
        elif name == "other" and notes.ill:
            self._send(CONTENT[::-1])
        elif name == "busy" and first:
            self._send(b"slow down", 429, Retry_After="1")
        elif name == "broken" and first:
            self._send(b"out of order", 503)
        elif name == "cut" and first:
            self._send(CONTENT, cut_at=CUT)
        elif name == "stalls" and notes.ill:
            self._send(CONTENT, stall_at=CUT)
        elif name == "endless":
            self._chunks()
        elif begin:
            where = f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}"
            self._send(CONTENT[begin:], 206, Content_Range=where)
        else:
            self._send(CONTENT)

    def _send(self, body, status=200, cut_at=None, stall_at=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: cut_at or stall_at])
        self.wfile.flush()
        if stall_at:
            self.server.notes.stalled.wait(60)
        if cut_at or stall_at:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _chunks(self):
        """Without a length, so that nobody can know beforehand that it will not fit."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for place in range(0, len(CONTENT), 50_000):
            piece = CONTENT[place : place + 50_000]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing: a client that is killed hangs up."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for this machine that signs itself; clients are told to trust it."""
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
               "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
               "-keyout", folder / "key.pem", "-out", folder / "cert.pem"]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl to make a certificate for the server of the test")
    return folder


@pytest.fixture
def server(certificate):
    httpd = Server(("localhost", 0), Handler)
    httpd.notes = SimpleNamespace(
        ill=True, counts=Counter(), seen=[], stalled=threading.Event(),
        url=f"https://localhost:{httpd.server_port}",
        trust={"REQUESTS_CA_BUNDLE": str(certificate / "cert.pem")},
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield httpd.notes
    httpd.notes.stalled.set()
    httpd.shutdown()
    httpd.server_close()


def wanting(project, server, *names):
    """A configuration whose datasets fetch their csv from the server; returns the targets."""
    for name in names:
        project.config["datasets"][name] = {
            "kind": "tinysol",
            "archive": {"url": f"{server.url}/never", "sha256": SHA256},
            "metadata": {"url": f"{server.url}/{name}", "sha256": SHA256},
            "vocabulary": {"Flute": "flute"},
        }
    return [f"data/{name}/metadata.csv" for name in names]


def arrived(project, *names):
    return {
        name
        for name in names
        if (path := project.folder / f"data/{name}/metadata.csv").exists()
        and path.read_bytes() == CONTENT
    }


def test_a_server_that_misbehaves_in_every_way(project, server):
    names = ("missing", "page", "other", "busy", "broken", "cut", "stalls", "good")
    targets = wanting(project, server, *names)
    run = start(project, "--cores", "4", "--", *targets, **server.trust)
    partial = project.folder / "data/stalls/.metadata.csv.partial"
    wait_for(lambda: partial.exists() and partial.stat().st_size >= CUT)
    wait_for(lambda: arrived(project, *names) == {"busy", "broken", "cut", "good"})
    stalling = [pid for pid in scripts(project) if is_stalled(pid, project)]
    kill(stalling[0])
    output, _ = run.communicate(timeout=120)
    assert run.returncode != 0
    assert ("cut", CUT) in server.seen  # continued, not begun again
    said = re.sub(r"\s+", " ", output)
    assert f"{server.url}/missing: the server has no such file (404" in said
    assert "It is a web page, titled 'Sign in'" in said
    assert f"{server.url}/other did not send the expected file: its sha256 is" in said
    assert arrived(project, *names) == {"busy", "broken", "cut", "good"}
    assert [path.parent.name for path in nothing_half_written(project.folder)] == ["stalls"]

    server.ill = False
    again = start(project, "--cores", "4", "--", *targets, **server.trust)
    output, _ = again.communicate(timeout=120)
    assert again.returncode == 0, output
    assert arrived(project, *names) == set(names)
    assert ("stalls", CUT) in server.seen  # what had arrived before kill -9 was continued
    assert server.counts["good"] == server.counts["cut"] - 1 == 1
    assert not nothing_half_written(project.folder)


def scripts(project):
    found = subprocess.run(
        ["pgrep", "-f", f"python[^ ]* {project.folder}/.snakemake/scripts/.*fetch.py"],
        capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    return [int(pid) for pid in found]


def is_stalled(pid, project):
    """Whether a job holds the partial file that the server has stopped to send."""
    links = subprocess.run(
        ["ls", "-l", f"/proc/{pid}/fd"], capture_output=True, text=True, check=False
    )
    return "data/stalls/.metadata.csv.partial" in links.stdout


def test_a_disk_that_is_full_during_a_download(project, server, own_mounts):
    """A tmpfs of one megabyte for two, whose size the server did not say; then there is room."""
    (target,) = wanting(project, server, "endless")
    steps = f"""
        mkdir -p data && mount -t tmpfs -o size=1m none data || exit 9
        "$@" -- {target} && exit 8
        ls -a data/endless
        mount -o remount,size=10m data && "$@" -- {target} && sha256sum {target}
    """
    result = in_mounts(own_mounts, project, steps, **server.trust)
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert "No space left on device" in said and "make room" in said.lower()
    assert f"{SHA256}  {target}" in said
    assert ".metadata.csv.partial" in said
    assert script(project, "fetch.py") is None


def test_a_certificate_that_nobody_vouches_for_is_refused(project, server):
    (target,) = wanting(project, server, "good")
    result = project.snakemake("--", target, check=False)
    said = result.stdout + result.stderr
    assert result.returncode != 0 and "certificate" in said.lower()
    assert not arrived(project, "good")
