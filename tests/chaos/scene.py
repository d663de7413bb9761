"""A Hubyard in use, and what is done to it."""

from __future__ import annotations

import contextlib
import json
import signal
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

from chaos.half_way import HalfWay
from hubyard.contract.entry import EndReason
from hubyard.contract.run import CellStatus, FailureReason, RunDetail
from hubyard.contract.workload import Status
from hubyard_spawner.local.folder import Folder
from support.furnish import ask_for_run, deploy, start_run
from support.load import Load, Outcome
from support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubyard.contract.run import Run
    from support.running import Running

FOUR = ("hub", "platform", "mlflow", "proxy")
AWAY_LIMIT_S = 5.0
"""How long the proxy may be away after its kill."""
PATIENCE_S = 120.0
_BARE_STARTS = 3
_TURN_S = 0.1
"""Between two requests of the load, and what the endpoint takes to answer one."""
STEADY_S = 3.0
"""Between one kill and the next, with everything well."""
_PAGES = ("hub/api/", "services/hubyard/api/health", "services/mlflow/health")
_ENDLESS = ["print('before')", "import time\nwhile True: time.sleep(1)"]


@dataclass
class Toll:
    """What was killed, and what came of it."""

    kills: int = 0
    requests: int = 0
    failed: int = 0
    runs_lost: int = 0
    ledger_open: int = 0
    broken: list[str] = field(default_factory=list)
    """Promises that were not kept, in words."""

    def line(self) -> str:
        """The last line."""
        return (
            f"chaos-up kills={self.kills} requests={self.requests} "
            f"failed={self.failed} runs_lost={self.runs_lost} "
            f"ledger_open={self.ledger_open}"
        )

    def lose(self, run: str) -> None:
        """A run whose record is not what happened to it."""
        self.runs_lost += 1
        self.broken.append(run)


@dataclass(frozen=True)
class Away:
    """A time in which requests may fail."""

    began: float
    ended: float

    def excuses(self, outcome: Outcome) -> bool:
        """Whether a request was under way at that time."""
        return outcome.began < self.ended and outcome.ended > self.began


