"""Passwords: what can be one, and hashing them outside the hub's loop.

A hash takes a third of a second of one core. Two are made at a time, in threads, and
the addresses take turns: one that sends a hundred at once delays the others by one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import bcrypt

from hubyard.contract.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

_T = TypeVar("_T")

LONGEST_BYTES = 72
"""bcrypt takes no more."""
_AT_ONCE = 2
_NOBODYS = b"$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZrF1BsDcv2KGpF8jvxK0kRZf1kV6Oe"
"""Compared with where there is no account, so that the answer takes as long."""


def check_length(password: str) -> bytes:
    """The bytes that are hashed.

    Raises:
        Invalid: there are more than can be hashed.
    """
    encoded = password.encode()
    if len(encoded) > LONGEST_BYTES:
        raise Invalid(
            f"A password has at most {LONGEST_BYTES} bytes, this one {len(encoded)}: "
            "letters with accents count as two or more.",
            field="password",
        )
    return encoded


class Hasher:
    """Hashes and compares passwords in threads."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="password")
        self._turns = Turns(_AT_ONCE)

    async def hashed(self, password: str, address: str) -> bytes:
        """What is kept of a password.

        Raises:
            Invalid: it is too long.
        """
        encoded = check_length(password)
        return await self._run(address, _hashed, encoded)

    async def matches(self, password: str, kept: bytes | None, address: str) -> bool:
        """Whether this is the password; None: of nobody, which takes as long.

        Raises:
            Invalid: it is too long to be anybody's.
        """
        encoded = check_length(password)
        same = await self._run(address, bcrypt.checkpw, encoded, kept or _NOBODYS)
        return same and kept is not None

    async def _run(
        self, address: str, work: Callable[..., _T], *arguments: bytes
    ) -> _T:
        async with self._turns.of(address):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *arguments)


def _hashed(password: bytes) -> bytes:
    return bcrypt.hashpw(password, bcrypt.gensalt())


class Turns:
    """Lets a few work at a time, one address after the other."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def of(self, address: str) -> AsyncGenerator[None]:
        """Wait for a turn, and have it."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(address)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, address: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was just given to us
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give a turn to the next address; its other requests go to the end."""
        while self._waiting:
            address, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[address] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
