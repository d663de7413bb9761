"""A signature: the input that a model takes, as MLflow recorded it.

columns  typed columns, named but for rare models
tensors  one array without a name, or several with one each
loose    nothing is recorded, or the model checks its input itself

Format: the `signature` of an MLmodel file,
https://mlflow.org/docs/latest/ml/model/signatures/
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hubyard.contract.errors import Invalid
from hubyard.contract.tracking import METADATA
from hubyard_runtime.endpoint.protocol.body import FORMATS, Named, Plain, whole_row
from hubyard_runtime.endpoint.protocol.nested import Array, is_required, value_type
from hubyard_runtime.endpoint.protocol.params import Params
from hubyard_runtime.endpoint.protocol.table import (
    Column,
    Frame,
    Layout,
    Loose,
    Shape,
    Table,
    Tensors,
)
from hubyard_runtime.endpoint.protocol.tensors import Tensor
from hubyard_runtime.endpoint.protocol.trained import as_trained
from hubyard_runtime.endpoint.protocol.values import ABSENT, Anything, Json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from hubyard_runtime.endpoint.protocol.body import Body


class Signature(ABC):
    """What a model takes. `table` is the only way into the model."""

    params: Params

    @property
    def is_apart(self) -> bool:
        """Whether each name of `inputs` has an array of a length of its own."""
        return False

    @property
    def is_as_mlflow(self) -> bool:
        """Whether MLflow's own check leaves the input as it is."""
        return True

    @abstractmethod
    def table(self, body: Body) -> Table:
        """The rows of a body, each value checked and converted.

        Raises:
            Invalid: the model does not take this; names the field.
        """

    @abstractmethod
    def formats(self) -> dict[str, Any]:
        """JSON Schema of each format that a body may have."""

    @abstractmethod
    def sample(self) -> dict[str, Any]:
        """A body that the signature accepts."""


@dataclass(frozen=True)
class Kept:
    """What tracking has kept of the training data, beside the signature."""

    shape: Shape | None = None
    """None: nothing is known."""
    dtypes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What each column was; see `trained`."""

    @classmethod
    def parse(cls, metadata: Json) -> Kept:
        """Read a model's metadata; whoever logged it wrote it."""
        said = metadata.get(METADATA) if isinstance(metadata, dict) else None
        if not isinstance(said, dict):
            return cls()
        shape, dtypes = said.get("shape"), said.get("dtypes")
        return cls(
            shape if shape in ("frame", "series", "list") else None,
            dtypes if isinstance(dtypes, dict) else {},
        )


def parse(
    recorded: Mapping[str, Any] | None, *, typed_by_hint: bool, kept: Kept | None = None
) -> Signature:
    """Read the `signature` of an MLmodel file.

    Args:
        recorded: its `inputs` and `params` are JSON in a text; None: there is none.
        typed_by_hint: the model checks its input itself, by its own type hint.
        kept: what tracking has kept of the training data.

    Raises:
        ValueError: the signature names a type that cannot be served.
    """
    recorded = recorded or {}
    inputs = json.loads(recorded.get("inputs") or "[]")
    params = Params.parse(json.loads(recorded.get("params") or "[]"))
    if typed_by_hint:
        return HintSignature(params)
    if not inputs:
        return LooseSignature(params)
    if any("tensor-spec" in spec for spec in inputs):
        return TensorSignature(tuple(map(Tensor.parse, inputs)), params)
    kept = kept or Kept()
    columns = tuple(_column(spec, kept.dtypes) for spec in inputs)
    shape = kept.shape if kept.shape and len(columns) == 1 else "frame"
    return ColumnSignature(Layout(columns, shape), params)


def _column(spec: Mapping[str, Any], dtypes: Mapping[str, Any]) -> Column:
    name, required = spec.get("name"), is_required(spec)
    known = dtypes.get("" if name is None else str(name))
    return Column(
        name, as_trained(value_type(spec), known, required=required), required
    )


