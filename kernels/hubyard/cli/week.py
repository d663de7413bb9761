"""`schedules --week`: what ran and what comes due in one week, day by day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hubyard.cli.show import show
from hubyard.contract.base import now
from hubyard.contract.calendar import Coming
from hubyard.contract.duration import duration_text
from hubyard.reading import day_of, zone_of
from hubyard.showing import run_status, table

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import OneOf
    from hubyard.client import Client
    from hubyard.contract.calendar import Calendar, Past

_TODAY = date.min
"""Whatever day it is in the time zone that is asked for."""


def add_week(parser: argparse.ArgumentParser, what: OneOf) -> None:
    """Ask for a week, and in which time zone."""
    what.add_argument(
        "--week",
        nargs="?",
        type=day_of,
        const=_TODAY,
        metavar="DAY",
        help="show what ran and what comes due in the week of a day; default: today",
    )
    parser.add_argument(
        "--tz",
        type=zone_of,
        default=ZoneInfo("UTC"),
        help="time zone of --week, such as Europe/Berlin",
    )


def show_week(arguments: argparse.Namespace, client: Client) -> int:
    """Show the week, from Monday on."""
    day: date = arguments.week
    if day == _TODAY:
        day = now().astimezone(arguments.tz).date()
    monday = day - timedelta(days=day.weekday())
    found = client.schedules.calendar(monday, 7, arguments.tz.key)
    return show(arguments, found, lambda: _table(found))


def _table(found: Calendar) -> list[str]:
    zone = ZoneInfo(found.time_zone)
    rows = [
        (
            "" if number else f"{day.day:%a %d %b}",
            _times(entry, zone),
            entry.name,
            _told(entry),
            "-" if isinstance(entry, Coming) or not entry.cost else entry.cost.text,
        )
        for day in found.days
        for number, entry in enumerate((*day.past, *day.coming))
    ]
    head = ("DAY", found.time_zone, "NAME", "STATUS", "COST")
    return table(head, rows, "Nothing ran and nothing comes due.")


def _times(entry: Past | Coming, zone: ZoneInfo) -> str:
    moments = [entry.at] if entry.count == 1 else [entry.at, entry.last_at]
    return "-".join(f"{each.astimezone(zone):%H:%M}" for each in moments)


def _told(entry: Past | Coming) -> str:
    """What became of an entry, or shall."""
    many = f"{entry.count} " if entry.count > 1 else ""
    if isinstance(entry, Coming):
        return f"{many}due"
    took = ""
    if entry.count == 1 and entry.started_at and entry.ended_at:
        seconds = (entry.ended_at - entry.started_at).total_seconds()
        took = f" in {duration_text(round(seconds))}"
    return f"{many}{run_status(entry.status)}{took}"
