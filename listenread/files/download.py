"""Verified downloads that resume and retry, and safe unpacking of archives.

`requests` (with urllib3's retries) is the transport. `pooch` would hash and show progress, but it
downloads to a random temporary name, so it cannot resume; nor does it know mirrors, sizes or git's
blob hashes.
"""

import contextlib
import re
import shutil
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import requests
import urllib3

from listenread import __version__
from listenread.errors import DownloadError, UnreachableError, advice
from listenread.files.checksums import checksum
from listenread.progress import progress

_CHUNK = 1 << 20
_MEGABYTE = 10**6
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
#: Answers after which the same request may succeed later.
_RETRY_STATUS = (429, 500, 502, 503, 504)
#: Waits between attempts double up to this many seconds, with or without `Retry-After`.
_LONGEST_WAIT_S = 120.0


class Expected(NamedTuple):
    """Expected size and checksums of a file.

    Attributes:
        bytes: size, None if unknown.
        checksums: algorithm (``md5``, ``sha1``, ``sha256``, ``git_blob_sha1``) -> hex digest.
    """

    bytes: int | None
    checksums: Mapping[str, str]

    def problem_with(self, path: Path) -> str | None:
        """Return what is wrong with a file as a sentence part, or None if it is as expected."""
        size = path.stat().st_size
        if self.bytes is not None and size != self.bytes:
            return f"it has {size:,} bytes instead of {self.bytes:,}"
        for algorithm, digest in self.checksums.items():
            actual = checksum(path, algorithm)
            if actual != digest:
                return f"its {algorithm} is {actual} instead of {digest}"
        return None


class _CutOff(Exception):
    """The connection ended before the file did; what arrived is kept."""


def fetch(
    url: str,
    target: Path | str,
    *,
    bytes: int | None = None,
    md5: str | None = None,
    sha1: str | None = None,
    sha256: str | None = None,
    git_blob_sha1: str | None = None,
    mirror: Path | str | None = None,
    retries: int = 5,
    backoff_s: float = 1.0,
    timeout_s: float = 60.0,
) -> Path:
    """Download a file, verify it and put it in place.

    A target that already has the checksum is kept. Otherwise the file is copied from the mirror, if
    it is there, or downloaded to ``.<name>.partial`` in the target's folder and renamed once it is
    verified. A partial file of an earlier call is resumed if there is a checksum to verify it with.

    Args:
        url: ``https``; plain ``http`` only with a checksum, or to this machine.
        target: the file to make; its folder is created.
        bytes: size, checked, and used to check the free disk space beforehand.
        md5: expected hex digest, as are `sha1`, `sha256` and `git_blob_sha1` (see `checksum`).
        sha1: see `md5`.
        sha256: see `md5`.
        git_blob_sha1: see `md5`.
        mirror: a folder in the layout of ``wget -x``: ``<host>/<path of the URL>``, with or without
            the query (``?download=1``) in the file's name. A file that is there must have the
            checksum.
        retries: how often a failed request or a cut connection is tried again.
        backoff_s: wait before the first retry; it doubles. A server's ``Retry-After`` is followed.
        timeout_s: longest time without data from the server.

    Returns:
        `target`.

    Raises:
        UnreachableError: the server does not answer.
        DownloadError: the file cannot be downloaded, or is not the expected one.
    """
    given = {"md5": md5, "sha1": sha1, "sha256": sha256, "git_blob_sha1": git_blob_sha1}
    expected = Expected(bytes, {name: value.lower() for name, value in given.items() if value})
    target = Path(target)
    if expected.checksums and target.is_file() and expected.problem_with(target) is None:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    mirrored = find_in_mirror(url, mirror) if mirror else None
    if mirrored:
        _copy_from_mirror(mirrored, partial, expected)
    else:
        _check_scheme(url, expected)
        transfer = _Transfer(url, partial, expected, mirror, retries, backoff_s, timeout_s)
        transfer.run()
    partial.replace(target)
    return target


