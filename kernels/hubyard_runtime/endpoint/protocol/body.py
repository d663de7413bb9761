"""A body: what a client sent, in one of the four formats of MLflow's scoring protocol.

dataframe_split    {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}
dataframe_records  [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
instances          the same, or a list of rows or values without names
inputs             {"a": [1, 3], "b": [2, 4]}, or what `instances` takes

Beside it may stand "params". Whatever the format, the rest sees one of two shapes:
named columns, or plain items.
Format: https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import Invalid, Rejected, TooLarge
from hubyard_runtime.endpoint.protocol.values import ABSENT, Json, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
MOST_VALUES = 1_000_000
"""Values of one body: a list of so many takes a hundred megabytes."""
_NAME = 100
"""How much of a name that a client made up an error repeats."""


@dataclass(frozen=True, slots=True)
class Named:
    """Columns by name, taken out only when asked for."""

    names: Collection[str]
    column: Callable[[str], Sequence[Any]]
    """A column's cells; a cell that a record does not name is ABSENT."""
    rows: int
    at: Callable[[int, str], str]
    """The place of a cell, from its row and its column."""
    column_at: Callable[[str], str]
    """The place of a column's name."""
    row_at: Callable[[int], str]
    """The place of a row."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Items without names: rows, values or tensors."""

    items: list[Any]
    place: str

    def at(self, row: int) -> str:
        """The place of an item."""
        return f"{self.place}[{row}]"


@dataclass(frozen=True, slots=True)
class Body:
    """One request: its input and the parameters beside it."""

    format: str
    said: Json
    """The input as it came."""
    input: Named | Plain
    params: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def rows(self) -> int:
        """How many rows the model is asked about."""
        return (
            self.input.rows if isinstance(self.input, Named) else len(self.input.items)
        )


def read(raw: bytes, *, apart: bool = False) -> Body:
    """Read a request's body.

    Args:
        raw: as it was sent.
        apart: under the names of `inputs` stand whole arrays, of any length each.

    Raises:
        Rejected: it is not JSON.
        TooLarge: it holds too many values.
        Invalid: it is not in one of the four formats; names the field.
    """
    # Commas in texts count too: nobody writes a million of those.
    if raw.count(b",") >= MOST_VALUES:
        raise TooLarge(
            f"The body holds over {MOST_VALUES:,} values: send the rows in parts."
        )
    said = _parse(raw)
    if not isinstance(said, dict):
        raise Invalid(f"Write an object with one of {_listed(FORMATS)}.")
    given = [name for name in FORMATS if name in said]
    if len(given) != 1:
        raise Invalid(
            f"Write exactly one of {_listed(FORMATS)}; "
            f"here {_listed(given) if given else 'none of them'} is given."
        )
    _know(said, {given[0], "params"}, "")
    params = said.get("params")
    if not isinstance(params, dict | None):
        raise Invalid("params must be an object of names and values.", field="params")
    input_ = said[given[0]]
    reader = _arrays if apart and given[0] == "inputs" else _READERS[given[0]]
    return Body(given[0], input_, reader(input_), params or {})


def _parse(raw: bytes) -> Json:
    try:
        return json.loads(raw.decode())
    except UnicodeDecodeError as error:
        raise Rejected(
            f"The body is not UTF-8: byte {error.start} begins no character."
        ) from None
    except json.JSONDecodeError as error:
        raise Rejected(
            f"The body is not JSON: {error.msg} (line {error.lineno}, "
            f"column {error.colno})."
        ) from None
    except ValueError:
        raise Rejected("The body holds a number with too many digits.") from None
    except RecursionError:
        raise Rejected("The body is nested too deeply.") from None


def _split(said: Json) -> Named | Plain:
    if not isinstance(said, dict):
        raise Invalid(
            'dataframe_split must be an object: {"columns": [...], "data": [[...]]}.',
            field="dataframe_split",
        )
    _know(said, {"columns", "index", "data"}, "dataframe_split.")
    data = _some(said.get("data"), "data")
    if "columns" not in said:
        return Plain(data, "data")
    names = _names(said["columns"])
    for row, cells in enumerate(data):
        whole_row(cells, len(names), f"data[{row}]")
    columns = dict(zip(names, zip(*data, strict=True), strict=True))
    return Named(
        names=names,
        column=columns.__getitem__,
        rows=len(data),
        at=lambda row, name: f"data[{row}].{name}",
        column_at=lambda name: f"columns.{name}",
        row_at=lambda row: f"data[{row}]",
    )


