"""One suite over the port's two sides: the ledger in the store, and the double."""

from datetime import timedelta

import pytest

from hubyard.contract.entry import EndReason, Settlement
from hubyard.contract.workload import Kind
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from hubyard_spawner.meter import MemoryMeter
from support.lines import START, entry


def settlement(of, **changes):
    values = {
        "entry_id": of.id,
        "ended_at": START + timedelta(minutes=30),
        "exact": True,
        "reason": EndReason.EXITED,
    }
    return Settlement(**{**values, **changes})


@pytest.fixture(params=["ledger", "memory"])
def meter(request, tmp_path):
    if request.param == "memory":
        yield MemoryMeter()
        return
    store = Store(f"sqlite:///{tmp_path / 'hubyard.sqlite'}")
    store.migrate()
    yield Ledger(store)
    store.close()


def test_an_entry_is_kept_as_it_was_written(meter):
    written = entry()
    meter.open(written)
    assert meter.entry(written.id) == written
    assert meter.entry("unknown") is None


def test_open_entries_are_those_without_an_end(meter):
    first = entry()
    second = entry(owner="bo", kind=Kind.APP, started_at=START + timedelta(seconds=1))
    for each in (first, second):
        meter.open(each)
    assert meter.open_entries() == [first, second]
    assert meter.open_entries("bo", "app-x") == [second]
    assert meter.open_entries("bo", "") == []
    meter.settle(settlement(first))
    assert meter.open_entries() == [second]


def test_the_first_to_notice_an_end_settles_it(meter):
    written = entry()
    meter.open(written)
    assert meter.settle(settlement(written))
    assert not meter.settle(settlement(written, reason=EndReason.LOST))


def test_the_newest_sighting_is_remembered(meter):
    written = entry()
    meter.open(written)
    assert meter.last_seen(written.id) is None
    meter.saw(written.id, START)
    later = START + timedelta(minutes=1)
    meter.saw(written.id, later)
    assert meter.last_seen(written.id) == later
