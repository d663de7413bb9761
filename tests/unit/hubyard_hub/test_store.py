from __future__ import annotations

import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError, StatementError

from hubyard.contract.base import now
from hubyard.contract.budget import Scope
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store, insert_once, is_alone, tables
from support.lines import opened
from support.patience import until
from support.stores import both_stores, database_url, postgresql, store

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["both_stores", "database_url", "postgresql", "store"]  # fixtures


def an_entry(id_: str = "e1", **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "owner": "ada",
        "server_name": "run-1",
        "kind": "run",
        "compute": "small",
        "price_micros": 20_000,
        "currency": "USD",
        "lifetime_s": 60,
        "limits": "soft",
        "started_at": now(),
        **changes,
    }


def a_settlement(**changes: Any) -> dict[str, Any]:
    end = {"entry_id": "e1", "ended_at": now(), "exact": True, "reason": "exited"}
    return {**end, **changes}


def test_the_migrations_make_what_the_tables_say(both_stores: Store):
    with both_stores.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, tables.metadata) == []


def test_a_ledger_of_before_there_were_budgets_is_brought_along(database_url: str):
    store = Store(database_url)
    store.migrate("0001")
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    old = {column.name for column in tables.entries.c} & an_entry().keys()
    with store.write() as connection:
        for id_, hours in (("e2", 1), ("e1", 0), ("e3", 2)):
            row = an_entry(id_, started_at=noon + timedelta(hours=hours))
            kept = tables.entries.insert().values({n: row[n] for n in old})
            connection.execute(kept)
        ended = a_settlement(ended_at=noon + timedelta(minutes=30))
        connection.execute(insert(tables.settlements).values(**ended))
    store.migrate()
    ledger = Ledger(store)
    assert [each.id for each in ledger.open_entries()] == ["e2", "e3"]
    first = ledger.line("e1")
    assert first
    assert first.deadline.at == noon + timedelta(seconds=60)
    with store.read() as connection:
        cost = connection.execute(select(tables.settlements.c.cost_micros)).scalar()
        charged = connection.execute(select(tables.charges)).all()
    assert cost == first.cost_micros(noon) == 10_000
    assert sorted(charged) == [(id_, Scope.USER, "ada") for id_ in ("e1", "e2", "e3")]
    with pytest.raises(DBAPIError), store.write() as connection:
        connection.execute(delete(tables.entries))
    opened(ledger)
    newest = ledger.newest("ana", "")
    assert newest
    assert ledger.open_entries()[-1] == newest.entry
    store.close()


def test_many_may_migrate_at_once(database_url: str):
    program = "import sys; from hubyard_hub.store import Store\n"
    program += "Store(sys.argv[1]).migrate()"
    command = [sys.executable, "-c", program, database_url]
    others = [subprocess.Popen(command) for _ in range(2)]
    store = Store(database_url)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Store.migrate, [store, store]))
    assert [other.wait() for other in others] == [0, 0]
    with store.write() as connection:
        connection.execute(insert(tables.entries).values(**an_entry()))
    store.close()


def test_the_sqlite_file_is_for_this_user_alone(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path / 'hubyard.sqlite'}")
    store.migrate()
    with store.write() as connection:
        connection.execute(insert(tables.entries).values(**an_entry()))
        files = sorted(tmp_path.glob("hubyard.sqlite*"))
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    store.close()


@settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    moment=st.datetimes(
        min_value=datetime(1, 1, 3),  # noqa: DTZ001  the strategy adds the zones
        max_value=datetime(9998, 1, 1),  # noqa: DTZ001  the same
        timezones=st.timezones(),
    )
)
def test_a_moment_comes_back_exactly(store: Store, moment: datetime):
    source = {"owner": "ada", "digest": moment.isoformat(), "size_bytes": 1}
    with store.write() as connection:
        insert_once(connection, tables.sources, {**source, "created_at": moment})
        kept = connection.scalar(
            select(tables.sources.c.created_at).where(
                tables.sources.c.digest == source["digest"]
            )
        )
    # To Python a time that a zone leaves out, or has twice, equals no other.
    assert kept == moment.astimezone(UTC)
    assert kept.tzinfo is UTC


