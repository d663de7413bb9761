"""A notebook that is half-way for as long as we like, and proof of what it has run.

Most cells take a while, some train a model; one waits until it is told to go on. Each
cell writes its index into a file of ours, so that no record needs to be believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat

if TYPE_CHECKING:
    from pathlib import Path

LAST_CELLS = 3
EVERY = 5
"""Of so many cells one trains a model, which is tracked where MLflow answers."""

_CELL = """
import pathlib, time
with open({ran!r}, "a") as ran:
    ran.write("{index}\\n")
go = pathlib.Path({go!r})
{work}
print("cell {index}")
"""
_PACE = """
if not go.exists():
    time.sleep({pace_s})
"""
_TRAIN = """
if not go.exists():
    from sklearn.linear_model import LinearRegression
    LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
"""
_WAIT = "while not go.exists(): time.sleep(0.1)"


class HalfWay:
    """The notebook's cells, and who ran them."""

    def __init__(self, folder: Path, paced: int, pace_s: float) -> None:
        """Write the notebook.

        Args:
            folder: for the files by which its cells and we know of each other.
            paced: how many cells take a while, before the one that waits.
            pace_s: that while.
        """
        folder.mkdir()
        self._ran, self._go = folder / "ran", folder / "go"
        pace = _PACE.format(pace_s=pace_s)
        works = [pace + _TRAIN * (n % EVERY == 0) for n in range(paced)]
        works += [_WAIT, *["pass"] * LAST_CELLS]
        places = {"ran": str(self._ran), "go": str(self._go)}
        self.cells = [
            _CELL.format(**places, index=index, work=work)
            for index, work in enumerate(works)
        ]

    def go_on(self) -> None:
        """Let the last cells run, and wait no more in the others."""
        self._go.touch()

    def faults(self, notebook: bytes, report: bytes) -> list[str]:
        """What is wrong with what the run has done and handed in."""
        wanted = list(range(len(self.cells)))
        found = []
        ran = [int(line) for line in self._ran.read_text().split()]
        if ran != wanted:
            found.append(f"its cells ran as {ran}")
        executed = nbformat.reads(notebook.decode(), as_version=4)
        nbformat.validate(executed)
        said = [_text(cell) for cell in executed.cells]
        silent = [n for n, text in enumerate(said) if f"cell {n}\n" not in text]
        if silent or len(said) != len(wanted):
            found.append(f"of {len(said)} executed cells these say nothing: {silent}")
        if f"cell {wanted[-1]}" not in report.decode():
            found.append("its report does not show the last cell")
        return found


def _text(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)
