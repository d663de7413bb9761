from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubyard.contract.errors import Invalid
from hubyard_hub.schedules import cron_words
from hubyard_hub.schedules.cron import Cron


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# What Debian's cron does around clock changes: cron | zone | from | fires, all in UTC.
ORACLE = """
New York springs forward at 07:00 UTC, so that day has no 02:30
30 2 * * *|America/New_York|2026-03-07T08:00|2026-03-08T07:00 2026-03-09T06:30

It falls back at 06:00 UTC: 01:30 is there twice, a fixed time fires once
30 1 * * *|America/New_York|2026-10-31T12:00|2026-11-01T05:30 2026-11-02T06:30
30 1 * * *|America/New_York|2026-11-01T06:15|2026-11-02T06:30

A granularity of minutes fires in both hours
*/30 1 * * *|America/New_York|2026-11-01T04:59|2026-11-01T05:00 2026-11-01T05:30
*/30 1 * * *|America/New_York|2026-11-01T05:45|2026-11-01T06:00 2026-11-01T06:30
0 * * * *|Europe/Berlin|2026-10-24T23:30|2026-10-25T00:00 2026-10-25T01:00
0 * * * *|Europe/Berlin|2026-03-29T00:30|2026-03-29T01:00 2026-03-29T02:00
30 2 * * *|Europe/Berlin|2026-10-24T12:00|2026-10-25T00:30 2026-10-26T01:30
30 2 * * *|Europe/Berlin|2026-03-28T12:00|2026-03-29T01:00 2026-03-30T00:30

Lord Howe moves by half an hour, Cairo at midnight
15 2 * * *|Australia/Lord_Howe|2026-10-03T00:00|2026-10-03T15:30 2026-10-04T15:15
30 0 * * *|Africa/Cairo|2026-04-23T00:00|2026-04-23T22:00 2026-04-24T21:30

Quarter hours, both names of Sunday, either day, leap years
0 0 1 1 *|Asia/Kathmandu|2026-06-01T00:00|2026-12-31T18:15
0 9 * * 7|UTC|2026-11-24T00:00|2026-11-29T09:00
0 9 * * 0|UTC|2026-11-24T00:00|2026-11-29T09:00
0 9 13 * 5|UTC|2026-12-09T00:00|2026-12-11T09:00 2026-12-13T09:00
0 0 29 2 *|UTC|2026-11-24T00:00|2028-02-29T00:00
"""


@pytest.mark.parametrize("row", [line for line in ORACLE.splitlines() if "|" in line])
def test_fires_around_clock_changes(row: str):
    text, zone, since, expected = row.split("|")
    wanted = [utc(moment) for moment in expected.split()]
    assert list(Cron.parse(text, zone).next(utc(since), len(wanted))) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "* * * * * *",
        "@daily",
        "R * * * *",
        "60 * * * *",
        "* 24 * * *",
        "0 22-2 * * *",
        "0 0 30 2 *",
        "0 0 * * 8",
        "0 0 * * MON#6",
        "*/0 * * * *",
        "a b c d e",
        "\u0661 * * * *",
        "* * * *\t*",
        "* * * *\n*",
        "* * * * *\0",
        "1," * 200 + "1 * * * *",
        "- - - - -",
        "1-2-3 * * * *",
        ", * * * *",
        "0 0 * * 5L/2",
    ],
)
def test_nonsense_is_refused_with_the_field_named(text: str):
    with pytest.raises(Invalid) as caught:
        Cron.parse(text, "UTC")
    assert caught.value.field == "cron"


@pytest.mark.parametrize(
    "zone",
    ["", "Mars", "Europe", "../etc/passwd", "/etc/passwd", "a\0", "Europe/Berlin "],
)
def test_a_zone_that_is_none_is_refused(zone: str):
    with pytest.raises(Invalid) as caught:
        Cron.parse("* * * * *", zone)
    assert caught.value.field == "time_zone"


