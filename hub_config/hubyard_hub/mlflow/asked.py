"""Asked: one request to MLflow, parsed once: its route and what it names."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hubyard_hub.mlflow.router import Found
    from hubyard_hub.mlflow.routes import Claim


@dataclass(frozen=True)
class Thing:
    """An object of MLflow's, by its kind and the parts of its id."""

    kind: str
    id: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """What one request says."""

    found: Found
    query: dict[str, list[str]] = field(default_factory=dict)
    body: Any = None

    @classmethod
    def parse(cls, found: Found, query: bytes, body: bytes) -> Asked:
        """Read a request as MLflow will: whatever its content type says.

        A body that is no JSON names nothing; MLflow refuses it.
        """
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        return cls(found, values, _parsed(body))

    def things(self, claim: Claim) -> list[Thing]:
        """The objects that a claim names; none if it names none."""
        parts = [list(dict.fromkeys(self.texts(*names))) for names in claim.fields]
        if not all(parts):
            return []
        if len(parts) == 1:
            return [Thing(claim.kind, (text,)) for text in parts[0]]
        return [Thing(claim.kind, tuple(part[0] for part in parts))]

    def ambiguous(self, claim: Claim) -> str | None:
        """The name of a field that says two different things, where it may say one.

        MLflow's permission check would look at one of them, and its handler would act
        on the other.
        """
        if claim.several:
            return None
        for names in claim.fields:
            if len(set(self.texts(*names))) > 1:
                return names[0]
        return None

    def texts(self, *names: str) -> Iterator[str]:
        """What stands in any of these fields, in every spelling and place."""
        for name in names:
            said = [
                self.found.parameters.get(name, ""),
                *self.query.get(name, []),
                *map(str, _at(self.body, name.split("."))),
            ]
            yield from filter(None, said)

    def pairs(self, name: str) -> Iterator[tuple[str, str]]:
        """Keys and values of tags: a list of them, an object, or (`-`) one alone."""
        path = [] if name == "-" else name.split(".")
        for found in _inner(self.body, path):
            if isinstance(found, dict) and "key" not in found:
                yield from ((k, str(v)) for k, v in found.items())
            elif isinstance(found, dict):
                yield str(found["key"]), str(found.get("value", ""))


def _parsed(body: bytes) -> Any:
    try:
        parsed = json.loads(body) if body else None
        # MLflow takes what old clients have encoded twice.
        return json.loads(parsed) if isinstance(parsed, str) else parsed
    except (ValueError, RecursionError):
        return None


def _at(said: Any, path: list[str]) -> Iterator[str | int]:
    """Texts and numbers at a path."""
    for found in _inner(said, path):
        if isinstance(found, str | int) and not isinstance(found, bool):
            yield found


def _inner(said: Any, path: list[str]) -> Iterator[Any]:
    """What stands at a path, in both spellings, through every list on the way."""
    if isinstance(said, list):
        for each in cast("list[Any]", said):
            yield from _inner(each, path)
    elif not path:
        yield said
    elif isinstance(said, dict):
        for name in {path[0], _camel(path[0])}:
            yield from _inner(cast("dict[str, Any]", said).get(name), path[1:])


def _camel(name: str) -> str:
    """How protobuf's JSON spells a field."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
