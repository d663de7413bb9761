"""Tagged notebooks in real run processes: a kernel for each step, the real platform."""

from __future__ import annotations

import json
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubyard.contract.run import FailureReason
from hubyard_hub.sources.tagged import read_tagged
from support.memory_hub import MemoryHub
from support.platform import upload
from support.runs import NOTEBOOK, RunProcess, ServedPlatform, served_in
from support.tagged import Outcome, shown_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hubyard.contract.run import RunDetail

_AT_ONCE = 2
_WITHIN_S = 600.0
_REFUSED = 422
_OF_HANDOVER = re.compile(r"failed: Invalid: (.*)", re.DOTALL)


def in_kernels(documents: Mapping[int, dict[str, Any]]) -> dict[int, Outcome]:
    """Run each notebook by a run process; what came of it, by its number."""
    if not documents:
        return {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "state").mkdir()
        with (
            served_in(folder / "state", MemoryHub()) as platform,
            ThreadPoolExecutor(_AT_ONCE) as threads,
        ):
            runs = {
                number: threads.submit(_run, document, platform, folder / str(number))
                for number, document in documents.items()
            }
            return {number: each.result() for number, each in runs.items()}


def _run(document: dict[str, Any], platform: ServedPlatform, folder: Path) -> Outcome:
    body = {
        "source": upload(platform.owner, {NOTEBOOK: json.dumps(document).encode()}),
        "notebook": NOTEBOOK,
    }
    answer = platform.owner.post("/runs", json=body)
    if answer.status_code == _REFUSED:
        return Outcome(refused=answer.json()["message"])
    id_ = answer.json()["id"]
    run = RunProcess(id_, folder, platform)
    run.start()
    try:
        run.wait(_WITHIN_S)
    finally:
        run.end()
    return _outcome(document, run, platform.detail(id_))


def _outcome(document: dict[str, Any], run: RunProcess, detail: RunDetail) -> Outcome:
    outcome = Outcome()
    why = detail.failure
    if why is not None:
        of_handover = _OF_HANDOVER.search(why.message)
        if why.reason is FailureReason.CELL_ERROR and of_handover:
            outcome.refused = of_handover[1]
        else:
            outcome.failed = why.message
        return outcome
    for step in read_tagged(document, NOTEBOOK)[1]:
        shared = set(step.variables.shared) if step.variables else set()
        cells = step.cells or ()
        order = [
            *(i for i in cells if i in shared),
            *(i for i in cells if i not in shared),
        ]
        executed = [c for c in run.output(step.name)["cells"] if not _is_ours(c)]
        for index, cell in zip(order, executed, strict=True):
            outcome.shown[index] = shown_as(_text_of(cell))
    return outcome


def _is_ours(cell: Mapping[str, Any]) -> bool:
    return "hubyard" in cell["metadata"].get("tags", [])


def _text_of(cell: Mapping[str, Any]) -> str:
    """What a cell has printed and shown, as a terminal has it."""
    parts: list[str] = []
    for each in cell["outputs"]:
        if each["output_type"] == "stream" and each["name"] == "stdout":
            parts.append("".join(each["text"]))
        elif each["output_type"] == "execute_result":
            parts.append("".join(each["data"]["text/plain"]) + "\n")
    return "".join(parts)
