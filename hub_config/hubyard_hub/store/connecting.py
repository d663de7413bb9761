"""Connecting to PostgreSQL: how long anybody waits, on either side.

silence      no answer within `ANSWER_S`: packets get lost, or the server hangs
the server's end  it gives up a statement, a lock or a client that it waits for
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.errors import (  # the second has no public name
    ConnectionTimeout,
    _WaitTimeout,  # pyright: ignore[reportPrivateUsage]
)
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection

T = TypeVar("T")

CONNECT_S = 4
ANSWER_S = 10.0
"""Longer than the server works on a statement: what comes later is no answer."""
IDLE_S = 30
"""PostgreSQL ends a transaction in which nothing is asked for so long."""
_SERVER_LIMITS = {
    "statement_timeout": "9s",
    "lock_timeout": "5s",
    "tcp_user_timeout": "10s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_CLIENT_LIMITS = {
    "connect_timeout": CONNECT_S,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""libpq's parameters; the database's URL may say otherwise."""


class Silent(psycopg.OperationalError):
    """The server did not answer in time."""


class Patient(psycopg.Connection[Any]):
    """A connection that waits for an answer for `answer_s`, then is of no more use."""

    answer_s: float | None = ANSWER_S

    def wait(
        self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None
    ) -> T:
        """Wait for what the server says.

        Raises:
            Silent: it says nothing; the connection is closed.
        """
        limit_s = self.answer_s if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit_s)
        except _WaitTimeout:
            # Half of an answer may come yet: nobody may read it as another one's.
            self.pgconn.finish()
            raise Silent(f"No answer for {limit_s:g} s.") from None


def limit(engine: Engine) -> None:
    """Let no connection of an engine wait for longer than it should."""

    @event.listens_for(engine, "do_connect")
    def connect(  # pyright: ignore[reportUnusedFunction]  an event handler
        _dialect: object, _record: object, words: list[Any], named: dict[str, Any]
    ) -> Patient:
        return Patient.connect(*words, **{**_CLIENT_LIMITS, **named})

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]  an event handler
        # A machine that loses its power says no goodbye, and keeps what it has locked.
        idle = {"idle_in_transaction_session_timeout": f"{IDLE_S}s"}
        named = {**_SERVER_LIMITS, **idle}
        with closing(connection.cursor()) as cursor:
            cursor.execute("; ".join(f"SET {n} = '{v}'" for n, v in named.items()))
        connection.commit()


def wait_as_long_as_it_takes(connection: Connection) -> None:
    """Let one connection wait for a migration; it is of no use for anything else."""
    patient: Any = connection.connection.driver_connection
    patient.answer_s = None
    with closing(patient.cursor()) as cursor:
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
    patient.commit()
    connection.detach()


def is_silence(error: BaseException) -> bool:
    """Whether an error says that the server does not answer at all."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, (Silent, ConnectionTimeout))