def find_in_mirror(url: str, mirror: Path | str) -> Path | None:
    """Find a URL's file in a folder in the layout of ``wget -x``, or None.

    Its folders and files may be links to elsewhere; a URL cannot lead out of it.
    """
    mirror = Path(mirror)
    if not mirror.is_dir():
        raise DownloadError(f"the mirror {mirror} is not a folder (config key `mirror`)")
    parts = urlsplit(url)
    hosts = dict.fromkeys((parts.netloc, parts.hostname or ""))
    paths = dict.fromkeys((unquote(parts.path), parts.path))
    for host in hosts:
        for path in paths:
            for query in dict.fromkeys(("", f"?{parts.query}" if parts.query else "")):
                candidate = mirror / host / f"{path.lstrip('/')}{query}"
                if ".." not in candidate.relative_to(mirror).parts and candidate.is_file():
                    return candidate
    return None


def _copy_from_mirror(mirrored: Path, partial: Path, expected: Expected) -> None:
    problem = expected.problem_with(mirrored)
    if problem:
        raise DownloadError(
            f"the mirror's file {mirrored} is not the expected one: {problem}."
            f"{_page(mirrored)} Replace it, or remove it to download the file."
        )
    _check_space(partial, mirrored.stat().st_size)
    shutil.copyfile(mirrored, partial)


def _check_scheme(url: str, expected: Expected) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and (parts.hostname in _LOCAL_HOSTS or expected.checksums):
        return
    if parts.scheme == "http":
        raise DownloadError(f"{url}: plain http is only allowed with a checksum; add its sha256")
    raise DownloadError(f"{url} is not an https URL")


