from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from hubyard.contract import run_record
from hubyard.contract.errors import NotFound, Unavailable
from hubyard.contract.run import RunRecord
from hubyard_runtime.run.patience import Patience
from hubyard_runtime.run.sink import Sink

FIRST = run_record.begun(datetime(2026, 11, 24, tzinfo=UTC))


def later(revision):
    return FIRST.model_copy(update={"revision": revision})


class Peer:
    """A platform that does as it is told; `errors` come first."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.taken = []
        self.open = threading.Event()
        self.open.set()

    def __call__(self, record):
        self.open.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(record.revision)


@pytest.fixture
def sink_to(tmp_path):
    made = []

    def make(peer):
        made.append(Sink(tmp_path / "record.json", peer, FIRST))
        return made[-1]

    yield make
    for sink in made:
        sink.close()


def kept(folder):
    return RunRecord.model_validate_json((folder / "record.json").read_text())


def test_each_record_is_on_disk_before_the_run_goes_on(sink_to, tmp_path):
    sink = sink_to(Peer())
    assert kept(tmp_path) == FIRST
    sink.put(later(2))
    assert kept(tmp_path) == later(2)
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"]


def test_a_slow_platform_is_sent_only_the_newest(sink_to):
    peer = Peer()
    peer.open.clear()
    sink = sink_to(peer)
    for revision in range(2, 50):
        sink.put(later(revision))
    assert not sink.is_settled(0)
    peer.open.set()
    assert sink.is_settled(5)
    assert peer.taken[-1] == 49
    assert len(peer.taken) <= 2


def test_a_platform_that_comes_back_is_told(sink_to):
    peer = Peer(Unavailable(), Unavailable())
    sink = sink_to(peer)
    sink.put(later(2))
    assert sink.is_settled(5)
    assert peer.taken == [2]


def test_a_refusal_is_not_repeated(sink_to, caplog):
    peer = Peer(NotFound("There is no such run."))
    sink = sink_to(peer)
    assert sink.is_settled(5)
    assert peer.taken == []
    assert "There is no such run." in caplog.text
    sink.put(later(2))
    assert sink.is_settled(5)
    assert peer.taken == [2]


def test_what_is_only_kept_is_not_sent(sink_to, tmp_path):
    peer = Peer()
    sink = sink_to(peer)
    assert sink.is_settled(5)
    sink.keep(later(2))
    assert sink.newest == kept(tmp_path) == later(2)
    assert sink.is_settled(0)
    assert peer.taken == [1]


def test_a_record_that_cannot_be_written_is_sent_all_the_same(tmp_path, caplog):
    peer = Peer()
    sink = Sink(tmp_path / "gone" / "record.json", peer, FIRST)
    assert sink.is_settled(5)
    assert peer.taken == [1]
    assert "could not be written" in caplog.text
    sink.close()


def test_patience_is_endless_until_it_is_stopped():
    patience = Patience(last_s=0.05)
    assert patience.until_stopped(0)
    assert patience.until_the_end(0)
    assert not patience.is_over
    patience.stop()
    assert patience.stopped
    assert not patience.until_stopped(10)
    assert patience.until_the_end(0.01)
    assert not patience.until_the_end(10)
