"""A child: one process that is kept running, watched until it ends and sent signals.

born     started by this supervisor, whose child it is
adopted  left by a supervisor that was killed; the system tells only its parent how it
         ended, and its parent is gone
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from hubyard_hub.up.report import Running


class Child(Protocol):
    """What the keeper of a process asks of it."""

    @property
    def pid(self) -> int:
        """Its process id, which is also its session's."""
        ...

    async def wait(self) -> int | None:
        """Wait for its end; its exit code, where that can be known."""
        ...

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing, where it has ended."""
        ...


class Born:
    """A process that we have started."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.pid = process.pid

    async def wait(self) -> int | None:
        """Wait for its end; its exit code."""
        return await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


class Adopted:
    """A process that we have found running.

    Raises:
        ProcessLookupError: it has ended meanwhile.
    """

    def __init__(self, running: Running) -> None:
        self.pid = running.pid
        self._file = os.pidfd_open(running.pid)
        self._ended = asyncio.Event()
        if not running.is_alive:  # another process may have its id by now
            os.close(self._file)
            raise ProcessLookupError
        asyncio.get_running_loop().add_reader(self._file, self._end)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._file)
        os.close(self._file)
        self._ended.set()

    async def wait(self) -> int | None:
        """Wait for its end; nobody knows its exit code."""
        await self._ended.wait()
        return None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._file, number)
