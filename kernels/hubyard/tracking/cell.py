"""The cell that runs now: what links a tracked run to it."""

from __future__ import annotations

import uuid


class CurrentCell:
    """Knows a key that is different for each execution of each cell."""

    def __init__(self) -> None:
        self.key = ""
        self.has_tracked = False
        """Whether a tracked run has begun in it: only then is MLflow asked."""

    def begin(self) -> None:
        """A cell begins."""
        self.key = uuid.uuid4().hex
        self.has_tracked = False


current_cell = CurrentCell()
