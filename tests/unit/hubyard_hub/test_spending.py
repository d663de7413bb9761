"""Spending: a month added up in every way that people ask for, to the micro-unit."""

from datetime import UTC, datetime, timedelta

import pytest

from hubyard.contract.entry import EndReason
from hubyard.contract.identity import Identity
from hubyard.contract.workload import Kind
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.money.spending import NO_PROJECT, Spending
from hubyard_hub.money.usage import keep_measured
from hubyard_spawner.local.usage import Measured
from support.lines import ended, opened
from support.stores import store

__all__ = ["store"]  # fixtures

NOON = datetime(2026, 5, 8, 12, tzinfo=UTC)


@pytest.fixture
def ledger(store):
    return Ledger(store)


@pytest.fixture
def month(store):
    def asked(owner="ana", moment=NOON, currency="USD"):
        spending = Spending(store)
        if owner is None:
            return spending.everybody(currency, moment)
        return spending.of(Identity(name=owner), currency, moment)

    return asked


def ran(ledger, hours, *, started=NOON - timedelta(days=1), **more):
    """Something that ran for some hours, which cost 3.6 each."""
    entry = opened(ledger, started, **more)
    ended(ledger, entry, timedelta(hours=hours))
    return entry


def test_spend_is_exact_to_the_millisecond_and_by_kind(ledger, month):
    for kind, ms in ((Kind.WORKSPACE, 100_000), (Kind.RUN, 7)):
        entry = opened(ledger, NOON - timedelta(hours=1), kind=kind)
        ended(ledger, entry, timedelta(milliseconds=ms))
    spend = month()
    assert spend.by_kind[Kind.WORKSPACE].micros == 100_000
    assert spend.by_kind[Kind.RUN].micros == 7
    assert spend.by_kind[Kind.APP].micros == 0
    assert spend.total.micros == 100_007
    assert spend.per_hour.micros == 0
    assert [line.kind for line in spend.lines] == [Kind.RUN, Kind.WORKSPACE]
    assert [line.kind for line in spend.dearest] == [Kind.WORKSPACE, Kind.RUN]


def test_what_still_runs_costs_until_now_and_by_the_hour(ledger, month):
    opened(ledger, NOON - timedelta(seconds=10))
    spend = month()
    assert (spend.total.micros, spend.per_hour.micros) == (10_000, 3_600_000)
    (line,) = spend.lines
    assert (line.cost.micros, line.ended_at, line.name) == (10_000, None, "workspace")


def test_a_workload_over_the_turn_of_the_month_is_split(ledger, month):
    first = NOON.replace(day=1, hour=0)
    entry = opened(ledger, first - timedelta(seconds=60))
    ended(ledger, entry, first + timedelta(seconds=1))
    ran(ledger, 1, started=first - timedelta(days=2))
    spend = month()
    assert spend.total.micros == 1_000
    (line,) = spend.lines
    assert (line.cost.micros, line.cost_this_month.micros) == (61_000, 1_000)
    april = month(moment=first - timedelta(seconds=1))
    assert april.total.micros == 3_600_000 + 59_000


def test_nobody_pays_for_another_and_everybody_is_all(ledger, month):
    ran(ledger, 1, owner="ana", project="churn")
    ran(ledger, 3, owner="bo", compute="large")
    assert month("ana").total.micros == 3_600_000
    assert month("cy").total.micros == 0
    everybody = month(None)
    assert everybody.total.micros == 4 * 3_600_000
    shares = [(part.name, part.share) for part in everybody.by_owner]
    assert shares == [("bo", 0.75), ("ana", 0.25)]
    names = [part.name for part in everybody.by_project]
    assert names == [NO_PROJECT, "churn"]
    assert [part.name for part in everybody.by_compute] == ["large", "small"]


def test_each_day_has_its_own_and_together_they_are_the_month(ledger, month):
    ran(ledger, 30, started=NOON - timedelta(days=3))
    opened(ledger, NOON - timedelta(hours=1))
    spend = month()
    days = {day.day.day: day.cost.micros for day in spend.days}
    assert list(days) == list(range(1, 9))
    assert (days[5], days[6], days[8]) == (12 * 3_600_000, 18 * 3_600_000, 3_600_000)
    assert sum(days.values()) == spend.total.micros


def test_the_forecast_is_what_the_last_days_would_come_to(ledger, month):
    ran(ledger, 7, started=NOON - timedelta(days=3))
    left = (datetime(2026, 6, 1, tzinfo=UTC) - NOON) / timedelta(days=1)
    a_day = 3_600_000
    assert month().forecast.micros == 7 * 3_600_000 + round(a_day * left)
    first = NOON.replace(day=1, hour=0)
    assert month(moment=first).forecast.micros == 0


def test_money_of_another_currency_is_not_mixed_in(ledger, month):
    ran(ledger, 1, currency="EUR")
    assert month().total.micros == 0
    assert month(currency="EUR").total.micros == 3_600_000


def test_what_was_paid_for_nothing_is_told(store, ledger, month):
    entry = opened(ledger, NOON - timedelta(hours=1))
    with store.write() as connection:
        for minute, cores in ((10, 0.0), (20, 0.9), (30, 0.01)):
            at = entry.started_at + timedelta(minutes=minute)
            measured = Measured(600, cores, 2**20, None)
            keep_measured(connection, entry.id, at, measured)
            keep_measured(connection, entry.id, at, measured)
    spend = month()
    assert spend.unused.micros == 1200 * 1000
    assert spend.lines[0].unused == spend.unused


def test_an_end_that_is_not_exact_is_marked(ledger, month):
    entry = opened(ledger, NOON - timedelta(hours=1))
    ended(ledger, entry, NOON, EndReason.LOST, exact=False, latest_at=NOON)
    assert month().lines[0].exact is False


def test_the_dearest_are_ten_and_the_newest_a_hundred(ledger, month):
    for number in range(120):
        ran(ledger, number / 100, kind=Kind.RUN, server_name=f"run-{number}")
    spend = month()
    assert len(spend.lines) == 100
    assert [line.server_name for line in spend.dearest[:2]] == ["run-119", "run-118"]
    assert len(spend.dearest) == 10
