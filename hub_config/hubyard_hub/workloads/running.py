"""Workloads: what runs now, when each will end, and how it is given more time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import func, select

from hubyard.contract import money
from hubyard.contract.base import now
from hubyard.contract.duration import duration_text
from hubyard.contract.ending import why_ended
from hubyard.contract.entry import Deadline, EndReason
from hubyard.contract.errors import Conflict, HubyardError, NotFound
from hubyard.contract.workload import Extension, Workload, new_id
from hubyard_hub.money.attribution import accounts_of
from hubyard_hub.money.budgets import BudgetSpent, admit_more, check_more, limits
from hubyard_hub.money.ledger import write_deadline
from hubyard_hub.money.lines import IS_OPEN, LINES, OLDEST_FIRST, read_lines
from hubyard_hub.money.usage import keep_report, usage_of
from hubyard_hub.store.tables import entries, extensions
from hubyard_spawner.local.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from hubyard.contract.budget import Account
    from hubyard.contract.entry import Entry, Settlement
    from hubyard.contract.identity import Identity
    from hubyard.contract.usage import ActivityReport, Usage
    from hubyard_hub.money.budgets import Limit
    from hubyard_hub.money.lines import Line
    from hubyard_hub.money.reservation import Charge
    from hubyard_hub.parts import Books

HOUR_S = 3600


class Workloads:
    """The running workloads of everyone; every question names who asks."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def list(self, asking: Identity) -> list[Workload]:
        """What somebody runs now, oldest first."""
        return self._shown(self._books.ledger.open_lines(asking.name), asking)

    def of_server(self, asking: Identity, server_name: str) -> Workload:
        """The running workload of a server; NotFound where there is none."""
        return self._shown([self._running(asking.name, server_name)], asking)[0]

    def extend(self, asking: Identity, entry_id: str, seconds: int) -> Workload:
        """Let a workload run longer than its present deadline.

        Its owner needs the budget for it; an administrator grants it without, which
        stays on record.

        Raises:
            NotFound: no such workload runs, or it is another's.
            Conflict: its compute may not live that long.
            BudgetSpent: no budget is left for it, and only an administrator may grant.
        """
        moment = now()
        id_ = new_id()
        folder = Folder.of(self._books.settings.workloads, entry_id)

        def work(connection: Connection) -> Line:
            line = _find(connection, asking, entry_id)
            given = select(extensions.c.id).where(extensions.c.id == id_)
            if connection.execute(given).first() is not None:
                return line  # by a commit whose answer was lost
            # By the entry's own clock, as its shim will keep it.
            until = max(line.deadline.at, folder.now()) + timedelta(seconds=seconds)
            self._check_lifetime(line, until)
            granted = False
            try:
                _check_budget(connection, line, until, moment)
            except BudgetSpent:
                if not asking.admin:
                    raise
                granted = True
            row = {"id": id_, "entry_id": entry_id, "until": until, "granted": granted}
            who = {"given_by": asking.name, "given_at": moment}
            connection.execute(extensions.insert().values(**row, **who))
            over = max(line.lifetime_at, until)
            moved = Deadline(at=until, reason=line.deadline.reason)
            write_deadline(connection, entry_id, over, moved)
            return _find(connection, asking, entry_id)

        line = self._books.store.atomically(work)
        folder.move_deadline(line.deadline)
        return self._shown([line], asking)[0]

    def heard(self, owner: str, server_name: str, report: ActivityReport) -> None:
        """Keep what a workload says of itself; NotFound where it does not run."""
        entry_id = self._running(owner, server_name).entry.id
        folder = Folder.of(self._books.settings.workloads, entry_id)
        keep_report(self._books.store, entry_id, report, folder.now())

    def usage(self, asking: Identity, entry_id: str) -> Usage:
        """What a workload has used, whether or not it still runs.

        Raises:
            NotFound: there is no such workload, or it is another's.
        """
        line = self._books.ledger.line(entry_id)
        if line is None or not (asking.admin or line.entry.owner == asking.name):
            raise NotFound("There is no such workload, or it is not yours.")
        with self._books.store.read() as connection:
            return usage_of(connection, line)

    def _running(self, owner: str, server_name: str) -> Line:
        lines = self._books.ledger.open_lines(owner, server_name)
        if not lines:
            raise NotFound("This workload is not running.")
        return lines[-1]

    def _shown(self, lines: list[Line], asking: Identity) -> list[Workload]:
        url, moment = self._books.settings.public_url, now()
        # Asked once for all of them: a budget is a sum over its month.
        payers = {(a.scope, a.name): a for line in lines for a in _payers(line)}
        with self._books.store.read() as connection:
            # Whoever may grant it is refused by none of them.
            asked = [] if asking.admin else list(payers.values())
            found = limits(connection, asked, moment) if asked else []
        return [
            shown(line, url, self._now(line), self._extension(line, found, moment))
            for line in lines
        ]

    def _now(self, line: Line) -> datetime:
        """The present moment by the clock of a workload's entry."""
        return Folder.of(self._books.settings.workloads, line.entry.id).now()

    def _extension(
        self, line: Line, found: Iterable[Limit], moment: datetime
    ) -> Extension:
        """What one more hour costs its owner, or why there is none."""
        entry, mine = line.entry, _payers(line)
        until = max(line.deadline.at, self._now(line)) + timedelta(seconds=HOUR_S)
        longer = _until(line, until)
        paying = [limit for limit in found if limit.pays(mine)]
        refusal = None
        try:
            self._check_lifetime(line, until)
            check_more(paying, line.charge, longer, moment)
        except HubyardError as error:
            refusal = error.message
        cost = money.cost_of(entry.price_micros, HOUR_S * 1000)
        return Extension(
            seconds=HOUR_S, cost=money.cost(cost, entry.currency), refusal=refusal
        )

    def _check_lifetime(self, line: Line, until: datetime) -> None:
        profile = self._books.catalogue.named(line.entry.compute)
        longest = profile.longest_lifetime if profile else line.entry.lifetime_s
        if until - line.entry.started_at > timedelta(seconds=longest):
            raise Conflict(
                f"{line.entry.compute} may live at most {duration_text(longest)}: "
                "save your work, and start anew."
            )


