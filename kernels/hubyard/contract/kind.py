"""A kind: the type that a parameter is declared as, such as `dict[str, int] | None`.

kind        read from an annotation, or seen in a default; never executed
any         nothing is declared: what JSON can say is taken
wire        how a value travels: as JSON, and as a text where JSON has no word for it
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path, PurePath
from uuid import UUID

_SCALARS: dict[str, type] = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "bytes": bytes,
    "complex": complex,
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "Decimal": Decimal,
    "UUID": UUID,
    "Path": Path,
}
_SERIES: dict[str, type] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}
_NAMES = {
    **{name: name for name in (*_SCALARS, *_SERIES, "dict", "None")},
    "NoneType": "None",
    "PurePath": "Path",
    "List": "list",
    "Sequence": "list",
    "MutableSequence": "list",
    "Iterable": "list",
    "Collection": "list",
    "Tuple": "tuple",
    "Set": "set",
    "MutableSet": "set",
    "AbstractSet": "set",
    "FrozenSet": "frozenset",
    "Dict": "dict",
    "Mapping": "dict",
    "MutableMapping": "dict",
    "Any": "any",
    "object": "any",
    "JsonValue": "any",
}
"""What people write, and what it stands for here."""
_WRAPPERS = {"Annotated", "Final", "Required"}
"""What only says more of the type within it."""
_CHOICE_TYPES = (str, int, bytes, bool, type(None))
_PAIR = 2


@dataclass(frozen=True)
class Kind:
    """A declared type."""

    name: str
    """`int`, `date`, `list` and so on; `any`, `union`, `literal`."""
    of: tuple[Kind, ...] = ()
    """What stands within its brackets; a union's members."""
    choices: tuple[object, ...] = ()
    """The values of a literal."""
    is_open: bool = False
    """A tuple of any length, `tuple[int, ...]`."""

    def __str__(self) -> str:
        """As Python writes it; `read_kind` reads it back."""
        if self.name == "union":
            return " | ".join(map(str, self.of))
        if self.name == "literal":
            return f"Literal[{', '.join(map(repr, self.choices))}]"
        if self.name == "any":
            return "Any"
        within = [*map(str, self.of), *(["..."] if self.is_open else [])]
        return f"{self.name}[{', '.join(within)}]" if within else self.name

    @property
    def members(self) -> tuple[Kind, ...]:
        """The kinds that a value may be of."""
        return self.of if self.name == "union" else (self,)

    @property
    def python(self) -> type | None:
        """The class of its values; None: it has several, or any."""
        if self.name == "dict":
            return dict
        return _SCALARS.get(self.name) or _SERIES.get(self.name)

    @property
    def is_scalar(self) -> bool:
        """Whether its values hold no others."""
        return self.name in _SCALARS

    @property
    def is_series(self) -> bool:
        """Whether its values hold others, one after the other."""
        return self.name in _SERIES


ANY = Kind("any")
NONE = Kind("None")


def union_of(*kinds: Kind) -> Kind:
    """What is of one of some kinds."""
    members = tuple(dict.fromkeys(m for kind in kinds for m in kind.members))
    if ANY in members:
        return ANY
    return members[0] if len(members) == 1 else Kind("union", members)


@lru_cache(maxsize=200)
def read_kind(text: str) -> Kind:
    """The kind that an annotation's text says.

    Raises:
        ValueError: a run cannot be given values of it; the message is its name.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(text) from None
    return kind_of(tree)


def kind_of(annotation: ast.expr) -> Kind:
    """The kind that an annotation says.

    Raises:
        ValueError: a run cannot be given values of it; the message is its name.
    """
    match annotation:
        case ast.Constant(value=None):
            return NONE
        case ast.Constant(value=str(text)):
            return read_kind(text)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return union_of(kind_of(left), kind_of(right))
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name)):
            return _generic(name, _within(annotation.slice), annotation)
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in _NAMES:
            return Kind(_NAMES[name])
        case _:
            raise ValueError(ast.unparse(annotation))


def _within(inner: ast.expr) -> list[ast.expr]:
    return inner.elts if isinstance(inner, ast.Tuple) else [inner]


def _generic(name: str, within: list[ast.expr], whole: ast.expr) -> Kind:
    """What a name means with something in brackets."""
    if name == "Optional" and len(within) == 1:
        return union_of(kind_of(within[0]), NONE)
    if name == "Union" and within:
        return union_of(*map(kind_of, within))
    if name == "Literal":
        return _literal(within, whole)
    if name in _WRAPPERS and within:
        return kind_of(within[0])
    known = Kind(_NAMES.get(name, ""))
    if known.name == "tuple":
        return _tuple(within)
    expected = _PAIR if known.name == "dict" else 1 if known.is_series else None
    if len(within) != expected:
        raise ValueError(ast.unparse(whole))
    return Kind(known.name, tuple(map(kind_of, within)))


def _tuple(within: list[ast.expr]) -> Kind:
    match within:
        case [first, ast.Constant(value=value)] if value is ...:
            return Kind("tuple", (kind_of(first),), is_open=True)
        case _:
            return Kind("tuple", tuple(map(kind_of, within)))


def _literal(within: list[ast.expr], whole: ast.expr) -> Kind:
    try:
        choices = tuple(map(ast.literal_eval, within))
    except (ValueError, TypeError):
        choices = ()
    if not choices or any(type(each) not in _CHOICE_TYPES for each in choices):
        raise ValueError(ast.unparse(whole))
    return Kind("literal", choices=choices)


def seen_kind(value: object) -> Kind:
    """The kind of a default that nothing else is said of."""
    if value is None:
        return ANY
    if isinstance(value, PurePath):
        return Kind("Path")
    name = type(value).__name__
    return Kind(name) if name in _NAMES else ANY
