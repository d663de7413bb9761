"""A script: a Python file that is executed by cells, as a notebook is.

`# %%` begins a cell, `# %% tags=["parameters"]` the one that holds the parameters, and
`# %% [markdown]` one of text. A file without any is one cell. A mark counts only
between two statements: within a text, a bracket or a block it is part of the code.
Format: https://jupytext.readthedocs.io/en/latest/formats-scripts.html#the-percent-format
"""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LINE_END = re.compile(r"\r\n|\r|\n")
"""As Python counts lines: a form feed ends none."""
_MARK = re.compile(r"^# ?%%(?P<rest>.*)$")
_TAGS = re.compile(r"tags=(\[[^\]]*\])")
_MAGIC = re.compile(r"^(\s*)[%!?].*$|^(\s*)[\w.]+\?{1,2}$")
_ASSIGNED_MAGIC = re.compile(r"=\s*[!%]\s*\w.*$")
_CELL_MAGIC = "%%"
_BYTE_ORDER_MARK = "\ufeff"
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def is_script(path: str) -> bool:
    """Whether a file is executed as a script."""
    return path.endswith(".py")


def notebook_of(text: str) -> dict[str, Any]:
    """The notebook that executes a script; a notebook of format 4.5."""
    cells: list[dict[str, Any]] = []
    for rest, lines in _split(text):
        source = "\n".join(lines).strip("\n")
        if source or rest:
            cells.append(_cell(len(cells), rest, source))
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": _KERNEL},
        "cells": cells,
    }


def _split(text: str) -> list[tuple[str, list[str]]]:
    """What follows each mark on its line, and the lines below it."""
    lines = _LINE_END.split(text.removeprefix(_BYTE_ORDER_MARK))
    marked = [number for number, line in enumerate(lines) if _MARK.match(line)]
    inside = _inside_statements(lines, marked) if marked else set[int]()
    parts: list[tuple[str, list[str]]] = [("", [])]
    for number, line in enumerate(lines):
        mark = _MARK.match(line)
        if mark and number not in inside:
            parts.append((mark["rest"].strip(), []))
        else:
            parts[-1][1].append(line)
    return parts


def _inside_statements(lines: Sequence[str], marked: Iterable[int]) -> set[int]:
    """Which of these lines lie within a statement; none where the file is no Python.

    Lines count from 0.
    """
    body = _statements(lines) or _statements(_without_magics(lines)) or []
    within = {
        number
        for statement in body
        for number in range(_first_line(statement), statement.end_lineno or 0)
    }
    return within.intersection(marked)


def _statements(lines: Sequence[str]) -> list[ast.stmt] | None:
    try:
        return ast.parse("\n".join(lines)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _first_line(statement: ast.stmt) -> int:
    """Where a statement, or its first decorator, begins; lines count from 0."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)]) - 1


def _without_magics(lines: Sequence[str]) -> list[str]:
    """The same number of lines, in which IPython's own have become Python."""
    plain: list[str] = []
    begins, is_magic = True, False
    for line in lines:
        if _MARK.match(line):
            begins, is_magic = True, False
        elif begins and line.strip():
            begins, is_magic = False, line.startswith(_CELL_MAGIC)
        plain.append("" if is_magic else _as_python(line))
    return plain


def _as_python(line: str) -> str:
    return _ASSIGNED_MAGIC.sub("= 0", _MAGIC.sub(r"\1\2pass", line))


def _cell(number: int, rest: str, source: str) -> dict[str, Any]:
    cell = {"id": f"c{number}", "metadata": _metadata(rest), "source": source}
    if rest.startswith("[markdown]"):
        lines = (
            line.removeprefix("#").removeprefix(" ") for line in source.split("\n")
        )
        return {**cell, "cell_type": "markdown", "source": "\n".join(lines)}
    code: dict[str, Any] = {"outputs": [], "execution_count": None}
    return {**cell, "cell_type": "code", **code}


def _metadata(rest: str) -> dict[str, Any]:
    found = _TAGS.search(rest)
    try:
        tags = json.loads(found[1]) if found else []
    except ValueError:
        tags = []
    return {"tags": tags} if tags else {}