@pytest.mark.parametrize("text", ["0 0 LW 1 */7", "* 0 LW 1 */7"])
def test_a_cron_that_never_comes_due_is_refused(text: str):
    """The last working day of a month is no Sunday."""
    with pytest.raises(Invalid, match="never comes due"):
        Cron.parse(text, "Europe/Berlin")


def test_spaces_are_tidied():
    assert Cron.parse("  0  0 * *  1 ", "UTC").text == "0 0 * * 1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30 2 * * 1-5", "At 02:30, Monday through Friday"),
        ("*/30 * * * *", "Every 30 minutes"),
        ("0 21 * * *", "At 21:00"),
        ("*/61 * * * *", "Every hour"),
        ("*/60 * * * *", "Every hour"),
        ("*/1 * * * *", "Every minute"),
        ("*/45 * * * *", "At 0 and 45 minutes past the hour"),
        ("5/20 * * * *", "At 5, 25, and 45 minutes past the hour"),
        ("0-30/20 3 * * *", "At 0 and 20 minutes past the hour, at 03:00"),
        ("0 */5 * * *", "At 00:00, 05:00, 10:00, 15:00 and 20:00"),
        ("0 */8 * * *", "Every 8 hours"),
        ("0 */24 * * *", "At 00:00"),
        ("0 0 */10 * *", "At 00:00, on day 1, 11, 21, and 31 of the month"),
        ("0 0 1 */5 *", "At 00:00, on day 1 of the month, only in January, June, and"),
        ("0 0 1 */3 *", "At 00:00, on day 1 of the month, every 3 months"),
        ("0 0 * * */3", "At 00:00, only on Sunday, Wednesday, and Saturday"),
        ("0 0 * * */7", "At 00:00, only on Sunday"),
        ("0 0 1 * 1", "At 00:00, on day 1 of the month, or on Monday"),
        (
            "0 0 1,15 * 1-5",
            "At 00:00, on day 1 and 15 of the month, or Monday through Friday",
        ),
        ("0 0 */15 * 1", "At 00:00, on day 1, 16, and 31 of the month, and only on Mo"),
        ("0 0 1 6 0", "At 00:00, on day 1 of the month, or on Sunday, only in June"),
    ],
)
def test_words(text: str, words: str):
    said = Cron.parse(text, "UTC").words
    assert said[: len(words)] == words


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("61 * * * *", "its minute is '61': write 0 to 59, such as"),
        ("x * * * *", "its minute is 'X': write 0 to 59"),
        ("*/0 * * * *", "its minute is '*/0': write 0 to 59"),
        ("0 24 * * *", "its hour is '24': write 0 to 23"),
        ("0 0 32 * *", "its day of month is '32': write 1 to 31"),
        ("0 0 * 13 *", "its month is '13': write 1 to 12 or JAN to DEC"),
        ("0 0 * * 8", "its day of week is '8': write 0 to 7 or SUN to SAT"),
        ("0 0 * * 5#6", "its day of week is '5#6': write"),
        ("0 0 31 2 *", "none of its months has so many days"),
        ("0-1-2 * * * *", "its minute is '0-1-2'"),
        ("1,2,3,4,5,6,70 * * * *", "its minute is '1,2,3,4,5...'"),
    ],
)
def test_what_is_wrong_names_the_field_and_its_range(text: str, why: str):
    with pytest.raises(Invalid) as caught:
        Cron.parse(text, "UTC")
    assert why in caught.value.message


