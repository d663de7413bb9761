"""What the ledger answers: costs to the micro-unit, months and owners kept apart."""

from datetime import timedelta

import pytest

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason, Entry, Settlement
from hubyard.contract.workload import Kind, Limits, new_id
from hubyard_hub.ledger import Ledger
from hubyard_hub.store import Store


@pytest.fixture
def ledger(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'hubyard.sqlite'}")
    store.migrate()
    yield Ledger(store)
    store.close()


def opened(ledger, started_at, owner="ana", kind=Kind.WORKSPACE, price=3_600_000):
    entry = Entry(
        id=new_id(),
        owner=owner,
        server_name="" if kind is Kind.WORKSPACE else f"{kind}-x",
        kind=kind,
        compute="small",
        price_micros=price,
        currency="USD",
        lifetime_s=7200,
        limits=Limits.SOFT,
        started_at=started_at,
    )
    ledger.open(entry)
    return entry


def ended(ledger, entry, at, reason=EndReason.EXITED):
    ledger.settle(Settlement(entry_id=entry.id, ended_at=at, exact=True, reason=reason))


def test_spend_is_exact_to_the_second_and_by_kind(ledger):
    start = now().replace(microsecond=0)
    for kind, seconds in ((Kind.WORKSPACE, 100), (Kind.RUN, 7)):
        ended(ledger, opened(ledger, start, kind=kind), start + timedelta(0, seconds))
    spend = ledger.spend("ana", "USD")
    assert spend.by_kind[Kind.WORKSPACE].micros == 100_000
    assert spend.by_kind[Kind.RUN].micros == 7_000
    assert spend.total.micros == 107_000
    assert spend.per_hour.micros == 0
    assert [line.kind for line in spend.lines] == [Kind.RUN, Kind.WORKSPACE]


def test_what_still_runs_costs_until_now_and_by_the_hour(ledger):
    opened(ledger, now() - timedelta(seconds=10))
    spend = ledger.spend("ana", "USD")
    assert 10_000 <= spend.total.micros < 15_000
    assert spend.per_hour.micros == 3_600_000
    assert spend.lines[0].ended_at is None


def test_a_workload_over_the_turn_of_the_month_is_split(ledger):
    first = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    entry = opened(ledger, first - timedelta(seconds=60))
    ended(ledger, entry, first + timedelta(seconds=1))
    assert ledger.spend("ana", "USD").total.micros == 1_000
    older = opened(ledger, first - timedelta(days=2))
    ended(ledger, older, first - timedelta(days=1))
    assert ledger.spend("ana", "USD").total.micros == 1_000


def test_a_note_that_cannot_be_written_is_left_out_and_comes_later(tmp_path, caplog):
    store = Store(f"sqlite:///{tmp_path / 'hubyard.sqlite'}")
    store.migrate()
    ledger = Ledger(store)
    entry = opened(ledger, now())
    with store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE sightings RENAME TO hidden")
    ledger.saw(entry.id, now())
    assert "is not noted" in caplog.text
    with store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE hidden RENAME TO sightings")
    moment = now()
    ledger.saw(entry.id, moment)
    assert ledger.last_seen(entry.id) == moment
    store.close()


def test_nobody_pays_for_another(ledger):
    opened(ledger, now() - timedelta(seconds=10), owner="bo")
    assert ledger.spend("ana", "USD").total.micros == 0
    assert ledger.active("ana", "http://x") == []


def test_an_active_workload_shows_where_it_is_and_what_is_left(ledger):
    opened(ledger, now() - timedelta(seconds=10), kind=Kind.APP)
    (shown,) = ledger.active("ana", "http://hub")
    assert shown.url == "http://hub/user/ana/app-x/"
    assert 7180 <= shown.seconds_left <= 7190
    assert shown.cost.micros >= 10_000


def test_the_newest_line_of_a_server_name_is_found_with_its_end(ledger):
    start = now()
    first = opened(ledger, start)
    ended(ledger, first, start + timedelta(seconds=1), EndReason.LIFETIME)
    second = opened(ledger, start + timedelta(seconds=2))
    assert ledger.newest("ana", "") == (second, None)
    assert ledger.settlement(first.id).reason is EndReason.LIFETIME
    assert ledger.settlement("unknown") is None
    assert ledger.newest("ana", "run-none") is None


def test_a_workload_that_lives_is_noted_four_times_a_minute(ledger):
    began = now()
    entry = opened(ledger, began)
    seen = []
    for second in range(0, 61, 5):
        ledger.saw(entry.id, began + timedelta(seconds=second))
        seen.append((ledger.last_seen(entry.id) - began).total_seconds())
    assert seen == [0, 0, 0, 15, 15, 15, 30, 30, 30, 45, 45, 45, 60]
