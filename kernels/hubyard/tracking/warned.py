"""Warnings: what MLflow says in its log while a cell is tracked.

Autologging catches its own errors, so that a fit goes on, and only logs them: without
these a tracked run would have failed, or have no model, and say no reason.
"""

from __future__ import annotations

import logging

_SHOWN = 600
_KNOWN = (
    "Saving scikit-learn models in the pickle",
    "Passing a Python object as `python_model`",
    "Training metrics will not be recorded",
    "Unrecognized dataset type",
    "Failed to validate serving input example",
)
"""Beginnings of warnings that say nothing about this model as it is served here. The
last is about MLflow's own server, which makes a frame of every input."""


class Warned(logging.Handler):
    """Keeps the warnings of MLflow since the present cell began."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning, in one line, once."""
        line = " ".join(record.getMessage().split())
        line = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
        if not line.startswith(_KNOWN) and line not in self.lines:
            self.lines.append(line)

    def begin(self) -> None:
        """A cell begins."""
        self.lines = []