@dataclass(frozen=True)
class ColumnSignature(Signature):
    """Columns of typed values."""

    layout: Layout
    params: Params

    @property
    def is_as_mlflow(self) -> bool:
        return self.layout.is_as_mlflow

    def table(self, body: Body) -> Table:
        params = self.params.read(body.params)
        said = body.input
        if isinstance(said, Plain):
            return self._from_plain(said, params)
        if not self.layout.is_named:
            columns = [said.column(name) for name in said.names]
            rows = [[cells[row] for cells in columns] for row in range(said.rows)]
            return self._from_plain(Plain(rows, "data"), params)
        return self._from_named(said, params)

    def _from_named(self, said: Named, params: dict[str, Any]) -> Frame:
        _refuse_unknown(said, self.layout.known)
        values = [
            column.type.read(_cells(column, name, said), _down(said.at, name))
            for name, column in zip(self.layout.names, self.layout.columns, strict=True)
        ]
        return Frame(self.layout, values, said.rows, params, said.at, said.row_at)

    def _from_plain(self, said: Plain, params: dict[str, Any]) -> Frame:
        names = self.layout.names
        for row, cells in enumerate(rows := self._rows(said.items)):
            whole_row(cells, len(names), said.at(row))

        def at(row: int, name: str) -> str:
            return f"{said.at(row)}.{name}" if self.layout.is_named else said.at(row)

        values = [
            column.type.read(cells, _down(at, name))
            for name, column, cells in zip(
                names, self.layout.columns, zip(*rows, strict=True), strict=True
            )
        ]
        return Frame(self.layout, values, len(rows), params, at, said.at)

    def _rows(self, items: list[Any]) -> list[Any]:
        """The items as rows: for a single column a row may be the bare value."""
        only, *others = self.layout.columns
        if others:
            return items
        nested = isinstance(only.type, Array | Anything)
        bare = nested or not all(isinstance(item, list) for item in items)
        return [[item] for item in items] if bare else items

    def formats(self) -> dict[str, Any]:
        columns = dict(zip(self.layout.names, self.layout.columns, strict=True))
        record = {
            "type": "object",
            "properties": {name: c.type.schema() for name, c in columns.items()},
            "required": [name for name, c in columns.items() if c.required],
            "additionalProperties": False,
        }
        row = {
            "type": "array",
            "prefixItems": [c.type.schema() for c in columns.values()],
            "minItems": len(columns),
            "maxItems": len(columns),
        }
        if not self.layout.is_named:
            return {"instances": _list_of(row), "inputs": _list_of(row)}
        by_column = record | {
            "properties": {n: _list_of(c.type.schema()) for n, c in columns.items()}
        }
        return {
            "dataframe_split": _split_schema(columns),
            "dataframe_records": _list_of(record),
            "instances": _list_of({"oneOf": [record, row]}),
            "inputs": {"oneOf": [by_column, _list_of({"oneOf": [record, row]})]},
        }

    def sample(self) -> dict[str, Any]:
        row = [column.type.sample() for column in self.layout.columns]
        if not self.layout.is_named:
            return {"instances": [row]}
        return {"dataframe_split": {"columns": list(self.layout.names), "data": [row]}}


@dataclass(frozen=True)
class TensorSignature(Signature):
    """One array without a name, or several with one each."""

    tensors: tuple[Tensor, ...]
    params: Params

    @property
    def is_apart(self) -> bool:
        return not self._are_rows

    @property
    def _are_rows(self) -> bool:
        """Whether one item of each tensor is one row."""
        return all(tensor.is_free for tensor in self.tensors)

    def table(self, body: Body) -> Table:
        params = self.params.read(body.params)
        said = self._only(body) if self.tensors[0].name is None else self._named(body)
        arrays = {tensor.name: tensor.read(items, at) for tensor, items, at in said}
        return Tensors(
            arrays=arrays,
            places={tensor.name: at for tensor, _, at in said},
            rows=len(next(iter(arrays.values()))),
            params=params,
            joinable=self._are_rows,
        )

    def _only(self, body: Body) -> list[tuple[Tensor, Json, str]]:
        (tensor,) = self.tensors
        if isinstance(body.input, Plain):
            return [(tensor, body.input.items, body.input.place)]
        if body.format == "dataframe_split":
            return [(tensor, body.said["data"], "data")]
        raise Invalid(
            f"{body.format} has names, and this model's input has none: write "
            f'{{"inputs": [...]}} with a shape of {tensor.words}.',
            field=body.format,
        )

    def _named(self, body: Body) -> list[tuple[Tensor, Json, str]]:
        said = body.input
        if isinstance(said, Plain):
            names = _listed([str(tensor.name) for tensor in self.tensors])
            raise Invalid(
                f"{said.place} has no names: write an object with a list for each of "
                f"{names}.",
                field=said.place,
            )
        tensors = {str(tensor.name): tensor for tensor in self.tensors}
        _refuse_unknown(said, tensors)
        for name in tensors:
            if name not in said.names:
                raise _lacks(name, said)
        return [
            (tensor, list(said.column(name)), said.column_at(name))
            for name, tensor in tensors.items()
        ]

    def formats(self) -> dict[str, Any]:
        if self.tensors[0].name is None:
            schema = self.tensors[0].schema()
            return {"instances": schema, "inputs": schema}
        named = {
            "type": "object",
            "properties": {str(t.name): t.schema() for t in self.tensors},
            "required": [t.name for t in self.tensors],
            "additionalProperties": False,
        }
        return {"inputs": named}

    def sample(self) -> dict[str, Any]:
        if self.tensors[0].name is None:
            return {"inputs": self.tensors[0].sample()}
        return {"inputs": {str(t.name): t.sample() for t in self.tensors}}


