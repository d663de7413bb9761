"""What the ledger answers: starts, ends and their order, whatever clocks say."""

from datetime import timedelta

import pytest

from hubyard.contract.base import now
from hubyard.contract.budget import Account, BudgetRequest, Scope
from hubyard.contract.entry import EndReason
from hubyard.contract.workload import Kind
from hubyard_hub.money.budgets import Budgets, BudgetSpent
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from support.lines import START, ended, entry, opened
from support.months import BORDER, noon, stand_at

__all__ = ["noon", "stand_at"]  # fixtures


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'hubyard.sqlite'}")
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def ledger(store):
    return Ledger(store)


def test_a_note_that_cannot_be_written_is_left_out_and_comes_later(
    store, ledger, caplog
):
    written = opened(ledger)
    with store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE sightings RENAME TO hidden")
    ledger.saw(written.id, now())
    assert "is not noted" in caplog.text
    with store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE hidden RENAME TO sightings")
    moment = now()
    ledger.saw(written.id, moment)
    assert ledger.last_seen(written.id) == moment


def test_the_newest_line_of_a_server_name_is_found_with_its_end(ledger):
    first = opened(ledger)
    ended(ledger, first, timedelta(seconds=1), EndReason.LIFETIME)
    second = opened(ledger)
    newest = ledger.newest("ana", "")
    assert (newest.entry, newest.end) == (second, None)
    assert ledger.line(first.id).end.reason is EndReason.LIFETIME
    assert ledger.line("unknown") is None
    assert ledger.newest("ana", "run-none") is None
    assert ledger.open_lines("bo") == []


def test_the_newest_is_the_last_that_was_written_though_the_clock_went_back(ledger):
    opened(ledger, START)
    second = opened(ledger, START - timedelta(days=1))
    assert ledger.newest("ana", "").entry == second
    assert ledger.open_entries()[-1] == second


def test_a_line_ends_with_its_lifetime_where_nothing_else_is_decided(ledger):
    line = ledger.line(opened(ledger, START, lifetime_s=60).id)
    over = START + timedelta(seconds=60)
    assert (line.deadline.at, line.deadline.reason) == (over, EndReason.LIFETIME)
    assert line.lifetime_at == over
    assert line.cost_micros(START + timedelta(seconds=2)) == 2_000


def test_an_entry_written_twice_is_one_entry(ledger):
    """As when the answer to a commit is lost, and it is made again."""
    written = opened(ledger)
    ledger.open(written)
    assert ledger.open_entries() == [written]


@pytest.mark.usefixtures("noon")
def test_an_entry_that_no_budget_covers_leaves_nothing_behind(store, ledger):
    ana = Account(scope=Scope.USER, name="ana")
    Budgets(store).set(ana, BudgetRequest(amount=1), "USD", "root")
    with pytest.raises(BudgetSpent):
        ledger.open(entry(started_at=now()))
    assert ledger.open_entries() == []
    assert opened(ledger, price_micros=0) in ledger.open_entries()


def test_a_budget_pays_in_the_last_hour_for_what_is_left_of_its_month(
    store, ledger, stand_at
):
    stand_at(BORDER - timedelta(minutes=30))
    ana = Account(scope=Scope.USER, name="ana")
    Budgets(store).set(ana, BudgetRequest(amount=1.9), "USD", "root")
    assert opened(ledger) in ledger.open_entries(), "half an hour of two is in it"
    with pytest.raises(BudgetSpent):
        ledger.open(entry(started_at=now()))


def test_a_workload_that_lives_is_noted_four_times_a_minute(ledger):
    began = now()
    written = opened(ledger, began, kind=Kind.APP)
    seen = []
    for second in range(0, 61, 5):
        ledger.saw(written.id, began + timedelta(seconds=second))
        seen.append((ledger.last_seen(written.id) - began).total_seconds())
    assert seen == [0, 0, 0, 15, 15, 15, 30, 30, 30, 45, 45, 45, 60]
