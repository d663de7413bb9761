"""An executed notebook: made by papermill's parameterisation, saved whole, and true.

papermill writes statuses of its own beside each cell; ours are put in their place.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import nbformat
from papermill.execute import remove_error_markers
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from papermill.translators import PythonTranslator, papermill_translators

from hubyard.contract.literal import is_json, python_of
from hubyard.contract.run import CellStatus, FailureReason, StepStatus
from hubyard_runtime.run.step.failure import Broken
from hubyard_runtime.run.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hubyard.contract.run import CellRecord, StepRecord

_SAVE_EVERY_S = 2.0
_SAVE_SHARE = 0.05
"""At most this share of the time goes into saving a large notebook."""
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
_MINOR_WITH_IDS = 5
_SKIP = "skip-execution"
_PLACES = ("parameters", "injected-parameters")
"""Tags by which papermill finds its place, even on a cell that holds no code."""
_WORDS = {
    CellStatus.WAITING: "pending",
    CellStatus.RUNNING: "running",
    CellStatus.SUCCEEDED: "completed",
    CellStatus.FAILED: "failed",
    CellStatus.NOT_RUN: "pending",
}
"""papermill's words for ours; it has none for a cell that will not run."""


class ExecutedNotebook:
    """The notebook of one step run, in memory and in its file."""

    def __init__(
        self,
        document: Mapping[str, Any],
        name: str,
        parameters: Mapping[str, object],
        file: Path,
    ) -> None:
        """Put the parameters in and take the old outputs out."""
        node = load_notebook_node(nbformat.from_dict(_clean(document)))
        if parameters:
            node = _with_parameters(node, parameters)
        node = remove_error_markers(node)
        self.node: nbformat.NotebookNode = node
        node.metadata.papermill["input_path"] = name
        self._file = file
        self.pause_s = _SAVE_EVERY_S
        """Seconds between two saves while it runs."""
        self.cells_to_run = [i for i, cell in enumerate(node.cells) if _runs(cell)]
        """Indexes of the cells that hold something to execute."""

    def save(self, record: StepRecord) -> None:
        """Write it with the statuses of a record.

        Raises:
            OSError: it could not be written; the last good one is still there.
        """
        begun = time.monotonic()
        _stamp(self.node, record)
        write_whole(self._file, nbformat.writes(self.node).encode(errors="replace"))
        took_s = time.monotonic() - begun
        self.pause_s = max(_SAVE_EVERY_S, took_s / _SAVE_SHARE)


class _Translator(PythonTranslator):
    """Writes all that a parameter may be; papermill's makes a text of the rest."""

    @classmethod
    def translate(cls, val: object) -> str:
        return python_of(val)


papermill_translators.register(_KERNEL["name"], _Translator)


def _with_parameters(
    node: nbformat.NotebookNode, parameters: Mapping[str, object]
) -> nbformat.NotebookNode:
    made = parameterize_notebook(
        node,
        dict(parameters),
        kernel_name=_KERNEL["name"],
        language=_KERNEL["language"],
    )
    said = {k: v if is_json(v) else python_of(v) for k, v in parameters.items()}
    made.metadata.papermill["parameters"] = said
    return made


def _clean(document: Mapping[str, Any]) -> dict[str, Any]:
    """A notebook with no outputs, our kernel, and what its format demands."""
    metadata = {**document["metadata"], "kernelspec": _KERNEL}
    cells = [_clean_cell(cell) for cell in document["cells"]]
    if document.get("nbformat_minor", 0) >= _MINOR_WITH_IDS:
        cells = [{"id": uuid4().hex[:8], **cell} for cell in cells]
    return {**document, "metadata": metadata, "cells": cells}


def _clean_cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    is_code = cell["cell_type"] == "code"
    metadata = dict(cell["metadata"])
    tags = metadata.pop("tags", None)
    if isinstance(tags, list):
        kept = cast("list[Any]", tags)
        metadata["tags"] = [tag for tag in kept if is_code or tag not in _PLACES]
    emptied = {"outputs": [], "execution_count": None}
    return {**cell, "metadata": metadata, **(emptied if is_code else {})}


def prepared(
    document: Mapping[str, Any],
    name: str,
    parameters: Mapping[str, object],
    file: Path,
) -> ExecutedNotebook:
    """A notebook, ready to be executed.

    Args:
        document: as it was read.
        name: what it is called, its path within the source.
        parameters: what its parameters are set to.
        file: where the executed one is saved.

    Raises:
        Broken: it has the shape of a notebook, and yet is none.
    """
    try:
        return ExecutedNotebook(document, name, parameters, file)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Broken(
            FailureReason.BAD_NOTEBOOK,
            f"{name} cannot be read ({type(error).__name__}): open and save it "
            "in JupyterLab.",
        ) from error


def _runs(cell: nbformat.NotebookNode) -> bool:
    skipped = _SKIP in cell.metadata.get("tags", [])
    return cell.cell_type == "code" and bool(cell.source.strip()) and not skipped


def _stamp(node: nbformat.NotebookNode, record: StepRecord) -> None:
    """Write papermill's metadata from our record."""
    by_index = {cell.index: cell for cell in record.cells}
    for index, cell in enumerate(node.cells):
        cell.metadata["papermill"] = _cell_stamp(by_index.get(index))
    failed = record.status is StepStatus.FAILED
    node.metadata.papermill.update(
        **_times(record), exception=failed if record.ended_at else None
    )


def _cell_stamp(cell: CellRecord | None) -> dict[str, Any]:
    """A cell that holds nothing to execute is done from the start."""
    if cell is None:
        return {"status": "completed", "exception": False}
    failed = cell.status is CellStatus.FAILED
    return {**_times(cell), "status": _WORDS[cell.status], "exception": failed}


def _times(of: CellRecord | StepRecord) -> dict[str, Any]:
    start, end = of.started_at, of.ended_at
    return {
        "start_time": start.isoformat() if start else None,
        "end_time": end.isoformat() if end else None,
        "duration": (end - start).total_seconds() if start and end else None,
    }
