"""The magics: what a cell may ask of Hubyard, as thin calls of the one client.

`load` adds them to a shell, with zero-line tracking and completion; `unload` takes all
of it back. Loading twice is the same as loading once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.tracking import Tracking

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

_loaded: dict[int, list[Callable[[], None]]] = {}


def load(shell: InteractiveShell) -> None:
    """Add everything to a shell."""
    if id(shell) in _loaded:
        return
    tracking = Tracking(shell)
    _loaded[id(shell)] = [tracking.start()]


def unload(shell: InteractiveShell) -> None:
    """Take everything back."""
    for undo in reversed(_loaded.pop(id(shell), [])):
        undo()
