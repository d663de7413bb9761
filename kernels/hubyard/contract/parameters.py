"""Parameters: what a run may set, read from the notebook's `parameters` cell.

declared  the type that an annotation or the default says; what no run can be given is
          refused there, where it is written
given     JSON, or texts as somebody types them; each is taken as it is declared

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
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from hubyard.contract.errors import Invalid, TooLarge
from hubyard.contract.kind import NONE, Kind, kind_of, seen_kind, union_of
from hubyard.contract.literal import is_json, literal_of
from hubyard.contract.source import MOST_PARAMETERS, Parameter, ParameterType
from hubyard.contract.value import Unfit, take, take_text, words_of
from hubyard.contract.wire import wire_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pydantic import JsonValue

CELL_LIMIT_BYTES = 64 * 2**10
"""The largest parameters cell: a minute of parsing lies in a megabyte of `a=1`."""
_TAG = "parameters"
_MAGIC = ("%", "!")
_NO_PARAMETER = {"TypeAlias", "ClassVar"}
"""An annotation of these names declares something else."""
_UNSAID = {"Final"}
"""An annotation that leaves the type to the default."""
_MADE: dict[str, Callable[..., object]] = {
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "Decimal": Decimal,
    "UUID": UUID,
    "Path": Path,
    "float": float,
    "complex": complex,
    "frozenset": frozenset,
}
"""Calls in a default that are known without executing the cell."""
_CONSTANTS = {"nan": math.nan, "inf": math.inf}
_TYPES = {
    **{kind.value: kind for kind in ParameterType},
    "None": ParameterType.NONE,
    "any": ParameterType.NONE,
    "tuple": ParameterType.LIST,
    "set": ParameterType.LIST,
    "frozenset": ParameterType.LIST,
}
_NO_PYTHON = (SyntaxError, ValueError, tokenize.TokenError)
_UNKNOWN = object()
"""What stands for a default that must be executed to know it."""


# -- what a notebook declares ----------------------------------------------------------


def parameters_of(notebook: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters of the first cell tagged `parameters`, in their order.

    Raises:
        Invalid, TooLarge: it cannot be read, or declares what no run can be given.
    """
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
    except (*_NO_PYTHON, RecursionError, MemoryError) as error:
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
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
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
                says: ast.expr | None = statement.annotation
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                says = None
            case _:
                continue
        if _last_name(says) in _NO_PARAMETER:
            continue
        default = _default(value)
        yield declared(
            name,
            _kind(name, says, default, statement.lineno),
            None if default is _UNKNOWN else default,
            comments.get(statement.end_lineno or statement.lineno, ""),
        )


def declared(name: str, kind: Kind, default: object, help_: str = "") -> Parameter:
    """A parameter of a kind, with its default as it would travel."""
    said = [each for each in kind.members if each != NONE]
    only = union_of(*(said or [NONE]))
    return Parameter(
        name=name,
        type=_TYPES.get(only.name, ParameterType.OTHER),
        declared=str(kind),
        default=_wire(kind, default),
        help=help_,
    )


def _kind(name: str, says: ast.expr | None, default: object, line: int) -> Kind:
    seen = seen_kind(None if default is _UNKNOWN else default)
    if says is None or _last_name(says) in _UNSAID:
        return seen
    try:
        kind = kind_of(says)
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"Parameter {name} (line {line} of the parameters cell) is declared as "
            f"{str(error)[:80]}, which no run can be given: declare what Python itself "
            "has, such as str, date, Path or list[int], or make it in another cell.",
            field="notebook",
        ) from None
    return union_of(kind, NONE) if default is None else kind


def _last_name(annotation: ast.expr | None) -> str | None:
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name)):
            return None if name in _UNSAID else name
        case _:
            return None


def _default(value: ast.expr) -> object:
    """What an expression spells out, or `_UNKNOWN`."""
    try:
        found = _spelled_out(value)
    except (ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        return _UNKNOWN
    if _has_half_a_character(found):
        raise Invalid(
            f"The parameters cell holds half a character (line {value.lineno}).",
            field="notebook",
        )
    return found


def _spelled_out(value: ast.expr) -> object:
    match value:
        case ast.Attribute(value=ast.Name(), attr=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if (
            name in _MADE
        ):
            named = {each.arg: literal_of(each.value) for each in value.keywords}
            given = [literal_of(each) for each in value.args]
            return _MADE[name](*given, **cast("dict[str, object]", named))
        case ast.Name():
            return _UNKNOWN
        case _:
            return literal_of(value)


def _has_half_a_character(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (TypeError, ValueError):
        return False
    return False


def _wire(kind: Kind, default: object) -> JsonValue:
    """A default as it would travel; one that would not is shown as None."""
    try:
        return wire_of(kind, default)
    except Unfit:
        return cast("JsonValue", default) if is_json(default) else None


# -- what a run is given ---------------------------------------------------------------


def accept(
    parameters: Sequence[Parameter],
    given: Mapping[str, JsonValue],
    texts: Mapping[str, str] | None = None,
) -> dict[str, JsonValue]:
    """The values of a run as they travel, or which one of them is wrong.

    Args:
        parameters: those that there are.
        given: values as JSON says them.
        texts: values as somebody types them.

    Raises:
        Invalid: naming the parameter and what to write.
    """
    known = {parameter.name: parameter for parameter in parameters}
    typed = texts or {}
    twice = next((name for name in typed if name in given), None)
    if twice is not None:
        raise _refused(twice[:80], "is given twice")
    accepted = {n: _accepted(known, n, partial(take, raw=v)) for n, v in given.items()}
    for name, text in typed.items():
        accepted[name] = _accepted(known, name, partial(take_text, text=text))
    return accepted


def _accepted(
    known: Mapping[str, Parameter], name: str, read: Callable[[Kind], object]
) -> JsonValue:
    kind = _known(known, name).kind
    try:
        return wire_of(kind, read(kind))
    except Unfit:
        raise _refused(name, f"must be {words_of(kind)}") from None


def values_of(
    parameters: Sequence[Parameter], given: Mapping[str, JsonValue]
) -> dict[str, object]:
    """The values that a notebook's cell shall have, of how they have travelled.

    Raises:
        Invalid: naming the parameter and what it must be.
    """
    known = {parameter.name: parameter for parameter in parameters}
    found: dict[str, object] = {}
    for name, wire in given.items():
        kind = _known(known, name).kind
        try:
            found[name] = take(kind, wire)
        except Unfit:
            raise _refused(name, f"must be {words_of(kind)}") from None
    return found


def _known(known: Mapping[str, Parameter], name: str) -> Parameter:
    parameter = known.get(name)
    if parameter is None or not name.isidentifier() or keyword.iskeyword(name):
        names = ", ".join(known) or "none"
        raise Invalid(
            f"The notebook has no parameter {name[:80]!r}: it has {names}.",
            field=f"parameters.{name[:80]}",
        )
    return parameter


def _refused(name: str, says: str) -> Invalid:
    return Invalid(f"Parameter {name} {says}.", field=f"parameters.{name}")
