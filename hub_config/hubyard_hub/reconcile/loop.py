"""The loop: a thread that looks every second, and at once after a change.

Steps are taken by a few workers, for a start may take the hub ten seconds. All of
them are daemons: the process may end between any two statements, and the rows tell
the next one what to do.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from hubyard.contract.base import now
from hubyard.contract.errors import HubyardError, Unavailable
from hubyard.contract.workload import Kind
from hubyard_hub.models.tracked_ends import tell_ends
from hubyard_hub.notices.delivery import Deliverer
from hubyard_hub.notices.disk import tell_disk
from hubyard_hub.notices.tell import forget_old, tell_late
from hubyard_hub.people.job import Offboarding
from hubyard_hub.reconcile.acts import TABLES, bring_further, look
from hubyard_hub.reconcile.reaper import reap
from hubyard_hub.reconcile.sampler import Sampler
from hubyard_hub.reconcile.turns import waits
from hubyard_hub.reconcile.waiting import begin
from hubyard_hub.retention.prune import prune
from hubyard_hub.schedules.core import fire_due
from hubyard_hub.schedules.watch import FileWatch, ModelWatch
from hubyard_hub.workloads.wishes import all_rows
from hubyard_spawner.local.spawner import sweep

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from sqlalchemy import Select, Table

    from hubyard_hub.parts import Parts
    from hubyard_hub.schedules.watch import Watch
    from hubyard_hub.workloads.wishes import Row

_LOG = logging.getLogger(__name__)

_EVERY_S = 1.0
_SWEEP_EVERY_S = 5.0
_SAMPLE_EVERY_S = 15.0
_ASK_EVERY_S = 10.0
"""How often the hub is asked about what is where it shall be."""
_TELL_EVERY_S = 15.0
_DELIVER_EVERY_S = 1.0
_DELIVERERS = 2
_TELL_MLFLOW_EVERY_S = 1.0
_OFFBOARD_EVERY_S = 1.0
_FORGET_EVERY_S = 3600.0
_PRUNE_AFTER_S = 600.0
"""After a start: nobody waits for it."""
_PRUNE_EVERY_S = 24 * 3600.0
_WORKERS = 8
_ASKED = {
    *("id", "owner", "server_name", "compute", "status", "target", "past_entry_id"),
    *("schedule_id", "fire_at", "created_at", "waits_for", "counted_since"),
}
_START_TIME_S = 90.0
"""The hub settles what it is still starting; older entries are swept."""


class Reconciler:
    """One for each process; several processes do each other no harm."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopping = threading.Event()
        self._work: queue.SimpleQueue[tuple[Kind, str]] = queue.SimpleQueue()
        self._in_hand: set[str] = set()
        self._lock = threading.Lock()
        self._sampler = Sampler(parts)
        self._watches: list[Watch] = [FileWatch(parts), ModelWatch(parts)]
        self._sweep = _Every(_SWEEP_EVERY_S)
        self._ask_all = _Every(_ASK_EVERY_S)
        self._tell = _Every(_TELL_EVERY_S)
        self._deliverer = Deliverer(parts)
        self._offboarding = Offboarding(parts)

    def start(self) -> None:
        """Begin to look, in threads of its own."""
        jobs = [
            self._look_for_ever,
            self._sample_for_ever,
            self._offboard_for_ever,
            *(partial(self._watch_for_ever, watch) for watch in self._watches),
            self._tell_mlflow_for_ever,
            self._prune_for_ever,
            *[self._work_for_ever] * _WORKERS,
            *[self._deliver_for_ever] * _DELIVERERS,
        ]
        for job in jobs:
            threading.Thread(target=job, name="reconciler", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        self._parts.wake.set()

    def look_once(self) -> list[tuple[Kind, str]]:
        """Fire what is due, sweep now and then; returns the wishes to bring further."""
        with _apart("Firing what is due"):
            fire_due(self._parts.store, now())
        with _apart("The sweep"):
            self._sweep_now_and_then()
        with _apart("Telling of what is late"):
            self._tell_now_and_then()
        with self._lock:
            in_hand = set(self._in_hand)
        wishes = self._open_wishes()
        runs = [row for kind, row in wishes if kind is Kind.RUN]
        begin_now = begin(self._parts, runs, in_hand)
        ask_all = self._ask_all.is_due()

        def has_a_step(kind: Kind, row: Row) -> bool:
            if kind is Kind.RUN and waits(row):
                return row["id"] in begin_now
            return ask_all or not look(self._parts, kind, row).is_at_rest

        return [(kind, row["id"]) for kind, row in wishes if has_a_step(kind, row)]

    def _sweep_now_and_then(self) -> None:
        if self._sweep.is_due():
            parts = self._parts
            workloads = parts.settings.workloads
            sweep(parts.ledger, parts.ladder, workloads, older_than_s=_START_TIME_S)
            reap(parts)

    def _tell_now_and_then(self) -> None:
        if self._tell.is_due():
            patience = timedelta(minutes=self._parts.settings.late_minutes)
            tell_late(self._parts.store, now(), patience)
            tell_disk(self._parts.store, self._parts.disk.lack(), now())

    def _open_wishes(self) -> list[tuple[Kind, Row]]:
        with self._parts.store.read() as connection:
            return [
                (kind, row)
                for kind, table in TABLES.items()
                for row in all_rows(connection, _of_open(table))
            ]

    def _look_for_ever(self) -> None:
        while not self._stopping.is_set():
            self._parts.wake.clear()
            with _apart("A look"):
                for kind, id_ in self.look_once():
                    self._hand_out(kind, id_)
            self._parts.wake.wait(_EVERY_S)

    def _sample_for_ever(self) -> None:
        """Apart from the look, which must not wait while files are counted."""
        while not self._stopping.wait(_SAMPLE_EVERY_S):
            with _apart("The sampler"):
                self._sampler.sample()

    def _offboard_for_ever(self) -> None:
        """Apart from the look: the hub may be slow to end what somebody runs."""
        while not self._stopping.wait(_OFFBOARD_EVERY_S):
            with _apart("Offboarding"):
                self._offboarding.look()

    def _watch_for_ever(self, watch: Watch) -> None:
        while not self._stopping.wait(watch.every_s):
            with _apart("A look at triggers"):
                if watch.look():
                    self._parts.wake.set()

    def _tell_mlflow_for_ever(self) -> None:
        """Apart from all else, for MLflow may not answer."""
        while not self._stopping.wait(_TELL_MLFLOW_EVERY_S):
            with _apart("Telling MLflow of ends"):
                tell_ends(self._parts)

    def _prune_for_ever(self) -> None:
        """Apart from all else, for there may be many files."""
        pause_s = _PRUNE_AFTER_S
        while not self._stopping.wait(pause_s):
            with _apart("Pruning"):
                gone = prune(self._parts.settings, self._parts.store, now())
                if gone:
                    _LOG.warning("%d leftovers are pruned", len(gone))
            pause_s = _PRUNE_EVERY_S

    def _deliver_for_ever(self) -> None:
        """Apart from all else, for a channel may take its time."""
        forget = _Every(_FORGET_EVERY_S)
        while not self._stopping.wait(_DELIVER_EVERY_S):
            with _apart("Delivering notices"):
                if forget.is_due():
                    self._parts.store.atomically(lambda c: forget_old(c, now()))
                while self._deliverer.deliver_one() and not self._stopping.is_set():
                    pass

    def _hand_out(self, kind: Kind, id_: str) -> None:
        with self._lock:
            if id_ in self._in_hand:
                return
            self._in_hand.add(id_)
        self._work.put((kind, id_))

    def _work_for_ever(self) -> None:
        while True:
            kind, id_ = self._work.get()
            try:
                changed = bring_further(self._parts, kind, id_)
            except Unavailable as error:
                _LOG.info("%s %s waits: %s", kind, id_, error.message)
                changed = False
            except Exception:  # noqa: BLE001  the loop's edge: one wish's mistake must not stop the others
                _LOG.exception("A step of %s %s failed", kind, id_)
                changed = False
            with self._lock:
                self._in_hand.discard(id_)
            if changed:
                self._parts.wake.set()


def _of_open(table: Table) -> Select[Any]:
    """What the loop asks of what is not closed: a few short columns, each second."""
    asked = [column for column in table.c if column.name in _ASKED]
    return select(*asked).where(table.c.closed.is_(other=False))


@contextmanager
def _apart(what: str) -> Generator[None]:
    """The loop's edge: what goes wrong inside must end nothing outside."""
    try:
        yield
    except HubyardError as error:
        _LOG.info("%s waits: %s", what, error.message)
    except (SQLAlchemyError, OSError) as error:
        _LOG.error("%s: the store does not answer: %s", what, type(error).__name__)
    except Exception:  # noqa: BLE001  see above
        _LOG.exception("%s failed", what)


class _Every:
    """Says at most once in so many seconds that it is time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = float("-inf")

    def is_due(self) -> bool:
        due = time.monotonic() - self._last >= self._seconds
        if due:
            self._last = time.monotonic()
        return due
