"""A notebook that somebody sends: read, and refused where it is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from hubyard.contract.errors import HubyardError, Invalid
from hubyard.contract.run import MOST_CELLS
from hubyard_hub.json_text import JsonBound, check_json
from hubyard_hub.packed import FILE_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTEBOOK = JsonBound(size_bytes=FILE_LIMIT_BYTES, values=3_000_000, depth=100)
"""A plot of a million points has two million numbers in 40 MiB."""


def read_notebook(content: bytes, name: str) -> Mapping[str, Any]:
    """Read a notebook of format 4 that is written in Python.

    Raises:
        Invalid: naming what is wrong with it.
    """
    try:
        check_json(content, NOTEBOOK)
        document = json.loads(content.decode("utf-8"))
    except HubyardError as error:
        said = error.message.removeprefix("The body ")
        raise type(error)(f"{name} {said}") from None
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8 (byte {error.start + 1}).") from None
    except ValueError as error:  # a number of thousands of digits has no line
        line = getattr(error, "lineno", 1)
        raise Invalid(f"{name} is not JSON (line {line}).") from None
    except RecursionError:
        raise Invalid(f"{name} is nested too deeply.") from None
    problem = _what_is_wrong(document)
    if problem:
        raise Invalid(f"{name} is not a notebook: {problem}.")
    notebook = cast("Mapping[str, Any]", document)
    language = _language(notebook)
    if language not in (None, "", "python"):
        said = str(language)[:40]
        raise Invalid(f"{name} is written for {said}: only Python runs here.")
    return notebook


def _language(notebook: Mapping[str, Any]) -> object:
    """What its kernel is said to speak, whatever its kernel was called."""
    spec = notebook["metadata"].get("kernelspec")
    return spec.get("language") if isinstance(spec, dict) else None


def _what_is_wrong(document: object) -> str | None:
    if not isinstance(document, dict):
        return "it is not a JSON object"
    notebook = cast("dict[str, Any]", document)
    if notebook.get("nbformat") != 4:  # noqa: PLR2004  the one format that all parts read
        return "its nbformat is not 4; open and save it in JupyterLab"
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


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict):
        return False
    values = cast("dict[str, Any]", cell)
    source, kind = values.get("source"), values.get("cell_type")
    is_text = isinstance(source, str) or (
        isinstance(source, list) and all(isinstance(line, str) for line in source)
    )
    known = isinstance(kind, str) and kind in {"code", "markdown", "raw"}
    return is_text and known and isinstance(values.get("metadata"), dict)
