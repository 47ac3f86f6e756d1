"""Errors that are written for the person who runs the workflow."""

import errno
import re

_AGAIN = "Nothing half-written was kept; then run the same command again, it goes on from there."
#: What to do about errors of the system, which are not bugs.
_ADVICE = {
    errno.ENOSPC: f"The disk is full. Make room. {_AGAIN}",
    errno.EDQUOT: f"Your quota on this disk is used up. Make room. {_AGAIN}",
    errno.EROFS: "The disk can only be read. Run in a folder that can be written: `snakemake "
    "-s <project>/Snakefile --directory <folder>`, and point `data_dir` to one.",
    errno.EACCES: "Look at the owner and the mode of the file and of its folder.",
    errno.EPERM: "Look at the owner and the mode of the file and of its folder.",
    errno.EIO: f"The disk or the network file system failed. {_AGAIN}",
    errno.ESTALE: f"The network file system lost the file. {_AGAIN}",
    errno.EMFILE: "Too many files are open. Raise the limit (`ulimit -n`).",
    errno.ENOMEM: "There is not enough memory. Lower `embedding.batch_size`, or ask for more.",
}


class ListenreadError(Exception):
    """What went wrong, in which file or key, with which value, and what to do about it.

    Everything that a user can cause is raised as this class or a subclass, so that the workflow can
    print the message alone; any other exception is a bug and keeps its traceback.
    """


class ConfigError(ListenreadError):
    """The merged configuration cannot be used."""


class DataError(ListenreadError):
    """A dataset, a metadata file or a clip cannot be used."""


class ModelError(ListenreadError):
    """A checkpoint, a tokenizer or a tower cannot be used."""


class DownloadError(ListenreadError):
    """A file could not be fetched, or is not the file that was asked for."""


class UnreachableError(DownloadError):
    """The server does not answer at all: other files from it would not come either."""


class Unavailable(ListenreadError):
    """There is nothing to compute from, for a reason that is not an error of the user.

    Vectors that were not released, an unhealthy model, labels that an ontology does not have. The
    runner of a job writes the reason in place of the numbers.
    """


def advice(error: BaseException) -> str | None:
    """Say what a person can do about an error of the system; None for any other error."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        number: int | None = errno.ENOMEM
    elif isinstance(error, OSError):
        number = error.errno
    else:  # libraries written in Rust give the number in the text only
        found = re.search(r"\(os error (\d+)\)", str(error))
        number = int(found[1]) if found else None
    if number not in _ADVICE:
        return None
    return f"{str(error) or type(error).__name__}\n{_ADVICE[number]}"
