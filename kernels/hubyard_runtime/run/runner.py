"""The runner: takes a job from the platform to its end, and says truly how it ended."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from hubyard.contract.base import now
from hubyard.contract.errors import HubyardError
from hubyard.contract.run import FailureReason, RunFailure, RunJob
from hubyard.contract.workload import Status
from hubyard_runtime.insist import WAITS, insist
from hubyard_runtime.run import record, report, source, tree
from hubyard_runtime.run.failure import (
    Broken,
    Stopped,
    is_disk_full,
    no_space,
    not_saved,
)
from hubyard_runtime.run.patience import Patience
from hubyard_runtime.run.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    from hubyard.contract.run import RunRecord
    from hubyard_runtime.run.kernel import Kernel
    from hubyard_runtime.run.notebook import ExecutedNotebook

T = TypeVar("T")

_LAST_S = 6.0
"""What a stopped run has; after eight seconds it is ended by force."""
_SETTLE_S = 0.5
_QUICK_BYTES = 5 * 2**20
"""Up to here a report is made in a moment, and so also for a stopped run."""
_log = logging.getLogger(__name__)


class Platform(Protocol):
    """What a run asks of the platform: `hubyard.client.Client` does it all."""

    def job(self, shape: type[RunJob]) -> RunJob:
        """What to do."""
        ...

    def job_source(self, into: Path) -> None:
        """Unpack the source into a folder."""

    def put_record(self, record: RunRecord) -> None:
        """Hand in a record."""

    def put_file(self, name: str, file: Path) -> None:
        """Hand in the executed `notebook`, or its `report`."""


class _Clock:
    """The time of day at the start, carried on by a clock that nobody sets."""

    def __init__(self) -> None:
        self.begun, self._begun_s = now(), time.monotonic()

    def __call__(self) -> datetime:
        return self.begun + timedelta(seconds=time.monotonic() - self._begun_s)


@dataclass(frozen=True)
class _Folder:
    """The files of a run."""

    scratch: Path

    @property
    def source(self) -> Path:
        return self.scratch / "source"

    @property
    def record(self) -> Path:
        return self.scratch / "record.json"

    @property
    def outputs(self) -> dict[str, Path]:
        """What is handed in, by the platform's name for it."""
        return {
            "notebook": self.scratch / "notebook.ipynb",
            "report": self.scratch / "report.html",
        }

    def lifetime_is_over(self) -> bool:
        """Whether the deadline that the hub's side keeps beside us has come."""
        with suppress(OSError, ValueError):
            deadline = float((self.scratch.parent / "deadline").read_text())
            return time.time() >= deadline - 1
        return False


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
        self._folder = _Folder(scratch)
        self._clock = _Clock()
        self._patience = Patience(_LAST_S)
        self._kernel: Kernel | None = None
        self._notebook: ExecutedNotebook | None = None
        begun = record.begun(self._clock.begun)
        self._sink = Sink(self._folder.record, platform.put_record, begun)

    @property
    def record(self) -> RunRecord:
        """The record as it stands."""
        return self._sink.newest

    @property
    def exit_code(self) -> int:
        """What the process says of the run: 0 where every cell has succeeded."""
        return 0 if self.record.status is Status.SUCCEEDED else 1

    def run(self) -> None:
        """Do the job, hand in what came of it, and tell the platform how it ended."""
        tree.adopt_orphans()
        last = self._saved(self._outcome())
        self._sink.keep(last)
        _log.info("The run has ended: %s.", _in_words(last))
        self._hand_in()
        self._sink.put(last)
        self._await_platform()
        self._sink.close()

    def stop(self) -> None:
        """End the kernel within seconds; what there is, is handed in."""
        if self._patience.stopped:
            return
        _log.info("The run is being stopped.")
        self._patience.stop()
        if self._kernel is not None:
            from hubyard_runtime.run.kernel import Cause  # noqa: PLC0415  see _execute

            self._kernel.end(Cause.STOPPED)

    # -- told by the engine ----------------------------------------------------------

    def cell_started(self, index: int) -> None:
        """The kernel works on a cell."""
        self._sink.put(record.cell_started(self.record, index, self._clock()))

    def cell_succeeded(self, index: int) -> None:
        """The kernel has done a cell."""
        self._sink.put(record.cell_succeeded(self.record, index, self._clock()))
        done = [cell for cell in self.record.cells if cell.ended_at is not None]
        _log.info("Cell %d of %d succeeded.", len(done), len(self.record.cells))

    def save(self) -> None:
        """Save the notebook as it stands; a full disk does not fail the run here."""
        if self._notebook is None:
            return
        try:
            self._notebook.save(self.record)
        except OSError as error:
            _log.warning("The notebook could not be saved: %s.", error.strerror)

    # -- the job ---------------------------------------------------------------------

    def _outcome(self) -> RunRecord:
        """The last record, whatever happens."""
        try:
            self._execute()
        except Stopped:
            return self._stopped()
        except Broken as broken:
            return self._failed(broken.failure)
        except Exception as error:  # noqa: BLE001  the run's edge: it must not end without a word
            return self._failed(self._unforeseen(error))
        return record.succeeded(self.record, self._clock())

    def _execute(self) -> None:
        job = self._ask("The job", lambda: self._platform.job(RunJob))
        self.job = job
        _log.info("This is run %s of %s.", job.run_id, job.notebook)
        folder = self._folder.source
        folder.mkdir(parents=True, exist_ok=True)
        self._ask("The source", lambda: self._platform.job_source(folder))
        path = source.find_notebook(folder, job.notebook)
        document = source.read_notebook(path)
        source.check_language(document)
        source.check_parameters(document, job.parameters)
        # Jupyter is imported once this process listens: the hub waits for that.
        from hubyard_runtime.run.kernel import Kernel  # noqa: PLC0415

        told = {"HUBYARD_RUN": job.run_id, "HUBYARD_NOTEBOOK": str(path)}
        self._kernel = Kernel(self._folder.scratch, path.parent, told)
        if self._patience.stopped:
            raise Stopped
        asyncio.run(self._execute_in(self._kernel, document, job))

    async def _execute_in(
        self, kernel: Kernel, document: Mapping[str, Any], job: RunJob
    ) -> None:
        engine = None
        try:
            await kernel.start()
            # These take as long to import as the kernel to start.
            from hubyard_runtime.run.engine import Engine  # noqa: PLC0415
            from hubyard_runtime.run.notebook import prepared  # noqa: PLC0415

            self._notebook = prepared(document, job, self._folder.outputs["notebook"])
            cells = self._notebook.cells_to_run
            self._sink.put(record.planned(self.record, cells))
            self._notebook.save(self.record)
            engine = Engine(self._notebook, kernel, self, job.cell_timeout_s)
            await engine.run()
        finally:
            await kernel.close(engine.kc if engine else None)

    def _ask(self, what: str, action: Callable[[], T]) -> T:
        """Ask the platform for something that the run cannot do without."""
        try:
            return insist(what, action, self._patience.until_stopped)
        except HubyardError as error:
            if self._patience.stopped:
                raise Stopped from None
            if is_disk_full(error):
                raise no_space() from error
            raise Broken(FailureReason.START_FAILED, error.message) from error

    # -- the end ---------------------------------------------------------------------

    def _stopped(self) -> RunRecord:
        failure = None
        if self._folder.lifetime_is_over():
            failure = RunFailure(
                reason=FailureReason.LIFETIME,
                message="The lifetime of the run was over: give it a longer one.",
            )
        return record.stopped(self.record, self._clock(), failure)

    def _failed(self, failure: RunFailure) -> RunRecord:
        if failure.traceback:
            _log.info("%s", failure.traceback)
        return record.failed(self.record, self._clock(), failure)

    def _unforeseen(self, error: Exception) -> RunFailure:
        if is_disk_full(error):
            return no_space().failure
        _log.exception("The run broke.", exc_info=error)
        begun = self.record.status is Status.RUNNING
        return RunFailure(
            reason=FailureReason.LOST if begun else FailureReason.START_FAILED,
            message=f"The run broke by a mistake of Hubyard ({type(error).__name__}): "
            "its log says more.",
        )

    def _saved(self, last: RunRecord) -> RunRecord:
        """Save the executed notebook with the last record; the record that is true."""
        if self._notebook is None:
            return last
        try:
            self._notebook.save(last)
        except OSError as error:
            _log.warning("The notebook could not be saved: %s.", error.strerror)
            if last.status is Status.SUCCEEDED:
                return self._failed(not_saved(error).failure)
        return last

    def _hand_in(self) -> None:
        """Give the platform the executed notebook and its report."""
        notebook, html = self._folder.outputs.values()
        if not notebook.is_file():
            return
        if not self._patience.stopped or notebook.stat().st_size < _QUICK_BYTES:
            report.render(notebook, html)
        for name, file in self._folder.outputs.items():
            if file.is_file():
                self._hand_in_file(name, file)

    def _hand_in_file(self, name: str, file: Path) -> None:
        try:
            insist(
                f"The {name}",
                lambda: self._platform.put_file(name, file),
                self._patience.until_the_end,
            )
        except HubyardError as error:
            _log.warning("The %s was not handed in: %s", name, error.message)
        except OSError as error:  # the last record is handed in all the same
            _log.warning("The %s was not handed in: %s.", name, error.strerror)

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


def _in_words(last: RunRecord) -> str:
    return f"{last.status}. {last.failure.message}" if last.failure else last.status
