"""A script: a Python file that is executed by cells, as a notebook is.

`# %%` begins a cell, `# %% tags=["parameters"]` the one that holds the parameters, and
`# %% [markdown]` one of text. A file without any is one cell.
Format: https://jupytext.readthedocs.io/en/latest/formats-scripts.html#the-percent-format
"""

from __future__ import annotations

import json
import re
from typing import Any

_MARK = re.compile(r"^# ?%%(?P<rest>.*)$")
_TAGS = re.compile(r"tags=(\[[^\]]*\])")
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
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        mark = _MARK.match(line)
        if mark:
            parts.append((mark["rest"].strip(), []))
        else:
            parts[-1][1].append(line)
    return parts


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
