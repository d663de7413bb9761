"""Our Cron beside Debian's: 540 cases round clock changes."""

from __future__ import annotations

from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

from hubyard_hub.schedules.cron import Cron
from support.debian_cron import (
    CHANGES,
    CRONS,
    ROUND,
    TABLE,
    fires,
    in_words,
    minutes_round,
    moment_of,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

HALF_AN_HOUR = timedelta(minutes=30)
ALL_CHANGES = [(zone, change) for zone, both in CHANGES.items() for change in both]


def cases() -> Iterator[tuple[str, str, str, str]]:
    """Zone, clock change, cron and its fires, as the table has them."""
    zone = change = ""
    for line in TABLE.read_text().splitlines():
        left, bar, told = line.partition(" |")
        if bar:
            yield zone, change, left, told.strip()
        else:
            zone, change = left.split()


def test_there_are_nine_zones_two_changes_and_thirty_crons():
    told = [case[:3] for case in cases()]
    assert told == [(*change, cron) for change in ALL_CHANGES for cron in CRONS]
    assert len(set(told)) == 540


def test_the_table_is_what_its_program_says():
    assert TABLE.read_text() == table()


@pytest.mark.parametrize(("zone", "change", "cron", "told"), list(cases()))
def test_fires_round_a_clock_change(zone: str, change: str, cron: str, told: str):
    moment = moment_of(change)
    come = Cron.parse(cron, zone).fires(moment - ROUND)
    assert in_words(takewhile(lambda due: due <= moment + ROUND, come)) == told


@pytest.mark.parametrize(("zone", "change"), ALL_CHANGES)
def test_the_next_fire_is_the_same_whenever_it_is_asked_for(zone: str, change: str):
    """Also in the middle of an overlap, and right at a gap."""
    moment = moment_of(change)
    minutes = minutes_round(zone, moment)
    for cron in CRONS:
        all_of_it = list(fires(cron, minutes))
        for after in (moment + number * HALF_AN_HOUR for number in range(-6, 7)):
            (due,) = Cron(cron, zone).next(after, 1)
            told = next((fire for fire in all_of_it if fire > after), None)
            assert due == told or (told is None and due > minutes[-1][0]), after
