"""Runs: one execution of a pipeline each, on its own compute.

The runner's own record says how far a run is and how it ended. Where a run dies
without a last word, the ledger's end stands in for it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from sqlalchemy import func, select, update

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard.contract.errors import Conflict, Invalid, NotFound
from hubyard.contract.run import (
    CellRecord,
    CellStatus,
    FailureReason,
    Run,
    RunDetail,
    RunFailure,
    RunJob,
    RunRecord,
    StepRecord,
    StepStatus,
)
from hubyard.contract.workload import Kind, Status, Target, new_id
from hubyard_hub.kept import NOTEBOOK, OUTPUTS, REPORT, Kept
from hubyard_hub.notices.tell import tell_end
from hubyard_hub.pipelines import cache
from hubyard_hub.pipelines.again import again
from hubyard_hub.pipelines.job import check_shares, job_of
from hubyard_hub.store import tables
from hubyard_hub.wishes import Bill, Row, Wishes, all_rows, new_wish

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from hubyard.contract.identity import Identity
    from hubyard.contract.run import ResumeRequest, ReuseRequest, RunRequest
    from hubyard_hub.blobs import Upload
    from hubyard_hub.parts import Parts

_STEPS = TypeAdapter(tuple[StepRecord, ...])
_NOT_CACHED = "Nothing is cached for this."
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
    resumes: str | None = None
    only_step: str | None = None
    fresh: bool = False
    steps: Sequence[StepRecord] = ()
    """Those that it takes over from the run which it resumes."""

    def columns(self) -> dict[str, Any]:
        """The columns of a run that has not begun."""
        steps = _STEPS.dump_python(tuple(self.steps), mode="json")
        return {**vars(self), "revision": 0, "steps": steps}


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
        """Run a notebook, a script or a pipeline once, now.

        Raises:
            NotFound: its source or file is not there.
            Invalid, Rejected: it cannot run like this; says why.
        """
        entry = self._parts.sources.entry(
            asking.name, request.source, request.notebook, request.parameters
        )
        wish = self._wishes.new(
            asking,
            new_id(),
            request.name or entry.name or notebook_name(request.notebook),
            request.compute,
            request.lifetime_s,
            entry.project,
        )
        check_shares(self._parts.catalogue, entry, wish["compute"], asking.groups)
        wanted = Wanted(
            notebook=request.notebook,
            source=request.source,
            parameters=request.parameters,
            cell_timeout_s=request.cell_timeout_s,
            fresh=request.fresh,
        )
        self._wishes.insert({**wish, **wanted.columns()})
        return self.get(asking.name, wish["id"])

    def resume(self, asking: Identity, id_: str, request: ResumeRequest) -> Run:
        """Run again what failed and what follows it; take the rest over.

        Raises:
            NotFound: no such run or step, or its source is not there.
            Conflict: it has not ended, or there is nothing to run again.
            Invalid, Rejected: it cannot run like this; says why.
        """
        row = self._wishes.row(asking.name, id_)
        if row["status"].is_active:
            raise Conflict("It is active: stop it first, and wait for its end.")
        source = request.source or row["source"]
        entry = self._parts.sources.entry(
            asking.name, source, row["notebook"], row["parameters"]
        )
        kept = self._kept(id_)
        taken = again(entry, _STEPS.validate_python(row["steps"]), request, kept.has)
        wish = self._wishes.new(
            asking, new_id(), row["name"], row["compute"], row["lifetime_s"]
        )
        wanted = Wanted(
            notebook=row["notebook"],
            source=source,
            parameters=row["parameters"],
            cell_timeout_s=row["cell_timeout_s"],
            resumes=id_,
            only_step=request.step if request.only else None,
            fresh=True,  # it says itself what it takes over
            steps=taken,
        )
        self._kept(wish["id"]).take_over(kept, {e.key: e.key for e in taken})
        values = {**wish, **wanted.columns(), "project": row["project"]}
        self._wishes.insert(values)
        return self.get(asking.name, wish["id"])

    def list(self, owner: str, schedule_id: str | None = None) -> list[Run]:
        """The newest hundred, of one schedule or of all."""
        of_schedule = tables.runs.c.schedule_id == schedule_id
        rows = self._wishes.rows(owner, *([of_schedule] if schedule_id else []))
        bills = self._wishes.bills(rows)
        return [Run(**self._shown(row, bills[row["id"]])) for row in rows]

    def get(self, owner: str, id_: str) -> RunDetail:
        """One run with its step runs; NotFound where there is none."""
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
        shutil.rmtree(self._kept(id_).folder, ignore_errors=True)

    def output(self, owner: str, id_: str, name: str, key: str | None) -> Path:
        """The file of an output that a step run handed in.

        Args:
            owner: whose run it is.
            id_: the run.
            name: of the file.
            key: of the step run; None: the one that failed, or the last that has it.

        Raises:
            NotFound: no such run, or it has not handed it in.
        """
        row = self._wishes.row(owner, id_)
        kept = self._kept(id_)
        keys = [key] if key else _telling(row) or kept.keys()
        found = [path for k in keys if (path := kept.path(k, name)) is not None]
        if not found:
            raise NotFound("The run has not handed this in.")
        return found[0]

    def row(self, owner: str, id_: str) -> Row:
        """The row of a run; NotFound where there is none."""
        return self._wishes.row(owner, id_)

    # -- for the run itself --------------------------------------------------------

    def job(self, owner: str, id_: str) -> RunJob:
        """What a run shall do."""
        row = self._wishes.row(owner, id_)
        reused = [e for e in _STEPS.validate_python(row["steps"]) if e.reused]
        path = self._parts.blobs.path(row["source"])
        return job_of(row, path, self._parts.catalogue, reused)

    def source(self, owner: str, id_: str) -> Path:
        """The packed source of a run."""
        return self._parts.blobs.path(self._wishes.row(owner, id_)["source"])

    def receive(
        self, owner: str, id_: str, key: str
    ) -> contextlib.AbstractContextManager[Upload]:
        """Open an upload of an output of a step run."""
        self._wishes.row(owner, id_)
        return self._kept(id_).receive(key)

    def reuse(
        self, owner: str, id_: str, key: str, request: ReuseRequest
    ) -> StepRecord:
        """Take over what the cache has for a step run: its record and its files.

        Raises:
            NotFound: it has nothing, or not all that is needed of it.
        """
        self._wishes.row(owner, id_)
        with self._parts.store.read() as connection:
            found = cache.find(connection, owner, request.cache_key)
        if found is None:
            raise NotFound(_NOT_CACHED)
        run_id, earlier = found
        kept, needed = self._kept(run_id), [NOTEBOOK, *([OUTPUTS] * request.outputs)]
        if not all(kept.has(earlier, name) for name in needed):
            raise NotFound(_NOT_CACHED)
        self._kept(id_).take_over(kept, {earlier: key})
        steps = _STEPS.validate_python(self._wishes.row(owner, run_id)["steps"])
        return next(each for each in steps if each.key == earlier)

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

    def _kept(self, id_: str) -> Kept:
        return Kept.of(self._parts.settings.state, id_)

    def _shown(self, row: Row, bill: Bill) -> dict[str, Any]:
        steps, kept = row["steps"], self._kept(row["id"])
        cells = [cell for step in steps for cell in step["cells"]]
        begun = row["status"].is_active and row["status"] is not Status.PENDING
        return {
            **row,
            "price": bill.price,
            "cost": bill.cost,
            "cells_total": len(cells),
            "cells_done": sum(cell["status"] in _DONE for cell in cells),
            "steps_total": len(steps),
            "steps_done": sum(StepStatus(s["status"]).is_final for s in steps),
            "url": self._wishes.url(row) if begun else None,
            "has_notebook": kept.has_any(NOTEBOOK),
            "has_report": kept.has_any(REPORT),
        }


def keep_record(connection: Connection, id_: str, record: RunRecord) -> None:
    """Keep a record. Its last word holds, also over what the ledger made of the end."""
    runs = tables.runs
    mine = runs.c.id == id_
    (row,) = all_rows(connection, select(runs).where(mine))
    if record.revision <= row["revision"]:
        return
    said = record.model_dump(mode="json")
    values: dict[str, Any] = {
        "revision": record.revision,
        # Until its steps are known, those stand that it takes over.
        "steps": said["steps"] or row["steps"],
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
    if final:
        cache.remember(connection, row, record.steps)
        tell_end(connection, row, record.status, said["failure"])


def after_end(row: Row, end: EndReason, message: str, ended_at: datetime) -> Row:
    """The columns of a run that ended without a last word of its own."""
    steps = _STEPS.validate_python(row["steps"])
    failure = None
    if end is not EndReason.STOPPED:
        died_in = next((s for s in steps if s.status is StepStatus.RUNNING), None)
        failure = RunFailure(
            reason=_FAILURES.get(end, FailureReason.LOST),
            message=message,
            step=died_in.key if died_in else None,
            cell=_running_cell(died_in),
        )
    closed = tuple(_closed_step(step, ended_at, failure) for step in steps)
    return {
        "steps": _STEPS.dump_python(closed, mode="json"),
        "failure": failure and failure.model_dump(mode="json"),
        "ended_at": ended_at,
    }


def _running_cell(step: StepRecord | None) -> int | None:
    cells = step.cells if step else ()
    return next((c.index for c in cells if c.status is CellStatus.RUNNING), None)


def _closed_step(
    step: StepRecord, ended_at: datetime, failure: RunFailure | None
) -> StepRecord:
    """A step that was running ends with its run; one that waited will not run."""
    if step.status is StepStatus.WAITING:
        return step.model_copy(update={"status": StepStatus.NOT_RUN})
    if step.status is not StepStatus.RUNNING:
        return step
    cells = tuple(_closed(cell, ended_at, failure is None) for cell in step.cells)
    status = StepStatus.STOPPED if failure is None else StepStatus.FAILED
    ends = {"status": status, "ended_at": ended_at, "failure": failure}
    return step.model_copy(update={**ends, "cells": cells})


def _closed(cell: CellRecord, ended_at: datetime, stopped: bool) -> CellRecord:  # noqa: FBT001  it is read by name where it is made
    if cell.status is CellStatus.RUNNING:
        status = CellStatus.NOT_RUN if stopped else CellStatus.FAILED
        return cell.model_copy(update={"status": status, "ended_at": ended_at})
    if cell.status is CellStatus.WAITING:
        return cell.model_copy(update={"status": CellStatus.NOT_RUN})
    return cell


def _telling(row: Row) -> list[str]:
    """The keys of the step runs of a run, the one that tells most first."""
    steps: list[Mapping[str, Any]] = row["steps"]
    failed = [s["key"] for s in steps if s["status"] == StepStatus.FAILED]
    return failed + [s["key"] for s in reversed(steps) if s["key"] not in failed]


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
