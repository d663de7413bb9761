"""A body that is sent piece by piece, and how much of it a server has asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Self


class Sending(AsyncIterator[bytes]):
    """Pieces of a mebibyte without an end."""

    def __init__(self) -> None:
        self.pieces = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self.pieces += 1
        assert self.pieces < 100, "a server reads for ever"
        return b" " * 2**20
