"""The supervisor: keeps four processes running until it is told to end.

A process that ends is started again, the first time at once and then after pauses
that double up to half a minute; ten seconds of health forget them. A process dies with
the supervisor; a workload does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import time
from typing import TYPE_CHECKING

import httpx

from hubyard.contract.base import now
from hubyard_hub import loopback
from hubyard_hub.settings import ROUTES_SERVICE, make_private_folder
from hubyard_hub.up.processes import Process, processes
from hubyard_hub.up.report import ProcessReport, Report, Running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hubyard_hub.settings import Settings

_HEALTH_S = 0.2
_HEALTHY_EVERY_S = 2.0
_LONGEST_PAUSE_S = 30.0
_FORGIVEN_S = 10.0
"""What was well for so long did not end because it cannot run."""
_GRACE_S = 8.0
_LOG_LIMIT_BYTES = 10 * 2**20
_OOM_SCORE = "-500"
"""Added to the score of each process (proc(5)); it takes CAP_SYS_RESOURCE."""
_PR_SET_PDEATHSIG = 1
_FAILED = 500


class Keeper:
    """Keeps one process running."""

    def __init__(
        self,
        process: Process,
        logs: Path,
        http: httpx.AsyncClient,
        tell: Callable[[str], None],
    ) -> None:
        self.process = process
        self.healthy = asyncio.Event()
        self.restarts = 0
        self.running: Running | None = None
        self._log = logs / f"{process.name}.log"
        self._http = http
        self._tell = tell
        self._child: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._well_since = float("inf")

    async def keep(self, on_health: Callable[[], None]) -> None:
        """Start it, and start it again whenever it ends, until `stop`."""
        pause = 0.0
        while not self._stopping:
            try:
                how = f"ended ({await self._see_through(on_health)})"
            except OSError as error:
                how = f"cannot be started ({error})"
            if time.monotonic() - self._well_since > _FORGIVEN_S:
                pause = 0.0
            self._unwell()
            self.running = None
            on_health()
            if self._stopping:
                return
            self.restarts += 1
            self._tell(f"{self.process.name} {how}; starting it again")
            await asyncio.sleep(pause)
            pause = min(max(2 * pause, 1.0), _LONGEST_PAUSE_S)

    async def _see_through(self, on_health: Callable[[], None]) -> int:
        """Start it and stay until it ends; returns its exit code."""
        began = time.monotonic()
        child = await self._start()
        on_health()
        watch = asyncio.create_task(self._watch(began, on_health))
        code = await child.wait()
        watch.cancel()
        _end_group(child.pid)
        return code

    async def _start(self) -> asyncio.subprocess.Process:
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        with self._log.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                *self.process.command,
                env=self.process.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_before_it_starts,
            )
        self.running = Running.of(self._child.pid)
        return self._child

    async def _watch(self, began: float, on_health: Callable[[], None]) -> None:
        while True:
            well = await self.is_well()
            if well and not self.healthy.is_set():
                self.healthy.set()
                self._well_since = time.monotonic()
                seconds = self._well_since - began
                self._tell(f"{self.process.name} ready after {seconds:.1f} s")
                on_health()
            elif not well and self.healthy.is_set():
                self._unwell()
                on_health()
            await asyncio.sleep(_HEALTHY_EVERY_S if well else _HEALTH_S)

    def _unwell(self) -> None:
        self.healthy.clear()
        self._well_since = float("inf")

    async def is_well(self) -> bool:
        """Whether it answers."""
        headers = {}
        if self.process.health_token:
            headers["Authorization"] = f"token {self.process.health_token}"
        try:
            answer = await self._http.get(self.process.health_url, headers=headers)
        except httpx.HTTPError:
            return False
        return answer.status_code < _FAILED

    async def stop(self) -> None:
        """End it: asked first, made to after a grace."""
        self._stopping = True
        child = self._child
        if child is None or child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), _GRACE_S)
                return
        _end_group(child.pid)
        await child.wait()


class Supervisor:
    """Keeps the four, writes the report, restores routes."""

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._started_at = now()
        self._http = loopback.async_client(timeout=5)
        logs = settings.state / "logs"
        make_private_folder(logs)
        self.keepers = {
            process.name: Keeper(process, logs, self._http, tell)
            for process in processes(settings)
        }
        self._routes_wanted = asyncio.Event()

    async def run(self, until: asyncio.Event, on_ready: Callable[[], None]) -> None:
        """Keep the four until `until` is set; then end them."""
        tasks = [
            asyncio.create_task(keeper.keep(self._changed(name)))
            for name, keeper in self.keepers.items()
        ]
        tasks.append(asyncio.create_task(self._keep_routes()))
        tasks.append(asyncio.create_task(self._announce(on_ready)))
        await until.wait()
        await asyncio.gather(*(keeper.stop() for keeper in self.keepers.values()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    async def _announce(self, on_ready: Callable[[], None]) -> None:
        for keeper in self.keepers.values():
            await keeper.healthy.wait()
        on_ready()

    def _changed(self, name: str) -> Callable[[], None]:
        def changed() -> None:
            if name == "proxy" and self.keepers[name].healthy.is_set():
                self._routes_wanted.set()
            try:
                self.report().save(self._settings.state)
            except OSError as error:  # a full disk must not end the keeping
                self._tell(f"The report cannot be written: {error.strerror}")

        return changed

    def report(self) -> Report:
        """How everything is now."""
        return Report(
            supervisor=Running.of(os.getpid()),
            url=self._settings.public_url,
            started_at=self._started_at,
            processes=tuple(
                ProcessReport(
                    name=name,
                    running=keeper.running,
                    healthy=keeper.healthy.is_set(),
                    restarts=keeper.restarts,
                )
                for name, keeper in self.keepers.items()
            ),
        )

    async def _keep_routes(self) -> None:
        """After each start of the proxy, have the hub give it its routes at once."""
        token = self._settings.secret(f"service_{ROUTES_SERVICE}")
        headers = {"Authorization": f"token {token}"}
        url = f"{self._settings.hub_api_url}/proxy"
        while True:
            await self._routes_wanted.wait()
            self._routes_wanted.clear()
            await self.keepers["hub"].healthy.wait()
            try:
                answer = await self._http.post(url, headers=headers)
                answer.raise_for_status()
            except httpx.HTTPError:
                self._routes_wanted.set()
                await asyncio.sleep(_HEALTH_S)


def _end_group(pid: int) -> None:
    """End what a process has left behind: MLflow's server is two."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _before_it_starts() -> None:
    _die_with_supervisor()
    _outlive_workloads()


def _outlive_workloads() -> None:
    """Have the kernel kill others first where memory runs out, if it lets us choose."""
    with (
        contextlib.suppress(OSError),
        open("/proc/self/oom_score_adj", "w") as file,  # noqa: PTH123 - after a fork
    ):
        file.write(_OOM_SCORE)


def _die_with_supervisor() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
