"""Runs: one execution of a notebook each, on its own compute.

The runner's own record says how far a run is and how it ended. Where a run dies
without a last word, the ledger's end stands in for it.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from sqlalchemy import func, select, update

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard.contract.errors import Invalid, NotFound
from hubyard.contract.run import (
    CellRecord,
    CellStatus,
    FailureReason,
    Run,
    RunDetail,
    RunFailure,
    RunJob,
    RunRecord,
)
from hubyard.contract.workload import Kind, Status, Target, new_id
from hubyard_hub.blobs import receive
from hubyard_hub.store import tables
from hubyard_hub.wishes import Bill, Row, Wishes, new_wish

if TYPE_CHECKING:
    import contextlib
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from hubyard.contract.identity import Identity
    from hubyard.contract.run import RunRequest
    from hubyard_hub.blobs import Upload
    from hubyard_hub.parts import Parts

NOTEBOOK, REPORT = "notebook.ipynb", "report.html"
OUTPUT_LIMIT_BYTES = 200 * 2**20

_CELLS = TypeAdapter(tuple[CellRecord, ...])
_DONE = {CellStatus.SUCCEEDED, CellStatus.FAILED}
_FAILURES = {
    EndReason.KILLED: FailureReason.KILLED,
    EndReason.OUT_OF_MEMORY: FailureReason.OUT_OF_MEMORY,
    EndReason.LIFETIME: FailureReason.LIFETIME,
    EndReason.BUDGET: FailureReason.BUDGET,
    EndReason.START_FAILED: FailureReason.START_FAILED,
}


@dataclass(frozen=True)
class Wanted:
    """What a run row holds beside the columns of every wish."""

    notebook: str
    source: str
    parameters: dict[str, Any]
    cell_timeout_s: int | None
    schedule_id: str | None = None
    fire_at: datetime | None = None

    def columns(self) -> dict[str, Any]:
        """The columns of a run that has not begun."""
        return {**vars(self), "revision": 0, "cells": []}


def new_run(
    owner: str, name: str, compute: str, lifetime_s: int, wanted: Wanted
) -> dict[str, Any]:
    """The row of a run that shall start at once."""
    wish = new_wish(Kind.RUN, new_id(), owner, name, compute, lifetime_s)
    return {**wish, **wanted.columns()}


def notebook_name(path: str) -> str:
    """What a run or app is called that was given no name."""
    return PurePosixPath(path).stem[:128] or "notebook"


class Runs:
    """The runs of everyone; every question names its owner."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._wishes = Wishes(parts, Kind.RUN, tables.runs)

    # -- for people ------------------------------------------------------------------

    def create(self, asking: Identity, request: RunRequest) -> Run:
        """Run a notebook once, now.

        Raises:
            NotFound: its source or notebook is not there.
            Invalid, Rejected: it cannot run like this; says why.
        """
        self._parts.sources.check_run(
            asking.name, request.source, request.notebook, request.parameters
        )
        wish = self._wishes.new(
            asking,
            new_id(),
            request.name or notebook_name(request.notebook),
            request.compute,
            request.lifetime_s,
            self._parts.sources.project(asking.name, request.source),
        )
        wanted = Wanted(
            notebook=request.notebook,
            source=request.source,
            parameters=request.parameters,
            cell_timeout_s=request.cell_timeout_s,
        )
        self._wishes.insert({**wish, **wanted.columns()})
        return self.get(asking.name, wish["id"])

    def list(self, owner: str, schedule_id: str | None = None) -> list[Run]:
        """The newest hundred, of one schedule or of all."""
        of_schedule = tables.runs.c.schedule_id == schedule_id
        rows = self._wishes.rows(owner, *([of_schedule] if schedule_id else []))
        bills = self._wishes.bills(rows)
        return [Run(**self._shown(row, bills[row["id"]])) for row in rows]

    def get(self, owner: str, id_: str) -> RunDetail:
        """One run with its cells; NotFound where there is none."""
        row = self._wishes.row(owner, id_)
        bill = self._wishes.bills([row])[id_]
        return RunDetail(**self._shown(row, bill))

    def stop(self, owner: str, id_: str) -> Run:
        """End a run; one that has ended stays as it is."""
        self._wishes.stop(owner, id_)
        return self.get(owner, id_)

    def remove(self, owner: str, id_: str) -> None:
        """Forget a run and its outputs; Conflict while it is active."""
        self._wishes.remove(owner, id_)
        shutil.rmtree(self._folder(id_), ignore_errors=True)

    def output(self, owner: str, id_: str, name: str) -> Path:
        """The file of an output that the run handed in.

        Raises:
            NotFound: no such run, or it has not handed it in.
        """
        self._wishes.row(owner, id_)
        path = self._folder(id_) / name
        if not path.is_file():
            raise NotFound("The run has not handed this in.")
        return path

    def row(self, owner: str, id_: str) -> Row:
        """The row of a run; NotFound where there is none."""
        return self._wishes.row(owner, id_)

    # -- for the run itself --------------------------------------------------------

    def job(self, owner: str, id_: str) -> RunJob:
        """What a run shall do."""
        row = self._wishes.row(owner, id_)
        return RunJob(
            run_id=id_,
            name=row["name"],
            notebook=row["notebook"],
            source=row["source"],
            parameters=row["parameters"],
            cell_timeout_s=row["cell_timeout_s"],
        )

    def source(self, owner: str, id_: str) -> Path:
        """The packed source of a run."""
        return self._parts.blobs.path(self._wishes.row(owner, id_)["source"])

    def receive(
        self, owner: str, id_: str
    ) -> contextlib.AbstractContextManager[Upload]:
        """Open an upload of an output of a run."""
        self._wishes.row(owner, id_)
        return receive(self._folder(id_), OUTPUT_LIMIT_BYTES)

    def record(self, owner: str, id_: str, record: RunRecord) -> None:
        """Keep a run's record, unless a newer one is kept.

        Raises:
            Invalid: no run can be in that status.
        """
        if record.status is Status.READY:
            raise Invalid("A run is never ready: it is running.", field="status")
        self._wishes.row(owner, id_)
        self._parts.store.atomically(lambda c: keep_record(c, id_, record))
        self._parts.wake.set()

    def _folder(self, id_: str) -> Path:
        return self._parts.settings.state / "runs" / id_

    def _shown(self, row: Row, bill: Bill) -> dict[str, Any]:
        cells, folder = row["cells"], self._folder(row["id"])
        begun = row["status"].is_active and row["status"] is not Status.PENDING
        return {
            **row,
            "price": bill.price,
            "cost": bill.cost,
            "cells_total": len(cells),
            "cells_done": sum(cell["status"] in _DONE for cell in cells),
            "url": self._wishes.url(row) if begun else None,
            "has_notebook": (folder / NOTEBOOK).is_file(),
            "has_report": (folder / REPORT).is_file(),
        }


