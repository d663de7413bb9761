"""A case: a notebook of the shape of one of the peers' own, and what must happen.

answer   what papermill makes of it, kept in answers.json: how it ends, at which cell
         with which error, and what each cell shows up to there
instead  what must happen where papermill's answer is not taken, and why not
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).with_name("answers.json")
NOTEBOOK = "book.ipynb"

_PYTHON = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
}

Cell = dict[str, Any]
Shown = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What became of a notebook."""

    error: str | None
    """Name of the exception that ended it, empty where none is shown; None: it has
    succeeded."""
    cell: int | None
    """Index, in the executed notebook, of the cell that failed."""
    shown: list[Shown]
    """Of each code cell up to that one: text by stream, results and errors."""


@dataclass(frozen=True)
class Instead:
    """What must happen where it is not what papermill does."""

    because: str
    succeeds: bool = False
    cell: int | None = None
    words: str = ""
    """In the message of the failure, or of the refusal."""
    refused: bool = False
    """Whether nothing is started at all."""
    shown: tuple[str, ...] = ()
    """Texts among what is shown."""


@dataclass(frozen=True)
class Case:
    """One notebook."""

    name: str
    cells: tuple[Cell, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """What lies beside it."""
    instead: Instead | None = None
    metadata: dict[str, Any] = field(default_factory=lambda: _PYTHON)
    minor: int = 5
    raw: bytes | None = None
    """The file itself, where it is no notebook."""

    @property
    def content(self) -> bytes:
        """The file of the notebook."""
        if self.raw is not None:
            return self.raw
        cells = [
            {"id": f"c{number}", **cell} if self.minor >= 5 else cell
            for number, cell in enumerate(self.cells)
        ]
        document = {"nbformat": 4, "nbformat_minor": self.minor, "cells": cells}
        return json.dumps({**document, "metadata": self.metadata}).encode()


def code(source: str, *tags: str, **metadata: Any) -> Cell:
    """A cell to execute."""
    told = {"tags": list(tags), **metadata} if tags else metadata
    empty = {"outputs": [], "execution_count": None}
    return {"cell_type": "code", "metadata": told, "source": source, **empty}


def text(source: str, kind: str = "markdown") -> Cell:
    """A cell of text."""
    return {"cell_type": kind, "metadata": {}, "source": source}


def case(name: str, *cells: str | Cell, **more: Any) -> Case:
    """A case of cells; text alone is a cell to execute."""
    made = tuple(code(each) if isinstance(each, str) else each for each in cells)
    return Case(name, made, **more)


def kept_answers() -> dict[str, Answer]:
    """What papermill has answered, by the case's name."""
    kept = json.loads(ANSWERS.read_text())
    return {name: Answer(**said) for name, said in kept.items()}


def keep(answers: dict[str, Answer]) -> None:
    """Write down what papermill has answered."""
    said = {name: asdict(answers[name]) for name in sorted(answers)}
    ANSWERS.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")
