"""The verdict on a run: what it is said to be beside what happened to it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import nbformat
import psutil

from chaos.run_cases import F, N, S
from hubyard.contract.errors import HubyardError
from hubyard.contract.workload import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.run_cases import Case
    from hubyard.client import Client
    from hubyard.contract.run import RunDetail

_WORDS = {S: "completed", F: "failed", N: "pending"}
"""papermill's words for how a cell ended."""


@dataclass
class Verdict:
    """What was found wrong in one trial, and what was left of it."""

    faults: list[str] = field(default_factory=list)
    invalid_notebooks: int = 0
    processes_left: int = 0

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.faults or self.invalid_notebooks or self.processes_left)

    def judge(self, client: Client, run: RunDetail, case: Case) -> None:
        """Hold the record and the kept notebook of a run against the truth."""
        self.faults += _told(run, case)
        notebook = self.read(client, run)
        if notebook is not None:
            self.faults += _shown(notebook, case)

    def read(self, client: Client, run: RunDetail) -> nbformat.NotebookNode | None:
        """The kept notebook of a run; None: there is none that is valid."""
        try:
            kept = client.runs.notebook(run.id).decode()
            notebook = nbformat.reads(kept, as_version=4)
            nbformat.validate(notebook)
        except (HubyardError, ValueError, nbformat.ValidationError) as error:
            self.invalid_notebooks += 1
            self.faults.append(f"no valid notebook is kept: {error}")
            return None
        return notebook

    def count_left(self, left: list[psutil.Process]) -> None:
        """Put the processes that a run has left on the account."""
        self.processes_left += len(left)
        self.faults += [f"still running: {process}" for process in left]


def _told(run: RunDetail, case: Case) -> Iterator[str]:
    failure = run.failure
    wanted = Status.SUCCEEDED if case.reason is None else Status.FAILED
    if run.status is not wanted or (failure and failure.reason) != case.reason:
        yield f"it is {run.status}: {failure}"
    elif failure and failure.cell != case.cell:
        yield f"cell {failure.cell} is said to have failed: {failure.message}"
    cells = tuple(cell.status for cell in run.cells)
    if cells != case.cells:
        yield f"its cells are {', '.join(cells)}"
    if run.ended_at is None:
        yield "it has no end"


def _shown(notebook: nbformat.NotebookNode, case: Case) -> Iterator[str]:
    if [cell.source for cell in notebook.cells] != case.sources:
        yield "the kept notebook has other cells"
        return
    if "before\n" not in _text(notebook.cells[0]):
        yield "what the first cell has printed is not kept"
    if case.is_saved:
        said = [cell.metadata.papermill.status for cell in notebook.cells]
        if said != [_WORDS[status] for status in case.cells]:
            yield f"the kept notebook calls its cells {', '.join(said)}"
    yield from case.faults(notebook)


def _text(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def processes_of(run_id: str) -> list[psutil.Process]:
    """Every living process that was started for a run, by its environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if any(run_id in value for value in process.environ().values()):
                found.append(process)
    return found
