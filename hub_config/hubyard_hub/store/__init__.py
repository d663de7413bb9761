"""The store: what Hubyard remembers, in one SQLite file or one PostgreSQL database.

read       sees one moment, changes nothing
write      one transaction: all of it or nothing. No network call belongs inside
atomically  a write that is tried again, whole, when the database says so
silent     a PostgreSQL that does not answer: `connecting` says how long we wait for it.
           While it is, all but one caller are refused at once
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, SQLAlchemyError

from hubyard.contract.errors import Unavailable
from hubyard_hub.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from sqlalchemy import Engine, Table
    from sqlalchemy.engine.interfaces import DBAPIConnection

T = TypeVar("T")
_LOG = logging.getLogger(__name__)

_AWAY = "The database does not answer; try again in a moment."
_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x48756279
"""Any fixed number: names PostgreSQL's advisory lock. These are the letters `Huby`."""
_one_migration = threading.Lock()
_BUSY_TIMEOUT_S = 5
_RETRY_PAUSES_S = (0.05, 0.2, 0.5, 1, 2, 4, 4)
_TRY_FOR_S = 30
"""No new try begins after so long: whoever waits for it is told."""
_POOL_PATIENCE_S = 10
_TRIAL_EVERY_S = 2
_BUSY = "SQLITE_BUSY"
"""Somebody has written for longer than we wait at once: a slow disk, a full machine."""
_TRY_AGAIN = {"40001", "40P01"}
"""PostgreSQL's serialization_failure and deadlock_detected."""
_TAKEN = "23505"
"""PostgreSQL's unique_violation."""
_COUNTED = {"ix_entries_number", "pk_budgets"}
"""Numbers that are counted: two that count at once may come to the same one."""


class Store:
    """A database behind one URL. Safe to use from many threads and processes."""

    def __init__(self, url: str) -> None:
        if _is_sqlite(url):
            self._engine = self._reader = _sqlite(url)
            self._is_silence = _never
        else:
            self._engine, self._is_silence = _postgresql(url)
            # Serializable readers may be refused; these never are.
            self._reader = self._engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._writer = self._engine.execution_options(begin="IMMEDIATE")
        self._breaker = Breaker(
            _AWAY,
            pause_s=_TRIAL_EVERY_S,
            is_silence=self._is_silence,
        )

    @contextmanager
    def read(self) -> Generator[Connection]:
        """One consistent view; nothing may be changed.

        Raises:
            Unavailable: the database was silent a moment ago.
        """
        with self._connected(self._reader) as connection:
            yield connection

    def ping(self) -> None:
        """Ask for next to nothing, to see whether the database answers."""
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    @contextmanager
    def write(self) -> Generator[Connection]:
        """One transaction, kept when the block ends and undone when it raises.

        On SQLite it waits for its turn before it reads. On PostgreSQL it is
        serializable, and may be refused at any statement: see `atomically`.

        Raises:
            Unavailable: the database was silent a moment ago.
        """
        with self._connected(self._writer) as connection, connection.begin():
            yield connection

    @contextmanager
    def _connected(self, engine: Engine) -> Generator[Connection]:
        # A connection is tried when it is taken from the pool: that is the trial.
        with self._breaker.asking():
            connection = engine.connect()
        with connection:
            try:
                yield connection
            except DBAPIError as error:
                if self._is_silence(error):
                    self._breaker.open()
                raise

    def atomically(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in one `write`, and again from its beginning when it must be.

        A connection that breaks at the commit leaves open whether it was kept, so
        `work` must be safe to repeat: use `insert_once` and ids made outside.

        Raises:
            Unavailable: the database is silent; whether it was kept is open.
        """
        over = time.monotonic() + _TRY_FOR_S
        for pause in _RETRY_PAUSES_S:
            try:
                with self.write() as connection:
                    return work(connection)
            except DBAPIError as error:
                if not _is_passing(error) or time.monotonic() > over:
                    raise
                # Two that were refused together must not come back together.
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  no secret
        with self.write() as connection:
            return work(connection)

    def migrate(self, to: str = "head") -> None:
        """Bring the tables to a shape, or the newest; two may do it at once."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        # Not serializable: what another process did while we waited for the lock
        # must be seen. Within a process Alembic's context is global.
        engine = self._writer
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="READ COMMITTED")
        with _one_migration, engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                _wait_for_ever(connection)
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    lock = text("SELECT pg_advisory_xact_lock(:lock)")
                    connection.execute(lock, {"lock": _MIGRATION_LOCK})
                config.attributes["connection"] = connection
                command.upgrade(config, to)

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


@contextmanager
def in_words() -> Generator[None]:
    """Say in words that the database fails, to callers that know of no database.

    Raises:
        Unavailable: instead of the database's error.
        DataError: what was asked for can be in no database.
    """
    try:
        yield
    except DataError:
        raise
    except SQLAlchemyError as error:
        _LOG.error("The store: %s", error)
        raise Unavailable(_AWAY) from error


def insert_once(
    connection: Connection, table: Table, values: Mapping[str, Any]
) -> bool:
    """Insert a row unless one with its key is there; whether it was inserted."""
    return insert_new(connection, table, [values]) == 1


def insert_new(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Insert the rows whose key is not there yet, all of the same columns; how many."""
    if not rows:
        return 0
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).on_conflict_do_nothing()
    kept = connection.execute(statement.returning(*table.primary_key), rows)
    return len(kept.all())


def is_alone(connection: Connection, lock: int) -> bool:
    """Whether this transaction has a lock to itself; where another has it, False.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "sqlite":
        return True
    ask = text("SELECT pg_try_advisory_xact_lock(:lock)")
    return bool(connection.execute(ask, {"lock": lock}).scalar_one())


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _sqlite(url: str) -> Engine:
    """SQLite: a file for this user's eyes only, write-ahead log, explicit begins."""
    file = make_url(url).database
    if file:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(
        url, connect_args={"timeout": _BUSY_TIMEOUT_S}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]  an event handler
        connection.isolation_level = None
        # FULL: the ledger is money, so a commit must survive a power cut.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.cursor().execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]  an event handler
        how = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {how}")

    return engine


def _never(error: BaseException) -> bool:
    """A file is never silent: at worst it is locked or broken, and says so."""
    del error
    return False


def _postgresql(url: str) -> tuple[Engine, Callable[[BaseException], bool]]:
    """PostgreSQL through psycopg 3, serializable; dead connections are noticed.

    Returns also what tells the errors by which it is known to be silent.
    """
    from hubyard_hub.store import connecting  # noqa: PLC0415  it imports psycopg

    chosen = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(
        chosen,
        isolation_level="SERIALIZABLE",
        pool_pre_ping=True,
        pool_timeout=_POOL_PATIENCE_S,
        hide_parameters=True,
    )
    connecting.limit(engine)
    return engine, connecting.is_silence


def _wait_for_ever(connection: Connection) -> None:
    from hubyard_hub.store import connecting  # noqa: PLC0415  it imports psycopg

    connecting.wait_as_long_as_it_takes(connection)


def _is_passing(error: DBAPIError) -> bool:
    """Whether the same transaction may well go through when it is tried again."""
    state = getattr(error.orig, "sqlstate", None)
    if state in _TRY_AGAIN or error.connection_invalidated:
        return True
    if state == _TAKEN:
        diagnosis = getattr(error.orig, "diag", None)
        return getattr(diagnosis, "constraint_name", None) in _COUNTED
    if not isinstance(error, OperationalError):
        return False
    is_postgresql = hasattr(error.orig, "sqlstate")
    return is_postgresql or getattr(error.orig, "sqlite_errorname", "") == _BUSY
