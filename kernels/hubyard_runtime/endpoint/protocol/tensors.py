"""A tensor: one array of numbers or texts whose shape the signature gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hubyard.contract.errors import Invalid
from hubyard_runtime.endpoint.protocol.values import (
    Anything,
    Boolean,
    Instant,
    Json,
    Real,
    Text,
    ValueType,
    Whole,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_FREE = -1
"""A dimension of any length."""


@dataclass(frozen=True)
class Tensor:
    """Name (None: the only one), type of the elements, and shape."""

    name: str | None
    dtype: str
    shape: tuple[int, ...]
    type: ValueType

    @classmethod
    def parse(cls, spec: Mapping[str, Any]) -> Tensor:
        """Read a tensor from MLflow's JSON of it.

        Raises:
            ValueError: JSON cannot carry such a tensor.
        """
        dtype, shape = spec["tensor-spec"]["dtype"], spec["tensor-spec"]["shape"]
        if not shape:
            raise ValueError("a tensor without a dimension cannot be served")
        return cls(spec.get("name"), dtype, tuple(shape), _element(np.dtype(dtype)))

    @property
    def is_free(self) -> bool:
        """Whether the first dimension may be of any length: items are rows."""
        return self.shape[0] == _FREE

    def read(self, said: Json, place: str) -> np.ndarray[Any, Any]:
        """The array that nested lists say.

        Raises:
            Invalid: the shape or an element is wrong; names where.
        """
        read = self._level(said, list(self.shape), 0, place)
        return np.array(read, dtype=self.dtype)

    def _level(self, said: Json, shape: list[int], depth: int, place: str) -> list[Any]:
        length = shape[depth]
        if type(said) is not list or length not in {_FREE, len(said)}:
            given = f"a list of {len(said)}" if type(said) is list else shown(said)
            wanted = "a list" if length == _FREE else f"a list of {length}"
            raise Invalid(
                f"{place} is {given}: write {wanted}; the shape is {self.words}.",
                field=place,
            )
        # The first list of a free dimension says how long its fellows are.
        shape[depth] = len(said)
        if depth + 1 == len(shape):
            return self.type.read(said, lambda index: f"{place}[{index}]")
        return [
            self._level(item, shape, depth + 1, f"{place}[{index}]")
            for index, item in enumerate(said)
        ]

    @property
    def words(self) -> str:
        """The shape for a person: `any x 30`."""
        return " x ".join("any" if n == _FREE else str(n) for n in self.shape)

    def schema(self) -> dict[str, Any]:
        """The tensor as JSON Schema."""
        schema = self.type.schema()
        for length in reversed(self.shape):
            schema = {"type": "array", "items": schema}
            if length != _FREE:
                schema |= {"minItems": length, "maxItems": length}
        return schema

    def sample(self) -> Json:
        """A tensor of this shape, one long where it may be of any length."""
        sample = self.type.sample()
        for length in reversed(self.shape):
            sample = [sample] * (1 if length == _FREE else length)
        return sample


def _element(dtype: np.dtype[Any]) -> ValueType:
    match dtype.kind:
        case "f":
            return Real(dtype.name, float(np.finfo(dtype).max))
        case "i" | "u":
            bounds = np.iinfo(dtype)
            return Whole(dtype.name, int(bounds.min), int(bounds.max))
        case "b":
            return Boolean()
        case "U":
            return Text()
        case "M":
            return Instant()
        case "O":
            return Anything()
        case _:
            raise ValueError(f"a tensor of {dtype.name} cannot be written in JSON")
