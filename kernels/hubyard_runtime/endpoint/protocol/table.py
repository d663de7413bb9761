"""A table: rows that the signature has accepted, ready for the model.

Tables of one layout can be joined, so that one call of the model answers them all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from hubyard_runtime.endpoint.protocol.values import Dtype, ValueType

Shape: TypeAlias = Literal["frame", "series", "list"]
"""What the model was trained on: columns, or one column that it takes as a series or as
a list of values."""

_BLOCKS = {"float64", "float32", "int64", "int32"}
_NUMPY = {
    *("bool", "float16", "float32", "float64"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}


@dataclass(frozen=True, eq=False)
class Column:
    """One column that the model takes; name None: the signature gives none."""

    name: str | None
    type: ValueType
    required: bool = True


@dataclass(frozen=True, eq=False)
class Layout:
    """The columns of a table, in the signature's order. Equal only to itself."""

    columns: tuple[Column, ...]
    shape: Shape = "frame"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each column is called; a column without a name by its number."""
        return tuple(
            str(index) if column.name is None else column.name
            for index, column in enumerate(self.columns)
        )

    @cached_property
    def is_named(self) -> bool:
        """Whether every column has a name."""
        return all(column.name is not None for column in self.columns)

    @cached_property
    def known(self) -> dict[str, Column]:
        """The columns, to look one up."""
        return dict(zip(self.names, self.columns, strict=True))

    @cached_property
    def index(self) -> pd.Index:
        """The names as pandas takes them."""
        return pd.Index(self.names) if self.is_named else pd.RangeIndex(len(self.names))

    @cached_property
    def block(self) -> str | None:
        """The one dtype of all columns, if they can be one block of memory."""
        dtypes = {str(column.type.dtype) for column in self.columns}
        return dtypes.pop() if len(dtypes) == 1 and dtypes <= _BLOCKS else None

    @property
    def is_as_mlflow(self) -> bool:
        """Whether MLflow's own check of the input leaves all of it as it is."""
        as_it_is = all(column.type.is_as_mlflow for column in self.columns)
        return as_it_is and self.shape == "frame"

    def input(self, values: list[list[Any]]) -> Any:  # noqa: ANN401  as the model was trained
        """What the model gets for read values, given column by column."""
        if self.shape == "list":
            return list(values[0])
        frame = self.frame(values)
        if self.shape == "frame":
            return frame
        return frame.iloc[:, 0].rename(self.columns[0].name)

    def frame(self, values: list[list[Any]]) -> pd.DataFrame:
        """A frame of read values, given column by column."""
        if self.block:
            # One block is made many times quicker than a column each.
            array = np.array(values, self.block).T
            return pd.DataFrame(array, columns=self.index, copy=False)
        frame = pd.DataFrame(
            {
                index: _array(column.type.dtype, cells)
                for index, (column, cells) in enumerate(
                    zip(self.columns, values, strict=True)
                )
            },
            copy=False,
        )
        frame.columns = self.index
        return frame


class Table(ABC):
    """What one request asks the model."""

    rows: int
    params: dict[str, Any]

    @property
    @abstractmethod
    def layout(self) -> Hashable:
        """Equal for tables that may be joined; None: never."""

    @abstractmethod
    def row(self, index: int) -> Table:
        """One row of it."""

    @abstractmethod
    def joined(self, others: Sequence[Any]) -> Any:  # noqa: ANN401  a frame, array, dict
        """What the model's predict gets for this table and others of its layout."""

    @abstractmethod
    def place(self, row: int) -> str:
        """The place of a row in the request."""

    def missing(self) -> str | None:
        """The place of the first value that is missing; None: none is."""
        return None