def test_moments_are_compared_in_the_database(both_stores: Store):
    early = now()
    rows = [
        an_entry("e1", started_at=early),
        an_entry("e2", started_at=early + timedelta(microseconds=1)),
    ]
    with both_stores.write() as connection:
        connection.execute(insert(tables.entries), rows)
        later = connection.scalars(
            select(tables.entries.c.id).where(tables.entries.c.started_at > early)
        ).all()
    assert later == ["e2"]


def test_a_word_that_is_none_is_refused(both_stores: Store):
    with pytest.raises(StatementError), both_stores.write() as connection:
        connection.execute(insert(tables.entries).values(**an_entry(kind="cow")))


@pytest.mark.parametrize("change", [update, delete])
@pytest.mark.parametrize("table", [tables.entries, tables.settlements])
def test_the_ledger_is_append_only(both_stores: Store, table: Any, change: Any):
    with both_stores.write() as connection:
        connection.execute(insert(tables.entries).values(**an_entry()))
        connection.execute(insert(tables.settlements).values(**a_settlement()))
    statement = change(table)
    if change is update:
        column = {"entries": "owner", "settlements": "reason"}[table.name]
        statement = statement.values({column: "lost"})
    with (
        pytest.raises(DBAPIError, match="append-only"),
        both_stores.write() as connection,
    ):
        connection.execute(statement)


def test_an_entry_is_settled_once(both_stores: Store):
    def settle(reason: str) -> bool:
        return both_stores.atomically(
            lambda c: insert_once(c, tables.settlements, a_settlement(reason=reason))
        )

    with both_stores.write() as connection:
        connection.execute(insert(tables.entries).values(**an_entry()))
    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(settle, ["exited", "killed", "stopped", "lost"]))
    assert sorted(won) == [False, False, False, True]


def test_a_failed_write_leaves_nothing(both_stores: Store):
    def half(connection: Any) -> None:
        connection.execute(insert(tables.entries).values(**an_entry()))
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError):
        both_stores.atomically(half)
    with both_stores.read() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.entries)) == 0


def test_writers_take_turns_and_lose_no_update(both_stores: Store):
    with both_stores.write() as connection:
        connection.execute(
            insert(tables.sources).values(
                owner="ada", digest="d", size_bytes=0, created_at=now()
            )
        )
    gate = threading.Barrier(4)

    def add(connection: Any) -> None:
        size = connection.scalar(select(tables.sources.c.size_bytes))
        connection.execute(update(tables.sources).values(size_bytes=size + 1))

    def add_some(_: int) -> None:
        gate.wait()
        for _ in range(5):
            both_stores.atomically(add)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_some, range(4)))
    with both_stores.read() as connection:
        assert connection.scalar(select(tables.sources.c.size_bytes)) == 20


def test_who_has_gone_silent_keeps_no_lock(
    postgresql: Any, monkeypatch: pytest.MonkeyPatch
):
    url = postgresql.url("silent")
    before = Store(url)
    before.migrate()  # which may take longer than that between two statements
    before.close()
    monkeypatch.setattr("hubyard_hub.store.connecting.IDLE_S", 1)
    silent, other = Store(url), Store(url)

    def hold() -> None:
        with silent.write() as connection:
            assert is_alone(connection, 7)
            assert not other.atomically(lambda c: is_alone(c, 7))
            until(lambda: other.atomically(lambda c: is_alone(c, 7)))

    with pytest.raises(DBAPIError):
        hold()
    assert silent.atomically(lambda c: is_alone(c, 7))
    silent.close()
    other.close()


def test_a_restarted_postgresql_loses_no_write(postgresql: Any):
    store = Store(postgresql.url("restarted"))
    store.migrate()
    postgresql.stop()
    starter = threading.Timer(0.3, postgresql.start)
    starter.start()
    kept = store.atomically(lambda c: insert_once(c, tables.entries, an_entry()))
    starter.join()
    store.close()
    assert kept is True


def test_a_real_mistake_is_not_tried_again(both_stores: Store):
    tries: list[int] = []

    def twice(connection: Any) -> None:
        tries.append(1)
        connection.execute(insert(tables.entries), [an_entry(), an_entry()])

    with pytest.raises(DBAPIError):
        both_stores.atomically(twice)
    assert len(tries) == 1