class Scene:
    """Ana's endpoint under load, her runs half-way, and the killer."""

    def __init__(self, hubyard: Running, folder: Path, pace_s: float) -> None:
        self.hubyard = hubyard
        self._folder = folder
        self.ana = hubyard.administrator("ana")
        self.client = hubyard.client(self.ana)
        self.toll = Toll()
        self.deployment = deploy(hubyard, self.ana, "iris")
        key = self.client.deployments.key(self.deployment.id)
        body = json.dumps(self.deployment.example).encode()
        self.load = Load(f"{key.url}invocations", key.token, body)
        self.aways: list[Away] = []
        self.ends = {f"endpoint-{self.deployment.id}": EndReason.STOPPED}
        """How each workload shall have ended, by its server's name."""
        half_way = HalfWay(folder / "half-way", paced=120, pace_s=pace_s)
        run = start_run(self.client, "half-way", half_way.cells)
        self.runs: list[tuple[Run, HalfWay]] = []
        """The runs that shall succeed, whatever is killed."""
        self._expect(run, half_way)
        self.wait("a model is tracked", lambda: self._run(run.id).cells_done)
        self.seen: dict[int, psutil.Process] = {}
        """Every one of the four that was ever there."""
        self._note_processes()

    def _expect(self, run: Run, half_way: HalfWay) -> None:
        self.runs.append((run, half_way))
        self.ends[f"run-{run.id}"] = EndReason.EXITED

    # -- what is killed ------------------------------------------------------------

    def kill_at_birth(self, folder: Path) -> None:
        """kill -9 of the hub while it starts a run, whose process is there already."""
        half_way = HalfWay(folder / "born", paced=1, pace_s=1)
        run = ask_for_run(self.client, "born", half_way.cells)
        name = f"run-{run.id}"
        self.wait(f"{name} is born", lambda: self._shims().get(name))
        self._expect(run, half_way)
        self.kill("hub")

    def kill(self, name: str) -> None:
        """kill -9 of one of the four; returns when all is well again."""
        before = self.hubyard.pids()[name]
        process = psutil.Process(before)
        limit_s = self._longest_away_s() if name == "proxy" else 0.0
        began = time.monotonic()
        process.kill()
        gone = self._gone(process)
        self.toll.kills += 1
        self.wait(f"{name} is well again", lambda: self._is_well(name, before))
        self._tell(f"{name} killed; all well", began)
        if name == "proxy":
            self._note_away(began, gone, limit_s)
        self._after_kill()

    def kill_supervisor(self) -> None:
        """kill -9 of the supervisor, and `hubyard up` again on the same state."""
        before = self.hubyard.settings, self.hubyard.pids(), self._shims()
        began = time.monotonic()
        self.hubyard.signal(signal.SIGKILL)
        self.hubyard.wait()
        self.toll.kills += 1
        self.hubyard.start()
        self.wait("all is well after a second start", self._is_well)
        self._tell("supervisor killed and started; all well", began)
        after = self.hubyard.settings, self.hubyard.pids(), self._shims()
        if after != before:
            self.toll.broken.append(f"the second start made {before} into {after}")
        self._after_kill()

    def kill_run(self, what: str) -> None:
        """kill -9 of the `process` or the `shim` of another run, in its second cell."""
        run = start_run(self.client, f"killed-{what}", _ENDLESS)
        name = f"run-{run.id}"
        self.ends[name] = EndReason.KILLED
        self.wait(f"{name} is half-way", lambda: _is_half_way(self._run(run.id)))
        shim = psutil.Process(self._shims()[name])
        victim = shim if what == "shim" else shim.children()[0]
        family = [shim, *shim.children(recursive=True)]
        began = time.monotonic()
        victim.kill()
        self.toll.kills += 1
        self.wait(f"{name} ends", lambda: self._run(run.id).ended_at)
        self._tell(f"{what} of a run killed; on record", began)
        self.wait(f"{name} is gone", lambda: not any(map(lives, family)))
        self._check_killed(self._run(run.id))

    # -- looking -------------------------------------------------------------------

    def wait(self, what: str, holds: Callable[[], object]) -> None:
        """Wait for what another process does."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > end:
                raise SystemExit(f"not within {PATIENCE_S:.0f} s: {what}")
            time.sleep(0.05)

    def _after_kill(self) -> None:
        """Nobody may have been told that a workload ended; then a quiet while."""
        self._note_processes()
        time.sleep(STEADY_S)
        endpoint = self.client.deployments.get(self.deployment.id).status
        runs = {self._run(run.id).status for run, _ in self.runs}
        if endpoint is not Status.READY or runs != {Status.RUNNING}:
            self.toll.broken.append(
                f"endpoint and runs are shown as {endpoint}, {runs}"
            )

    def _run(self, id_: str) -> RunDetail:
        return self.client.runs.get(id_)

    def _shims(self) -> dict[str, int | None]:
        """The process id of each living workload's shim, by its server's name."""
        place = self.hubyard.settings.workloads
        return {
            workload.server_name: Folder.of(place, workload.entry_id).shim()
            for workload in self.client.workloads()
        }

    def _is_well(self, name: str = "", before: int = 0) -> bool:
        """Whether all four are, by the supervisor's word and by what people see."""
        if self.hubyard.pids().get(name) == before:
            return False
        if not all(process["healthy"] for process in self.hubyard.report()):
            return False
        with contextlib.suppress(httpx.HTTPError):
            answers = [httpx.get(f"{self.hubyard.url}/{page}") for page in _PAGES]
            return all(answer.status_code == 200 for answer in answers)
        return False

    def _gone(self, process: psutil.Process) -> float:
        """Wait for the end of a process; when it was."""
        self.wait(f"{process} ends", lambda: not lives(process))
        return time.monotonic()

    def _longest_away_s(self) -> float:
        """Twice what a proxy takes to start, alone, in the company of all that runs."""
        proxy = Proxy(Path(tempfile.mkdtemp(dir=self._folder)))
        starts: list[float] = []
        for _ in range(_BARE_STARTS):
            began = time.monotonic()
            proxy.start()
            starts.append(time.monotonic() - began)
            proxy.kill()
        bare_s = statistics.median(starts)
        print(f"  a bare start of the proxy takes {bare_s:.2f} s", flush=True)
        return min(2 * bare_s + _TURN_S, AWAY_LIMIT_S)

    def _note_away(self, began: float, gone: float, limit_s: float) -> None:
        """From the kill to the first answer to a request that found the proxy gone."""
        self.wait("the endpoint answers", lambda: self.load.answered_after(gone))
        ended = self.load.answered_after(gone) or gone
        self.aways.append(Away(began, ended))
        print(f"  the endpoint was away for {ended - began:.2f} s", flush=True)
        if ended - began > limit_s:
            self.toll.broken.append(f"the proxy was away for {ended - began:.2f} s")

    def _note_processes(self) -> None:
        for pid in self.hubyard.pids().values():
            self.seen.setdefault(pid, psutil.Process(pid))

    def _check_killed(self, run: RunDetail) -> None:
        told = run.failure and (run.failure.reason, run.failure.cell)
        if (run.status, told) != (Status.FAILED, (FailureReason.KILLED, 1)):
            self.toll.lose(f"{run.name} is {run.status}: {run.failure}")
        elif [c.status for c in run.cells] != [CellStatus.SUCCEEDED, CellStatus.FAILED]:
            self.toll.lose(f"{run.name} has cells {run.cells}")
        elif b"before" not in self.client.runs.notebook(run.id):
            self.toll.lose(f"{run.name} has lost what its first cell printed")

    def _tell(self, what: str, began: float) -> None:
        took = time.monotonic() - began
        asked, failed = len(self.load.outcomes), len(self.load.failed)
        print(
            f"{what} after {took:.1f} s; {asked} requests, {failed} failed so far",
            flush=True,
        )


def lives(process: psutil.Process) -> bool:
    """Whether a process runs, looked at by somebody who is not its parent."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_half_way(run: RunDetail) -> bool:
    if run.ended_at:
        raise SystemExit(f"the run ended early: {run.failure}")
    return bool(run.cells) and run.cells[-1].status is CellStatus.RUNNING
