"""Acts: one wish, looked at once, brought one step further.

Each step reads all it needs, asks the hub outside of any transaction, and writes only
where status and target are still what it saw. Cut at any point, it is simply taken
again.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, select, update

from hubyard.contract.base import now
from hubyard.contract.duration import duration_text
from hubyard.contract.ending import told, why_ended
from hubyard.contract.entry import EndReason
from hubyard.contract.run import FailureReason, RunFailure
from hubyard.contract.workload import Kind, Status, Target, UserOptions
from hubyard_hub.models.tracked_ends import ask_for_end
from hubyard_hub.notices.tell import tell_end
from hubyard_hub.reconcile.steps import Act, Facts, Step, next_step
from hubyard_hub.runs.kept import BadRecord, Kept, has_tracked, left_record
from hubyard_hub.runs.record import after_end, keep_record
from hubyard_hub.runs.steps import keep_steps
from hubyard_hub.store import tables
from hubyard_hub.workloads.hub_client import Server
from hubyard_hub.workloads.running import memory_words
from hubyard_hub.workloads.wishes import all_rows
from hubyard_spawner.local.folder import Folder
from hubyard_spawner.workloads import ANSWER_LIMIT_S, START_LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from hubyard.contract.entry import Settlement
    from hubyard.contract.run import StepRecord
    from hubyard_hub.money.lines import Line
    from hubyard_hub.parts import Parts
    from hubyard_hub.workloads.hub_client import Refusal
    from hubyard_hub.workloads.wishes import Row

_LOG = logging.getLogger(__name__)

TABLES: dict[Kind, Table] = {
    Kind.RUN: tables.runs,
    Kind.ENDPOINT: tables.deployments,
    Kind.APP: tables.apps,
}
_TAIL_LINES = 20
_CLOCKS_APART_S = 60
"""So far the clocks of two machines may be apart."""


@dataclass(frozen=True)
class Seen:
    """One wish and what the ledger and its folder say of its present start."""

    kind: Kind
    row: Row
    line: Line | None
    folder: Folder | None

    @property
    def settlement(self) -> Settlement | None:
        """How this start ended, where the ledger knows."""
        return self.line.end if self.line else None

    @property
    def end(self) -> EndReason | None:
        """Why this start ended; a run that has said something had begun."""
        settlement = self.settlement
        if settlement is None:
            return None
        has_begun = self.row.get("revision", 0) > 0 and not self.was_too_slow
        if settlement.reason is not EndReason.START_FAILED or not has_begun:
            return settlement.reason
        if settlement.exit_code is None:
            return EndReason.LOST
        return EndReason.KILLED if settlement.exit_code < 0 else EndReason.EXITED

    @property
    def was_too_slow(self) -> bool:
        """Whether the hub has ended it because it was not ready in time."""
        settlement, said = self.settlement, self.folder and self.folder.end()
        if settlement is None or settlement.reason is not EndReason.START_FAILED:
            return False
        return said is not None and said.reason is EndReason.STOPPED

    @property
    def process_gone(self) -> bool:
        """Whether the shim has written its record."""
        return self.folder is not None and self.folder.end() is not None

    @property
    def has_ended(self) -> bool:
        """Whether nothing of this start runs any more."""
        return self.settlement is not None or self.process_gone

    @property
    def is_at_rest(self) -> bool:
        """Whether it is where it shall be, and nothing here says otherwise."""
        up = self.row["status"] in {Status.RUNNING, Status.READY}
        wanted = up and self.row["target"] is Target.RUNNING
        return wanted and not self.has_ended

    def facts(self, server: Server) -> Facts:
        """What the next step is decided from."""
        return Facts(
            kind=self.kind,
            status=self.row["status"],
            target=self.row["target"],
            server=server,
            billed=self.line is not None,
            end=self.end,
            process_gone=self.process_gone,
            attempts=self.row["attempts"],
            recorded=self.row.get("revision", 0) > 0,
            unchanged_s=_seconds_since(self.row["changed_at"]),
        )


def _seconds_since(moment: datetime) -> float:
    """How long ago a moment of some machine's clock was.

    One that is far ahead was written before the clock was set back: it is long ago,
    for nothing may wait until the clock has caught up.
    """
    seconds = (now() - moment).total_seconds()
    return float("inf") if seconds < -_CLOCKS_APART_S else max(seconds, 0)


def look(parts: Parts, kind: Kind, row: Row) -> Seen:
    """What is known of a wish without asking the hub."""
    line = parts.ledger.newest(row["owner"], row["server_name"])
    if line is not None and line.entry.id == row["past_entry_id"]:
        line = None
    folder = Folder.of(parts.settings.workloads, line.entry.id) if line else None
    return Seen(kind, row, line, folder)


def bring_further(parts: Parts, kind: Kind, id_: str) -> bool:
    """Take one step; whether there is at once another one to take.

    Raises:
        Unavailable: the hub does not answer; nothing was changed.
    """
    table = TABLES[kind]
    with parts.store.read() as connection:
        rows = all_rows(connection, select(table).where(table.c.id == id_))
    if not rows:
        return False
    row = rows[0]
    # The hub is asked first: it says "absent" only after the end is in the ledger.
    server = parts.hub.server(row["owner"], row["server_name"])
    seen = look(parts, kind, row)
    step = next_step(seen.facts(server))
    ends = seen.has_ended or step.end is not None
    if ends and _heard_from_folder(parts, seen):
        return True
    if step.act is not Act.NOTHING:
        return _ACTS[step.act](parts, seen)
    if step.again:
        return _begin_anew(parts, seen)
    return step.status is not None and _arrive(parts, seen, step)


def _heard_from_folder(parts: Parts, seen: Seen) -> bool:
    """Whether a run that has ended left a newer record than was handed in.

    Where the platform was away, only the folder knows how far the run came, whether
    it had begun at all, and its last word.
    """
    active = seen.kind is Kind.RUN and seen.row["status"].is_active
    if not active or seen.folder is None:
        return False
    Kept.of(parts.settings.state, seen.row["id"]).gather(seen.folder.scratch)
    try:
        record = left_record(seen.folder.scratch)
    except BadRecord:
        return False  # the ledger's end stands in, and its words tell of it
    if record is None or record.revision <= seen.row["revision"]:
        return False
    parts.store.atomically(lambda c: keep_record(c, seen.row["id"], record))
    return True


_NO_ROOM = "It starts when there is room on the disk, which is nearly full."


def _start(parts: Parts, seen: Seen) -> bool:
    row = seen.row
    lack = parts.disk.lack()
    if lack is not None:
        changed = row["reason"] != _NO_ROOM
        return changed and _move(parts, seen, reason=_NO_ROOM)
    options = UserOptions(
        kind=seen.kind, compute=row["compute"], lifetime_s=row["lifetime_s"]
    )
    refusal = parts.hub.start(row["owner"], row["server_name"], options)
    attempts = row["attempts"] + 1
    if refusal is None:
        return _move(parts, seen, status=Status.STARTING, attempts=attempts)
    # "Already running" is a no as well: only its state says whether it is there.
    if parts.hub.server(row["owner"], row["server_name"]) is not Server.ABSENT:
        return _move(parts, seen, status=Status.STARTING, attempts=attempts)
    if refusal.final:
        latest = look(parts, seen.kind, row)
        if _heard_from_folder(parts, latest):
            return True
        return _move(parts, seen, attempts=attempts, **_refused(latest, refusal))
    said: dict[str, Any] = {"reason": refusal.message, "changed_at": now()}
    return _move(parts, seen, attempts=attempts, **said)


def _refused(seen: Seen, refusal: Refusal) -> dict[str, Any]:
    values: dict[str, Any] = {"status": Status.FAILED, "reason": refusal.message}
    if seen.folder is not None:
        values["log_tail"] = seen.folder.tail(_TAIL_LINES) or None
    if seen.kind is Kind.RUN:
        failure = RunFailure(reason=FailureReason.START_FAILED, message=refusal.message)
        values |= {"failure": failure.model_dump(mode="json"), "ended_at": now()}
    return values


def _stop(parts: Parts, seen: Seen) -> bool:
    """It is forgotten only when it is gone: of one that ends, the hub answers 500."""
    parts.hub.stop(seen.row["owner"], seen.row["server_name"], forget=False)
    return False


def _forget(parts: Parts, seen: Seen) -> bool:
    """Nothing is left. An app keeps its place at the hub, for its shares are there."""
    row = seen.row
    if seen.kind is Kind.RUN:
        if seen.folder is not None and has_tracked(seen.folder.scratch):
            parts.store.atomically(lambda c: ask_for_end(c, row))
        parts.hub.stop(row["owner"], row["server_name"], forget=True)
    if seen.folder is not None:  # its log stays; what it worked on is kept elsewhere
        shutil.rmtree(seen.folder.scratch, ignore_errors=True)
    return _move(parts, seen, closed=True)


def _begin_anew(parts: Parts, seen: Seen) -> bool:
    past = seen.line.entry.id if seen.line else seen.row["past_entry_id"]
    return _move(
        parts, seen, status=Status.PENDING, past_entry_id=past, counted_since=None
    )


def _arrive(parts: Parts, seen: Seen, step: Step) -> bool:
    """Write another status; with an end, what came of it."""
    if step.end is None:
        return _move(parts, seen, status=step.status)
    return _close(parts, seen, step.status, step.end)


def _close(parts: Parts, seen: Seen, status: Status | None, end: EndReason) -> bool:
    values: dict[str, Any] = {"status": status}
    if seen.folder is not None and seen.settlement is None:
        # The hub has forgotten it; should it still run, its shim ends it.
        seen.folder.ask_to_end()
    settlement = seen.settlement
    ended_at = settlement.ended_at if settlement else now()
    message = _words(seen, end) + _of_its_record(seen)
    values["reason"] = message
    if status is Status.FAILED and seen.folder is not None:
        values["log_tail"] = seen.folder.tail(_TAIL_LINES) or None
    if seen.kind is not Kind.RUN:
        return _move(parts, seen, **values)
    with parts.store.read() as connection:
        closed = after_end(connection, seen.row, end, message, ended_at)
    return _move(parts, seen, closed.steps, **values, **closed.columns)


_TOO_SLOW = (
    f"It was not ready in time, so Hubyard ended it: a start may take {START_LIMIT_S} "
    f"s, and its first answer {ANSWER_LIMIT_S} s. Start it again, or choose larger "
    "compute; its last lines may say more."
)


def _words(seen: Seen, end: EndReason) -> str:
    """Why it ended, as its owner is told."""
    if end is EndReason.START_FAILED and seen.was_too_slow:
        return _TOO_SLOW
    why = why_ended(
        end,
        lifetime=duration_text(seen.row["lifetime_s"]),
        compute=seen.row["compute"],
        memory=_memory_words(seen),
        code=seen.settlement.exit_code if seen.settlement else None,
    )
    if end is EndReason.START_FAILED:
        said = seen.row["reason"] or "its last lines may say why."
        return told(end, why).removesuffix(".") + f": {said}"
    return told(end, why)


def _of_its_record(seen: Seen) -> str:
    """What is to be said of the record that a run has left."""
    if seen.kind is not Kind.RUN or seen.folder is None:
        return ""
    try:
        left_record(seen.folder.scratch)
    except BadRecord:
        _LOG.warning("Run %s has left a record that cannot be used", seen.row["id"])
        return " It left a record that cannot be used."
    return ""


def _memory_words(seen: Seen) -> str:
    """The most memory that it used, of what it might have."""
    if seen.line is None or seen.settlement is None:
        return ""
    return memory_words(seen.line.entry, seen.settlement)


_COMPARED = {"id", "status", "target", "revision"}
"""What must still be what it was for a step to be written; an app has no revision."""


def _move(
    parts: Parts,
    seen: Seen,
    steps: Sequence[StepRecord] = (),
    **values: Any,  # noqa: ANN401  columns of many types
) -> bool:
    """Write what came of a step; whether the status is another one now.

    Nothing is written where somebody has changed the wish meanwhile, or a run has
    said more than was seen.
    """
    row, table = seen.row, TABLES[seen.kind]
    changed = values.get("status", row["status"]) is not row["status"]
    if changed:
        values["changed_at"] = now()
    seen_in = [c for c in table.c if c.name in _COMPARED]
    still = update(table).where(*(c == row[c.name] for c in seen_in))
    moved = still.values(**values)

    def work(connection: Connection) -> None:
        if not connection.execute(moved).rowcount:
            return
        if steps:
            keep_steps(connection, row["id"], steps)
        if changed and seen.kind is Kind.RUN:
            tell_end(connection, row, values["status"], values.get("failure"))

    parts.store.atomically(work)
    return changed


_ACTS = {Act.START: _start, Act.STOP: _stop, Act.FORGET: _forget}
