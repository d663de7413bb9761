"""The runs of everyone, as they ask for them and as a run itself does."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import Conflict, Invalid, NotFound
from hubyard.contract.layout import NOTEBOOK, PACKED_OUTPUTS, REPORT
from hubyard.contract.run import (
    Run,
    RunDetail,
    RunJob,
    RunRecord,
    StepRecord,
    StepStatus,
)
from hubyard.contract.workload import Kind, Status, Target, new_id
from hubyard_hub.runs import cache
from hubyard_hub.runs.again import again
from hubyard_hub.runs.job import check_shares, job_of
from hubyard_hub.runs.kept import Kept
from hubyard_hub.runs.record import keep_record
from hubyard_hub.runs.steps import keep_steps, steps_of
from hubyard_hub.runs.wanted import Wanted
from hubyard_hub.sources.notebook import notebook_name
from hubyard_hub.store import tables
from hubyard_hub.workloads.wishes import Bill, Row, Wishes

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Sequence
    from pathlib import Path

    from hubyard.contract.compute import Estimate
    from hubyard.contract.identity import Identity
    from hubyard.contract.run import ResumeRequest, ReuseRequest, RunRequest
    from hubyard_hub.parts import Parts
    from hubyard_hub.sources.blobs import Upload
    from hubyard_hub.sources.entry import Entry

_NOT_CACHED = "Nothing is cached for this."


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
        entry, wish = self._planned(asking, request)
        wanted = Wanted(
            notebook=request.notebook,
            source=request.source,
            parameters=dict(entry.given),
            cell_timeout_s=request.cell_timeout_s,
            fresh=request.fresh,
        )
        self._wishes.insert({**wish, **wanted.columns()})
        return self._one(asking.name, wish["id"])

    def preview(self, asking: Identity, request: RunRequest) -> Estimate:
        """What a run would cost at most, and what the budgets say to that.

        Raises:
            NotFound, Invalid, Rejected: as `create`.
        """
        entry, wish = self._planned(asking, request)
        return self._parts.prices.estimate(
            asking.name,
            asking.groups,
            request.compute or entry.project.compute,
            wish["lifetime_s"],
            entry.project.name,
        )

    def _planned(
        self, asking: Identity, request: RunRequest
    ) -> tuple[Entry, dict[str, Any]]:
        """What a run executes, and the columns of its wish; nothing is written."""
        entry = self._parts.sources.entry(
            asking.name,
            request.source,
            request.notebook,
            request.parameters,
            request.parameter_texts,
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
        return entry, wish

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
        taken = again(entry, self._steps(id_), request, kept.has)
        wish = self._wishes.new(
            asking, new_id(), row["name"], row["compute"], row["lifetime_s"]
        )
        wanted = Wanted(
            notebook=row["notebook"],
            source=source,
            parameters=dict(entry.given),
            cell_timeout_s=row["cell_timeout_s"],
            resumes=id_,
            only_step=request.step if request.only else None,
            fresh=True,  # it says itself what it takes over
            steps=taken,
        )
        self._kept(wish["id"]).take_over(kept, {e.key: e.key for e in taken})
        values = {**wish, **wanted.columns(), "project": row["project"]}
        self._wishes.insert(values, lambda c: keep_steps(c, wish["id"], taken))
        return self._one(asking.name, wish["id"])

    def list(self, owner: str, schedule_id: str | None = None) -> list[Run]:
        """Those that have not ended, then the newest that have; or a schedule's."""
        of_schedule = tables.runs.c.schedule_id == schedule_id
        rows = self._wishes.rows(owner, *([of_schedule] if schedule_id else []))
        bills = self._wishes.bills(rows)
        return [Run(**self._shown(row, bills[row["id"]])) for row in rows]

    def get(self, owner: str, id_: str) -> RunDetail:
        """One run with its step runs; NotFound where there is none."""
        row = self._wishes.row(owner, id_)
        bill = self._wishes.bills([row])[id_]
        return RunDetail(**self._shown(row, bill), steps=self._steps(id_))

    def stop(self, owner: str, id_: str) -> Run:
        """End a run; one that has ended stays as it is."""
        self._wishes.stop(owner, id_)
        return self._one(owner, id_)

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
        self._wishes.row(owner, id_)
        kept = self._kept(id_)
        keys = [key] if key else _telling(self._steps(id_)) or kept.keys()
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
        reused = [e for e in self._steps(id_) if e.reused]
        # Not in its owner's name: what they send meanwhile holds up none of their runs.
        entry = self._parts.sources.read(
            f"run of {owner}", row["source"], row["notebook"], row["parameters"]
        )
        return job_of(row, entry, self._parts.catalogue, reused)

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
        kept, needed = (
            self._kept(run_id),
            [NOTEBOOK, *([PACKED_OUTPUTS] * request.outputs)],
        )
        if not all(kept.has(earlier, name) for name in needed):
            raise NotFound(_NOT_CACHED)
        self._kept(id_).take_over(kept, {earlier: key})
        return next(each for each in self._steps(run_id) if each.key == earlier)

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

    def _steps(self, id_: str) -> tuple[StepRecord, ...]:
        with self._parts.store.read() as connection:
            return steps_of(connection, id_)

    def _one(self, owner: str, id_: str) -> Run:
        row = self._wishes.row(owner, id_)
        return Run(**self._shown(row, self._wishes.bills([row])[id_]))

    def _shown(self, row: Row, bill: Bill) -> dict[str, Any]:
        kept = self._kept(row["id"])
        waits = row["status"] is Status.PENDING and row["target"] is Target.RUNNING
        begun = row["status"].is_active and row["status"] is not Status.PENDING
        return {
            **row,
            "price": bill.price,
            "cost": bill.cost,
            "waits_for": row["waits_for"] if waits else None,
            "url": self._wishes.url(row) if begun else None,
            "has_notebook": kept.has_any(NOTEBOOK),
            "has_report": kept.has_any(REPORT),
        }


def _telling(steps: Sequence[StepRecord]) -> list[str]:
    """The keys of the step runs of a run, the one that tells most first."""
    failed = [step.key for step in steps if step.status is StepStatus.FAILED]
    return failed + [step.key for step in reversed(steps) if step.key not in failed]