@dataclass(frozen=True)
class Frame(Table):
    """Columns of read values: a pandas DataFrame for the model."""

    columns: Layout
    cells: list[list[Any]]
    rows: int
    params: dict[str, Any]
    at: Callable[[int, str], str]
    """The place of a cell, from its row and its column's name."""
    row_at: Callable[[int], str]
    """The place of a row."""

    @property
    def layout(self) -> Hashable:
        return (self.columns, repr(self.params)) if self.params else self.columns

    def row(self, index: int) -> Frame:
        return replace(self, cells=[[column[index]] for column in self.cells], rows=1)

    def joined(self, others: Sequence[Frame]) -> Any:  # noqa: ANN401  as the model was trained
        if not others:
            return self.columns.input(self.cells)
        parts = [self.cells, *(other.cells for other in others)]
        return self.columns.input(
            [list(chain.from_iterable(column)) for column in zip(*parts, strict=True)]
        )

    def place(self, row: int) -> str:
        return self.row_at(row)

    def missing(self) -> str | None:
        """One in a column that the signature requires goes before any other."""
        cells = [
            (not column.required, row, name)
            for name, column, values in zip(
                self.columns.names, self.columns.columns, self.cells, strict=True
            )
            for row in range(self.rows)
            if _is_missing(values[row])
        ]
        if not cells:
            return None
        _, row, name = min(cells, key=lambda cell: cell[:2])
        return self.at(row, name)


@dataclass(frozen=True)
class Tensors(Table):
    """Numpy arrays, by name or, where the signature has one without a name, alone."""

    arrays: dict[str | None, np.ndarray[Any, Any]]
    places: dict[str | None, str]
    rows: int
    params: dict[str, Any]
    joinable: bool
    """Whether the first dimension of each is free, so that one item is one row."""

    @property
    def layout(self) -> Hashable:
        if not self.joinable:
            return None
        shapes = tuple((name, a.shape[1:]) for name, a in self.arrays.items())
        return (shapes, repr(self.params))

    def row(self, index: int) -> Tensors:
        rows = {name: a[index : index + 1] for name, a in self.arrays.items()}
        return replace(self, arrays=rows, rows=1)

    def joined(self, others: Sequence[Tensors]) -> Any:  # noqa: ANN401  an array or a dict
        arrays = {
            name: np.concatenate([array, *(other.arrays[name] for other in others)])
            for name, array in self.arrays.items()
        }
        return arrays.get(None, arrays)

    def place(self, row: int) -> str:
        first = next(iter(self.places.values()))
        return f"{first}[{row}]" if self.joinable else first

    def missing(self) -> str | None:
        for name, array in self.arrays.items():
            if array.dtype.kind == "f" and np.isnan(array).any():
                index = np.argwhere(np.isnan(array))[0]
                return self.places[name] + "".join(f"[{i}]" for i in index)
        return None


@dataclass(frozen=True)
class Loose(Table):
    """Input of a model whose signature says nothing: given to it as it came."""

    data: Any
    rows: int
    params: dict[str, Any]
    row_at: Callable[[int], str]
    """The place of a row."""

    def place(self, row: int) -> str:
        return self.row_at(row)

    @property
    def layout(self) -> Hashable:
        return None

    def row(self, index: int) -> Loose:
        return replace(self, data=self.data[index : index + 1], rows=1)

    def joined(self, others: Sequence[Loose]) -> Any:  # noqa: ANN401  as it came
        if others:
            raise TypeError("tables without a layout are never joined")
        return self.data


def _array(dtype: Dtype, cells: list[Any]) -> Any:  # noqa: ANN401  numpy's or pandas' array
    if dtype == "object":
        # numpy would make one more dimension of cells that are lists.
        array = np.empty(len(cells), object)
        array[:] = cells
        return pd.Series(array, dtype=object)  # a frame would make texts of its own
    if str(dtype).startswith("datetime64"):
        return _instants(pd.api.types.pandas_dtype(dtype), cells)
    if str(dtype) in _NUMPY:
        return np.array(cells, str(dtype))
    return pd.array(cells, dtype=dtype)


def _instants(dtype: Any, cells: list[Any]) -> pd.DatetimeIndex:  # noqa: ANN401  numpy's or pandas' dtype
    """Moments in UTC, in the zone of the dtype if it has one."""
    if not isinstance(dtype, pd.DatetimeTZDtype):
        return pd.DatetimeIndex(cells, dtype=dtype)
    naive = pd.DatetimeIndex(cells, dtype=f"datetime64[{dtype.unit}]")
    return naive.tz_localize("UTC").tz_convert(dtype.tz)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124  NaN alone differs from itself
