"""A nested value: a cell that is itself an array, an object or a map.

`value_type` reads any type, nested or not, from MLflow's JSON of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import Invalid
from hubyard_runtime.endpoint.protocol.values import (
    ABSENT,
    Anything,
    Binary,
    Boolean,
    Instant,
    Json,
    Real,
    Text,
    ValueType,
    Whole,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Array(ValueType):
    """A list whose values are all of one type."""

    words = "a list"
    items: ValueType

    def one(self, value: Json, place: str) -> list[Any] | None:
        if value is None:
            return None
        if type(value) is not list:
            raise self.wrong(value, place)
        return self.items.read(value, lambda index: f"{place}[{index}]")

    def schema(self) -> dict[str, Any]:
        return {"type": ["array", "null"], "items": self.items.schema()}

    def sample(self) -> list[Any]:
        return [self.items.sample()]


@dataclass(frozen=True)
class Object(ValueType):
    """An object of named values; those that are not required may be left out."""

    words = "an object"
    fields: Mapping[str, ValueType]
    required: frozenset[str]

    def one(self, value: Json, place: str) -> dict[str, Any] | None:
        if value is None:
            return None
        if type(value) is not dict:
            raise self.wrong(value, place)
        self._know(value, place)
        return {
            name: self.fields[name].one(value[name], f"{place}.{name}")
            for name in self.fields
            if name in value
        }

    def _know(self, value: dict[str, Any], place: str) -> None:
        for name in value:
            if name not in self.fields:
                raise Invalid(
                    f"{place}.{name[:100]} is not known: write only "
                    f"{', '.join(self.fields)}.",
                    field=f"{place}.{name[:100]}",
                )
        for name in self.fields:
            if name in self.required and name not in value:
                raise self.fields[name].wrong(ABSENT, f"{place}.{name}")

    def schema(self) -> dict[str, Any]:
        return {
            "type": ["object", "null"],
            "properties": {name: kind.schema() for name, kind in self.fields.items()},
            "required": sorted(self.required),
            "additionalProperties": False,
        }

    def sample(self) -> dict[str, Any]:
        return {name: kind.sample() for name, kind in self.fields.items()}


@dataclass(frozen=True)
class Map(ValueType):
    """An object of any names whose values are all of one type."""

    words = "an object"
    items: ValueType

    def one(self, value: Json, place: str) -> dict[str, Any] | None:
        if value is None:
            return None
        if type(value) is not dict:
            raise self.wrong(value, place)
        return {
            name: self.items.one(item, f"{place}.{name[:100]}")
            for name, item in value.items()
        }

    def schema(self) -> dict[str, Any]:
        return {
            "type": ["object", "null"],
            "additionalProperties": self.items.schema(),
        }

    def sample(self) -> dict[str, Any]:
        return {"name": self.items.sample()}


def value_type(spec: Mapping[str, Any]) -> ValueType:
    """The type that a column, property, item or parameter of a signature names.

    Raises:
        ValueError: MLflow may know this type; an endpoint does not.
    """
    kind = str(spec.get("type") or spec.get("dtype"))
    if kind in _SCALARS:
        return _SCALARS[kind]
    match kind:
        case "array":
            return Array(value_type(spec["items"]))
        case "sparkml_vector":
            return Array(_SCALARS["double"])
        case "map":
            return Map(value_type(spec["values"]))
        case "object":
            fields: Mapping[str, Mapping[str, Any]] = spec["properties"]
            return Object(
                fields={name: _field(field) for name, field in fields.items()},
                required=frozenset(n for n, f in fields.items() if is_required(f)),
            )
        case _:
            raise ValueError(f"the type {kind!r} is not one that an endpoint can read")


def _field(spec: Mapping[str, Any]) -> ValueType:
    kind = value_type(spec)
    return kind if is_required(spec) else kind.optional()


def is_required(spec: Mapping[str, Any]) -> bool:
    """Whether a column or property must be there; older models say `optional`."""
    return bool(spec.get("required", not spec.get("optional")))


_SCALARS: Mapping[str, ValueType] = {
    "boolean": Boolean(),
    "integer": Whole("int32", -(2**31), 2**31 - 1),
    "long": Whole(),
    "float": Real("float32", 3.4028234663852886e38),
    "double": Real(),
    "string": Text(),
    "binary": Binary(),
    "datetime": Instant(),
    "any": Anything(),
}
