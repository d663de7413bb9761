"""A notebook: what it must be for the platform to accept and the runner to run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hubyard.contract.run import MOST_CELLS

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 4
"""Of nbformat: the one that all parts read."""
CELL_TYPES = {"code", "markdown", "raw"}
_PYTHON = (None, "", "python")


def what_is_wrong(document: object) -> str | None:
    """Why a parsed JSON document is no notebook that can run; None: it is one."""
    if not isinstance(document, dict):
        return "it is not a JSON object"
    notebook = cast("dict[str, Any]", document)
    if notebook.get("nbformat") != FORMAT:
        return f"its nbformat is not {FORMAT}; open and save it in JupyterLab"
    if not isinstance(notebook.get("metadata"), dict):
        return "it has no metadata"
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        return "it has no list of cells"
    wrong = (n for n, cell in enumerate(cells, 1) if not _is_cell(cell))
    first = next(wrong, None)
    if first is not None:
        return f"its cell {first} is broken"
    too_many = len(cells) > MOST_CELLS
    return f"it has more than {MOST_CELLS:,} cells" if too_many else None


def foreign_language(notebook: Mapping[str, Any]) -> str | None:
    """The language that it is written in, if it is not Python.

    What its kernel is said to speak counts, whatever its kernel was called.
    """
    spec = notebook["metadata"].get("kernelspec")
    language = spec.get("language") if isinstance(spec, dict) else None
    is_python = language in _PYTHON  # it may be of a type that no set can hold
    return None if is_python else str(language)[:40]


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict):
        return False
    values = cast("dict[str, Any]", cell)
    source, kind = values.get("source"), values.get("cell_type")
    is_text = isinstance(source, str) or (
        isinstance(source, list) and all(isinstance(line, str) for line in source)
    )
    known = isinstance(kind, str) and kind in CELL_TYPES
    return is_text and known and isinstance(values.get("metadata"), dict)
