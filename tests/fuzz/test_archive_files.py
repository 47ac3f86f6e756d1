"""Archives: nothing leaves the folder, nothing but files is made, damage is a sentence."""

import io
import random
import shutil
import stat
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listenread.datasets import tinysol
from listenread.files.download import extract

from .conftest import mutated, times

KINDS = {
    "file": tarfile.REGTYPE,
    "folder": tarfile.DIRTYPE,
    "symlink": tarfile.SYMTYPE,
    "hardlink": tarfile.LNKTYPE,
    "device": tarfile.CHRTYPE,
    "pipe": tarfile.FIFOTYPE,
    "contiguous": tarfile.CONTTYPE,
    "sparse": tarfile.GNUTYPE_SPARSE,
}
PARTS = st.sampled_from(
    ["a", "A", "b", "..", ".", "", "~", "C:", "\\", "Brass", "Bass_Tuba", "x.wav", "é", "e\u0301",
     "con", "../../canary", "canary", "n" * 300, "\n", "\u202e", ".hidden", " ", "\x01"]
)  # fmt: skip
NAMES = st.builds(
    lambda lead, parts: lead + "/".join(parts),
    st.sampled_from(["", "", "", "/", "//", "\\", "./", "../"]),
    st.lists(PARTS, min_size=1, max_size=4),
)
MEMBERS = st.lists(
    st.tuples(
        NAMES, st.sampled_from(["file", "file", "file", *KINDS]), NAMES, st.binary(max_size=40)
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


def tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as opened:
        for name, kind, target, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode = KINDS[kind], target, 0o6777
            info.size = len(content) if kind in {"file", "contiguous"} else 0
            opened.addfile(info, io.BytesIO(content))
    return path


def zipped(path, members, compression=zipfile.ZIP_DEFLATED):
    modes = {"symlink": stat.S_IFLNK, "device": stat.S_IFCHR, "pipe": stat.S_IFIFO}
    with zipfile.ZipFile(path, "w", compression) as opened:
        for name, kind, target, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes.get(kind, stat.S_IFREG) | 0o6777) << 16
            info.compress_type = compression
            opened.writestr(info, target.encode() if kind == "symlink" else content)
    return path


def unpack(trial, archive, **options):
    """Unpack; afterwards there are only plain files in the folder, none half-written."""
    target = trial.folder / "unpacked"
    shutil.rmtree(target, ignore_errors=True)

    def act():
        try:
            return extract(archive, target, max_bytes=10**6, **options)
        finally:
            for path in target.rglob("*"):
                assert not path.is_symlink() and (path.is_file() or path.is_dir()), path
                assert not path.stat().st_mode & 0o7000 or path.is_dir(), path
                assert not path.name.endswith(".partial"), path

    return act


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(max_examples=times(250))
@given(members=MEMBERS, make=st.sampled_from([tar, zipped]), place=st.booleans())
def test_archives_with_members_of_any_name_and_kind(trial, members, make, place):
    try:
        archive = make(trial.folder / "archive", members)
    except (ValueError, OSError):  # such an archive cannot be made
        return
    options = {"placed": tinysol.place_in_root} if place else {}
    made = trial(unpack(trial, archive, **options), archive, members)
    if made is not None:
        assert len(set(made)) == len(made)
    trial.nothing_outside()


GOOD = [("Brass/a.wav", "file", "", b"sound" * 50), ("Winds/é b.wav", "file", "", b"more" * 900)]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_damaged_tar_archives(trial, mode):
    whole = tar(trial.folder / "archive", GOOD, mode).read_bytes()
    rng = random.Random(mode)
    for number in range(times(100)):
        archive = trial.folder / "archive"
        archive.write_bytes(mutated(whole, rng, head=1024))
        trial(unpack(trial, archive), archive, (mode, number))


@pytest.mark.parametrize("compression", [0, 8, 12, 14])
def test_damaged_zip_archives(trial, compression):
    whole = zipped(trial.folder / "archive", GOOD, compression).read_bytes()
    rng = random.Random(compression)
    for number in range(times(100)):
        archive = trial.folder / "archive"
        archive.write_bytes(mutated(whole, rng, head=len(whole)))
        trial(unpack(trial, archive), archive, (compression, number))


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives_with_two_members_in_one_place(trial, make):
    for other in ("Brass/a.wav", "Brass/./a.wav", "Brass/a.wav/b.wav", "Brass"):
        archive = make(trial.folder / "archive", [GOOD[0], (other, "file", "", b"other")])
        assert trial(unpack(trial, archive), archive, other) is None, other


@pytest.mark.parametrize("make", [tar, zipped])
def test_archives_that_are_bombs(trial, make):
    for content in (bytes(2 * 10**6), b"ab" * 10**6):
        archive = make(trial.folder / "archive", [("a.wav", "file", "", content)])
        assert archive.stat().st_size < 10**4
        assert trial(unpack(trial, archive), archive) is None
    many = [(f"{i}.wav", "file", "", bytes(10**5)) for i in range(20)]
    archive = make(trial.folder / "archive", many)
    assert trial(unpack(trial, archive), archive) is None


def test_links_that_lie_in_the_folder_beforehand(trial):
    """A link where a member should go is replaced or refused, never followed."""
    target = trial.folder / "unpacked"
    target.mkdir()
    (target / "a.wav").symlink_to(trial.folder.parent / "canary")
    (target / "Brass").symlink_to(trial.folder.parent, target_is_directory=True)
    for name in ("Brass/canary", "Brass/new.wav"):
        archive = tar(trial.folder / "archive", [(name, "file", "", b"dead")])
        assert trial(lambda a=archive: extract(a, target), archive) is None
        trial.nothing_outside()
    archive = tar(trial.folder / "archive", [("a.wav", "file", "", b"sound")])
    trial(lambda: extract(archive, target), archive)
    assert (trial.folder.parent / "canary").read_text() == "alive"
