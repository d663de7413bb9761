"""Fields: how much a protobuf message becomes when it is parsed, told from its bytes.

A megabyte of empty spans is half a million objects. The bytes are walked as the message
type says, and no further than is taken.
Format: https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

MOST_FIELDS = 200_000
DEEPEST = 64
_VARINT, _LONG, _TEXT, _SHORT = 0, 1, 2, 5
_WIDTHS = {_LONG: 8, _SHORT: 4}


class Excessive(ValueError):
    """It holds more fields than are taken, or they are too deep."""


class _Broken(ValueError):
    """It is no message; its parser says so."""


def check_fields(message: bytes, kind: Descriptor) -> None:
    """Accept a message for parsing. Whether it is one at all the parser says.

    Raises:
        Excessive: it is more than is taken.
    """
    walk = _Walk(message)
    try:
        walk.message(0, len(message), kind, 0)
    except (_Broken, IndexError):
        return


class _Walk:
    def __init__(self, message: bytes) -> None:
        self._bytes = message
        self._left = MOST_FIELDS

    def message(self, at: int, end: int, kind: Descriptor, depth: int) -> None:
        """Walk one message that lies between two places."""
        if depth > DEEPEST:
            raise Excessive
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise Excessive
            tag, at = self._number(at)
            if tag & 7 == _TEXT:
                size, at = self._number(at)
                field = kind.fields_by_number.get(tag >> 3)
                if field is not None and field.message_type is not None:
                    self.message(at, min(at + size, end), field.message_type, depth + 1)
                at += size
            else:
                at = self._after(at, tag & 7)

    def _after(self, at: int, wire: int) -> int:
        """Where the next field begins."""
        if wire == _VARINT:
            return self._number(at)[1]
        if wire not in _WIDTHS:
            raise _Broken
        return at + _WIDTHS[wire]

    def _number(self, at: int) -> tuple[int, int]:
        """A number of seven bits a byte, and where it ends."""
        number = shift = 0
        while True:
            byte = self._bytes[at]
            number |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:  # noqa: PLR2004  the bit that says that there is more
                return number, at
            if shift > 63:  # noqa: PLR2004  no number has more bits
                raise _Broken
