"""A worker: the process that executes one step run, and tells its run how far it is.

It is forked from a parent that has imported all of this already, executes in a kernel
that it starts itself, and adopts whatever that leaves behind: nothing of one step can
reach another. It says how it is by sending its record; it is told why it shall end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from hubyard.contract import environment, step_run
from hubyard.contract.layout import NOTEBOOK, OUTPUTS, PACKED_OUTPUTS, TRACKED
from hubyard.contract.script import is_script
from hubyard_runtime.quickstart import skip_slow_imports
from hubyard_runtime.run.step import failure, handover, layout, script, source
from hubyard_runtime.run.step.cause import Cause
from hubyard_runtime.run.system import tree

skip_slow_imports()

import nbformat  # noqa: E402  once they are skipped
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel  # noqa: E402
from jupyter_client.provisioning.factory import (  # noqa: E402
    KernelProvisionerFactory,
)

from hubyard_runtime.run.step.engine import Engine  # noqa: E402
from hubyard_runtime.run.step.kernel import NAME, Kernel  # noqa: E402
from hubyard_runtime.run.step.notebook import ExecutedNotebook, prepared  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from hubyard.contract.run import RunFailure, StepRecord
    from hubyard_runtime.run.step.task import Task


_PAUSES_S = (0.5, 2.0)
"""Before a second and a third kernel, where one has not started."""
_START_AGAIN_WITHIN_S = 60.0
"""One that took so long not to start is the last one."""
_log = logging.getLogger(__name__)


def _warm_up() -> None:
    """Do once, before any fork, what libraries else do at first use in each worker."""
    nbformat.validate(nbformat.v4.new_notebook())  # it compiles the schema
    with contextlib.suppress(NoSuchKernel):  # a step will say so
        KernelSpecManager().get_kernel_spec(NAME)  # it imports ipykernel
    KernelProvisionerFactory.instance()  # it reads what every distribution offers


_warm_up()


def work(task: Task, wire: Connection) -> None:
    """Execute a step run; the process ends with it."""
    said = f"%(asctime)s {task.record.key}: %(message)s"
    logging.basicConfig(level=logging.INFO, format=said)
    tree.adopt_orphans()
    Worker(task, wire).run()


class Worker:
    """Executes one step run."""

    def __init__(self, task: Task, wire: Connection) -> None:
        self._task = task
        self._wire = wire
        self._step = task.record
        self._kernel: Kernel | None = None
        self._cause: Cause | None = None
        self._notebook: ExecutedNotebook | None = None

    def run(self) -> None:
        """Execute, and send the last record."""
        threading.Thread(target=self._listen, name="orders", daemon=True).start()
        self._tell(self._measured(self._saved(self._outcome())))

    # -- told by the run -------------------------------------------------------------

    def _listen(self) -> None:
        """End when told to; a run that is gone wants nothing any more."""
        try:
            while True:
                self._end(Cause(self._wire.recv()))
        except (EOFError, OSError):
            tree.end(0)
            os._exit(1)

    def _end(self, cause: Cause) -> None:
        self._cause = self._cause or cause
        if self._kernel is not None:
            self._kernel.end(cause)

    # -- told by the engine ----------------------------------------------------------

    def cell_started(self, index: int) -> None:
        """The kernel works on a cell."""
        self._tell(step_run.cell_started(self._step, index, self._task.clock()))

    def cell_succeeded(self, index: int, output_bytes: int) -> None:
        """The kernel has done a cell."""
        now = self._task.clock()
        self._tell(step_run.cell_succeeded(self._step, index, now, output_bytes))
        done = [cell for cell in self._step.cells if cell.ended_at is not None]
        _log.info("Cell %d of %d succeeded.", len(done), len(self._step.cells))

    def save(self) -> None:
        """Save the notebook as it stands; a full disk does not fail the step here."""
        if self._notebook is None:
            return
        try:
            self._notebook.save(self._step)
        except OSError as error:
            _log.warning("The notebook could not be saved: %s.", error.strerror)

    # -- the step --------------------------------------------------------------------

    def _tell(self, now: StepRecord) -> None:
        self._step = now
        self._wire.send(now)

    def _outcome(self) -> StepRecord:
        """The last record, whatever happens."""
        try:
            self._execute()
            self._hand_over()
        except failure.Stopped:
            return step_run.stopped(self._step, self._task.clock())
        except failure.Broken as broken:
            return self._failed(broken.failure)
        except Exception as error:  # noqa: BLE001  the step's edge: it must not end without a word
            return self._failed(self._unforeseen(error))
        return step_run.succeeded(self._step, self._task.clock())

    def _execute(self) -> None:
        task, plan = self._task, self._task.plan
        path = source.find(task.source, plan.file)
        document = source.with_cells(source.read(path), plan, task.folder.parent)
        source.check_language(document)
        values = source.values_of(document, task.parameters)
        told = {
            **plan.environment,
            **task.environment,
            environment.STEP: self._step.key,
            environment.NOTEBOOK: str(path),
            environment.SOURCE: str(task.source.resolve()),
            environment.TRACKED: str(task.folder / TRACKED),
            environment.OUTPUTS: str(self._outputs),
        }
        is_below = path.parent != task.source.resolve()
        extensions = [
            *([script] if is_script(plan.file) else []),
            *([layout] if is_below else []),
        ]
        make = partial(Kernel, task.folder, path.parent, told, extensions)
        notebook = prepared(document, plan.file, values, task.folder / NOTEBOOK)
        asyncio.run(self._execute_in(make, notebook))

    async def _execute_in(
        self, make: Callable[[], Kernel], notebook: ExecutedNotebook
    ) -> None:
        """Execute in a kernel; one that does not start is replaced by another."""
        begun = time.monotonic()
        for pause_s in _PAUSES_S:
            try:
                await self._execute_once(make(), notebook)
            except failure.NotStarted as broken:
                if time.monotonic() - begun > _START_AGAIN_WITHIN_S:
                    raise
                _log.warning("%s It is started again.", broken)
                await asyncio.sleep(pause_s)
            else:
                return
        await self._execute_once(make(), notebook)

    async def _execute_once(self, kernel: Kernel, notebook: ExecutedNotebook) -> None:
        self._kernel = kernel
        self._check_ended()
        engine = None
        try:
            await kernel.start()
            self._plan(notebook)
            plan = self._task.plan
            limits_s = plan.cell_timeout_s, plan.timeout_s
            engine = Engine(notebook, kernel, self, *limits_s)
            await engine.run()
        finally:
            await kernel.close(engine.kc if engine else None)

    def _check_ended(self) -> None:
        """Start no kernel where the step was ended already."""
        if self._cause is Cause.STEP_TIMEOUT:
            raise failure.step_timeout(None, self._task.plan.timeout_s or 0)
        if self._cause is not None:
            raise failure.Stopped

    def _plan(self, notebook: ExecutedNotebook) -> None:
        """Say once, while a kernel starts, which cells will run."""
        if self._notebook is None:
            self._notebook = notebook
            self._tell(step_run.planned(self._step, notebook.cells_to_run))
            notebook.save(self._step)

    @property
    def _outputs(self) -> Path:
        return self._task.folder / OUTPUTS

    def _hand_over(self) -> None:
        """Pack what was handed over; what cannot be kept fails the step."""
        plan = self._task.plan
        handed = handover.read(self._outputs)
        missing = [name for name in plan.outputs if name not in handed]
        if missing:
            raise failure.no_output(missing)
        try:
            self._keep_files()
            handover.pack(self._outputs, self._task.folder / PACKED_OUTPUTS)
        except handover.TooMuch as error:
            raise failure.too_much_output(str(error)) from None
        except OSError as error:
            raise failure.output_not_packed(error) from error

    def _keep_files(self) -> None:
        """Put the files that the step has left beside what it hands over."""
        plan, source_folder = self._task.plan, self._task.source.resolve()
        below = (source_folder / plan.file).parent
        missing = handover.keep_files(source_folder, below, plan.files, self._outputs)
        if missing:
            raise failure.no_file(missing)

    # -- the end ---------------------------------------------------------------------

    def _failed(self, why: RunFailure) -> StepRecord:
        if why.traceback:
            _log.info("%s", why.traceback)
        said = why.model_copy(update={"step": self._step.key})
        return step_run.failed(self._step, self._task.clock(), said)

    def _unforeseen(self, error: Exception) -> RunFailure:
        if failure.is_disk_full(error):
            return failure.no_space().failure
        _log.exception("The step broke.", exc_info=error)
        return failure.mistake(error).failure

    def _saved(self, last: StepRecord) -> StepRecord:
        """Save the executed notebook with the last record; the record that is true."""
        if self._notebook is None:
            return last
        try:
            self._notebook.save(last)
        except OSError as error:
            _log.warning("The notebook could not be saved: %s.", error.strerror)
            if last.failure is None:
                return self._failed(failure.not_saved(error).failure)
        return last

    def _measured(self, last: StepRecord) -> StepRecord:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        measured = {
            "peak_bytes": used.ru_maxrss * 1024 or None,
            "cpu_s": round(used.ru_utime + used.ru_stime, 3),
        }
        return last.model_copy(update=measured)
