"""Tagged notebooks both ways: from top to bottom, and split into steps that hand over.

Both ways run in one IPython shell of this process, which is emptied between them. What
else a process has once is put back to what it was.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pandas as pd  # noqa: F401  what notebooks use is there before garbage is sought
from cloudpickle import cloudpickle
from IPython.core import page
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from hubyard.contract.errors import Invalid
from hubyard.contract.layout import OUTPUTS
from hubyard_hub.sources.tagged import read_tagged
from hubyard_runtime.run.step import source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hubyard.contract.pipeline import StepPlan

_VARIES = re.compile(r"^(Out\[\d+\]: |(CPU times|Wall time): .*\n)", re.MULTILINE)


@dataclass
class Outcome:
    """What came of a notebook."""

    shown: dict[int, str] = field(default_factory=dict)
    """What each cell has shown, by its index."""
    refused: str | None = None
    """Why it was not run, or not to its end."""
    failed: str | None = None
    """What else a cell has raised."""


class Both:
    """Runs notebooks both ways."""

    def __init__(self) -> None:
        quiet = Config()
        quiet.HistoryManager.enabled = False
        quiet.InteractiveShell.colors = "nocolor"
        main = sys.modules["__main__"]
        self._shell = InteractiveShell(config=quiet)
        gc.collect()
        gc.freeze()  # each reset collects garbage: what is there by now is none
        self._main, sys.modules["__main__"] = sys.modules["__main__"], main

    def whole(self, document: Mapping[str, Any]) -> Outcome:
        """From top to bottom, without the cells that are skipped."""
        outcome = Outcome()
        with self._fresh():
            for index, cell in enumerate(document["cells"]):
                if cell["cell_type"] == "code" and "skip" not in tags_of(cell):
                    self._run(outcome, index, cell["source"])
        return outcome

    def split(self, document: Mapping[str, Any]) -> Outcome:
        """As steps, one after the other."""
        outcome = Outcome()
        try:
            _, steps = read_tagged(document, "book.ipynb")
        except Invalid as error:
            outcome.refused = error.message
            return outcome
        with tempfile.TemporaryDirectory() as name:
            for step in steps:
                with self._fresh():
                    self._step(outcome, document, step, Path(name))
        return outcome

    def _step(
        self, outcome: Outcome, document: Mapping[str, Any], step: StepPlan, root: Path
    ) -> None:
        (root / step.name / OUTPUTS).mkdir(parents=True)
        cells = source.with_cells(document, step, root)["cells"]
        for cell in cells:
            if outcome.failed or outcome.refused:
                return
            index = next((i for i, c in enumerate(document["cells"]) if c is cell), -1)
            self._run(outcome, index, cell["source"])

    def _run(self, outcome: Outcome, index: int, text: str) -> None:
        if outcome.failed or outcome.refused:
            return
        in_a_pager = patch.object(
            page, "page"
        )  # as in a kernel, where a pager shows help
        with capture_output() as captured, in_a_pager:
            result = self._shell.run_cell(text)
        error = result.error_before_exec or result.error_in_exec
        if error is not None and index < 0 and isinstance(error, Invalid):
            outcome.refused = error.message
        elif error is not None:
            outcome.failed = f"cell {index + 1}: {type(error).__name__}: {error}"
        if index >= 0:
            outcome.shown[index] = shown_as(captured.stdout)

    @contextlib.contextmanager
    def _fresh(self) -> Iterator[None]:
        """As in a process of its own."""
        self._shell.reset(new_session=True)
        cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS.clear()
        cloudpickle._DYNAMIC_CLASS_TRACKER_BY_ID.clear()
        environment, folder, path = dict(os.environ), Path.cwd(), list(sys.path)
        main, sys.modules["__main__"] = sys.modules["__main__"], self._main
        random.seed()
        np.random.seed()  # noqa: NPY002  what notebooks use
        try:
            yield
        finally:
            sys.modules["__main__"] = main
            os.chdir(folder)
            sys.path[:] = path
            for name in os.environ.keys() - environment.keys():
                del os.environ[name]
            os.environ.update(environment)


def shown_as(text: str) -> str:
    """What a cell has shown, without what is another each time."""
    return _VARIES.sub("", text.replace("\r\n", "\n"))


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    """The tags of a cell."""
    return cell["metadata"].get("tags", [])
