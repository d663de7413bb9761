"""YAML that a person wrote: plain values, and the line of each of them.

The text is only composed into nodes, and plain values are read from those: no tag is
acted on, no alias is followed, and every mistake has its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from hubyard.contract.errors import Invalid, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

M = TypeVar("M", bound=BaseModel)

LIMIT_BYTES = 64 * 2**10
DEEPEST = 20
"""Composing takes a second for brackets in brackets, however few there need be."""
_OPEN, _CLOSE = b"[{", b"]}"
_PLAIN = {
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null")
}
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LEAST, _MOST = -(2**63), 2**64 - 1
"""What a whole number may be: all that 64 bits can say."""
_TIME = "tag:yaml.org,2002:timestamp"
_SHOWN = 40

Place = tuple[str | int, ...]
"""Where a value stands: the keys and indexes that lead to it."""


@dataclass(frozen=True)
class Text:
    """The values of a file, and their lines."""

    name: str
    value: JsonValue
    _lines: dict[Place, int] = field(default_factory=dict)

    def mistake(self, place: Sequence[str | int], says: str) -> Invalid:
        """What is wrong with a value, with the line of what comes nearest to it."""
        where = tuple(place)
        while where not in self._lines and where:
            where = where[:-1]
        return _mistake(self.name, self._lines.get(where, 1), says)

    def read_as(self, shape: type[M]) -> M:
        """The value as a model.

        Raises:
            Invalid: it is not one; names the line and what to write.
        """
        try:
            return shape.model_validate(self.value)
        except ValidationError as error:
            raise self._explain(shape, error) from None

    def _explain(self, shape: type[BaseModel], error: ValidationError) -> Invalid:
        first = error.errors(include_url=False)[0]
        place = [part for part in first["loc"] if part != "[key]"]
        shown = ".".join(map(str, place))[:200]
        if first["type"] == "extra_forbidden":
            known = ", ".join(_fields(shape, place))
            return self.mistake(
                place, f"{shown}: is not known here: write one of {known}"
            )
        said = refusal(first, shown).message.removesuffix(".")
        return self.mistake(place, said)


def read(content: bytes, name: str) -> Text:
    """Read a YAML file of a mapping; an empty one holds nothing.

    Raises:
        Invalid: naming the line and what to write.
    """
    if len(content) > LIMIT_BYTES:
        raise _mistake(
            name, 1, f"is larger than {LIMIT_BYTES // 2**10} KiB: shorten it"
        )
    if _depth(content) > DEEPEST:
        raise _mistake(name, 1, "holds too many brackets within one another")
    root = _compose(content, name)
    if root is None:
        return Text(name, {})
    if not isinstance(root, yaml.MappingNode):
        raise _mistake(name, _line(root), "holds no settings: write `name: ...`")
    lines: dict[Place, int] = {}
    return Text(name, _Reader(name, lines).value(root, ()), lines)


def _compose(content: bytes, name: str) -> yaml.Node | None:
    try:
        return yaml.compose(content, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _mistake(name, line, f"is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise _mistake(name, 1, "is not YAML: save it as plain UTF-8 text") from None


class _Reader:
    """Turns nodes into values, and notes their lines."""

    def __init__(self, name: str, lines: dict[Place, int]) -> None:
        self._name, self._lines = name, lines
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, place: Place) -> JsonValue:
        self._lines.setdefault(place, _line(node))
        if id(node) in self._seen:
            raise _mistake(self._name, _line(node), "uses an alias: write it out")
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(n, (*place, i)) for i, n in enumerate(node.value)]
        return self._scalar(node, place)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for key, value in node.value:
            line = _line(key)
            if not isinstance(key, yaml.ScalarNode):
                raise _mistake(self._name, line, "has a key that is no plain text")
            said = self._text(key, str(key.value))
            if said in found:
                shown = repr(said[:_SHOWN])
                raise _mistake(self._name, line, f"says {shown} twice: remove one")
            self._lines[(*place, said)] = line
            found[said] = self.value(value, (*place, said))
        return found

    def _scalar(self, node: yaml.Node, place: Place) -> JsonValue:
        if node.tag == _TIME:
            return self._text(node, str(node.value))
        if node.tag not in _PLAIN:
            shown = ".".join(map(str, place))[:_SHOWN]
            raise _mistake(self._name, _line(node), f"{shown}: write a plain value")
        try:
            value = yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError):
            raise _mistake(self._name, _line(node), "holds no number") from None
        if isinstance(value, int) and not _LEAST <= value <= _MOST:
            raise _mistake(self._name, _line(node), "holds too large a number")
        return self._text(node, value) if isinstance(value, str) else value

    def _text(self, node: yaml.Node, text: str) -> str:
        """A text, which an escape can make of half a character."""
        if _SURROGATE.search(text):
            raise _mistake(self._name, _line(node), "holds half a character")
        return text


def _fields(shape: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The fields of the model that a place lies in."""
    for part in place[:-1]:
        inner = shape.model_fields.get(str(part))
        for kind in getattr(inner and inner.annotation, "__args__", ()):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                shape = kind
    return list(shape.model_fields)


def _depth(content: bytes) -> int:
    deepest = depth = 0
    for byte in content:
        if byte in _OPEN:
            depth += 1
            deepest = max(deepest, depth)
        elif byte in _CLOSE:
            depth -= 1
    return deepest


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _mistake(name: str, line: int, says: str) -> Invalid:
    return Invalid(f"{name}:{line}: {says}.", field=name)
