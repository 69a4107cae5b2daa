"""Messages in protobuf's wire format, read without their schema and within bounds."""

from __future__ import annotations

from collections.abc import Iterator

from unmask.errors import ModelError

_MAX_VARINT_BYTES = 10
_FIXED_BYTES = {1: 8, 5: 4}
_GOES_ON = bytes(range(0x80, 0x100))

Value = int | memoryview
"""A number, or the bytes of a text, of a message inside, of packed numbers, or of a number of fixed size."""


def read_fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    r"""The fields of a message in the order in which they are stored; nothing inside them is read.

    Args:
        message: Its bytes.

    Yields:
        Number of the field, and its value.

    Raises:
        ModelError: It is no message, or ends in the middle of a field.

    >>> [(number, bytes(value)) for number, value in read_fields(memoryview(b"\x12\x02ab"))]
    [(2, b'ab')]
    """
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _read_varint(message, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _read_varint(message, at)
        elif wire in _FIXED_BYTES:
            length = _FIXED_BYTES[wire]
        else:
            raise ModelError(f"a field of protobuf must be of a known kind, got kind {wire}")
        if number == 0 or length > len(message) - at:
            raise ModelError(f"field {number} must end inside its message, got a length of {length} bytes")
        yield number, message[at : at + length]
        at += length


def read_numbers(value: Value) -> list[int]:
    """Whole numbers with their signs, whether they are stored one by one or packed.

    Raises:
        ModelError: They are cut short.
    """
    if isinstance(value, int):
        return [_signed(value)]
    numbers, at = [], 0
    while at < len(value):
        number, at = _read_varint(value, at)
        numbers.append(_signed(number))
    return numbers


def count_numbers(value: Value, *, size_bytes: int | None = None) -> int:
    """How many numbers a field holds, without reading them.

    Args:
        value: One number, or several packed.
        size_bytes: Of each; None where each takes as much as it needs.
    """
    if isinstance(value, int):
        return 1
    if size_bytes is not None:
        return len(value) // size_bytes
    return len(bytes(value).translate(None, delete=_GOES_ON))


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number, and where the next byte lies."""
    if at < len(message) and message[at] < 0x80:  # most are
        return message[at], at + 1
    number = 0
    for place, byte in enumerate(message[at : at + _MAX_VARINT_BYTES]):
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
    raise ModelError("a number of protobuf must end within 10 bytes and inside its message")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
