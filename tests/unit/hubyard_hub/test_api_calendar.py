"""The calendar: what ran and comes due on each day of whoever asks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from hubyard.contract.calendar import LONGEST_DAYS, MOST_ENTRIES, MOST_SINGLE
from hubyard.contract.workload import Status
from hubyard_hub.runs.wanted import Wanted, new_run
from hubyard_hub.schedules import days
from hubyard_hub.schedules.days import Day
from hubyard_hub.store.tables import runs, schedules
from support.lines import ended, opened
from support.platform import Caller, ada, app, bob, hub, parts, workload_of
from support.schedules import NOON, schedule_row
from support.stores import both_stores, database_url, postgresql

if TYPE_CHECKING:
    from hubyard_hub.parts import Parts
    from hubyard_hub.store import Store
    from support.platform import Stamped

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures
__all__ += ["both_stores", "database_url", "postgresql"]

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def tuesday_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "now", lambda: NOON)


def schedule(parts: Parts, **changes: Any) -> str:
    row = schedule_row(**changes)
    parts.store.atomically(lambda c: c.execute(insert(schedules).values(row)) and None)
    return row["id"]


def a_run(at: datetime, **changes: Any) -> dict[str, Any]:
    wanted = Wanted("train.ipynb", "0" * 64, {}, None)
    return {**new_run("ada", "train", "small", 60, wanted), "created_at": at, **changes}


def run(parts: Parts, at: datetime, **changes: Any) -> dict[str, Any]:
    row = a_run(at, **changes)
    parts.store.atomically(lambda c: c.execute(insert(runs).values(row)) and None)
    return row


def asked(caller: Caller, **query: Any) -> list[dict[str, Any]]:
    answer = caller.get("/calendar", params={"first": str(MONDAY), **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["days"]


def times(day: dict[str, Any]) -> list[str]:
    return [each["at"][11:16] for each in day["coming"]]


# -- days ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 29), "Europe/Berlin", 23),
        (date(2026, 10, 25), "Europe/Berlin", 25),
        (date(2026, 11, 24), "Europe/Berlin", 24),
        (date(2026, 4, 5), "Australia/Lord_Howe", 24.5),
        (date(2026, 4, 24), "Africa/Cairo", 23),  # from 00:00 to 01:00
        (date(2026, 10, 29), "Africa/Cairo", 25),  # from 24:00 to 23:00
        (date(2011, 12, 30), "Pacific/Apia", 0),  # never was
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(day: date, zone: str, hours: float):
    one, after = (
        Day.of(day + timedelta(days=each), ZoneInfo(zone)) for each in range(2)
    )
    assert one.until - one.since == timedelta(hours=hours)
    assert one.until == after.since
    if hours:
        last = one.until - timedelta(microseconds=1)
        shown = {each.astimezone(ZoneInfo(zone)).date() for each in (one.since, last)}
        assert shown == {day}


def test_a_week_is_told_from_its_first_day_in_the_zone_of_whoever_asks(ada: Caller):
    week = asked(ada, time_zone="Europe/Berlin")
    assert [each["day"] for each in week] == [f"2026-11-{n}" for n in range(23, 30)]
    assert week[0]["since"] == "2026-11-22T23:00:00Z"
    assert [each["today"] for each in week] == [False, True] + [False] * 5
    assert all(not each["past"] and not each["coming"] for each in week)


def test_it_begins_today_where_nobody_says_when(
    ada: Caller, monkeypatch: pytest.MonkeyPatch
):
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    monkeypatch.setattr(days, "now", lambda: late)
    answer = ada.get("/calendar", params={"time_zone": "Europe/Berlin", "days": 1})
    assert answer.json()["time_zone"] == "Europe/Berlin"
    assert [each["day"] for each in answer.json()["days"]] == ["2026-11-25"]


# -- what comes due --------------------------------------------------------------------


def test_fires_to_come_are_on_the_day_that_whoever_asks_has_then(
    ada: Caller, parts: Parts
):
    due = datetime(2026, 11, 24, 23, 15, tzinfo=UTC)
    id_ = schedule(parts, cron="15 23 * * *", next_fire=due, name="late")
    week = asked(ada, time_zone="Europe/Berlin")
    assert [len(each["coming"]) for each in week] == [0, 0, 1, 1, 1, 1, 1]
    assert week[2]["coming"] == [
        {
            "schedule_id": id_,
            "name": "late",
            "text": "At 23:15",
            "at": "2026-11-24T23:15:00Z",
            "last_at": "2026-11-24T23:15:00Z",
            "count": 1,
        }
    ]


@pytest.mark.parametrize(
    ("cron", "day", "came"),
    [
        ("30 2 * * *", date(2026, 3, 29), ["01:00"]),  # 02:30 is not there: at 03:00
        ("30 2 * * *", date(2026, 10, 25), ["00:30"]),  # it is there twice: once
        ("0 0,12 * * *", date(2026, 10, 25), ["22:00", "11:00"]),
        ("59 23 * * *", date(2026, 10, 25), ["22:59"]),
    ],
)
def test_a_day_on_which_clocks_change_has_its_fires_once(
    ada: Caller, parts: Parts, cron: str, day: date, came: list[str]
):
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    schedule(parts, cron=cron, time_zone="Europe/Berlin", next_fire=begin)
    (shown,) = asked(ada, first=str(day), days=1, time_zone="Europe/Berlin")
    assert times(shown) == came


@pytest.mark.parametrize(("day", "count"), [(29, 23 * 12), (30, 24 * 12)])
def test_many_fires_of_a_day_are_one_entry(
    ada: Caller, parts: Parts, day: int, count: int
):
    schedule(parts, cron="*/5 * * * *", next_fire=datetime(2026, 3, 1, tzinfo=UTC))
    first = f"2026-03-{day}"
    (shown,) = asked(ada, first=first, days=1, time_zone="Europe/Berlin")
    (entry,) = shown["coming"]
    assert (entry["count"], entry["text"]) == (count, "Every 5 minutes")
    assert (entry["at"], entry["last_at"][11:16]) == (shown["since"], "21:55")


def test_as_many_as_are_an_entry_each_stand_in_their_order(ada: Caller, parts: Parts):
    schedule(parts, cron="0 */4 * * *", next_fire=NOON)
    schedule(parts, cron="30 13 * * *", next_fire=NOON + timedelta(minutes=90))
    _, today, tomorrow, *_ = asked(ada)
    assert times(today) == ["12:00", "13:30", "16:00", "20:00"]
    assert len(times(tomorrow)) == MOST_SINGLE + 1
    assert {each["count"] for each in tomorrow["coming"]} == {1}


def test_what_is_paused_or_woken_by_a_trigger_does_not_come_due(
    ada: Caller, parts: Parts
):
    schedule(parts, paused=True)
    schedule(parts, cron="", trigger={"webhook": True}, next_fire=None)
    assert not any(each["coming"] for each in asked(ada))


# -- what ran --------------------------------------------------------------------------


def test_a_run_is_told_with_its_end_and_cost(ada: Caller, parts: Parts):
    at = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    told = run(parts, at, status=Status.SUCCEEDED, started_at=at, ended_at=NOON)
    name = told["server_name"]
    entry = opened(parts.ledger, at, owner="ada", server_name=name, price_micros=10**6)
    ended(parts.ledger, entry, at + timedelta(hours=1))
    monday, *_ = asked(ada, time_zone="Europe/Berlin")
    (shown,) = monday["past"]
    assert shown["run_id"] == told["id"]
    assert (shown["name"], shown["status"]) == ("train", "succeeded")
    assert (shown["at"], shown["started_at"]) == ("2026-11-23T01:30:00Z",) * 2
    assert shown["ended_at"] == "2026-11-24T12:00:00Z"
    assert shown["cost"]["text"] == "$1.00"


def test_a_run_that_waits_is_told_too_and_has_cost_nothing(ada: Caller, parts: Parts):
    run(parts, NOON)
    (shown,) = asked(ada)[1]["past"]
    assert (shown["status"], shown["started_at"]) == ("pending", None)
    assert (shown["ended_at"], shown["cost"]) == (None, None)


def test_many_runs_alike_are_one_entry_and_the_few_others_are_not(
    ada: Caller, parts: Parts
):
    at = [NOON + timedelta(minutes=each) for each in range(MOST_SINGLE + 3)]
    made = [
        run(
            parts,
            each,
            schedule_id="s1",
            status=Status.FAILED if n in {2, 5} else Status.SUCCEEDED,
        )
        for n, each in enumerate(at)
    ]
    shown = asked(ada)[1]["past"]
    folded = shown[0]
    assert folded["run_id"] == made[-1]["id"]
    assert [(each["status"], each["count"]) for each in shown] == [
        ("succeeded", MOST_SINGLE + 1),
        ("failed", 1),
        ("failed", 1),
    ]
    assert (folded["at"][11:16], folded["last_at"][11:16]) == ("12:00", "12:08")
    assert folded["cost"] is None


def test_both_databases_tell_many_from_few(both_stores: Store):
    for status in (Status.FAILED, *[Status.SUCCEEDED] * (MOST_SINGLE + 1)):
        row = a_run(NOON, status=status)
        both_stores.atomically(lambda c, row=row: c.execute(insert(runs).values(row)))
    with both_stores.read() as connection:
        found = days._ran(connection, "ada", Day.of(NOON.date(), BERLIN))
    assert {each["status"]: each["many"] for each in found} == {
        Status.FAILED: 1,
        Status.SUCCEEDED: MOST_SINGLE + 1,
    }
    assert {each["first_at"] for each in found} == {NOON}


def test_a_day_of_very_many_entries_says_that_there_are_more(ada: Caller, parts: Parts):
    for each in range(MOST_ENTRIES):
        run(parts, NOON, name=f"r{each}")
    assert asked(ada)[1]["cut"] is False
    run(parts, NOON, name="one more")
    shown = asked(ada)[1]
    assert (len(shown["past"]), shown["cut"]) == (MOST_ENTRIES, True)


# -- who may ask, and for what ---------------------------------------------------------


def test_nobody_sees_another_ones_days(ada: Caller, bob: Caller, parts: Parts):
    run(parts, NOON)
    schedule(parts)
    assert any(each["past"] for each in asked(ada))
    assert not any(each["past"] or each["coming"] for each in asked(bob))


def test_who_is_nobody_or_a_run_may_not_ask(app: Stamped, ada: Caller):
    assert Caller(app, None).get("/calendar").status_code == 403
    assert workload_of(ada, "run-1").get("/calendar").status_code == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"first": "1999-12-31"}, "first"),
        ({"first": "9999-12-31"}, "first"),
        ({"first": "soon"}, "first"),
        ({"days": 0}, "days"),
        ({"days": LONGEST_DAYS + 1}, "days"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"time_zone": "../x"}, "time_zone"),
    ],
)
def test_a_bad_range_is_refused_in_one_line(
    ada: Caller, query: dict[str, Any], field: str
):
    answer = ada.get("/calendar", params=query)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert "\n" not in answer.json()["message"]


def test_five_weeks_may_be_asked_for(ada: Caller):
    assert len(asked(ada, days=LONGEST_DAYS)) == LONGEST_DAYS