def keep_record(connection: Connection, id_: str, record: RunRecord) -> None:
    """Keep a record. Its last word holds, also over what the ledger made of the end."""
    runs = tables.runs
    mine = runs.c.id == id_
    row = connection.execute(select(runs).where(mine)).mappings().one()
    if record.revision <= row["revision"]:
        return
    said = record.model_dump(mode="json")
    values: dict[str, Any] = {
        "revision": record.revision,
        "cells": said["cells"],
        "failure": said["failure"],
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "changed_at": now(),
    }
    final = not record.status.is_active
    if final:
        values |= {"status": record.status, "target": Target.STOPPED, "closed": False}
    elif row["status"].is_active:
        values["status"] = Status.RUNNING
    connection.execute(update(runs).where(mine).values(**values))


def gather_outputs(state: Path, id_: str, scratch: Path) -> None:
    """Keep what a run has made and could not hand in, so far as it is there."""
    kept = state / "runs" / id_
    for name in (NOTEBOOK, REPORT):
        content = _read_plain(scratch / name)
        if content and not (kept / name).exists():
            with receive(kept, OUTPUT_LIMIT_BYTES) as upload:
                upload.write(content)
                upload.keep_as(name)


def last_word(scratch: Path) -> RunRecord | None:
    """The final record that a run has left in its folder."""
    try:
        record = RunRecord.model_validate_json(_read_plain(scratch / "record.json"))
    except ValueError:
        return None
    return None if record.status.is_active else record


def _read_plain(path: Path) -> bytes:
    """A plain file's bytes; nothing where it is missing, a link, or too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        fits = stat.S_ISREG(about.st_mode) and about.st_size <= OUTPUT_LIMIT_BYTES
        return file.read() if fits else b""


def after_end(row: Row, end: EndReason, message: str, ended_at: datetime) -> Row:
    """The columns of a run that ended without a last word of its own."""
    cells = _CELLS.validate_python(row["cells"])
    died_in = next((c for c in cells if c.status is CellStatus.RUNNING), None)
    closed = [_closed(cell, ended_at, end) for cell in cells]
    failure = None
    if end is not EndReason.STOPPED:
        failure = RunFailure(
            reason=_FAILURES.get(end, FailureReason.LOST),
            message=message,
            cell=died_in.index if died_in else None,
        ).model_dump(mode="json")
    return {
        "cells": _CELLS.dump_python(tuple(closed), mode="json"),
        "failure": failure,
        "ended_at": ended_at,
    }


def _closed(cell: CellRecord, ended_at: datetime, end: EndReason) -> CellRecord:
    if cell.status is CellStatus.RUNNING:
        stopped = end is EndReason.STOPPED
        status = CellStatus.NOT_RUN if stopped else CellStatus.FAILED
        return cell.model_copy(update={"status": status, "ended_at": ended_at})
    if cell.status is CellStatus.WAITING:
        return cell.model_copy(update={"status": CellStatus.NOT_RUN})
    return cell


def mean_duration_s(
    connection: Connection, owner: str, notebook: str
) -> tuple[int, float] | None:
    """How many of the last ten ended runs of a notebook there are, and their mean."""
    runs = tables.runs.c
    last = (
        select(runs.started_at, runs.ended_at)
        .where(
            runs.owner == owner,
            runs.notebook == notebook,
            runs.status == Status.SUCCEEDED,
            runs.started_at.is_not(None),
            runs.ended_at.is_not(None),
        )
        .order_by(runs.created_at.desc())
        .limit(10)
    )
    spans = [
        (row.ended_at - row.started_at).total_seconds()
        for row in connection.execute(last)
    ]
    return (len(spans), sum(spans) / len(spans)) if spans else None


def newest_of_schedules(
    connection: Connection, schedule_ids: list[str]
) -> dict[str, Row]:
    """The newest run of each schedule that has one: its id and status."""
    runs = tables.runs
    newest = (
        select(runs.c.schedule_id, func.max(runs.c.id).label("id"))
        .where(runs.c.schedule_id.in_(schedule_ids))
        .group_by(runs.c.schedule_id)
        .subquery()
    )
    wanted = select(runs.c.schedule_id, runs.c.id, runs.c.status).join(
        newest, newest.c.id == runs.c.id
    )
    return {
        row["schedule_id"]: dict(row) for row in connection.execute(wanted).mappings()
    }
