"""The job: brings every departure further until nothing of that person is left.

Each pass reads where things stand, does the next thing and writes down what is still
ending. Cut at any point, it is taken again. A departure closes only after the time for
which a gate remembers whom the hub knew: what came in meanwhile has been ended too.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from hubyard.contract.base import now
from hubyard.contract.budget import Account, Scope
from hubyard.contract.errors import HubyardError, NotFound
from hubyard.contract.people import OffboardRequest
from hubyard_hub.people import aside
from hubyard_hub.people.departures import BY_HUB, Departures, Terms, busy_owners
from hubyard_hub.store import tables
from hubyard_runtime.gate import KNOWN_S
from hubyard_spawner.local.folder import Folder
from hubyard_spawner.local.spawner import home_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from hubyard_hub.money.lines import Line
    from hubyard_hub.parts import Parts
    from hubyard_hub.workloads.hub_client import Access
    from hubyard_hub.workloads.wishes import Row

_LOG = logging.getLogger(__name__)

SETTLED = timedelta(seconds=KNOWN_S + 10)
"""How long after the hub has ended access a gate may still have let somebody in."""
_GRACE_EVERY_S = 15.0
_SEARCH_EVERY_S = 60.0


class Offboarding:
    """Takes all departures further. One for each process; several do no harm."""

    def __init__(
        self, parts: Parts, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._parts = parts
        self._clock = clock
        self._departures = Departures(parts.store)
        self._due: dict[str, float] = {}
        """When a departure in its grace is looked at again."""
        self._search_due = 0.0

    def look(self) -> int:
        """Take each open departure one step further; returns how many are left."""
        rows = self._departures.open_rows()
        self._due = {r["id"]: d for r in rows if (d := self._due.get(r["id"]))}
        for row in rows:
            if self._clock() >= self._due.get(row["id"], 0.0):
                self._take_further(row)
        if self._clock() >= self._search_due:
            self._search_due = self._clock() + _SEARCH_EVERY_S
            self.search()
        return len(rows)

    def search(self) -> list[str]:
        """Make a departure for each owner whom the hub knows no more.

        A hub that knows nobody at all has lost its database: then it is not believed.
        """
        owners = busy_owners(self._parts.store)
        owners -= {row["name"] for row in self._departures.open_rows()}
        gone = [name for name in sorted(owners) if not self._parts.hub.knows(name)]
        if gone and len(gone) == len(owners) > 1:
            _LOG.error("The hub knows none of %s owners: nothing is ended", len(gone))
            return []
        for name in gone:
            _LOG.warning("The hub knows no user %s: what they left is ended", name)
            self._departures.offboard(name, OffboardRequest(), BY_HUB)
        return gone

    def _take_further(self, row: Row) -> None:
        try:
            left = advance(self._parts, row)
        except HubyardError as error:
            left = f"it waits: {error.message}"
            _note(self._parts, row, left=left)
        except Exception:  # noqa: BLE001  the loop's edge: one must not hold up the others
            _LOG.exception("The departure of %s cannot be taken further", row["name"])
            return
        if left == _IN_GRACE:
            self._due[row["id"]] = self._clock() + _GRACE_EVERY_S


_IN_GRACE = "deployments and apps still have their grace"


def advance(parts: Parts, row: Row) -> str | None:
    """Take one departure further; returns what is still ending, None: nothing.

    Raises:
        Unavailable: the hub or MLflow does not answer.
    """
    terms, name = Terms(row), row["name"]
    serving = terms.ends_serving(now())
    suspend = lambda c: aside.suspend(c, name, terms.why, serving=serving)  # noqa: E731
    parts.store.atomically(suspend)
    access = parts.hub.end_access(name)
    if row["revoked_at"] is None:
        _note(parts, row, revoked_at=now())
    lines = parts.ledger.open_lines(name)
    if access.gone:
        _end_orphans(parts, lines)
    _hand_over(parts, row)
    left = _left(parts, row, access, lines)
    if left is None:
        _close(parts, terms)
    else:
        _note(parts, row, left=left)
    return left


def _left(parts: Parts, row: Row, access: Access, lines: list[Line]) -> str | None:
    """What is still ending, in words."""
    terms, moment = Terms(row), now()
    serving = terms.ends_serving(moment)
    with parts.store.read() as connection:
        rests = aside.is_at_rest(connection, row["name"], serving=serving)
    if access.servers or not rests:
        return "workloads are still ending"
    if not serving:
        return _IN_GRACE
    if lines:
        return "the ledger still waits for an end"
    if terms.is_final and not access.gone:
        return "the hub still has its user"
    if row["revoked_at"] is None or moment - row["revoked_at"] < SETTLED:
        return "a gate may still remember a token"
    return None


def _end_orphans(parts: Parts, lines: list[Line]) -> None:
    """End what the hub has forgotten and left running."""
    for line in lines:
        Folder.of(parts.settings.workloads, line.entry.id).ask_to_end()


def _hand_over(parts: Parts, row: Row) -> None:
    deputy = row["deputy"]
    if deputy is None or not parts.hub.knows(deputy):
        return
    running: list[str] = row["running"]
    parts.store.atomically(lambda c: aside.hand_over(c, row["name"], deputy, running))
    parts.wake.set()


def _close(parts: Parts, terms: Terms) -> None:
    """Nothing of theirs runs any more: free the name of all that stands under it."""
    name, moment = terms.row["name"], now()
    if not terms.is_final:
        _note(parts, terms.row, closed_at=moment, left=None)
        return
    parts.mlflow.forget_member(parts.token, name)
    _move_home(parts, terms)
    try:
        account = Account(scope=Scope.USER, name=name)
        parts.budgets.remove(account, terms.row["asked_by"])
    except NotFound:
        pass  # they had no budget

    def work(connection: Connection) -> None:
        aside.set_aside(connection, name, terms.former)
        departures = tables.departures
        mine = update(departures).where(departures.c.id == terms.row["id"])
        connection.execute(mine.values(closed_at=moment, left=None))

    parts.store.atomically(work)


def _move_home(parts: Parts, terms: Terms) -> None:
    """Keep the files, where no workload of a later user of the name looks."""
    homes = parts.settings.homes
    home = home_of(homes, terms.row["name"])
    if home.is_dir():
        home.rename(home_of(homes, terms.former))


def _note(parts: Parts, row: Row, **values: Any) -> None:  # noqa: ANN401  columns of many types
    departures = tables.departures
    mine = update(departures).where(departures.c.id == row["id"])
    parts.store.atomically(lambda c: c.execute(mine.values(**values)) and None)
