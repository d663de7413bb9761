"""Parameters: what a run may set, read from the notebook's `parameters` cell.

The cell is read as text and never executed. Its names end up as code in front of the
notebook, so a given name must be one that the cell declares.
"""

from __future__ import annotations

import ast
import io
import json
import keyword
import math
import tokenize
import warnings
from typing import TYPE_CHECKING, Any, cast

from hubyard.contract.errors import HubyardError, Invalid, TooLarge
from hubyard.contract.run import MOST_CELLS
from hubyard.contract.source import MOST_PARAMETERS, Parameter, ParameterType
from hubyard_hub.json_text import JsonBound, check_json, has_lone_surrogate
from hubyard_hub.packed import FILE_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic import JsonValue

CELL_LIMIT_BYTES = 64 * 2**10
"""The largest parameters cell: a minute of parsing lies in a megabyte of `a=1`."""
NOTEBOOK = JsonBound(size_bytes=FILE_LIMIT_BYTES, values=3_000_000, depth=100)
"""A plot of a million points has two million numbers in 40 MiB."""

_TAG = "parameters"
_MAGIC = ("%", "!")
_OTHER_NAMES = {
    "Dict": ParameterType.DICT,
    "List": ParameterType.LIST,
    "Sequence": ParameterType.LIST,
    "Mapping": ParameterType.DICT,
    "tuple": ParameterType.LIST,
    "None": ParameterType.NONE,
}
_BY_NAME = {**{kind.value: kind for kind in ParameterType}, **_OTHER_NAMES}
_WORDS = {
    ParameterType.BOOL: "true or false",
    ParameterType.INT: "a whole number",
    ParameterType.FLOAT: "a number",
    ParameterType.STR: "a text",
    ParameterType.LIST: "a list",
    ParameterType.DICT: "an object",
    ParameterType.NONE: "a JSON value without NaN or infinity",
}


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


def parameters_of(notebook: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters of the first cell tagged `parameters`, in their order."""
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags")
        if cell["cell_type"] == "code" and isinstance(tags, list) and _TAG in tags:
            source = cell["source"]
            return tuple(
                _parse_cell(source if isinstance(source, str) else "".join(source))
            )
    return ()


def _parse_cell(source: str) -> Iterable[Parameter]:
    if len(source.encode()) > CELL_LIMIT_BYTES:
        raise TooLarge(
            f"The parameters cell may be at most {CELL_LIMIT_BYTES // 2**10} KiB: keep "
            "data in a file.",
            field="notebook",
        )
    lines = source.splitlines()
    code = "\n".join("" if _is_magic(line) else line for line in lines)
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(code)
        comments = _comments(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise Invalid(
            f"The parameters cell is not Python (line {line}).", field="notebook"
        ) from None
    found = {p.name: p for p in _parameters(tree.body, comments)}
    if len(found) > MOST_PARAMETERS:
        raise TooLarge(
            f"The parameters cell may hold at most {MOST_PARAMETERS} parameters.",
            field="notebook",
        )
    return found.values()


def _is_magic(line: str) -> bool:
    return line.lstrip().startswith(_MAGIC)


def _comments(code: str) -> dict[int, str]:
    """The comment on each line that has one, by line from 1."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except tokenize.TokenError:
        return {}
    return {
        token.start[0]: token.string.lstrip("#").strip()
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _parameters(
    body: Sequence[ast.stmt], comments: Mapping[int, str]
) -> Iterator[Parameter]:
    for statement in body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value:
                kind = _annotated(statement.annotation)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                kind = None
            case _:
                continue
        default = _literal(value)
        yield Parameter(
            name=name,
            type=kind or _type_of(default),
            default=default,
            help=comments.get(statement.end_lineno or statement.lineno, ""),
        )


def _annotated(annotation: ast.expr) -> ParameterType | None:
    """What an annotation says: `int`, `list[str]`, `Optional[int]`, `int | None`."""
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _BY_NAME.get(name)
        case ast.Constant(value=None):
            return ParameterType.NONE
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return _annotated(inner)
        case ast.Subscript(value=outer):
            return _annotated(outer)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            sides = {_annotated(left), _annotated(right)} - {ParameterType.NONE}
            return sides.pop() if len(sides) == 1 else None
        case _:
            return None


def _literal(value: ast.expr) -> JsonValue:
    """The JSON value that an expression spells out; None where it must be executed."""
    try:
        found = ast.literal_eval(value)
        text = json.dumps(found, allow_nan=False)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    if has_lone_surrogate(text.encode()):
        raise Invalid(
            f"The parameters cell holds half a character (line {value.lineno}).",
            field="notebook",
        )
    return json.loads(text)


def _type_of(value: object) -> ParameterType:
    return ParameterType.NONE if value is None else ParameterType(type(value).__name__)


def check_parameters(
    declared: Sequence[Parameter], given: Mapping[str, JsonValue]
) -> None:
    """Accept the values of a run, or say which one is wrong.

    Raises:
        Invalid: naming the parameter and what to write.
    """
    known = {parameter.name: parameter for parameter in declared}
    for name, value in given.items():
        parameter = known.get(name)
        if parameter is None or not name.isidentifier() or keyword.iskeyword(name):
            names = ", ".join(known) or "none"
            raise Invalid(
                f"The notebook has no parameter {name[:80]!r}: it has {names}.",
                field=f"parameters.{name[:80]}",
            )
        if not _fits(parameter, value):
            raise Invalid(
                f"Parameter {name} must be {_WORDS[parameter.type]}.",
                field=f"parameters.{name}",
            )


def _fits(parameter: Parameter, value: JsonValue) -> bool:
    if value is None:
        return parameter.default is None
    match parameter.type:
        case ParameterType.FLOAT:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ParameterType.INT:
            return isinstance(value, int) and not isinstance(value, bool)
        case ParameterType.NONE:
            return _is_finite(value)
        case kind:
            return type(value).__name__ == kind and _is_finite(value)


def _is_finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_finite, cast("dict[str, object]", value).values()))
    return not isinstance(value, list) or all(map(_is_finite, value))
