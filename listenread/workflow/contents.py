"""The contents of files that the workflow did not make, as digests that rules take as parameters.

Snakemake compares an input's content only where its time is later than that of an output. A file
that `rsync -t`, `unzip` or `cp -p` put in the place of another may be older than every output: a
rule that depends on it notices by its digest.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import time_ns
from typing import Any

from listenread.files import atomic
from listenread.files.checksums import checksum
from listenread.progress import progress

#: Reading more than this is worth a progress bar.
_LONG_BYTES = 2_000_000_000


class Contents:
    """Digests of files, remembered between runs.

    A file is read where its size, its time of modification or that of its last change of any kind
    (`st_ctime`, which no program can set) differs from what is remembered.
    """

    def __init__(self, store: Path, recent_s: float = 2.0):
        """Read what is remembered.

        Args:
            store: the file that remembers; it need not exist, and a damaged one counts as empty.
            recent_s: files that were changed so shortly before they were read are read again by the
                next run: a second change may have left their size and times as they are.
        """
        self.store = store
        self.recent_ns = int(recent_s * 1e9)
        self._known: dict[str, list[Any]] = {}
        self._digests: dict[str, str] = {}  # each file is looked at once in a process
        self._combined: dict[tuple[str, ...], str] = {}
        self._changed = False
        try:
            known = json.loads(store.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        if isinstance(known, dict):
            self._known = known

    def digest(self, paths: Iterable[str]) -> str:
        """Digest the contents of some files in their order; of a folder, all files below it.

        A file that does not exist counts as such: its job cannot run anyway.
        """
        key = tuple(paths)
        if key not in self._combined:
            files = {file: file[len(path) :] for path in key for file in _files(path)}
            self._look_at(files)
            # With the names of files in a folder; an input's own name may differ between machines.
            listed = "\n".join(f"{self._digests[file]} {name}" for file, name in files.items())
            self._combined[key] = hashlib.sha256(listed.encode()).hexdigest()
        return self._combined[key]

    def save(self) -> None:
        """Remember the digests for the next run; where that is impossible, it reads files again."""
        if self._changed:
            try:
                atomic.write_text(self.store, json.dumps(self._known, separators=(",", ":")))
            except OSError:
                return
            self._changed = False

    def _look_at(self, files: Iterable[str]) -> None:
        unread: dict[str, tuple[int, int, int]] = {}
        for file in files:
            if file in self._digests:
                continue
            try:
                found = Path(file).stat()
            except OSError:
                self._digests[file] = ""
                continue
            state = (found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            known = self._known.get(file)
            if isinstance(known, list) and len(known) == 4 and tuple(known[:3]) == state:
                self._digests[file] = str(known[3])
            else:
                unread[file] = state
        if unread:
            self._read(unread)

    def _read(self, unread: Mapping[str, tuple[int, int, int]]) -> None:
        long = sum(size for size, _, _ in unread.values()) > _LONG_BYTES
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
            read = threads.map(_digest, unread)
            if long:
                label = "Reading inputs once, to notice when their contents change"
                read = iter(progress(read, total=len(unread), unit="files", label=label))
            for (file, state), (digest, now_ns) in zip(unread.items(), read, strict=True):
                self._digests[file] = digest
                if digest and state[2] < now_ns - self.recent_ns:
                    self._known[file] = [*state, digest]
                    self._changed = True


def _digest(file: str) -> tuple[str, int]:
    """The digest of a file and when it was read; that of one that cannot be read is empty."""
    now_ns = time_ns()
    try:
        return checksum(file), now_ns
    except OSError:
        return "", now_ns


def _files(path: str) -> list[str]:
    """A file itself; all files below a folder, sorted."""
    folder = Path(path)
    if not folder.is_dir():
        return [path]
    return sorted(str(file) for file in folder.rglob("*") if file.is_file())
