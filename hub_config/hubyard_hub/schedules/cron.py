"""Cron: five fields and a time zone, their next fires and their words.

wall      what the clock of the time zone shows: no gap, and an overlap twice
wildcard  a cron whose minute or hour starts with `*`: due whenever the wall shows it
fixed     any other: due at the end of a gap that it is in, and once in an overlap

That is Debian's meaning. cronsim 2.8 only matches the fields, on the wall: given a time
zone it loses fires, or goes back in time for ever, where clocks change by no whole hour
or not on one. Fires are in UTC.
"""

from __future__ import annotations

import zoneinfo
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, islice, takewhile
from typing import TYPE_CHECKING

from cronsim import CronSim, CronSimError

from hubyard.contract.base import now
from hubyard.contract.errors import Invalid
from hubyard_hub.schedules.cron_words import mistake_in, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST = 256
_FIELDS = 5
_MINUTE = timedelta(minutes=1)
_MONTH = timedelta(days=365.25 / 12)
_LOOK_BACK = (
    timedelta(hours=1),
    timedelta(days=2),
    timedelta(days=60),
    timedelta(days=800),
)


@dataclass(frozen=True)
class Cron:
    """A checked cron in its time zone."""

    text: str
    zone: str

    @classmethod
    def parse(cls, text: str, zone: str) -> Cron:
        """Check a cron and a time zone.

        Raises:
            Invalid: naming what is wrong and what to write.
        """
        if len(text) > _LONGEST or not (text.isascii() and text.isprintable()):
            raise Invalid(
                f"A cron is at most {_LONGEST} plain characters.", field="cron"
            )
        if len(text.split()) != _FIELDS:
            raise Invalid(
                "A cron has five fields: minute, hour, day of month, month, day of "
                "week; such as 30 2 * * 1-5.",
                field="cron",
            )
        try:
            cron = cls(" ".join(text.split()), zone_of(zone).key)
            first = next(cron.fires(now()), None)
        except (CronSimError, ValueError):
            why = mistake_in(text)
            raise Invalid(f"The cron cannot be used: {why}.", field="cron") from None
        if first is None:
            raise Invalid("The cron never comes due.", field="cron")
        return cron

    def fires(self, after: datetime) -> Iterator[datetime]:
        """The due times later than a moment, in UTC; may end where no more come."""
        zone = zone_of(self.zone)
        walls = CronSim(self.text, _wall_before(after, zone))
        shown = _whenever_shown if self._wildcard else _once
        newest = after
        for due in shown(walls, zone):
            if due > newest:
                newest = due
                yield due

    @property
    def _wildcard(self) -> bool:
        minute, hour, *_ = self.text.split()
        return minute.startswith("*") or hour.startswith("*")

    def next(self, after: datetime, count: int) -> tuple[datetime, ...]:
        """The first `count` due times later than a moment."""
        return tuple(islice(self.fires(after), count))

    def come(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """The due times from `since`, which is one itself, to `until`."""
        return takewhile(lambda due: due <= until, chain([since], self.fires(since)))

    def newest(
        self, since: datetime, until: datetime, count: int
    ) -> tuple[datetime, ...]:
        """The last of `come`, at most `count`, the oldest first.

        Looks back a little first: a minutely cron may have missed a year of fires.
        """
        for start in (until - span for span in _LOOK_BACK):
            if start > since:
                later = takewhile(lambda due: due <= until, self.fires(start))
                found = deque(later, count)
                if len(found) == count:
                    return tuple(found)
        return tuple(deque(self.come(since, until), count))

    def per_month(self, after: datetime) -> int:
        """How many times it comes due in an average month from a moment on."""
        until = after + _MONTH
        return sum(1 for _ in takewhile(lambda fire: fire < until, self.fires(after)))

    @property
    def words(self) -> str:
        """What it says, in English and with 24 hours."""
        return words_of(self.text)


def _wall_before(moment: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    """A wall from which on all is shown that is shown later than a moment."""
    wall = moment.astimezone(zone).replace(tzinfo=None)
    first, last = _as_shown(wall, zone)
    return wall - (last - first)


def _whenever_shown(
    walls: Iterable[datetime], zone: zoneinfo.ZoneInfo
) -> Iterator[datetime]:
    """The moments that show one of the walls, in order."""
    again: deque[datetime] = deque()
    for wall in walls:
        first, last = _as_shown(wall, zone)
        while again and again[0] < first:
            yield again.popleft()
        if first <= last:
            yield first
        if first < last:
            again.append(last)
    yield from again


def _once(walls: Iterable[datetime], zone: zoneinfo.ZoneInfo) -> Iterator[datetime]:
    """The first moment of each wall, and the end of the gap for one that is in it."""
    for wall in walls:
        shown = wall
        while (moments := _as_shown(shown, zone))[0] > moments[1]:
            shown += _MINUTE
        yield moments[0]


def _as_shown(wall: datetime, zone: zoneinfo.ZoneInfo) -> tuple[datetime, datetime]:
    """The first and last moment that show a wall; in a gap the last is before."""
    shown = wall.replace(tzinfo=zone)
    return shown.astimezone(UTC), shown.replace(fold=1).astimezone(UTC)


@lru_cache(maxsize=1000)
def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of that name; Invalid where there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            f"There is no time zone {name[:64]!r}: write one such as Europe/Berlin.",
            field="time_zone",
        ) from None
