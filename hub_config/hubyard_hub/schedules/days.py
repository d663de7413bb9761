"""Days: what of an owner's ran and comes due on each, in one time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain, takewhile
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from hubyard.contract.base import now
from hubyard.contract.calendar import (
    MOST_ENTRIES,
    MOST_SINGLE,
    Calendar,
    CalendarDay,
    Coming,
    Past,
)
from hubyard.contract.workload import Kind
from hubyard_hub.schedules.cron import Cron, zone_of
from hubyard_hub.store.tables import runs, schedules
from hubyard_hub.workloads.wishes import Wishes, all_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from hubyard_hub.parts import Parts
    from hubyard_hub.workloads.wishes import Bill, Row

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Day:
    """One day in a time zone: from `since` until before `until`."""

    day: date
    since: datetime
    until: datetime

    @classmethod
    def of(cls, day: date, zone: ZoneInfo) -> Day:
        """The day from its first moment, which need not be shown as 00:00."""
        since, until = (
            datetime.combine(each, time(), zone).astimezone(UTC)
            for each in (day, day + timedelta(days=1))
        )
        return cls(day, since, until)


class Days:
    """The days of everyone; every question names its owner."""

    def __init__(self, parts: Parts) -> None:
        self._store = parts.store
        self._wishes = Wishes(parts, Kind.RUN, runs)

    def calendar(
        self, owner: str, time_zone: str, first: date | None, days: int
    ) -> Calendar:
        """Some days from the first one on, or from today.

        Raises:
            Invalid: there is no such time zone.
        """
        zone = zone_of(time_zone)
        today = now().astimezone(zone).date()
        wanted = [
            Day.of((first or today) + timedelta(days=number), zone)
            for number in range(days)
        ]
        with self._store.read() as connection:
            waiting = _waiting(connection, owner, wanted[-1].until)
            ran = [_ran(connection, owner, day) for day in wanted]
        bills = self._wishes.bills(chain(*ran))
        shown = (
            _shown(day, past, bills, waiting, is_today=day.day == today)
            for day, past in zip(wanted, ran, strict=True)
        )
        return Calendar(time_zone=zone.key, days=tuple(shown))


def _shown(
    day: Day,
    ran: list[Row],
    bills: Mapping[str, Bill],
    waiting: list[Row],
    *,
    is_today: bool,
) -> CalendarDay:
    past = (_past(row, bills[row["id"]]) for row in ran[:MOST_ENTRIES])
    coming = sorted(_coming(day, waiting), key=lambda each: each.at)
    return CalendarDay(
        **vars(day),
        today=is_today,
        past=tuple(sorted(past, key=lambda each: each.at)),
        coming=tuple(coming[:MOST_ENTRIES]),
        cut=max(len(ran), len(coming)) > MOST_ENTRIES,
    )


def _waiting(connection: Connection, owner: str, until: datetime) -> list[Row]:
    """The schedules that come due before a moment."""
    columns = schedules.c
    wanted = select(
        columns.id, columns.name, columns.cron, columns.time_zone, columns.next_fire
    ).where(
        columns.owner == owner,
        columns.paused.is_(other=False),
        columns.next_fire < until,
    )
    return all_rows(connection, wanted.order_by(columns.id))


def _coming(day: Day, waiting: list[Row]) -> Iterator[Coming]:
    for row in waiting:
        cron = Cron(row["cron"], row["time_zone"])
        for at, last_at, count in _due(
            cron, max(row["next_fire"], day.since), day.until
        ):
            yield Coming(
                schedule_id=row["id"],
                name=row["name"],
                text=cron.words,
                at=at,
                last_at=last_at,
                count=count,
            )


@lru_cache(maxsize=10_000)
def _due(
    cron: Cron, since: datetime, until: datetime
) -> tuple[tuple[datetime, datetime, int], ...]:
    """First and last of the due times that are one entry, and how many they are.

    A day to come has the same ones however often it is asked for.
    """
    fires = tuple(takewhile(lambda due: due < until, cron.fires(since - _MOMENT)))
    if len(fires) > MOST_SINGLE:
        return ((fires[0], fires[-1], len(fires)),)
    return tuple((fire, fire, 1) for fire in fires)


def _ran(connection: Connection, owner: str, day: Day) -> list[Row]:
    """The runs of a day, newest first; of many alike, the newest alone."""
    columns = runs.c
    alike = [columns.schedule_id, columns.name, columns.status]
    by_age = columns.created_at.desc(), columns.id.desc()
    of_day = (
        select(
            *(columns.id, columns.owner, columns.server_name, columns.compute),
            *(columns.past_entry_id, columns.started_at, columns.ended_at),
            *(columns.created_at, *alike),
            func.row_number().over(partition_by=alike, order_by=by_age).label("place"),
            func.count().over(partition_by=alike).label("many"),
            func.min(columns.created_at).over(partition_by=alike).label("first_at"),
        )
        .where(
            columns.owner == owner,
            columns.created_at >= day.since,
            columns.created_at < day.until,
        )
        .subquery()
    )
    is_shown = or_(of_day.c.many <= MOST_SINGLE, of_day.c.place == 1)
    newest = select(of_day).where(is_shown).order_by(of_day.c.created_at.desc())
    return all_rows(connection, newest.limit(MOST_ENTRIES + 1))


def _past(row: Row, bill: Bill) -> Past:
    many = row["many"] > MOST_SINGLE
    return Past(
        run_id=row["id"],
        name=row["name"],
        schedule_id=row["schedule_id"],
        status=row["status"],
        at=row["first_at"] if many else row["created_at"],
        last_at=row["created_at"],
        count=row["many"] if many else 1,
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        cost=None if many else bill.cost,
    )
