"""A PostgreSQL that accepts and never answers, or stops to answer half-way."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from hubyard.contract.errors import Unavailable
from hubyard_hub.store import Store, connecting, insert_once, tables
from support.patience import SOON_S, until
from support.stores import postgresql
from unit.hubyard_hub.test_store import an_entry

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["postgresql"]  # a fixture


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_S", 2)
    monkeypatch.setitem(connecting._CLIENT_LIMITS, "connect_timeout", 2)
    monkeypatch.setattr(connecting.Patient, "answer_s", 2.0)


@pytest.fixture
def mute() -> Iterator[str]:
    """A server that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        port = server.getsockname()[1]
        yield f"postgresql://hubyard@127.0.0.1:{port}/hubyard"


@contextlib.contextmanager
def stopped(server: Any) -> Iterator[None]:
    """A server whose processes are all stopped: it takes connections, and is silent."""
    head = int((Path(server.data) / "postmaster.pid").read_text().split()[0])
    postmaster = psutil.Process(head)
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in family:
            process.resume()


@pytest.mark.usefixtures("short")
def test_a_server_that_never_answers_is_given_up(mute: str):
    store = Store(mute)
    began = time.monotonic()
    with pytest.raises(DBAPIError), store.read():
        pass
    assert time.monotonic() - began < SOON_S
    store.close()


@pytest.mark.usefixtures("short")
def test_while_it_is_silent_the_next_ones_are_refused_at_once(mute: str):
    store = Store(mute)
    with pytest.raises(DBAPIError), store.read():
        pass
    for ask in (store.read, store.write):
        with pytest.raises(Unavailable, match="does not answer"), ask():
            pass
    store.close()


@pytest.mark.usefixtures("short")
def test_what_goes_silent_half_way_is_given_up_and_comes_back(postgresql: Any):
    store = Store(postgresql.url("stopped"))
    store.migrate()
    with store.read() as connection:  # its connection stays in the pool
        connection.execute(text("SELECT 1"))
    with stopped(postgresql):
        began = time.monotonic()
        with pytest.raises((DBAPIError, Unavailable)):
            store.atomically(lambda c: insert_once(c, tables.entries, an_entry()))
        assert time.monotonic() - began < SOON_S

    def kept() -> bool:
        try:
            store.atomically(lambda c: insert_once(c, tables.entries, an_entry()))
        except (DBAPIError, Unavailable):
            return False
        return True

    until(kept)
    store.close()


@pytest.mark.usefixtures("short")
def test_the_statement_itself_may_go_silent(postgresql: Any):
    store = Store(postgresql.url("asleep"))
    with pytest.raises(DBAPIError, match="No answer for"), store.read() as connection:
        connection.execute(text("SELECT pg_sleep(60)"))
    with pytest.raises(Unavailable), store.read():
        pass
    store.close()


def test_the_server_gives_up_what_takes_too_long(
    postgresql: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connecting._SERVER_LIMITS, "statement_timeout", "1s")
    store = Store(postgresql.url("slow"))
    late = pytest.raises(DBAPIError, match="statement timeout")
    with late, store.read() as connection:
        connection.execute(text("SELECT pg_sleep(60)"))
    with store.read() as connection:  # it was slow and not silent
        connection.execute(text("SELECT 1"))
    store.close()


def test_nobody_waits_for_ever_for_a_lock(
    postgresql: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connecting._SERVER_LIMITS, "lock_timeout", "1s")
    store = Store(postgresql.url("locked"))
    lock = text("SELECT pg_advisory_xact_lock(1)")
    with store.write() as holder:
        holder.execute(lock)
        late = pytest.raises(DBAPIError, match="lock timeout")
        with late, store.write() as other:
            other.execute(lock)
    store.close()


def test_a_migration_may_take_its_time(
    postgresql: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connecting.Patient, "answer_s", 0.5)
    monkeypatch.setitem(connecting._SERVER_LIMITS, "lock_timeout", "500ms")
    url = postgresql.url("migrated")
    # Whoever migrates has this lock: the second one waits until the first is over.
    with create_engine(url.replace("://", "+psycopg://")).begin() as other:
        other.execute(text(f"SELECT pg_advisory_xact_lock({0x48756279})"))
        store = Store(url)
        second = threading.Thread(target=store.migrate)
        second.start()
        second.join(2)
        assert second.is_alive()
    second.join()
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM runs")).scalar_one() == 0
    store.close()


def test_the_url_may_say_otherwise(postgresql: Any):
    store = Store(postgresql.url("otherwise") + "?keepalives_idle=77")
    with store.read() as connection:
        driver: Any = connection.connection.driver_connection
        own = {o.keyword: o.val for o in driver.pgconn.info if o.val}
    assert own[b"keepalives_idle"] == b"77"
    assert own[b"keepalives_interval"] == b"5"
    store.close()
