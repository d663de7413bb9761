"""Attempts: how many wrong passwords are taken, and how long to wait after that.

Wrong passwords are counted by address and name together, and by address alone. Counts
go down by themselves, and a refused attempt adds nothing, so that no count can be held
up for ever. Nothing is counted by name alone: a stranger could shut anybody out.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubyard.contract.errors import TooOften

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable

_MOST_KEPT = 50_000
"""Counts that are kept, about 10 MB of them; the one unused for longest goes first."""


class TooManyAttempts(TooOften):
    """Too many of something came from one address."""

    def __init__(self, what: str, wait_s: float) -> None:
        self.wait_s = math.ceil(wait_s)
        super().__init__(f"Too many {what} came from here: wait {self.wait_s} s.")


@dataclass(frozen=True)
class Limit:
    """So many at once; after that one more each `every_s` seconds."""

    most: int
    every_s: float


PAIR = Limit(most=10, every_s=30)
ADDRESS = Limit(most=100, every_s=6)
SIGN_UPS = Limit(most=50, every_s=60)


@dataclass(frozen=True)
class _Level:
    """How full a count was at some time."""

    height: float
    at_s: float


class Counts:
    """What was counted under each key."""

    def __init__(
        self, limit: Limit, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._levels: dict[Hashable, _Level] = {}

    def __len__(self) -> int:
        return len(self._levels)

    def wait_s(self, key: Hashable) -> float:
        """Seconds until one more is taken; 0: now."""
        over = self._height(key) + 1 - self._limit.most
        return max(over, 0) * self._limit.every_s

    def add(self, key: Hashable) -> None:
        """Count one."""
        self._put(key, self._height(key) + 1)
        self._forget()

    def take_back(self, key: Hashable) -> None:
        """Count one no more."""
        self._put(key, self._height(key) - 1)

    def clear(self, key: Hashable) -> None:
        """Begin anew."""
        self._levels.pop(key, None)

    def _height(self, key: Hashable) -> float:
        level = self._levels.get(key)
        if level is None:
            return 0
        gone = (self._clock() - level.at_s) / self._limit.every_s
        return max(level.height - gone, 0)

    def _put(self, key: Hashable, height: float) -> None:
        self.clear(key)  # what is put last stands last
        if height > 0:
            self._levels[key] = _Level(height, self._clock())

    def _forget(self) -> None:
        """Drop counts that are down, and the oldest of too many."""
        longest_s = self._limit.most * self._limit.every_s
        while self._levels:
            oldest = next(iter(self._levels))
            is_down = self._clock() - self._levels[oldest].at_s > longest_s
            if not is_down and len(self._levels) <= _MOST_KEPT:
                return
            del self._levels[oldest]


class Attempts:
    """The wrong passwords of late."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pairs = Counts(PAIR, clock)
        self._addresses = Counts(ADDRESS, clock)
        self._sign_ups = Counts(SIGN_UPS, clock)

    def count_sign_up(self, address: str) -> None:
        """Count somebody who signs up.

        Raises:
            TooManyAttempts: too many have come from this address.
        """
        if wait_s := self._sign_ups.wait_s(address):
            raise TooManyAttempts("sign-ups", wait_s)
        self._sign_ups.add(address)

    @contextmanager
    def one(
        self, address: str, name: str, device: str = ""
    ) -> Generator[Callable[[], None]]:
        """Try one password; the caller calls what it is given when it was right.

        It is counted before it is tried, so that a hundred at once are a hundred.

        Args:
            address: where it came from.
            name: whose password it may be.
            device: a browser that this person has signed in with before.

        Raises:
            TooManyAttempts: nothing may be tried now.
        """
        pair = (device or address, name)
        waits_s = [self._pairs.wait_s(pair)]
        waits_s += [] if device else [self._addresses.wait_s(address)]
        if any(waits_s):
            raise TooManyAttempts("wrong passwords", max(waits_s))
        self._pairs.add(pair)
        self._addresses.add(address)

        def right() -> None:
            self._pairs.clear(pair)
            self._addresses.take_back(address)

        yield right
