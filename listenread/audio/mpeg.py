"""How long an MPEG stream is: its frames are counted, as a header may be missing or wrong.

libsndfile (1.2) reads no more frames than it expects: by the header frame (Xing, Info), and without
one by the size of the file and the bit rate of its first frame. A stream that begins at a high bit
rate is then read short, one with a tag or a low rate is said to be cut short. `with_length` puts
a header frame in front that says how many frames there are.

Format: ISO/IEC 11172-3, 13818-3; the header frame as LAME writes it,
http://gabriel.mp3-tech.org/mp3infotag.html.
"""

from typing import NamedTuple

#: Bit rates in kbit/s by (version 1 or not, layer), for the indices 1 to 14.
_RATES = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
#: Bits of the version -> divisor of the sample rates of version 1.
_DIVISORS = {3: 1, 2: 2, 0: 4}


#: Bytes after a tag in which the first frame is looked for.
_SEARCHED = 65536
#: The bit rate of the header frame that is put in front: enough room for what it says.
_HEADER_FRAME_RATE = 9


class Header(NamedTuple):
    """The header of a frame.

    Attributes:
        stream: what all frames of a stream share: version, layer and index of the sample rate.
        length: of the frame, in bytes.
        side: length of header and side information; then a header frame says what it is.
    """

    stream: tuple[int, int, int]
    length: int
    side: int


class Stream(NamedTuple):
    """The frames of a stream.

    Attributes:
        start: of the first frame.
        layer: 3 for MP3.
        frames: how many are whole, a header frame not among them.
        announced: how many its header frame announces; None where it has none.
        counter: where the header frame says so.
        broken_off: whether the file ends within a frame.
        strange: bytes between frames that are not sound.
    """

    start: int
    layer: int
    frames: int
    announced: int | None
    counter: int
    broken_off: bool
    strange: int


def find_stream(content: bytes) -> Stream | None:
    """Count the frames of an MPEG stream; None where the file does not begin with one, or a tag."""
    start = _after_tags(content)
    if start:
        start = _next_frame(content[: start + _SEARCHED], start)
    first = _header_at(content, start)
    if first is None:
        return None
    announced, counter = _announced(content, start, first)
    frames, position, broken_off = 0, start, False
    strange, passed = 0, 0
    while position < len(content):
        header = _header_at(content, position)
        if header is None or header.stream != first.stream:
            after = _next_frame(content, position + 1, first.stream)
            passed += after - position
            position = after
        elif position + header.length > len(content):
            broken_off = True
            break
        else:
            frames, strange = frames + 1, passed  # a tag at the end is not among them
            position += header.length
    frames -= announced is not None
    return Stream(start, first.stream[1], frames, announced, counter, broken_off, strange)


def with_length(content: bytes, stream: Stream) -> bytes:
    """Make the header frame say how many frames there are; put one in front where there is none.

    Layers 1 and 2 have no header frames. Tags in front are left out.
    """
    if stream.layer != 3:
        return content[stream.start :]
    count = stream.frames.to_bytes(4, "big")
    if stream.announced is not None:
        # and how many bytes, which mpg123 compares with the file's length, pictures and all
        flags = content[stream.counter - 1]
        size = len(content) - stream.start
        counts = count + (size.to_bytes(4, "big") if flags & 2 else b"")
        return (
            content[stream.start : stream.counter]
            + counts
            + content[stream.counter + len(counts) :]
        )
    frame = bytearray(content[stream.start : stream.start + 4])
    frame[1] |= 1  # no checksum
    frame[2] = _HEADER_FRAME_RATE << 4 | frame[2] & 0b1100
    header = _header_at(bytes(frame), 0)
    assert header is not None  # noqa: S101
    frame += bytes(header.length - len(frame))
    mark = b"Xing" + (1).to_bytes(4, "big") + count
    frame[header.side : header.side + len(mark)] = mark
    return bytes(frame) + content[stream.start :]


def _after_tags(content: bytes) -> int:
    """Say where the sound begins: after any ID3v2 tags."""
    start = 0
    while content[start : start + 3] == b"ID3" and len(content) >= start + 10:
        size = 0
        for byte in content[start + 6 : start + 10]:
            size = size << 7 | byte & 127
        has_footer = bool(content[start + 5] & 16)
        start += 10 + size + 10 * has_footer
    return start


def _header_at(content: bytes, start: int) -> Header | None:
    if start + 4 > len(content) or content[start] != 0xFF or content[start + 1] < 0xE0:
        return None
    second, third, fourth = content[start + 1 : start + 4]
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    index, rate = third >> 4, third >> 2 & 3
    if version == 1 or layer == 4 or rate == 3 or not 0 < index < 15:
        return None
    hertz = (44100, 48000, 32000)[rate] // _DIVISORS[version]
    bits = 1000 * _RATES[version == 3, layer][index - 1]
    padding = third >> 1 & 1
    if layer == 1:
        length = (12 * bits // hertz + padding) * 4
    else:
        length = (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding
    is_mono = fourth >> 6 == 3
    side = (17 if is_mono else 32) if version == 3 else (9 if is_mono else 17)
    return Header((version, layer, rate), length, 4 + side)


def _next_frame(content: bytes, start: int, stream: tuple[int, int, int] | None = None) -> int:
    """Where a frame begins after which another one does, or the file ends; the end without one."""
    while (start := content.find(b"\xff", start)) >= 0:
        header = _header_at(content, start)
        if header is not None and stream in (None, header.stream):
            end = start + header.length
            after = _header_at(content, end)
            if end == len(content) or (after is not None and after.stream == header.stream):
                return start
        start += 1
    return len(content)


def _announced(content: bytes, start: int, first: Header) -> tuple[int | None, int]:
    """How many frames a header frame announces, and where it says so."""
    mark = start + first.side
    if content[mark : mark + 4] not in (b"Xing", b"Info") or len(content) < mark + 16:
        return None, 0
    if not content[mark + 7] & 1:  # it does not say
        return None, 0
    return int.from_bytes(content[mark + 8 : mark + 12], "big"), mark + 8
