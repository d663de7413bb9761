"""The code of a cell: parsed as IPython would, with its magics and shell commands."""

from __future__ import annotations

import ast
import re
import warnings

MAGIC_LIMIT_BYTES = 2**20
"""For a cell's size times its lines with magics: each of them reads all of it again."""
_MAGIC = re.compile(r"^\s*[%!?,;/]|=\s*[%!]|\?\s*$", re.MULTILINE)
_WRONG = (SyntaxError, ValueError, RecursionError, MemoryError)


class NotPython(Exception):
    """A cell cannot be read."""

    def __init__(self, line: int, says: str = "is not Python") -> None:
        super().__init__(says)
        self.line = line
        self.says = says


def parse(source: str) -> ast.Module:
    """The syntax tree of a cell.

    Raises:
        NotPython: neither Python nor IPython can read it; says the line.
    """
    try:
        return _parsed(source)
    except _WRONG as error:
        plain = error
    if len(source.encode()) * len(_MAGIC.findall(source)) > MAGIC_LIMIT_BYTES:
        said = "is long and has many magics: split it, or it takes minutes to read"
        raise NotPython(_line(plain), said)
    try:
        return _parsed(_transformed(source))
    except _WRONG as error:
        raise NotPython(_line(error)) from None


def _transformed(source: str) -> str:
    from IPython.core.inputtransformer2 import (  # noqa: PLC0415  only cells with magics need it
        TransformerManager,
    )

    try:
        return TransformerManager().transform_cell(source)
    except RuntimeError:  # it has tried five hundred times
        raise ValueError from None


def _parsed(source: str) -> ast.Module:
    with warnings.catch_warnings(action="ignore"):
        return ast.parse(source)


def _line(error: BaseException) -> int:
    return getattr(error, "lineno", None) or 1