def shown(line: Line, url: str, moment: datetime, extension: Extension) -> Workload:
    """A line as its owner sees it at a moment by its own clock.

    `url` is the prefix of workloads' addresses.
    """
    entry = line.entry
    ended_at = line.end.ended_at if line.end else None
    left = max(round((line.deadline.at - moment).total_seconds()), 0)
    return Workload(
        entry_id=entry.id,
        kind=entry.kind,
        owner=entry.owner,
        server_name=entry.server_name,
        name=line.name,
        url=server_url(url, entry.owner, entry.server_name),
        compute=entry.compute,
        price=money.price(entry.price_micros, entry.currency),
        cost=money.cost(line.cost_micros(moment), entry.currency),
        limits=entry.limits,
        started_at=entry.started_at,
        deadline=line.deadline.at,
        ends=line.deadline.reason,
        ended_at=ended_at,
        seconds_left=0 if ended_at else left,
        extension=extension,
    )


def server_url(url: str, owner: str, server_name: str) -> str:
    """The address of a workload, below the public `url`; ends in a slash."""
    return f"{url}/user/{quote(owner, safe='@~')}/{server_name}".rstrip("/") + "/"


def memory_words(entry: Entry, end: Settlement) -> str:
    """The most memory that a workload used, of what it might have; empty: unknown."""
    if not end.peak_memory_bytes or not entry.memory_bytes:
        return ""
    peak, limit = (
        f"{size / 2**30:.2f} GiB"
        for size in (end.peak_memory_bytes, entry.memory_bytes)
    )
    return f"it used {peak} of {limit}"


def why_gone(line: Line) -> str | None:
    """Why a workload ended that its owner did not stop; None: she did, or it runs."""
    if line.end is None or line.end.reason in {EndReason.STOPPED, EndReason.EXITED}:
        return None
    lived = line.lifetime_at - line.entry.started_at
    return why_ended(
        line.end.reason,
        lifetime=duration_text(round(lived.total_seconds())),
        compute=line.entry.compute,
        memory=memory_words(line.entry, line.end),
        code=line.end.exit_code,
    )


def promised(connection: Connection) -> dict[str, datetime]:
    """Until when running workloads were extended, by entry."""
    newest = select(extensions.c.entry_id, func.max(extensions.c.until))
    found = connection.execute(newest.group_by(extensions.c.entry_id))
    return {row[0]: row[1] for row in found}


def _find(connection: Connection, asking: Identity, entry_id: str) -> Line:
    wanted = LINES.where(IS_OPEN, entries.c.id == entry_id)
    if not asking.admin:
        wanted = wanted.where(entries.c.owner == asking.name)
    found = read_lines(connection, wanted.order_by(OLDEST_FIRST))
    if not found:
        raise NotFound("No such workload runs, or it is not yours.")
    return found[0]


def _check_budget(
    connection: Connection, line: Line, until: datetime, moment: datetime
) -> None:
    admit_more(connection, _payers(line), line.charge, _until(line, until), moment)


def _until(line: Line, until: datetime) -> Charge:
    """What its costs follow from, once it may live until a moment."""
    return line.charge._replace(lifetime_at=max(line.lifetime_at, until))


def _payers(line: Line) -> list[Account]:
    entry = line.entry
    return accounts_of(entry.owner, entry.groups, entry.project)
