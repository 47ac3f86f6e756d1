"""Settings of entries: typed, described, with defaults; unknown keys are refused.

The configuration is checked against these classes, and its documentation is made from them.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Settings(BaseModel):
    """Base of all settings. Values are not converted: a quoted number is not a number."""

    # Validators are built when they are used: most jobs import many settings and use few.
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, protected_namespaces=(), defer_build=True
    )

    def plain(self) -> dict[str, Any]:
        """Return the values as a mapping of plain Python values, in the order of the class."""
        return self.model_dump(mode="python")


def unique(values: list[Any]) -> list[Any]:
    """Refuse a list in which a value stands twice; for `pydantic.AfterValidator`."""
    if len({repr(value) for value in values}) < len(values):
        raise ValueError("a value stands twice")
    return values


class NoSettings(Settings):
    """For entries without settings."""


Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="Letters, digits, `_`, `-` and `.`; it becomes a folder or a file name.",
    ),
]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
HttpsUrl = Annotated[str, Field(pattern=r"^https://")]
Repository = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]


class RemoteFile(Settings):
    """A file to download, with what proves that it is the right one."""

    url: HttpsUrl = Field(description="Where it is downloaded from; `https` only.")
    md5: Md5 | None = Field(default=None, description="MD5 of the file, in hexadecimal.")
    sha256: Sha256 | None = Field(default=None, description="SHA-256 of the file, in hexadecimal.")
    bytes: int | None = Field(
        default=None, ge=1, description="Size of the file; the disk is checked for it beforehand."
    )

    @model_validator(mode="after")
    def _has_a_checksum(self) -> "RemoteFile":
        if self.md5 is None and self.sha256 is None:
            raise ValueError("needs one of `md5`, `sha256`")
        return self


class LocalOrRemoteFile(Settings):
    """A file to download, or the path of one that is already here, which is taken first.

    A URL that is pinned to a revision (40 hexadecimal digits) needs no checksum.
    """

    path: str | None = Field(default=None, description="The file, where it is already here.")
    url: HttpsUrl | None = Field(
        default=None, description="Where it is downloaded from; `https` only."
    )
    sha256: Sha256 | None = Field(default=None, description="SHA-256 of the file, in hexadecimal.")
    bytes: int | None = Field(
        default=None, ge=1, description="Size of the file; the disk is checked for it beforehand."
    )

    @model_validator(mode="after")
    def _is_somewhere(self) -> "LocalOrRemoteFile":
        if self.path is None and self.url is None:
            raise ValueError("needs one of `path`, `url`")
        return self
