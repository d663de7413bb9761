"""Ours: the cases as steps of one run of the real runner, before a real platform."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubyard.contract.run import StepStatus
from peers.case import NOTEBOOK
from peers.shown import of_cells
from support.platform import upload
from support.runs import RunProcess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hubyard.contract.run import StepRecord
    from peers.case import Case, Shown
    from support.runs import ServedPlatform

_PIPELINE = "pipelines/peers.yml"
_LONGEST_S = 1800.0
_AT_ONCE = 2


@dataclass(frozen=True)
class Outcome:
    """What we have made of a case."""

    succeeded: bool
    message: str
    """Of its failure."""
    cell: int | None
    shown: list[Shown]


def outcomes(
    platform: ServedPlatform, folder: Path, cases: Sequence[Case]
) -> dict[str, Outcome]:
    """Execute cases, each as a step that follows none, and tell how each ended."""
    files = {_PIPELINE: json.dumps({"steps": dict(map(_step, cases))}).encode()}
    for case in cases:
        files |= _files(case)
    id_ = platform.create(b"{}", files=files, notebook=_PIPELINE)
    cores = str(min(_AT_ONCE, os.cpu_count() or 1))
    process = RunProcess(id_, folder / id_, platform, {"CPU_LIMIT": cores})
    process.start()
    try:
        process.wait(_LONGEST_S)
    finally:
        process.end()
    ended = {step.step: step for step in platform.detail(id_).steps}
    assert ended, process.log()
    return {case.name: _outcome(process, ended[case.name]) for case in cases}


def refusal(platform: ServedPlatform, case: Case) -> str | None:
    """What is said to who asks for a run of a case; None: it is taken."""
    source = upload(platform.owner, _files(case))
    path = f"{_folder(case)}/{NOTEBOOK}"
    asked = {"source": source, "notebook": path, "parameters": case.parameters}
    answer = platform.owner.post("/runs", json=asked)
    assert answer.status_code < 500, answer.text
    return answer.json()["message"] if answer.is_client_error else None


def _step(case: Case) -> tuple[str, dict[str, object]]:
    path = f"{_folder(case)}/{NOTEBOOK}"
    return case.name, {"notebook": path, "parameters": case.parameters}


def _folder(case: Case) -> str:
    """Where a case lies in the project, whose root is searched for modules too."""
    return f"case-{case.name}"


def _files(case: Case) -> dict[str, bytes]:
    beside = {name: content.encode() for name, content in case.files.items()}
    every = {NOTEBOOK: case.content, **beside}
    return {f"{_folder(case)}/{name}": content for name, content in every.items()}


def _outcome(process: RunProcess, ended: StepRecord) -> Outcome:
    why = ended.failure
    cell = why.cell if why else None
    cells = process.output(ended.key)["cells"]
    return Outcome(
        succeeded=ended.status is StepStatus.SUCCEEDED,
        message=why.message if why else "",
        cell=cell,
        shown=of_cells(cells, cell),
    )
