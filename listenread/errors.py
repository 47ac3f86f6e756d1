"""Errors that are written for the person who runs the workflow."""


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
