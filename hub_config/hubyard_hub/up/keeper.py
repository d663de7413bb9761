"""The keeper of one process: starts it, and starts it again whenever it ends.

The first time at once and then after pauses that double up to half a minute; two
seconds of health forget them. A process that hangs is made to write its stack into its
log and to end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubyard.contract.base import now
from hubyard_hub.up.child import Adopted, Born
from hubyard_hub.up.health import ANSWERS_WITHIN_S, Health, ask
from hubyard_hub.up.report import Running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from hubyard_hub.up.child import Child
    from hubyard_hub.up.processes import Process
    from hubyard_hub.up.report import ProcessReport

_HEALTH_S = 0.2
_HEALTHY_EVERY_S = 2.0
_LONGEST_PAUSE_S = 30.0
_FORGIVEN_S = 2.0
"""What was well for so long did not end because it cannot run."""
_GRACE_S = 8.0
_OOM_SCORE = "-500"
"""Added to the score of each process (proc(5)); it takes CAP_SYS_RESOURCE."""
_STACK_S = 5.0
"""How long a process may take to write its stack and end."""


@dataclass(frozen=True)
class Patience:
    """For how long a process may answer nothing before it is started again.

    A machine that is busy answers late, and not never: health takes some milliseconds,
    and is asked anew when it was not told within five seconds.
    """

    silent_s: float = 60.0
    starting_s: float = 600.0
    """Until it was well once: it may be changing the shape of a large database."""


class Keeper:
    """Keeps one process running."""

    def __init__(
        self,
        process: Process,
        logs: Path,
        http: httpx.AsyncClient,
        tell: Callable[[str], None],
        *,
        adopts: ProcessReport | None = None,
        patience: Patience = Patience(),
    ) -> None:
        """Know a process, and do not start it yet.

        Args:
            process: how it is started and asked.
            logs: the folder of its log.
            http: by which it is asked.
            tell: shows a line to whoever has started us.
            adopts: the same process, left running by an earlier supervisor.
            patience: for how long it may answer nothing.
        """
        self.process = process
        self.healthy = asyncio.Event()
        self.restarts = adopts.restarts if adopts else 0
        self.last_end = adopts.last_end if adopts else ""
        self.running: Running | None = None
        self._log = logs / f"{process.name}.log"
        self._http = http
        self._tell = tell
        self._adopts = adopts and adopts.running
        self._patience = patience
        self._child: Child | None = None
        self._stopping = False
        self._well_since = float("inf")
        self._hung = ""

    async def keep(self, on_health: Callable[[], None]) -> None:
        """Start it, and start it again whenever it ends, until `stop`."""
        pause = 0.0
        while not self._stopping:
            try:
                how = await self._see_through(on_health)
            except OSError as error:
                how = f"cannot be started ({error})"
            if time.monotonic() - self._well_since > _FORGIVEN_S:
                pause = 0.0
            self._unwell()
            self.running = None
            if self._stopping:
                on_health()
                return
            self.restarts += 1
            self.last_end = f"{how}, {now():%d %B %H:%M} UTC"
            on_health()
            self._tell(f"{self.process.name} {how}; starting it again")
            await asyncio.sleep(pause)
            pause = min(max(2 * pause, 1.0), _LONGEST_PAUSE_S)

    async def _see_through(self, on_health: Callable[[], None]) -> str:
        """Start it and stay until it ends; returns how that was, in words."""
        began = time.monotonic()
        self._hung = ""
        child = self._adopt() or await self._start()
        self._child, self.running = child, Running.of(child.pid)
        on_health()
        watch = asyncio.create_task(self._watch(child, began, on_health))
        try:
            code = await child.wait()
        finally:  # also where nobody waits for it any more
            watch.cancel()
            _end_group(child.pid)
        return self._hung or ("ended" if code is None else f"ended ({code})")

    def _adopt(self) -> Child | None:
        """Take over what an earlier supervisor has left, once, if it still runs."""
        running, self._adopts = self._adopts, None
        if running is None:
            return None
        try:
            return Adopted(running)
        except ProcessLookupError:
            return None

    async def _start(self) -> Child:
        with self._log.open("ab") as log:
            return Born(
                await asyncio.create_subprocess_exec(
                    *self.process.command,
                    env=self.process.environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=_before_it_starts,
                )
            )

    async def _watch(
        self, child: Child, began: float, on_health: Callable[[], None]
    ) -> None:
        patience_s, silent_s = self._patience.starting_s, 0.0
        while True:
            asked = time.monotonic()
            health = await ask(self._http, self.process)
            if health is Health.WELL:
                patience_s = self._patience.silent_s
            self._note(health, began, on_health)
            await asyncio.sleep(
                _HEALTHY_EVERY_S if self.healthy.is_set() else _HEALTH_S
            )
            # Of a round in which we ourselves were held up, only what a round can take.
            round_s = min(time.monotonic() - asked, ANSWERS_WITHIN_S + _HEALTHY_EVERY_S)
            silent_s = silent_s + round_s if health is Health.SILENT else 0.0
            if silent_s > patience_s:
                self._hung = f"had not answered for {silent_s:.0f} s and was ended"
                await _end_with_stack(child)

    def _note(
        self, health: Health, began: float, on_health: Callable[[], None]
    ) -> None:
        well = health is Health.WELL
        if well and not self.healthy.is_set():
            self.healthy.set()
            self._well_since = time.monotonic()
            seconds = self._well_since - began
            self._tell(f"{self.process.name} ready after {seconds:.1f} s")
            on_health()
        elif not well and self.healthy.is_set():
            self._unwell()
            on_health()

    def _unwell(self) -> None:
        self.healthy.clear()
        self._well_since = float("inf")

    async def stop(self) -> None:
        """End it: asked first, made to after a grace."""
        self._stopping = True
        child = self._child
        if child is None or self.running is None:
            return
        child.send(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), _GRACE_S)
            return
        _end_group(child.pid)
        await child.wait()


async def _end_with_stack(child: Child) -> None:
    """End a process that hangs; Python writes the stack of each thread before it does.

    It may have been stopped: then SIGCONT has it come to that.
    """
    child.send(signal.SIGABRT)
    child.send(signal.SIGCONT)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(child.wait(), _STACK_S)
    _end_group(child.pid)


def _end_group(pid: int) -> None:
    """End what a process has left behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _before_it_starts() -> None:
    _outlive_workloads()
    # What SIGABRT would write of the memory holds every secret.
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def _outlive_workloads() -> None:
    """Have the kernel kill others first where memory runs out, if it lets us choose."""
    with (
        contextlib.suppress(OSError),
        open("/proc/self/oom_score_adj", "w") as file,  # noqa: PTH123 - after a fork
    ):
        file.write(_OOM_SCORE)
