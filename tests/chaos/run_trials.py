"""Trials: each lets one thing go wrong in a run, and judges what is told of it.

alone  a run process before the served platform: what concerns the run itself
whole  a Hubyard with hub, spawner, shims and supervisor: what concerns those too
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import httpx
import psutil

from chaos.half_way import HalfWay
from chaos.run_cases import (
    ALONE,
    OUT_OF_MEMORY,
    REFUSED,
    RUN_KILLED,
    Kind,
)
from chaos.run_verdict import Verdict, processes_of
from hubyard.client import Client
from hubyard.client.wire import Wire
from hubyard.contract.errors import HubyardError
from hubyard.contract.run import CellStatus
from hubyard.contract.workload import Status
from hubyard_spawner.local.folder import Folder
from support.disks import small_disk
from support.furnish import ask_for_run
from support.patience import until
from support.platform import upload
from support.runs import NOTEBOOK, RunProcess, notebook_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chaos.run_cases import Case, Refused
    from hubyard.contract.run import Run, RunDetail
    from support.running import Running
    from support.runs import ServedPlatform

_GOOD = notebook_of("1")
_UNPROCESSABLE = 422
LONGEST_S = 600.0
"""A hundred megabytes take minutes where others use the cores."""


class Alone:
    """Runs whose process we start ourselves."""

    def __init__(self, folder: Path, platform: ServedPlatform) -> None:
        self._folder = folder
        self._platform = platform
        self._client = Client(Wire(platform.url, "ada"))

    def goes_wrong(self, case: Case, verdict: Verdict, folder: Path | None) -> None:
        """A run of a case, from its first to its last word."""
        limit = {"cell_timeout_s": case.cell_timeout_s} if case.cell_timeout_s else {}
        run = ask_for_run(self._client, "wrong", case.sources, **limit)
        self._execute(run.id, folder or self._folder / run.id)
        verdict.judge(self._client, self._client.runs.get(run.id), case)
        count_left(verdict, run.id)

    def fills_its_disk(self, case: Case, verdict: Verdict) -> None:
        """The same with files on a disk of four megabytes."""
        with small_disk(self._folder / "disk") as disk:
            if disk is None:
                raise SystemExit("No small disk can be mounted: run this as root.")
            self.goes_wrong(case, verdict, disk)

    def is_refused(self, case: Refused, verdict: Verdict) -> None:
        """A file that no run should meet; then a run that meets it all the same."""
        before = self._platform.kept()
        asked = upload(self._platform.owner, {NOTEBOOK: case.content})
        wish = {"source": asked, "notebook": NOTEBOOK}
        answer = self._platform.owner.post("/runs", json=wish)
        if answer.status_code != _UNPROCESSABLE or self._platform.kept() != before:
            verdict.faults.append(f"it was not refused: {answer.text}")
        id_ = self._platform.create(_GOOD)
        self._platform.replace_source(id_, {NOTEBOOK: case.content})
        self._execute(id_, self._folder / id_)
        verdict.faults += _told_in_words(self._client.runs.get(id_), case)
        count_left(verdict, id_)

    def _execute(self, id_: str, folder: Path) -> None:
        process = RunProcess(id_, folder, self._platform)
        process.start()
        try:
            process.wait(LONGEST_S)
        finally:
            process.end()


class Whole:
    """Runs in a Hubyard, and what is killed there."""

    def __init__(self, folder: Path, hubyard: Running) -> None:
        self._folder = folder
        self._hubyard = hubyard
        self._client = hubyard.client(hubyard.administrator("ana"))

    def runs_out_of_memory(self, verdict: Verdict) -> None:
        """A run that takes more than its compute has."""
        run = ask_for_run(self._client, "hungry", OUT_OF_MEMORY.sources)
        self._judge(run, OUT_OF_MEMORY, verdict)

    def is_killed(self, what: str, verdict: Verdict) -> None:
        """kill -9 of the `process` or the `shim` of a run, in its second cell."""
        run = ask_for_run(self._client, "killed", RUN_KILLED.sources)
        until(lambda: self._is_in_cell(run, 1), lambda: self._client.runs.get(run.id))
        folder = self._folder_of(run)
        until(lambda: _saves(folder, "before"), lambda: "nothing is saved")
        shim = psutil.Process(folder.shim() or 0)
        (shim if what == "shim" else shim.children()[0]).kill()
        self._judge(run, RUN_KILLED, verdict)

    def loses_hub_and_platform(self, verdict: Verdict) -> None:
        """kill -9 of both while one run is half-way and another one was asked for."""
        works = [self._half_way(name) for name in ("half-way", "asked-for")]
        first = ask_for_run(self._client, "half-way", works[0].cells)
        until(lambda: self._is_in_cell(first, 1), lambda: first)
        second = ask_for_run(self._client, "asked-for", works[1].cells)
        before = self._hubyard.pids()
        for name in ("hub", "platform"):
            self._hubyard.kill(name)
        until(lambda: self._is_well_again(before), self._hubyard.report)
        for run, work in zip((first, second), works, strict=True):
            work.go_on()
            self._judge_work(run, work, verdict)

    def _judge_work(self, run: Run, work: HalfWay, verdict: Verdict) -> None:
        ended = self._client.runs.wait(run.id, timeout_s=LONGEST_S)
        cells = {cell.status for cell in ended.cells}
        if ended.status is not Status.SUCCEEDED or cells != {CellStatus.SUCCEEDED}:
            verdict.faults.append(f"{run.name} is {ended.status}: {ended.failure}")
        if verdict.read(self._client, ended) is not None:
            notebook = self._client.runs.notebook(run.id)
            verdict.faults += work.faults(notebook, self._client.runs.report(run.id))
        count_left(verdict, run.id)

    def _judge(self, run: Run, case: Case, verdict: Verdict) -> None:
        ended = self._client.runs.wait(run.id, timeout_s=LONGEST_S)
        count_left(verdict, run.id)
        # What a run could not hand in itself is kept before its end is told.
        verdict.judge(self._client, ended, case)

    def _half_way(self, name: str) -> HalfWay:
        number = len(list(self._folder.iterdir()))
        return HalfWay(self._folder / f"{name}-{number}", paced=3, pace_s=1)

    def _is_in_cell(self, run: Run, number: int) -> bool:
        now = self._client.runs.get(run.id)
        assert now.ended_at is None, f"it ended early: {now.failure}"
        return bool(now.cells) and now.cells[number].status is CellStatus.RUNNING

    def _folder_of(self, run: Run) -> Folder:
        name = f"run-{run.id}"
        entry = next(w for w in self._client.workloads() if w.server_name == name)
        return Folder.of(self._hubyard.settings.workloads, entry.entry_id)

    def _is_well_again(self, before: dict[str, int]) -> bool:
        pids, report = self._hubyard.pids(), self._hubyard.report()
        if not all(each["healthy"] and each["running"] for each in report):
            return False
        return all(pids[name] != before[name] for name in ("hub", "platform"))


class Trials:
    """One trial after another, of every kind."""

    def __init__(self, alone: Alone, whole: Whole) -> None:
        self._alone = alone
        self._whole = whole

    def once(self, kind: Kind, number: int) -> Verdict:
        """Let it go wrong once; whatever breaks meanwhile is a fault as well."""
        verdict = Verdict()
        try:
            self._try(kind, number, verdict)
        except (AssertionError, HubyardError, httpx.HTTPError, psutil.Error) as error:
            said = str(error).partition("\n")[0]
            verdict.faults.append(f"{type(error).__name__}: {said}")
        return verdict

    def _try(self, kind: Kind, number: int, verdict: Verdict) -> None:
        match kind:
            case Kind.DISK_FULL:
                self._alone.fills_its_disk(_turn(ALONE[kind], number), verdict)
            case Kind.NO_KERNELSPEC | Kind.MALFORMED:
                self._alone.is_refused(_turn(REFUSED[kind], number), verdict)
            case Kind.OUT_OF_MEMORY:
                self._whole.runs_out_of_memory(verdict)
            case Kind.RUN_KILLED:
                self._whole.is_killed(_turn(("process", "shim"), number), verdict)
            case Kind.HUB_AND_PLATFORM_KILLED:
                self._whole.loses_hub_and_platform(verdict)
            case _:
                self._alone.goes_wrong(_turn(ALONE[kind], number), verdict, None)


def _turn(cases, number):
    return cases[number % len(cases)]


def _told_in_words(run: RunDetail, case: Refused) -> Iterator[str]:
    failure = run.failure
    if run.status is not Status.FAILED or failure is None:
        yield f"past the door it is {run.status}: {failure}"
    elif failure.reason not in case.reasons or "mistake" in failure.message:
        yield f"past the door it failed for {failure}"
    if run.has_notebook:
        yield "a notebook is kept that was never executed"


def _saves(folder: Folder, text: str) -> bool:
    """Whether a run has saved a notebook in which a cell has printed this."""
    found = folder.scratch.rglob("notebook.ipynb")
    return any(f'"{text}\\n"' in file.read_text() for file in found)


def count_left(verdict: Verdict, run_id: str) -> None:
    """Count what a run has left, once it has had the time to go."""
    with contextlib.suppress(AssertionError):
        until(lambda: not processes_of(run_id))
    verdict.count_left(processes_of(run_id))
