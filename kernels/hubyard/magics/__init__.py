"""The magics: what a cell may ask of Hubyard, as thin calls of the one client.

`load` adds them to a shell, with zero-line tracking and completion; `unload` takes all
of it back. Loading twice is the same as loading once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.magics import complete
from hubyard.magics.app import AppMagics
from hubyard.magics.cost import CostMagics
from hubyard.magics.models import ModelMagics
from hubyard.magics.pipeline import PipelineMagics
from hubyard.magics.schedule import ScheduleMagics
from hubyard.magics.track import TrackMagics, read_track_cells
from hubyard.tracking import Tracking

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.magic import Magics

_KEPT = "hubyard"
"""Under this name a shell keeps the ways to undo a load: a module that is loaded anew
would forget them."""


def load(shell: InteractiveShell) -> None:
    """Add everything to a shell."""
    if _KEPT in shell.meta:
        return
    tracking = Tracking(shell)
    families = (
        TrackMagics(shell, tracking),
        ModelMagics(shell),
        PipelineMagics(shell),
        ScheduleMagics(shell),
        AppMagics(shell),
        CostMagics(shell),
    )
    undo = [tracking.start(), read_track_cells(shell), complete.add(shell)]
    undo += [_register(shell, family) for family in families]
    shell.meta[_KEPT] = undo


def unload(shell: InteractiveShell) -> None:
    """Take everything back."""
    for undo in reversed(shell.meta.pop(_KEPT, [])):
        undo()


def _register(shell: InteractiveShell, family: Magics) -> Callable[[], None]:
    """Add the magics of a family; the way back restores what they have hidden."""
    known = shell.magics_manager.magics
    before = {kind: dict(known[kind]) for kind in known}
    shell.register_magics(family)

    def undo() -> None:
        for kind, names in family.magics.items():
            for name in names:
                known[kind].pop(name, None)
                if name in before[kind]:
                    known[kind][name] = before[kind][name]
        shell.magics_manager.registry.pop(type(family).__name__, None)

    return undo