def _names(said: Json) -> list[str]:
    names = _some(said, "columns")
    seen = set[str]()
    for index, name in enumerate(names):
        if not isinstance(name, str):
            raise Invalid(
                f"columns[{index}] is {shown(name)}: write a column's name in quotes.",
                field=f"columns[{index}]",
            )
        if name in seen:
            raise Invalid(
                f"columns[{index}] names {shown(name)} again: name each column once.",
                field=f"columns[{index}]",
            )
        seen.add(name)
    return names


def whole_row(cells: Json, width: int, place: str) -> None:
    """Make sure that a row is a list of as many values as there are columns.

    Raises:
        Invalid: it is not.
    """
    if not isinstance(cells, list):
        raise Invalid(
            f"{place} is {shown(cells)}: write a list of {width} values.", field=place
        )
    if len(cells) != width:
        raise Invalid(
            f"{place} has {len(cells)} values: write {width}, one for each column.",
            field=place,
        )


def _records(said: Json, place: str = "dataframe_records") -> Named:
    records = _some(said, place)
    for row, record in enumerate(records):
        if not isinstance(record, dict):
            raise Invalid(
                f"{place}[{row}] is {shown(record)}: write an object of column names "
                "and values.",
                field=f"{place}[{row}]",
            )
    names = dict.fromkeys(name for record in records for name in record)
    return Named(
        names=names,
        column=lambda name: [record.get(name, ABSENT) for record in records],
        rows=len(records),
        at=lambda row, name: f"{place}[{row}].{name}",
        column_at=lambda name: f"{place}[{_first_with(name, records)}].{name}",
        row_at=lambda row: f"{place}[{row}]",
    )


def _first_with(name: str, records: list[dict[str, Any]]) -> int:
    return next((row for row, record in enumerate(records) if name in record), 0)


def _instances(said: Json, place: str = "instances") -> Named | Plain:
    items = _some(said, place)
    if isinstance(items[0], dict):
        return _records(items, place)
    return Plain(items, place)


def _inputs(said: Json) -> Named | Plain:
    if not isinstance(said, dict):
        return _instances(said, "inputs")
    if not said:
        raise Invalid("inputs is empty: write at least one column.", field="inputs")
    one_row = not any(isinstance(values, list) for values in said.values())
    if one_row:
        return Named(
            names=said,
            column=lambda name: [said[name]],
            rows=1,
            at=lambda _, name: f"inputs.{name}",
            column_at=lambda name: f"inputs.{name}",
            row_at=lambda _: "inputs",
        )
    return Named(
        names=said,
        column=said.__getitem__,
        rows=_same_length(said),
        at=lambda row, name: f"inputs.{name}[{row}]",
        column_at=lambda name: f"inputs.{name}",
        row_at=lambda _: "inputs",
    )


def _arrays(said: Json) -> Named | Plain:
    """Arrays by name, which have no rows in common."""
    if not isinstance(said, dict) or not said:
        return _inputs(said)
    for name, values in said.items():
        _some(values, f"inputs.{name[:_NAME]}")
    return Named(
        names=said,
        column=said.__getitem__,
        rows=1,
        at=lambda _, name: f"inputs.{name}",
        column_at=lambda name: f"inputs.{name}",
        row_at=lambda _: "inputs",
    )


def _same_length(columns: dict[str, Any]) -> int:
    first = ""
    for name, values in columns.items():
        place = f"inputs.{name[:_NAME]}"
        first = first or name
        if len(_some(values, place)) != len(columns[first]):
            raise Invalid(
                f"{place} has {len(values)} values and inputs.{first[:_NAME]} has "
                f"{len(columns[first])}: write as many in each column.",
                field=place,
            )
    return len(columns[first])


def _some(said: Json, place: str) -> list[Any]:
    """A list with something in it."""
    if not isinstance(said, list):
        given = "missing" if said is None else shown(said)
        raise Invalid(f"{place} is {given}: write a list.", field=place)
    if not said:
        raise Invalid(f"{place} is empty: write at least one.", field=place)
    return said


def _know(said: Mapping[str, Any], known: set[str], prefix: str) -> None:
    for name in said:
        if name not in known:
            place = prefix + name[:_NAME]
            raise Invalid(
                f"{place} is not known: write only {_listed(sorted(known))}.",
                field=place,
            )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


_READERS: Mapping[str, Callable[[Any], Named | Plain]] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _instances,
    "inputs": _inputs,
}
