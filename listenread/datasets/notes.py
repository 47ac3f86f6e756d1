"""Notes of a manifest: what is peculiar about a dataset, in sentences for the page."""

from collections.abc import Sequence

#: Names that a note gives in its sentence.
_FIRST = 5


def note(what: str, names: Sequence[str]) -> str:
    """Say something about things that have names.

    Returns:
        A sentence with the first names; if there are more, all of them on further lines, which the
        page folds away.

    Example:
        >>> note("2 files are not used", ["a.mp4", "b.txt"])
        '2 files are not used: a.mp4, b.txt.'
    """
    if len(names) <= _FIRST:
        return f"{what}: {', '.join(names)}."
    return "\n".join(
        [f"{what}: {', '.join(names[:_FIRST])} and {len(names) - _FIRST} more.", *names]
    )


def counted(number: int, one: str, several: str | None = None) -> str:
    """Count things.

    >>> counted(1, "clip"), counted(2, "clip"), counted(2, "copy", "copies")
    ('1 clip', '2 clips', '2 copies')
    """
    return f"{number:,} {one if number == 1 else several or one + 's'}"
