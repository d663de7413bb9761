"""The runner: takes a job from the platform to its end, and says truly how it ended."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol, TypeVar

from hubyard.contract import environment, run_record, step_run
from hubyard.contract.ending import told, why_ended
from hubyard.contract.entry import EndReason
from hubyard.contract.errors import HubyardError
from hubyard.contract.layout import TRACKED
from hubyard.contract.run import (
    FailureReason,
    ReuseRequest,
    RunFailure,
    RunJob,
    StepStatus,
)
from hubyard.contract.workload import Status
from hubyard_runtime.insist import WAITS, insist
from hubyard_runtime.run import process
from hubyard_runtime.run.crew import Crew, share, whole
from hubyard_runtime.run.dag import Dag
from hubyard_runtime.run.folder import Folder
from hubyard_runtime.run.handin import HandIn
from hubyard_runtime.run.patience import Patience
from hubyard_runtime.run.process import Gone, Told
from hubyard_runtime.run.sink import Sink
from hubyard_runtime.run.step import failure, handover
from hubyard_runtime.run.step.cause import Cause
from hubyard_runtime.run.step.clock import Clock
from hubyard_runtime.run.step.failure import Broken, Stopped
from hubyard_runtime.run.step.task import Task
from hubyard_runtime.run.system import tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic import JsonValue

    from hubyard.contract.pipeline import StepPlan
    from hubyard.contract.run import RunRecord, StepRecord
    from hubyard_runtime.run.cache import CacheKeys
    from hubyard_runtime.run.lineage import Lineage

T = TypeVar("T")

_LAST_S = 6.0
"""What a stopped run has; after eight seconds it is ended by force."""
_SETTLE_S = 0.5
_LOOK_S = 60.0
_GOOD = {StepStatus.SUCCEEDED, StepStatus.SKIPPED}
_HOPELESS = {FailureReason.BAD_NOTEBOOK, FailureReason.BAD_INPUT}
"""Reasons that a further try does not change."""
_OWN_ENDS = {
    EndReason.LIFETIME: FailureReason.LIFETIME,
    EndReason.BUDGET: FailureReason.BUDGET,
}
_log = logging.getLogger(__name__)


class Platform(Protocol):
    """What a run asks of the platform: `hubyard.client.Client` does it all."""

    def job(self, shape: type[RunJob]) -> RunJob:
        """What to do."""
        ...

    def job_source(self, into: Path) -> None:
        """Unpack the source into a folder."""

    def job_outputs(self, key: str, into: Path) -> None:
        """Unpack what an earlier step run has handed over."""

    def reuse_step(self, key: str, wish: ReuseRequest) -> StepRecord:
        """Take over what the cache has for a step run; NotFound: nothing."""
        ...

    def put_record(self, record: RunRecord) -> None:
        """Hand in a record."""

    def put_file(self, kind: str, key: str, file: Path) -> None:
        """Hand in the `notebook`, the `report` or the `outputs` of a step run."""


class Runner:
    """One run. `run` blocks until its end; `stop` may be called from any thread."""

    def __init__(self, platform: Platform, scratch: Path) -> None:
        """Begin the record; nothing is asked of the platform yet.

        Args:
            platform: whom to ask and to tell.
            scratch: the working folder of this run.
        """
        self.job: RunJob | None = None
        self._platform = platform
        self._folder = Folder(scratch)
        self._clock = Clock()
        self._patience = Patience(_LAST_S)
        self._crew: Crew | None = None
        self._cache_keys: CacheKeys | None = None
        self._not_before: dict[str, float] = {}
        """When a step run that failed may be tried again, by the monotonic clock."""
        self._lineage: Lineage | None = None
        self._hand_in = HandIn(platform.put_file, self._patience, self._trace)
        begun = run_record.begun(self._clock.begun)
        self._sink = Sink(self._folder.record, platform.put_record, begun)

    @property
    def record(self) -> RunRecord:
        """The record as it stands."""
        return self._sink.newest

    @property
    def exit_code(self) -> int:
        """What the process says of the run: 0 where every step has succeeded."""
        return 0 if self.record.status is Status.SUCCEEDED else 1

    def run(self) -> None:
        """Do the job, hand in what came of it, and tell the platform how it ended."""
        tree.adopt_orphans()
        process.warm_up()
        last = self._outcome()
        self._sink.keep(last)
        _log.info("The run has ended: %s.", _in_words(last))
        self._hand_in.finish()
        last = self._with_refusals(last)
        self._sink.put(last)
        self._await_platform()
        self._sink.close()
        if self._lineage is not None:
            self._lineage.close(last.status, last.ended_at)

    def stop(self) -> None:
        """End all kernels within seconds; what there is, is handed in."""
        if self._patience.stopped:
            return
        _log.info("The run is being stopped.")
        self._patience.stop()
        if self._crew is not None:
            self._crew.end(Cause.STOPPED)

    # -- the job ---------------------------------------------------------------------

    def _outcome(self) -> RunRecord:
        """The last record, whatever happens."""
        try:
            self._execute()
        except Stopped:
            return self._stopped()
        except Broken as broken:
            return run_record.failed(self.record, self._clock(), broken.failure)
        except Exception as error:  # noqa: BLE001  the run's edge: it must not end without a word
            return run_record.failed(
                self.record, self._clock(), self._unforeseen(error)
            )
        return run_record.succeeded(self.record, self._clock())

    def _execute(self) -> None:
        job = self._ask("The job", lambda: self._platform.job(RunJob))
        self.job = job
        _log.info("This is run %s of %s.", job.run_id, job.notebook)
        self._fetch(job)
        if any(plan.cache for plan in job.steps):
            from hubyard_runtime.run.cache import CacheKeys  # noqa: PLC0415  only then

            self._cache_keys = CacheKeys(self._folder.source, self._folder.steps)
        dag = Dag(job.steps, job.parameters, job.reused, self._handed_over)
        planned = run_record.planned(self.record, dag.first())
        self._sink.put(dag.settled(planned, self._clock()))
        self._crew = crew = whole()
        if self._patience.stopped:
            raise Stopped
        try:
            self._work(job, dag, crew)
        finally:
            crew.end_orphans()
        self._check_the_end()

    def _fetch(self, job: RunJob) -> None:
        """Unpack the source, and what earlier step runs have handed over."""
        folder = self._folder.source
        folder.mkdir(parents=True, exist_ok=True)
        self._ask("The source", lambda: self._platform.job_source(folder))
        gives = {plan.name: plan for plan in job.steps if plan.hands_over}
        for each in job.reused:
            plan = gives.get(each.step)
            if plan is not None and not plan.has_no_items(each.key):
                self._fetch_outputs(each.key)

    def _fetch_outputs(self, key: str) -> None:
        """Unpack what a step run that is taken over has handed over."""
        into = self._folder.outputs(key)
        into.mkdir(parents=True, exist_ok=True)
        self._ask(
            f"What {key} has handed over",
            lambda: self._platform.job_outputs(key, into),
        )
        handover.restore_files(into, self._folder.source)

    def _work(self, job: RunJob, dag: Dag, crew: Crew) -> None:
        """Let the steps follow one another until none is left."""
        while True:
            settled = dag.settled(self.record, self._clock())
            if settled is not self.record:
                self._sink.put(settled)
            ready = [] if self._patience.stopped else dag.ready(self.record)
            rested = [each for each in ready if not self._rests(each)]
            for each in rested:
                if each.key not in crew and crew.has_room(dag.plans[each.step]):
                    self._begin(job, dag, crew, each)
            if crew or len(rested) < len(ready):
                self._hear(dag, crew)
            elif not ready:
                return

    def _rests(self, each: StepRecord) -> bool:
        """Whether a step run that failed waits for its next try."""
        return time.monotonic() < self._not_before.get(each.key, 0)

    def _begin(self, job: RunJob, dag: Dag, crew: Crew, each: StepRecord) -> None:
        plan = dag.plans[each.step]
        try:
            parameters = dag.values(self.record, each)
        except ValueError as error:
            begun = step_run.began(each, self._clock())
            self._end_step(dag, self._failed(begun, failure.bad_input(str(error))))
            return
        cache_key = None
        if plan.cache and self._cache_keys is not None:
            cache_key = self._cache_keys.of(plan, parameters)
            earlier = self._cached(plan, each.key, cache_key)
            if earlier is not None:
                taken = step_run.taken_over(each, earlier)
                self._sink.put(run_record.put(self.record, taken))
                return
        begun = step_run.began(each, self._clock(), cache_key)
        self._sink.put(run_record.put(self.record, begun))
        folder = self._folder.step(each.key)
        shutil.rmtree(folder, ignore_errors=True)  # what an earlier try has left
        self._folder.outputs(each.key).mkdir(parents=True)
        crew.begin(
            Task(
                record=begun,
                plan=plan,
                parameters=parameters,
                source=self._folder.source,
                folder=folder,
                environment={**_context(job), **share(plan)},
                clock=self._clock,
            )
        )

    def _cached(self, plan: StepPlan, key: str, cache_key: str) -> StepRecord | None:
        """What the cache has for a step run; without the platform it has nothing."""
        wish = ReuseRequest(cache_key=cache_key, outputs=plan.hands_over)
        try:
            earlier = self._platform.reuse_step(key, wish)
        except HubyardError:
            return None
        if plan.hands_over:
            self._fetch_outputs(key)
        _log.info("%s is taken over from an earlier run.", key)
        return earlier

    # -- what workers say --------------------------------------------------------------

    def _hear(self, dag: Dag, crew: Crew) -> None:
        match crew.hear(self._pause()):
            case Told(record=told):
                self._end_step(dag, self._cut_short(told))
            case Gone(key=key, code=code):
                self._see_off(dag, crew, key, code)
            case None:
                pass

    def _pause(self) -> float:
        """How long there is nothing to do but to listen."""
        waits = [at - time.monotonic() for at in self._not_before.values()]
        return min((max(left, 0.0) for left in waits if left > 0), default=_LOOK_S)

    def _end_step(self, dag: Dag, told: StepRecord) -> None:
        """Keep what a step run says; one that failed may be tried again."""
        plan = dag.plans[told.step]
        if told.status is StepStatus.FAILED and self._tries_again(plan, told):
            pause_s = plan.retry_wait_s * 2 ** (told.attempt - 1)
            _log.info("%s is tried again in %d s.", told.key, pause_s)
            self._not_before[told.key] = time.monotonic() + pause_s
            told = step_run.again(told)
        self._sink.put(run_record.put(self.record, told))

    def _tries_again(self, plan: StepPlan, told: StepRecord) -> bool:
        hopeless = told.failure is not None and told.failure.reason in _HOPELESS
        left = told.attempt <= plan.retries
        return left and not hopeless and not self._patience.stopped

    def _see_off(self, dag: Dag, crew: Crew, key: str, code: int | None) -> None:
        """A worker has ended; one without a last word was killed."""
        found = self._of(key)
        if found.status is StepStatus.RUNNING:
            crew.end_orphans()
            self._end_step(dag, self._failed(found, failure.process_died(code)))
        if self._of(key).status.is_final:
            self._hand_in.add(self._of(key), self._folder.step(key))

    def _trace(self, ended: StepRecord, folder: Path) -> None:
        """Tell MLflow what a step run has tracked; a stopped run has no time for it."""
        if self._patience.stopped or not (folder / TRACKED).exists():
            return
        if self._lineage is None and self.job is not None:
            from hubyard_runtime.run.lineage import Lineage  # noqa: PLC0415  two seconds, for runs that track

            self._lineage = Lineage(self.job)
        if self._lineage is not None:
            self._lineage.add(ended, folder)

    def _of(self, key: str) -> StepRecord:
        return next(each for each in self.record.steps if each.key == key)

    def _failed(self, found: StepRecord, broken: Broken) -> StepRecord:
        if self._patience.stopped:
            return self._cut_short(step_run.stopped(found, self._clock()))
        said = broken.failure.model_copy(update={"step": found.key})
        return step_run.failed(found, self._clock(), said)

    def _handed_over(self, key: str) -> dict[str, JsonValue]:
        return handover.read(self._folder.outputs(key))

    def _check_the_end(self) -> None:
        """Say what broke, where a step has not done what it should.

        Raises:
            Broken: a step has failed.
            Stopped: the run was stopped before all was done.
        """
        steps = self.record.steps
        if self._patience.stopped and not all(e.status in _GOOD for e in steps):
            raise Stopped
        why = next((e.failure for e in steps if e.status is StepStatus.FAILED), None)
        if why is not None:
            raise Broken.of(why if len(steps) == 1 else _with_step(why))

    def _ask(self, what: str, action: Callable[[], T]) -> T:
        """Ask the platform for something that the run cannot do without."""
        try:
            return insist(what, action, self._patience.until_stopped)
        except HubyardError as error:
            if self._patience.stopped:
                raise Stopped from None
            if failure.is_disk_full(error):
                raise failure.no_space() from error
            raise Broken(FailureReason.START_FAILED, error.message) from error

    # -- the end ---------------------------------------------------------------------

    def _stopped(self) -> RunRecord:
        why = self._own_end()
        if why is None:
            return run_record.stopped(self.record, self._clock())
        told = (each.failure for each in self.record.steps if each.failure)
        why = next((said for said in told if said.reason is why.reason), why)
        return run_record.failed(self.record, self._clock(), why)

    def _cut_short(self, told: StepRecord) -> StepRecord:
        """A step run that ends; one that was stopped unasked has failed."""
        why = self._own_end() if told.status is StepStatus.STOPPED else None
        return step_run.cut_short(told, why) if why else told

    def _own_end(self) -> RunFailure | None:
        """Why the run is stopped, where nobody has asked for it."""
        end = self._folder.own_end()
        if end is None or end not in _OWN_ENDS:
            return None
        return RunFailure(reason=_OWN_ENDS[end], message=told(end, why_ended(end)))

    def _with_refusals(self, last: RunRecord) -> RunRecord:
        """A step whose outputs the platform refuses has not succeeded after all."""
        refused = {
            key: failure.output_refused(key, why)
            for key, why in self._hand_in.refused.items()
        }
        if not refused:
            return last
        why = next(iter(refused.values()))
        alone = len(last.steps) == 1
        last = run_record.not_handed_over(
            last, refused, why if alone else _with_step(why)
        )
        _log.info("The run has ended after all: %s.", _in_words(last))
        return last

    def _unforeseen(self, error: Exception) -> RunFailure:
        if failure.is_disk_full(error):
            return failure.no_space().failure
        _log.exception("The run broke.", exc_info=error)
        said = failure.mistake(error).failure
        if self.record.status is Status.RUNNING:
            return said
        return said.model_copy(update={"reason": FailureReason.START_FAILED})

    def _await_platform(self) -> None:
        """Wait until the platform has the last record, or time is over."""
        waits = False
        while not self._sink.is_settled(within_s=_SETTLE_S):
            if self._patience.is_over:
                _log.warning("The last record was not handed in.")
                return
            if not waits:
                _log.warning(WAITS, "The last record is not handed in yet.")
                waits = True


def _context(job: RunJob) -> dict[str, str]:
    """What every step of a run knows of it."""
    experiment = PurePosixPath(job.notebook).stem
    return {environment.RUN: job.run_id, environment.EXPERIMENT: experiment}


def _with_step(why: RunFailure) -> RunFailure:
    return why.model_copy(update={"message": f"Step {why.step}: {why.message}"})


def _in_words(last: RunRecord) -> str:
    return f"{last.status}. {last.failure.message}" if last.failure else last.status
