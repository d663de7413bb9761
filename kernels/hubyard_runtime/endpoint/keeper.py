"""A keeper: the parent of the process that serves the model, and replaces it.

worker  the process that has loaded the model and serves it
pulse   a line that the worker's event loop writes each second: how many requests it has
        answered. A worker whose pulse stops hangs in code that none of its own threads
        can end, and is ended from here

The standard library alone, since a keeper starts with each endpoint. A worker that has
never served tells why in the log, and the endpoint ends with it; one that has served is
replaced, at once for the first time and then after pauses that double. What one request
has done to the model costs no other caller their endpoint.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_SILENCE_S = 90.0
"""Longer than the worker itself takes to notice that one call does not end."""
LONGEST_PAUSE_S = 30.0
_FORGIVEN_S = 60.0
"""A worker that has served for so long did not end for what ended those before it."""
_LOOK_S = 0.5
_ABORT_S = 5.0
"""For a hanging worker to write its stack into the log."""


class Worker:
    """One process that serves the model, seen from its keeper."""

    def __init__(
        self, command: Sequence[str], *, replaced: int = 0, requests: int = 0
    ) -> None:
        """Start it.

        Args:
            command: what is started; options for the pulse are added.
            replaced: how many workers there were before it.
            requests: how many requests they have answered.

        Raises:
            OSError: the machine has no room for another process.
        """
        self.requests = requests
        self.has_served = False
        self._pulses, pulse = os.pipe()
        self._began = self._last = time.monotonic()
        options = ["--pulse", pulse, "--replaced", replaced, "--requests", requests]
        try:
            self.process = subprocess.Popen(
                [*command, *map(str, options)], pass_fds=[pulse], process_group=0
            )
        except OSError:
            os.close(self._pulses)
            raise
        finally:
            os.close(pulse)

    @property
    def served_s(self) -> float:
        """Seconds from its start to its last pulse."""
        return self._last - self._began if self.has_served else 0.0

    def see_through(self, longest_silence_s: float) -> int:
        """Stay until it has ended; returns its exit code, negative for a signal."""
        while self.process.poll() is None:
            self._listen()
            silent_s = time.monotonic() - self._last
            if self.has_served and silent_s > longest_silence_s:
                self._end_hanging(silent_s)
        os.close(self._pulses)
        self._end_group()
        return self.process.returncode

    def _listen(self) -> None:
        readable, _, _ = select.select([self._pulses], [], [], _LOOK_S)
        said = os.read(self._pulses, 65536) if readable else b""
        if said:
            self._last = time.monotonic()
            self.has_served = True
            self.requests = int(said.split()[-1])
        elif readable:
            time.sleep(_LOOK_S)  # it has closed its end, and is about to end itself

    def _end_hanging(self, silent_s: float) -> None:
        _say(f"The model has held up its worker for {silent_s:.0f} s.")
        self.process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_ABORT_S)
        self.process.kill()
        self.process.wait()

    def _end_group(self) -> None:
        """End what the model has started and left behind."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Stop:
    """Whether to end. A signal's handler may set it, whatever it interrupts.

    An event of `threading` may not: a handler that interrupts its `wait` would wait
    for ever for the lock that `wait` holds.
    """

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        """End, from now on."""
        self._is_set = True

    def is_set(self) -> bool:
        """Whether to end."""
        return self._is_set

    def wait(self, most_s: float) -> None:
        """Wait until it is set, for so long at most."""
        over = time.monotonic() + most_s
        while not self._is_set and (left_s := over - time.monotonic()) > 0:
            time.sleep(min(left_s, _LOOK_S))


class Keeper:
    """Keeps one worker running until it is told to stop."""

    def __init__(
        self, command: Sequence[str], *, longest_silence_s: float = LONGEST_SILENCE_S
    ) -> None:
        """Take how a worker is started, and for how long its pulse may stop."""
        self._command = command
        self._longest_silence_s = longest_silence_s
        self._worker: Worker | None = None
        self._stopping = Stop()
        self._replaced = self._requests = 0
        self._pause_s = 0.0

    def run(self) -> int:
        """Keep it running; returns the exit code of the endpoint."""
        signal.signal(signal.SIGTERM, lambda *_: self.stop())
        signal.signal(signal.SIGINT, lambda *_: self.stop())
        while not self._stopping.is_set():
            worker = self._start()
            if worker is None:
                continue
            code = worker.see_through(self._longest_silence_s)
            if self._stopping.is_set():
                break
            if not worker.has_served and not self._replaced:
                return code if code >= 0 else 128 - code
            self._requests = worker.requests
            if worker.served_s > _FORGIVEN_S:
                self._pause_s = 0.0
            self._replace(_ended(code))
        return 0

    def _start(self) -> Worker | None:
        """The next worker; None: it could not be started, and is tried again."""
        try:
            self._worker = Worker(
                self._command, replaced=self._replaced, requests=self._requests
            )
        except OSError as error:  # no memory or no process for it just now
            if not self._replaced:
                raise
            self._replace(f"cannot start ({error.strerror})")
            return None
        if self._stopping.is_set():
            self.stop()
        return self._worker

    def _replace(self, became: str) -> None:
        """Say why another worker starts, and wait until it does."""
        self._replaced += 1
        _say(f"The model's worker {became}; {_when(self._pause_s)}.")
        self._stopping.wait(self._pause_s)
        self._pause_s = min(max(2 * self._pause_s, 1.0), LONGEST_PAUSE_S)

    def stop(self) -> None:
        """End the worker and start no other."""
        self._stopping.set()
        if self._worker is not None:
            with contextlib.suppress(ProcessLookupError):
                self._worker.process.terminate()


def _ended(code: int) -> str:
    if code >= 0:
        return f"has ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:  # not every signal has a name
        return f"was ended by signal {-code}"


def _when(pause_s: float) -> str:
    return f"another starts in {pause_s:.0f} s" if pause_s else "another starts"


def _say(text: str) -> None:
    """Tell the owner, in the log."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - shown to the owner
