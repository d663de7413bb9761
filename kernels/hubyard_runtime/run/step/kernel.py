"""A kernel: the Python process that executes the cells, and all that it starts.

patience  what the kernel gets at each step of being ended: SIGINT, SIGTERM, SIGKILL

Started and closed by the thread that executes; `end` may come from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from hubyard.contract.run import FailureReason
from hubyard_runtime.run.step import backpressure
from hubyard_runtime.run.step.cause import Cause
from hubyard_runtime.run.step.failure import Broken, NotStarted, is_disk_full, no_space
from hubyard_runtime.run.system import tree

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from types import ModuleType

    from jupyter_client.client import KernelClient

NAME = "python3"
_CLOSE_S = 20.0
"""A kernel that closes may have to send what was tracked; half of it before SIGTERM."""
_POLL_S = 0.02
_SOCKET_PATH_LENGTH = 107
"""https://man7.org/linux/man-pages/man7/unix.7.html"""
_NAMES_LENGTH = len("/kernel-12345678/kernel-ipc-10")
_NO_HISTORY = "--HistoryManager.hist_file=:memory:"


@dataclass(frozen=True)
class _Patience:
    interrupt_s: float
    """For the cell to end after SIGINT."""
    close_s: float
    """For the kernel to close once its cell has ended."""
    terminate_s: float
    """After SIGTERM."""


_WHEN_LATE = _Patience(interrupt_s=10, close_s=_CLOSE_S + 1, terminate_s=10)
_PATIENCE = {
    # A stopped run has eight seconds in all and hands in what there is.
    Cause.STOPPED: _Patience(interrupt_s=1.5, close_s=1.0, terminate_s=0.5),
    Cause.CELL_TIMEOUT: _WHEN_LATE,
    Cause.STEP_TIMEOUT: _WHEN_LATE,
}


class Kernel:
    """The kernel of one step run."""

    def __init__(
        self,
        folder: Path,
        working: Path,
        environment: Mapping[str, str],
        extensions: Sequence[ModuleType] = (),
    ) -> None:
        """Describe a kernel; nothing is started.

        Args:
            folder: for its connection file and its sockets.
            working: where the notebook lies.
            environment: what it is told beside this process's own environment.
            extensions: of IPython, to be loaded beside the one for back-pressure.
        """
        self.manager = AsyncKernelManager(
            kernel_name=NAME,
            transport="ipc",
            shutdown_wait_time=_CLOSE_S,
            transport_encryption="auto",
        )
        self.cause: Cause | None = None
        self._folder = folder
        self._sockets: Path | None = None
        self._working = working
        self._environment = {**os.environ, **environment}
        loaded = [backpressure, *extensions]
        self._arguments = [_NO_HISTORY, *(f"--ext={e.__name__}" for e in loaded)]
        self._pid: int | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._lock = threading.Lock()

    async def start(self) -> None:
        """Start the process; it does not listen yet.

        Raises:
            NotStarted: the system does not start it; it may do so later.
            Broken: there is no such kernel, or no space for its files.
        """
        try:
            self._sockets = _socket_folder(self._folder)
            self.manager.connection_file = str(self._sockets / "kernel.json")
            await self.manager.start_kernel(
                cwd=str(self._working),
                env=self._environment,
                extra_arguments=self._arguments,
            )
        except NoSuchKernel as error:
            raise Broken.of(no_kernel(str(error)).failure) from error
        except OSError as error:
            if is_disk_full(error):
                raise no_space() from error
            raise no_kernel(str(error)) from error
        self._pid = getattr(self.manager.provisioner, "pid", None)

    @contextlib.contextmanager
    def busy(self, limit_s: float | None) -> Generator[None]:
        """A cell runs in here, at most so long."""
        timer = None
        self._idle.clear()
        if limit_s is not None:
            timer = threading.Timer(limit_s, self.end, [Cause.CELL_TIMEOUT])
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            self._idle.set()

    def end(self, cause: Cause) -> None:
        """End the kernel and all that it has started, from any thread.

        A cell that ends in time lets the kernel close by itself.
        """
        with self._lock:
            self.cause = self.cause or cause
        patience = _PATIENCE[cause]
        if self._pid is not None and not self._idle.is_set():
            tree.interrupt(self._pid)
        closes = self._idle.wait(patience.interrupt_s)
        if not (closes and tree.await_end(patience.close_s)):
            tree.end(patience.terminate_s)

    async def close(self, client: KernelClient | None) -> None:
        """Let the kernel close, then end what the notebook has left running."""
        with contextlib.suppress(RuntimeError):  # it is gone already
            if await self.manager.is_alive():
                await self._ask_to_close(client)
                await self.manager.finish_shutdown(pollinterval=_POLL_S)
        if client is not None:
            client.stop_channels()
        await self.manager.cleanup_resources()
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
        await asyncio.to_thread(tree.end, 1.0)

    async def _ask_to_close(self, client: KernelClient | None) -> None:
        """Ask where cells are asked for, if that is possible.

        One kernel in ten that is asked by its control channel (ipykernel 7.4) waits ten
        seconds at its very end: that channel's thread flushes its output to a thread
        which is closed by then.
        """
        if client is None:
            await self.manager.request_shutdown()
        else:
            ask = client.session.msg("shutdown_request", {"restart": False})
            client.shell_channel.send(ask)

    async def exit_code(self) -> int | None:
        """How it ended; below zero: by that signal. None: it lives, or nobody knows."""
        provisioner = self.manager.provisioner
        return await provisioner.poll() if provisioner else None


def _socket_folder(folder: Path) -> Path:
    """A new folder that nobody else may enter; below this one, if its path is short.

    A kernel that binds sockets of the file system needs no port, which another process
    might have taken before it is bound.
    """
    longest = len(str(folder)) + _NAMES_LENGTH
    place = folder if longest <= _SOCKET_PATH_LENGTH else None
    return Path(tempfile.mkdtemp(prefix="kernel-", dir=place))


def no_kernel(why: str) -> NotStarted:
    """The kernel could not be started."""
    reason = why.strip().partition("\n")[0][:200] or "it gives no reason"
    return NotStarted(
        FailureReason.NO_KERNEL,
        f"The Python kernel did not start ({reason}): the log says more.",
    )
