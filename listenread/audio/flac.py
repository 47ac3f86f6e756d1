"""The length of a FLAC that was written to a pipe: its header says 0, its last frame says more.

Format: RFC 9639.
"""

#: Where the header has the number of samples: the low 36 of the bits in these bytes.
_TOTAL = slice(18, 26)
_SAMPLES = (1 << 36) - 1


def with_length(content: bytes) -> bytes:
    """Write the number of samples into the header of a FLAC that does not have it."""
    is_flac = content.startswith(b"fLaC") and len(content) > _TOTAL.stop
    fields = int.from_bytes(content[_TOTAL], "big")
    if not is_flac or fields & _SAMPLES:
        return content
    total = _samples(content, int.from_bytes(content[8:10], "big"))
    if not 0 < total <= _SAMPLES:
        return content
    return content[: _TOTAL.start] + (fields | total).to_bytes(8, "big") + content[_TOTAL.stop :]


def _samples(content: bytes, block_size: int) -> int:
    """Count the samples up to the end of the last frame; 0 where none is found."""
    end = len(content)
    while (start := content.rfind(b"\xff", _TOTAL.stop, end)) >= 0:
        end = start
        if content[start + 1 : start + 2] in (b"\xf8", b"\xf9"):
            samples = _end_of_frame(content[start : start + 16], block_size)
            if samples:
                return samples
    return 0


def _end_of_frame(header: bytes, block_size: int) -> int:
    """Read where a frame ends, in samples; 0 where this is not the header of a frame."""
    if len(header) < 6 or not header[2] >> 4 or header[2] & 15 == 15 or header[3] & 1:
        return 0
    number, length = _number(header[4:])
    position, code = 4 + length, header[2] >> 4
    if code in (6, 7):
        size = header[position : position + code - 5]
        samples, position = 1 + int.from_bytes(size, "big"), position + len(size)
    elif code < 6:
        samples = 192 if code == 1 else 576 << code - 2
    else:
        samples = 1 << code
    position += {12: 1, 13: 2, 14: 2}.get(header[2] & 15, 0)  # the sample rate
    if not length or position >= len(header) or _crc(header[:position]) != header[position]:
        return 0
    return (number if header[1] & 1 else number * block_size) + samples


def _number(coded: bytes) -> tuple[int, int]:
    """Read a number that is coded as UTF-8 codes characters; its length is 0 where it is none."""
    ones = 8 - (coded[0] ^ 0xFF).bit_length()
    if ones == 1 or ones > 7 or len(coded) < ones:
        return 0, 0
    number = coded[0] & 0xFF >> ones + (ones > 0)
    for byte in coded[1:ones]:
        if byte >> 6 != 2:
            return 0, 0
        number = number << 6 | byte & 63
    return number, max(ones, 1)


def _crc(content: bytes) -> int:
    found = 0
    for byte in content:
        found ^= byte
        for _ in range(8):
            found = found << 1 & 0xFF ^ (0x07 if found & 0x80 else 0)
    return found
