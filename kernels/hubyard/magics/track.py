"""`%experiment`, `%%track` and `%track`: saying more about what is tracked.

A `%%track` line becomes one call before its cell's own code, which then runs as any
other cell does: its error, its last value and a top-level `await` stay what they were,
and a cell that fails still fails its run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from hubyard.contract.errors import Conflict
from hubyard.magics.arguments import pairs
from hubyard.magics.show import Lines, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from hubyard.tracking import Tracking

_MARK = "%%track"


@magics_class
class TrackMagics(Magics):
    """The magics of tracking."""

    def __init__(self, shell: InteractiveShell, tracking: Tracking) -> None:
        super().__init__(shell)
        self._tracking = tracking

    @magic_arguments()
    @argument("name", help="what your tracked runs go to")
    @line_magic
    def experiment(self, line: str) -> Lines:
        """Send the tracked runs of this notebook to an experiment."""
        given = read(self.experiment, line)
        self._inside()
        return Lines(f"Tracking into {self._tracking.set_experiment(given.name)}")

    @magic_arguments()
    @argument("name", nargs="?", help="of the tracked run; or status, or stop")
    @argument("-e", "--experiment", help="the experiment, for this cell alone")
    @pairs("-p", "--parameter", of="a parameter to record")
    @pairs("--tag", of="a tag to record")
    @line_cell_magic
    def track(self, line: str, cell: str | None = None) -> Lines | None:
        """Make a cell one tracked run: %%track [NAME] on its first line.

        `%track status` says where tracked runs go; `%track stop` tracks nothing more
        in this kernel, until the next %%track or %experiment.
        """
        given = read(self.track, line)
        if cell is not None:
            raise UsageError("%%track goes on the first line of a cell of a notebook.")
        if given.name == "status":
            return Lines(self._tracking.status())
        if given.name == "stop":
            self._tracking.pause()
            return Lines("Nothing more is tracked, until %%track or %experiment.")
        raise UsageError("Write %track status, %track stop, or %%track above a cell.")

    def begin(self, line: str) -> None:
        """Begin the tracked run of the present cell."""
        given = read(self.track, line)
        self._inside()
        try:
            self._tracking.begin(
                given.name, given.experiment, given.parameter, given.tag
            )
        except Conflict as error:
            raise UsageError(error.message) from None

    def _inside(self) -> None:
        if not self._tracking.possible:
            raise UsageError(
                "Nothing can be tracked here: open this in a workspace of the hub."
            )


def read_track_cells(shell: InteractiveShell) -> Callable[[], None]:
    """Let `%%track` lines be understood; returns the way to undo it."""
    shell.input_transformers_cleanup.append(_transformed)
    return lambda: shell.input_transformers_cleanup.remove(_transformed)


def _transformed(lines: list[str]) -> list[str]:
    """A cell whose `%%track` line is a call; one line stays one line."""
    if not lines or lines[0].split(maxsplit=1)[:1] != [_MARK]:
        return lines
    rest = lines[0].strip().removeprefix(_MARK).strip()
    call = "get_ipython().magics_manager.registry['TrackMagics'].begin"
    return [f"{call}({rest!r})\n", *lines[1:]]
