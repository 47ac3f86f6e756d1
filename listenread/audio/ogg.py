"""Whether an Ogg stream is whole: libsndfile reads what is there and does not say.

Format: RFC 3533.
"""

from typing import NamedTuple

_FIRST, _LAST = 2, 4  # flags of a page


class Stream(NamedTuple):
    """The pages of a file.

    Attributes:
        streams: how many streams begin one after the other.
        broken_off: whether the file ends within a page.
        has_end: whether the last page says that it is the last.
    """

    streams: int
    broken_off: bool
    has_end: bool


def find_stream(content: bytes) -> Stream:
    """Walk through the pages of a file."""
    position, streams, ended = 0, 0, True
    while (position := content.find(b"OggS\0", position)) >= 0:
        if position + 27 > len(content):
            return Stream(streams, True, False)
        flags, segments = content[position + 5], content[position + 26]
        table = content[position + 27 : position + 27 + segments]
        end = position + 27 + segments + sum(table)
        if len(table) < segments or end > len(content):
            return Stream(streams, True, False)
        if flags & _FIRST:  # several that begin together are one file of several tracks
            streams += ended
            ended = False
        if flags & _LAST:
            ended = True
        position = end
    return Stream(streams, False, ended)
