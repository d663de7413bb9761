"""Params: the values beside the input that a model's signature lets a request set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import Invalid
from hubyard_runtime.endpoint.protocol.nested import Array, value_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hubyard_runtime.endpoint.protocol.values import ValueType


@dataclass(frozen=True)
class Param:
    """One of them. What a request does not set is its default."""

    name: str
    type: ValueType
    default: Any


@dataclass(frozen=True)
class Params:
    """All of them; none for most models."""

    params: Mapping[str, Param]

    @classmethod
    def parse(cls, specs: Sequence[Mapping[str, Any]]) -> Params:
        """Read MLflow's JSON of them.

        Raises:
            ValueError: a type cannot be served.
        """
        params = (
            Param(
                name=spec["name"],
                type=Array(value_type(spec)) if spec.get("shape") else value_type(spec),
                default=spec["default"],
            )
            for spec in specs
        )
        return cls({param.name: param for param in params})

    def read(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Every value: as said, or the default.

        Raises:
            Invalid: one is not known or of the wrong type; names it.
        """
        if not (said or self.params):
            return {}
        for name in said:
            if name not in self.params:
                known = ", ".join(self.params) or "none"
                field = f"params.{name[:100]}"
                raise Invalid(
                    f"{field} is not known: leave it out; this model's are {known}.",
                    field=field,
                )
        return {
            name: param.type.one(said[name], f"params.{name}")
            if name in said
            else param.default
            for name, param in self.params.items()
        }

    def schema(self) -> dict[str, Any]:
        """All of them as JSON Schema."""
        return {
            "type": "object",
            "properties": {
                name: param.type.schema() | {"default": param.default}
                for name, param in self.params.items()
            },
            "additionalProperties": False,
        }
