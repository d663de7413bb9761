"""The cell that runs now: what links a tracked run to it."""

from __future__ import annotations

import uuid


class CurrentCell:
    """Knows a key that is different for each execution of each cell."""

    def __init__(self) -> None:
        self.key = ""

    def begin(self) -> None:
        """A cell begins."""
        self.key = uuid.uuid4().hex


current_cell = CurrentCell()
