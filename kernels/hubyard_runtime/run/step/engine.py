"""The engine: executes the cells of a prepared notebook and tells what becomes of them.

Built on nbclient, as papermill's own is, but papermill's loop swallows the end of a
cell and believes that a kernel that died has completed all that was left.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from functools import partial
from queue import Empty
from typing import TYPE_CHECKING, Any, Protocol

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from hubyard_runtime.run.step import failure, script
from hubyard_runtime.run.step.cause import Cause
from hubyard_runtime.run.step.failure import Broken, Stopped
from hubyard_runtime.run.step.kernel import Kernel, no_kernel
from hubyard_runtime.run.step.outputs import Outputs
from hubyard_runtime.run.system import memory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from nbformat import NotebookNode

    from hubyard_runtime.run.step.notebook import ExecutedNotebook

_START_S = 60
_LATE_OUTPUTS_S = 30
"""A kernel answers before the last of its outputs have come."""
_LOOK_EVERY_S = 1.0
"""An answer may lie there unannounced: zmq signals once that something has come, and a
widget that sends on the same socket at that moment takes the signal."""
_MAY_RAISE = "raises-exception"
"""The tag of a cell whose error is meant."""
_NO_EXCEPTION = "NoneType"
_ASK_EXIT = "ask_exit"
_log = logging.getLogger(__name__)


class Watch(Protocol):
    """Who is told; called from the thread that executes."""

    def cell_started(self, index: int) -> None:
        """The kernel works on a cell."""

    def cell_succeeded(self, index: int, output_bytes: int) -> None:
        """The kernel has done a cell, which shows so much."""

    def save(self) -> None:
        """The notebook has changed, and was not saved for a while."""


class Engine(NotebookClient):
    """Executes one notebook in one kernel."""

    def __init__(
        self,
        notebook: ExecutedNotebook,
        kernel: Kernel,
        watch: Watch,
        cell_timeout_s: float | None,
        step_timeout_s: float | None = None,
    ) -> None:
        super().__init__(
            notebook.node,
            km=kernel.manager,
            startup_timeout=_START_S,
            iopub_timeout=_LATE_OUTPUTS_S,
        )
        self._notebook = notebook
        self._cells = notebook.cells_to_run
        self._kernel = kernel
        self._watch = watch
        self._cell_timeout_s = cell_timeout_s
        self._step_timeout_s = step_timeout_s
        self._outputs = Outputs()
        self._error: dict[str, Any] = {}
        self._payload: dict[str, dict[str, Any]] = {}
        """What the kernel asks of its client after the present cell, by source."""
        self._changed = False
        """Whether something came since the notebook was saved."""
        self._oom_kills = memory.oom_kills()
        self.on_cell_error = self._note_error
        self.on_cell_executed = self._note_reply

    async def run(self) -> None:
        """Execute all cells, in their order, once the kernel listens.

        Raises:
            NotStarted: the kernel does not listen; no cell has run.
            Broken: a cell has failed, or the kernel has; says why.
            Stopped: the kernel was ended because the run was stopped.
        """
        await self._connect()
        saving = asyncio.create_task(self._save_now_and_then())
        try:
            await self._run_cells()
        finally:
            saving.cancel()

    async def _run_cells(self) -> None:
        total = len(self._cells)
        for number, index in enumerate(self._cells, 1):
            self._check_ended()
            self._watch.cell_started(index)
            await self._run_cell(index, f"Cell {number} of {total}")
            self._watch.cell_succeeded(index, self._outputs.cell_bytes)
        self.set_widgets_metadata()

    async def _connect(self) -> None:
        try:
            client = await self.async_start_new_kernel_client()
        except (RuntimeError, OSError) as error:
            self._check_ended()
            raise no_kernel(str(error)) from error
        channel = client.shell_channel
        channel.get_msg = partial(_next_message, channel.get_msg)

    async def _run_cell(self, index: int, place: str) -> None:
        self._outputs.begin()
        self._error, self._payload = {}, {}
        broken = None
        try:
            with self._kernel.busy(self._cell_timeout_s):
                await self.async_execute_cell(self.nb.cells[index], index)
            broken = self._shown_error(place, index)
        except CellExecutionError:
            broken = self._raised(place, index)
        except DeadKernelError:
            broken = await self._death(place, index)
        finally:
            self._outputs.settle()
        self._check_ended(index)
        if self._kernel.cause is Cause.CELL_TIMEOUT:
            traceback = broken.failure.traceback if broken else None
            limit_s = self._cell_timeout_s or 0
            broken = failure.cell_timeout(place, index, limit_s, traceback)
        elif broken is None and _ASK_EXIT in self._payload:
            broken = failure.cell_exit(place, index)
        if broken is not None:
            raise broken

    async def _save_now_and_then(self) -> None:
        """Let little be lost should this process be killed."""
        while True:
            await asyncio.sleep(self._notebook.pause_s)
            if self._changed:
                self._changed = False
                self._outputs.settle()
                self._watch.save()

    def _raised(self, place: str, index: int) -> Broken | None:
        """A cell's reply says that it has failed; None: it ended its script well.

        The reply after a failed display names no exception: the output does.
        """
        if script.EXIT in self._payload:
            return self._script_exit(place, index)
        if self._error.get("ename") == _NO_EXCEPTION:
            shown = self._shown_error(place, index)
            return shown or failure.display_error(place, index)
        return _cell_error(place, index, self._error)

    def _script_exit(self, place: str, index: int) -> Broken | None:
        """A script has ended itself; with code 0 in its last cell it has succeeded."""
        told = self._payload[script.EXIT]
        if told["code"] == 0 and index == self._cells[-1]:
            cell = self.nb.cells[index]
            cell.outputs = [o for o in cell.outputs if o.get("ename") != "SystemExit"]
            return None
        lines = self._error.get("traceback") or []
        return failure.script_exit(place, index, told["code"], told["text"], lines)

    def _shown_error(self, place: str, index: int) -> Broken | None:
        """The first error among the outputs of a cell that must not have one.

        `%run`, `%%time`, `%%capture` and a failed display show an error and go on.
        """
        cell = self.nb.cells[index]
        if _MAY_RAISE in cell.metadata.get("tags", []):
            return None
        errors = (out for out in cell.outputs if out["output_type"] == "error")
        first = next(errors, None)
        return _cell_error(place, index, first) if first else None

    async def _death(self, place: str, index: int) -> Broken:
        if memory.oom_kills() > self._oom_kills:
            return failure.out_of_memory(place, index, memory.limit_bytes())
        return failure.kernel_died(place, index, await self._kernel.exit_code())

    def _check_ended(self, index: int | None = None) -> None:
        """Go no further where the kernel was ended from outside of the cell."""
        if self._kernel.cause is Cause.STOPPED:
            raise Stopped
        if self._kernel.cause is Cause.STEP_TIMEOUT:
            raise failure.step_timeout(index, self._step_timeout_s or 0)

    def _note_error(self, execute_reply: dict[str, Any], **_: object) -> None:
        self._error = execute_reply["content"]

    def _note_reply(self, execute_reply: dict[str, Any], **_: object) -> None:
        """`exit` and `quit` raise nothing: the kernel asks whoever drives it."""
        payload = execute_reply["content"].get("payload") or []
        self._payload = {item.get("source", ""): item for item in payload}

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Bound what a kernel sends before it becomes an output."""
        kind = msg["msg_type"]
        self._changed = True
        if not self._admit(kind, msg):
            return None
        if kind == "stream":
            _echo(msg["content"]["text"])
        joins = kind == "stream" and not self._is_redirected(msg)
        if joins and self._outputs.join(cell.outputs, msg["content"]):
            return None
        if kind == "clear_output":
            self._outputs.clear()
        return super().process_message(msg, cell, cell_index)

    def _admit(self, kind: str, msg: dict[str, Any]) -> bool:
        if kind.startswith("comm"):
            return self._outputs.hold(msg)
        content = self._outputs.take(kind, msg["content"])
        if content is None:
            return False
        msg["content"] = content
        return True

    def _is_redirected(self, msg: dict[str, Any]) -> bool:
        """Whether the text goes into a widget, or replaces all that is there."""
        hooks = self.output_hook_stack.get(msg["parent_header"].get("msg_id"))
        return bool(hooks) or self.clear_before_next_output


def _cell_error(place: str, index: int, error: Mapping[str, Any]) -> Broken:
    """The failure that an error, from a reply or an output, stands for."""
    return failure.cell_error(
        place,
        index,
        error.get("ename", ""),
        error.get("evalue", ""),
        error.get("traceback") or [],
    )


async def _next_message(
    get_msg: Callable[..., Awaitable[dict[str, Any]]],
    timeout: float | None = None,  # noqa: ASYNC109  jupyter_client's own
) -> dict[str, Any]:
    """A channel's next message; without a timeout it looks again and again."""
    while timeout is None:
        with suppress(Empty):
            return await get_msg(timeout=_LOOK_EVERY_S)
    return await get_msg(timeout=timeout)


def _echo(text: str) -> None:
    """Print what a cell prints, so that the log follows the run."""
    with suppress(OSError):  # a full disk is found where it matters
        sys.stdout.write(text.encode(errors="replace").decode())
        sys.stdout.flush()