@dataclass(frozen=True)
class LooseSignature(Signature):
    """Nothing is recorded: whole rows are all that can be asked for."""

    params: Params

    def table(self, body: Body) -> Table:
        params = self.params.read(body.params)
        said = body.input
        if isinstance(said, Named):
            columns = {name: _complete(said, name) for name in said.names}
            return Loose(pd.DataFrame(columns), said.rows, params, said.row_at)
        try:
            items = np.array(said.items)
        except ValueError:
            raise Invalid(
                f"{said.place} has items of different lengths: write them all alike.",
                field=said.place,
            ) from None
        return Loose(items, len(said.items), params, said.at)

    def formats(self) -> dict[str, Any]:
        return {name: {} for name in FORMATS}

    def sample(self) -> dict[str, Any]:
        return {"inputs": [[1.5]]}


@dataclass(frozen=True)
class HintSignature(Signature):
    """The model's own type hint says what it takes, and it checks that itself."""

    params: Params

    def table(self, body: Body) -> Table:
        if body.format != "inputs" or not isinstance(body.said, list):
            raise Invalid(
                'This model takes a list: write {"inputs": [...]}.', field=body.format
            )
        params = self.params.read(body.params)
        return Loose(body.said, len(body.said), params, lambda row: f"inputs[{row}]")

    def formats(self) -> dict[str, Any]:
        return {"inputs": {"type": "array", "minItems": 1}}

    def sample(self) -> dict[str, Any]:
        return {"inputs": ["a"]}


def _cells(column: Column, name: str, said: Named) -> Sequence[Any]:
    """A column's cells; what is left out and may be is null."""
    if name not in said.names:
        if column.required:
            raise _lacks(name, said)
        return [None] * said.rows
    cells = said.column(name)
    if column.required or ABSENT not in cells:
        return cells
    return [None if cell is ABSENT else cell for cell in cells]


def _refuse_unknown(said: Named, known: Collection[str]) -> None:
    for name in said.names:
        if name not in known:
            field = said.column_at(name[:100])
            raise Invalid(
                f"{field} is not known to this model: leave it out. "
                f"It takes {_listed([*known])}.",
                field=field,
            )


def _lacks(name: str, said: Named) -> Invalid:
    field = said.column_at(name)
    return Invalid(f"{field} is missing: add it; the model needs it.", field=field)


def _complete(said: Named, name: str) -> Sequence[Any]:
    cells = said.column(name)
    for row, cell in enumerate(cells):
        if cell is ABSENT:
            field = said.at(row, name[:100])
            raise Invalid(
                f"{field} is missing: write the same names in each row.", field=field
            )
    return cells


def _down(at: Callable[[int, str], str], name: str) -> Callable[[int], str]:
    """The place of a cell of one column, from its row."""
    return lambda row: at(row, name)


def _listed(names: Sequence[str]) -> str:
    most = 20
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _list_of(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


def _split_schema(columns: Mapping[str, Column]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "columns": _list_of({"enum": list(columns)}) | {"uniqueItems": True},
            "index": {"type": "array"},
            "data": _list_of({"type": "array"}),
        },
        "required": ["columns", "data"],
        "additionalProperties": False,
    }
