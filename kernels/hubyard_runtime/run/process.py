"""A process: the worker of one step run, as its run sees it.

Workers are forked by Python's fork server, which has imported what they need: a step
costs a fork, not a start of Python.
https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from dataclasses import dataclass
from multiprocessing import forkserver
from typing import TYPE_CHECKING

from hubyard_runtime.run.step.cause import Cause

if TYPE_CHECKING:
    from queue import SimpleQueue

    from hubyard.contract.run import StepRecord
    from hubyard_runtime.run.step.task import Task

_WORKER = "hubyard_runtime.run.step.worker"
_CONTEXT = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Told:
    """A worker says how its step run is."""

    record: StepRecord


@dataclass(frozen=True)
class Gone:
    """A worker has ended."""

    key: str
    code: int | None
    """Its exit code; below zero: by that signal."""


def warm_up() -> None:
    """Have the parent of all workers import what they need, while others wait."""
    _CONTEXT.set_forkserver_preload([_WORKER])
    forkserver.ensure_running()


class StepProcess:
    """A worker, its timer, and the thread that hears it."""

    def __init__(self, task: Task, events: SimpleQueue[Told | Gone | None]) -> None:
        self.key = task.record.key
        self._events = events
        self._ours, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_work, args=(task, theirs))
        self._process.start()
        theirs.close()
        self._timer = _timer(task.plan.timeout_s, self)
        threading.Thread(target=self._hear, name=self.key, daemon=True).start()

    def end(self, cause: Cause) -> None:
        """Have the kernel ended, and the worker after it; returns at once."""
        with contextlib.suppress(OSError):  # it has ended already
            self._ours.send(cause)

    def _hear(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._events.put(Told(self._ours.recv()))
        self._process.join()
        if self._timer is not None:
            self._timer.cancel()
        self._events.put(Gone(self.key, self._process.exitcode))


def _work(task: Task, wire: object) -> None:
    from hubyard_runtime.run.step.worker import work  # noqa: PLC0415  imported by the parent

    work(task, wire)  # pyright: ignore[reportArgumentType]  the other end of a Pipe


def _timer(seconds: int | None, process: StepProcess) -> threading.Timer | None:
    if seconds is None:
        return None
    timer = threading.Timer(seconds, process.end, [Cause.STEP_TIMEOUT])
    timer.daemon = True
    timer.start()
    return timer