def test_words_that_fail_are_the_cron_itself(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> str:
        raise IndexError

    monkeypatch.setattr(cron_words, "get_description", fail)
    assert Cron.parse("0 0 * * 1", "UTC").words == "0 0 * * 1"


@pytest.mark.parametrize(
    ("text", "count"),
    [("* * * * *", 43_830), ("0 * * * *", 731), ("0 0 * * *", 31), ("0 0 1 * *", 1)],
)
def test_fires_per_month(text: str, count: int):
    assert abs(Cron.parse(text, "UTC").per_month(utc("2026-11-24T00:00")) - count) <= 1


def test_a_rare_cron_may_have_no_fire_in_a_month():
    assert Cron.parse("0 0 29 2 *", "UTC").per_month(utc("2026-11-24T00:00")) == 0


@pytest.mark.parametrize(
    ("text", "due", "now", "newest"),
    [
        ("* * * * *", "2026-11-24T00:00", "2026-11-24T00:00", "2026-11-24T00:00"),
        ("* * * * *", "2026-11-24T00:00", "2026-11-24T00:07:30", "2026-11-24T00:07"),
        ("* * * * *", "2026-11-20T00:00", "2026-11-24T00:07:30", "2026-11-24T00:07"),
        ("0 0 * * *", "2026-11-20T00:00", "2026-11-24T12:00", "2026-11-24T00:00"),
        ("0 0 1 * *", "2026-09-01T00:00", "2026-11-24T12:00", "2026-11-01T00:00"),
        ("0 0 1 1 *", "2026-01-01T00:00", "2026-11-24T12:00", "2026-01-01T00:00"),
        ("0 0 29 2 *", "2020-02-29T00:00", "2026-11-24T12:00", "2024-02-29T00:00"),
        ("0 0 29 2 *", "2000-02-29T00:00", "2003-11-24T12:00", "2000-02-29T00:00"),
    ],
)
def test_the_newest_fire(text: str, due: str, now: str, newest: str):
    cron = Cron.parse(text, "UTC")
    assert cron.newest(utc(due), utc(now), 1) == (utc(newest),)
    come = tuple(cron.come(utc(due), utc(now)))[-3:]
    assert cron.newest(utc(due), utc(now), 3) == come


def test_the_newest_of_a_year_of_minutes_is_found_at_once():
    cron = Cron.parse("* * * * *", "Europe/Berlin")
    began = time.process_time()
    cron.newest(utc("2016-01-01T00:00"), utc("2026-11-24T00:00"), 101)
    assert time.process_time() - began < 0.5


FIELD = st.sampled_from(
    ["*", "*/2", "*/15", "0", "1", "5", "1-5", "2,3", "0-6/2", "3-6", "1,4-5"]
)
ZONES = st.sampled_from(
    [
        "UTC",
        "America/New_York",
        "Europe/Berlin",
        "Africa/Cairo",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Chatham",
        "America/Sao_Paulo",
        "Pacific/Apia",
    ]
)


@settings(max_examples=200)
@given(
    fields=st.tuples(FIELD, FIELD, FIELD, FIELD, FIELD),
    zone=ZONES,
    start=st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001  made UTC below
)
def test_fires_are_later_distinct_minutes_that_exist(
    fields: tuple[str, ...], zone: str, start: datetime
):
    try:
        cron = Cron.parse(" ".join(f.replace("0", "1") for f in fields), zone)
    except Invalid:
        return
    after = start.replace(tzinfo=UTC)
    fires = cron.next(after, 6)
    assert all(a < b for a, b in pairwise([after, *fires]))
    assert all(fire.second == fire.microsecond == 0 for fire in fires)
    assert all(fire.tzinfo is UTC for fire in fires)
    assert all(
        fire.astimezone(ZoneInfo(zone)).astimezone(UTC) == fire for fire in fires
    )


WORDS = st.text("0123456789*/,-L#W", min_size=1, max_size=5)


@settings(max_examples=500, deadline=timedelta(seconds=2))
@given(
    st.text("0123456789*/,-LW# MONTUEJAN", max_size=40)
    | st.text(max_size=60)
    | st.lists(WORDS, min_size=5, max_size=5).map(" ".join)
)
def test_any_text_is_a_cron_or_our_own_error(text: str):
    try:
        cron = Cron.parse(text, "America/New_York")
    except Invalid:
        return
    assert cron.words
    assert cron.next(datetime(2026, 1, 1, tzinfo=UTC), 3)
