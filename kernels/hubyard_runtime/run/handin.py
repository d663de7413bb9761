"""Handing in: what a step run has made goes to the platform while other steps run."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING

from hubyard.contract.errors import HubyardError, Rejected
from hubyard.contract.layout import NOTEBOOK, PACKED_OUTPUTS, REPORT
from hubyard_runtime.insist import insist
from hubyard_runtime.run.step import report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hubyard.contract.run import StepRecord
    from hubyard_runtime.run.patience import Patience

_QUICK_BYTES = 5 * 2**20
"""Up to here a report is made in a moment, and so also for a stopped run."""
_OUTPUTS = "outputs"
_log = logging.getLogger(__name__)


class HandIn:
    """A thread that hands in one step run's files after the other's."""

    def __init__(
        self,
        put: Callable[[str, str, Path], None],
        patience: Patience,
        then: Callable[[StepRecord, Path], None],
    ) -> None:
        """Start the thread.

        Args:
            put: hands in a file of a step run: its kind, the key, the file.
            patience: how long a platform that does not answer is asked.
            then: told of each step run whose files were handed in, and their folder.
        """
        self.refused: dict[str, str] = {}
        """Why the platform does not take the outputs of a step run, by its key."""
        self._put = put
        self._then = then
        self._patience = patience
        self._waiting: queue.SimpleQueue[tuple[StepRecord, Path] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._serve, name="hand-in", daemon=True)
        self._thread.start()

    def add(self, ended: StepRecord, folder: Path) -> None:
        """A step run has ended, and what it has made lies in its folder."""
        self._waiting.put((ended, folder))

    def finish(self) -> None:
        """Wait until all is handed in, or was refused, or time is over."""
        self._waiting.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (each := self._waiting.get()) is not None:
            ended, folder = each
            self._hand_in(ended.key, folder)
            self._then(ended, folder)

    def _hand_in(self, key: str, folder: Path) -> None:
        notebook = folder / NOTEBOOK
        if notebook.is_file() and self._has_time_for(notebook):
            report.render(notebook, folder / REPORT)
        for kind, name in (
            (_OUTPUTS, PACKED_OUTPUTS),
            ("notebook", NOTEBOOK),
            ("report", REPORT),
        ):
            if (folder / name).is_file():
                self._hand_in_file(kind, key, folder / name)

    def _has_time_for(self, notebook: Path) -> bool:
        return not self._patience.stopped or notebook.stat().st_size < _QUICK_BYTES

    def _hand_in_file(self, kind: str, key: str, file: Path) -> None:
        try:
            insist(
                f"The {kind} of {key}",
                lambda: self._put(kind, key, file),
                self._patience.until_the_end,
            )
        except HubyardError as error:
            _log.warning("The %s of %s was not handed in: %s", kind, key, error.message)
            if kind == _OUTPUTS and isinstance(error, Rejected):
                self.refused[key] = error.message
        except OSError as error:  # the last record is handed in all the same
            _log.warning(
                "The %s of %s was not handed in: %s.", kind, key, error.strerror
            )
