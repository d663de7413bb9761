"""Hooks: webhooks that start a run, for whoever holds the secret of one schedule.

secret  made with the schedule and shown once; only its hash is kept
key     what a caller names a call by, so that asking again is no second call
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from hubyard.contract.base import now
from hubyard.contract.errors import Conflict, NotFound, TooOften
from hubyard.contract.schedule import Called, DropReason
from hubyard_hub.schedules.core import active_runs, run_of
from hubyard_hub.schedules.triggers import wake
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import hook_calls, runs, schedules
from hubyard_hub.workloads.wishes import all_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from hubyard.contract.schedule import HookCall
    from hubyard_hub.parts import Parts
    from hubyard_hub.workloads.wishes import Row

AT_ONCE = 10
"""So many calls of one webhook are taken at once; then one each second."""
_KEYS_KEPT = timedelta(days=1)
_BUCKETS = 10_000


def new_secret() -> str:
    """A secret that nobody guesses."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is kept of a secret; it is long and random, so one round is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Hooks:
    """The webhooks of all schedules."""

    def __init__(
        self, parts: Parts, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._parts = parts
        self._pace = _Pace(clock)

    def open(self, id_: str, secret: str) -> Row:
        """The schedule of a webhook that a secret opens.

        Raises:
            NotFound: no such schedule, it has no webhook, or the secret is wrong.
        """
        with self._parts.store.read() as connection:
            rows = all_rows(connection, select(schedules).where(schedules.c.id == id_))
        kept = (rows[0]["secret_hash"] if rows else None) or ""
        if not hmac.compare_digest(kept, hash_of(secret)):
            raise NotFound
        return rows[0]

    def call(self, row: Row, call: HookCall, key: str | None) -> Called:
        """Start a run, unless the schedule's overlap policy drops this call.

        Args:
            row: of the schedule, as `open` gives it.
            call: what the caller says.
            key: names the call; None: each is another one.

        Raises:
            TooOften: it was called too often of late.
            Invalid: a parameter cannot be used; says which.
            Conflict: the schedule is paused.
            NotFound: it was struck out meanwhile.
        """
        self._pace.take(row["id"])
        if call.parameters:
            given = {**row["parameters"], **call.parameters}
            entry = self._parts.sources.entry(
                row["owner"], row["source"], row["notebook"], given
            )
            row = {**row, "parameters": entry.given}
        run = run_of(row, now())
        called = self._parts.store.atomically(lambda c: _called(c, row, run, key))
        self._parts.wake.set()
        return called


def _called(connection: Connection, row: Row, run: Row, key: str | None) -> Called:
    of_this = hook_calls.c.schedule_id == row["id"]
    before = select(hook_calls.c.run_id).where(of_this, hook_calls.c.key == key)
    for (run_id,) in connection.execute(before):
        return _answer(run_id)
    if connection.execute(select(runs.c.id).where(runs.c.id == run["id"])).first():
        return _answer(run["id"])  # kept by a try whose answer was lost
    paused = select(schedules.c.paused).where(schedules.c.id == row["id"])
    is_paused: bool | None = connection.scalar(paused)
    if is_paused is None:
        raise NotFound
    if is_paused:
        raise Conflict("The schedule is paused: its owner can let it go on.")
    active = active_runs(connection, [row["id"]]).get(row["id"], 0)
    run_id = run["id"] if wake(connection, row, run, active) else None
    if key is not None:
        moment = run["created_at"]
        old = delete(hook_calls).where(
            of_this, hook_calls.c.called_at < moment - _KEYS_KEPT
        )
        connection.execute(old)
        named = {"schedule_id": row["id"], "key": key, "run_id": run_id}
        insert_once(connection, hook_calls, {**named, "called_at": moment})
    return _answer(run_id)


def _answer(run_id: str | None) -> Called:
    return Called(run_id=run_id, dropped=None if run_id else DropReason.OVERLAP)


class _Pace:
    """Lets each webhook be called a few times at once, and then once a second.

    Kept in memory: several platforms take so many each.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at: dict[str, float] = {}
        """When all the calls that were taken would be over, at one each second."""

    def take(self, id_: str) -> None:
        """Take one call.

        Raises:
            TooOften: there were too many of late.
        """
        moment = self._clock()
        with self._lock:
            free_at = max(self._free_at.get(id_, moment), moment)
            if free_at - moment > AT_ONCE - 1:
                raise TooOften("It is called too often: once a second will do.")
            if len(self._free_at) >= _BUCKETS:
                late = {k: at for k, at in self._free_at.items() if at > moment}
                self._free_at = late
            self._free_at[id_] = free_at + 1