@dataclass(frozen=True)
class _Transfer:
    """A download into a partial file; the attributes are the arguments of `fetch`."""

    url: str
    partial: Path
    expected: Expected
    mirror: Path | str | None
    retries: int
    backoff_s: float
    timeout_s: float

    def run(self) -> None:
        """Fill the partial file and verify it."""
        resumed = self.partial.is_file()
        with _Session(self.expected, self.retries, self.backoff_s) as session:
            self._complete(session)
            problem = self._problem()
            if problem and resumed:
                # The partial file may be of another version of the file: start again, once.
                self.partial.unlink()
                self._complete(session)
                problem = self._problem()
        if problem:
            page = _page(self.partial)
            self.partial.unlink()
            raise DownloadError(
                f"{self.url} did not send the expected file: {problem}.{page} If the "
                "publisher has replaced the file, check the new one and correct the configuration."
            )

    def _problem(self) -> str | None:
        unverifiable = not self.expected.checksums and self.expected.bytes is None
        if unverifiable and _page(self.partial):
            return "a web page is never what a dataset or a model needs"
        return self.expected.problem_with(self.partial)

    def _complete(self, session: requests.Session) -> None:
        """Make requests until the file is whole, each continuing where the last was cut off."""
        failures = 0
        while True:
            before = _size(self.partial)
            try:
                return self._request(session)
            except _CutOff as error:
                arrived = _size(self.partial)
                failures = 1 if arrived > before + _CHUNK else failures + 1
                if failures > self.retries:
                    kept = " What arrived is kept: run again to continue."
                    raise DownloadError(
                        f"{self.url}: the connection was cut repeatedly, the last time after "
                        f"{arrived:,} bytes ({error}).{kept if self.expected.checksums else ''}"
                    ) from error
                time.sleep(min(self.backoff_s * 2 ** (failures - 1), _LONGEST_WAIT_S))
            except requests.RequestException as error:
                raise UnreachableError(
                    f"{self.url} cannot be reached ({_cause(error)}). "
                    f"{_without_network(self.url, self.mirror)}"
                ) from error

    def _request(self, session: requests.Session) -> None:
        have = self._kept()
        if self.expected.bytes is not None and have == self.expected.bytes:
            return
        headers = {"Range": f"bytes={have}-"} if have else {}
        with session.get(
            self.url, headers=headers, stream=True, timeout=self.timeout_s
        ) as response:
            if response.status_code == 416:  # the partial file is as long as the file, or longer
                if response.headers.get("Content-Range") == f"bytes */{have}":
                    return
                self.partial.unlink()
                raise _CutOff("the server could not continue the partial file")
            if response.status_code not in (200, 206):
                raise DownloadError(_refused(self.url, response))
            start = _start_of(response)
            if start not in (0, have):
                self.partial.unlink()
                raise _CutOff(f"the server continued at byte {start} instead of {have}")
            self._save(response, start)

    def _kept(self) -> int:
        """Return how many bytes of the partial file can be continued, and verified afterwards."""
        have = _size(self.partial)
        too_long = self.expected.bytes is not None and have > self.expected.bytes
        if too_long or not self.expected.checksums:
            self.partial.unlink(missing_ok=True)
            return 0
        return have

    def _save(self, response: requests.Response, start: int) -> None:
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else self.expected.bytes
        _check_space(self.partial, (total or start) - start)
        name = self.partial.name.removeprefix(".").removesuffix(".partial")
        megabytes = None if total is None else total // _MEGABYTE
        with (
            self.partial.open("r+b" if start else "wb") as file,
            progress(total=megabytes, unit="MB", label=f"downloading {name}") as bar,
        ):
            file.seek(start)
            try:
                # `iter_content` would drop the last chunk of a connection that is cut.
                while chunk := response.raw.read1(_CHUNK):
                    file.write(chunk)
                    bar.update(file.tell() // _MEGABYTE - bar.n)
            except urllib3.exceptions.HTTPError as error:
                raise _CutOff(_cause(error)) from error
            except OSError as error:
                raise DownloadError(f"{self.partial} cannot be written: {error}") from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


class _Session(requests.Session):
    """Session that retries, and follows redirects only to URLs that `fetch` would accept."""

    def __init__(self, expected: Expected, retries: int, backoff_s: float):
        super().__init__()
        self._expected = expected
        self.headers["User-Agent"] = f"listenread/{__version__}"
        # A compressed transfer could not be resumed by byte offset.
        self.headers["Accept-Encoding"] = "identity"
        retry = urllib3.Retry(
            total=retries,
            other=min(retries, 1),  # a certificate that is refused stays so
            backoff_factor=backoff_s,
            backoff_max=_LONGEST_WAIT_S,
            status_forcelist=_RETRY_STATUS,
            allowed_methods={"GET"},
            respect_retry_after_header=True,
            retry_after_max=int(_LONGEST_WAIT_S),
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self.mount(scheme, requests.adapters.HTTPAdapter(max_retries=retry))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return the URL that a response redirects to, or None; called before it is followed."""
        target = super().get_redirect_target(resp)
        if target is not None:
            _check_scheme(urljoin(resp.url, target), self._expected)
        return target


def _start_of(response: requests.Response) -> int:
    """Return the offset of a response's first byte; a server may ignore `Range` and send all."""
    if response.status_code == 200:
        return 0
    match = re.fullmatch(r"bytes (\d+)-.*", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


def _refused(url: str, response: requests.Response) -> str:
    status = f"{response.status_code} {response.reason}"
    if response.status_code in (404, 410):
        return f"{url}: the server has no such file ({status}); correct the configured url"
    if response.status_code in (401, 403):
        return f"{url}: the server refuses access ({status}); it may ask for a login or a licence"
    if response.status_code in _RETRY_STATUS:
        return f"{url}: the server stays busy or out of order ({status}); try again another time"
    return f"{url}: the server answered {status}"


def _cause(error: BaseException) -> str:
    while cause := error.__cause__ or error.__context__:
        error = cause
    return str(error) or type(error).__name__


def _without_network(url: str, mirror: Path | str | None) -> str:
    place = mirror or "DIR"
    also = "" if mirror else " and set the config key `mirror: DIR`"
    return (
        "Where there is no network, fetch the file elsewhere with "
        f"`wget -x -P {place} '{url}'`{also}."
    )


def _page(path: Path) -> str:
    """Return a sentence if a file is a web page, which some servers send instead of an error."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not re.match(rb"\s*(<\?xml[^>]*>\s*)?(<!doctype html|<html)", head, re.IGNORECASE):
        return ""
    title = re.search(rb"<title[^>]*>(.*?)</title>", head, re.IGNORECASE | re.DOTALL)
    named = f", titled {title[1].decode(errors='replace').strip()!r}" if title else ""
    return f" It is a web page{named}: perhaps a login, a licence or a network's sign-in page."


def _check_space(path: Path, wanted: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if wanted > free:
        raise DownloadError(
            f"{path.parent} has {free:,} bytes free, but {wanted:,} more are needed for "
            f"{path.name}; make room or set the config key `data_dir` to another disk"
        )


class _Member(NamedTuple):
    """A member of an archive that is not a folder; `save` writes it below the partial folder."""

    name: str
    bytes: int
    is_file: bool
    save: Callable[[str], object]


def extract(
    archive: Path | str,
    folder: Path | str,
    *,
    placed: Callable[[str], str | None] | None = None,
    max_bytes: int = 100 * 10**9,
    max_members: int = 50_000,
) -> list[Path]:
    """Unpack the wanted files of a ``.tar`` (with any compression) or ``.zip``.

    `tarfile` (with ``filter="data"``) and `zipfile` write into a hidden folder inside `folder`;
    the files are moved to their places when all of them are complete, so a bad archive leaves
    `folder` as it was. Absolute paths, ``..``, names with control characters, links, devices and
    encrypted members are refused.

    Args:
        archive: the archive.
        folder: where the files go; it is created. Other files in it are kept.
        placed: maps a member's name to its path below `folder`, or to None to leave it out
            (default: every file, under its own name).
        max_bytes: upper limit for the sum of the unpacked sizes.
        max_members: upper limit for the number of files in it, wanted or not: each costs time, an
            empty one as well.

    Returns:
        The files, in the archive's order.

    Raises:
        DownloadError: the archive is damaged, unsafe, too large, or has none of the wanted files.
    """
    archive, folder = Path(archive), Path(folder)
    partial = folder / f".{archive.name}.partial"  # on the same disk, so that moving is renaming
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        with _damage(archive):
            names = _unpack(archive, partial, placed or str, max_bytes, max_members)
            for name in names:
                if not (folder / name).parent.resolve().is_relative_to(folder.resolve()):
                    raise DownloadError(f"{archive}: {folder / name} is behind a link; remove it")
            for name in names:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (partial / name).replace(folder / name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if not names:
        raise DownloadError(f"{archive} has none of the wanted files")
    return [folder / name for name in names]


def _unpack(
    archive: Path,
    partial: Path,
    placed: Callable[[str], str | None],
    max_bytes: int,
    max_members: int,
) -> list[str]:
    names: list[str] = []
    seen = 0
    members = _zip_members if zipfile.is_zipfile(archive) else _tar_members
    for member in progress(
        members(archive, partial), unit="files", label=f"unpacking {archive.name}"
    ):
        seen += 1
        if seen > max_members:
            raise DownloadError(
                f"{archive} has more members than are allowed (max_members is {max_members:,})"
            )
        name = placed(member.name)
        if name is None:
            continue
        path = PureWindowsPath(member.name)  # splits at both separators and knows drives
        if path.anchor or ".." in path.parts or not member.name.isprintable():
            raise DownloadError(f"{archive}: unsafe path {member.name!r}; nothing was unpacked")
        if not member.is_file:
            raise DownloadError(
                f"{archive}: {member.name!r} is a link or a device; nothing was unpacked"
            )
        # Both libraries write no more bytes than the member's header states.
        max_bytes -= member.bytes
        if max_bytes < 0:
            raise DownloadError(f"{archive} unpacks to more than is allowed (max_bytes)")
        if (partial / name).exists():
            raise DownloadError(f"{archive}: {member.name!r} would replace another of its files")
        member.save(name)
        names.append(name)
    return names


def _tar_members(archive: Path, partial: Path) -> Iterator[_Member]:
    with tarfile.open(archive, "r:*") as tar:
        for member in tar:

            def save(name: str, member: tarfile.TarInfo = member) -> None:
                tar.extract(member.replace(name=name), partial, filter="data")

            if not member.isdir():
                yield _Member(member.name, member.size, member.isreg(), save)


def _zip_members(archive: Path, partial: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():

            def save(name: str, member: zipfile.ZipInfo = member) -> None:
                member.filename = name
                opened.extract(member, partial)

            mode = stat.S_IFMT(member.external_attr >> 16)  # 0 where the file system has no modes
            if not member.is_dir():
                yield _Member(member.filename, member.file_size, mode in (0, stat.S_IFREG), save)


@contextlib.contextmanager
def _damage(archive: Path) -> Iterator[None]:
    """Turn what the archive libraries raise on damaged files into a `DownloadError`.

    Errors of the system with advice of their own, such as a full disk, pass.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, DownloadError) or advice(error):
            raise
        raise DownloadError(
            f"{archive} cannot be unpacked ({error}). If it is damaged, delete it and run again."
        ) from error
