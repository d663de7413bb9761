"""As trained: a column's dtype in the data that the model was trained with.

MLflow's signature knows nine types; pandas has many dtypes for each. Tracking keeps the
dtypes in the model's metadata (see `hubyard.contract.tracking`), so that the model gets
the same ones here: a category as a category, a missing whole number as NA, a date in
its zone. A model without that metadata gets the usual dtype of each type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hubyard.contract.errors import Invalid
from hubyard_runtime.endpoint.protocol.values import (
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
    from collections.abc import Sequence

    from hubyard_runtime.endpoint.protocol.values import At

_WHOLE = re.compile(r"(u?int(?:8|16|32|64))(?:\[pyarrow\])?", re.IGNORECASE)
_REAL = re.compile(r"(float(?:16|32|64))|(double|float)\[pyarrow\]", re.IGNORECASE)
_BOOLEAN = re.compile(r"bool|boolean|object|bool\[pyarrow\]")
_TEXT = re.compile(r"str|string|object|(?:large_)?string(?:\[\w+\])?")
_INSTANT = re.compile(r"datetime64\[(s|ms|us|ns)(?:, ([\w/+:\-]+))?\]")
_PYARROW_REAL = {"double": "float64", "float": "float32"}
_LISTED = 10


def as_trained(kind: ValueType, kept: Json, *, required: bool) -> ValueType:
    """The type of a column, with the dtype that it had in training.

    Args:
        kind: what the signature says.
        kept: the column's dtype as the model's metadata says it; None: it does not.
        required: whether the signature says that no value may be missing.
    """
    if isinstance(kept, dict):
        return _category(kind, kept) or _usual(kind, required=required)
    refined = _refined(kind, kept) if isinstance(kept, str) else None
    if refined is None:
        return _usual(kind, required=required)
    return refined if required or refined.takes_null else refined.optional()


def _usual(kind: ValueType, *, required: bool) -> ValueType:
    return kind if required else kind.optional()


def _refined(kind: ValueType, kept: str) -> ValueType | None:
    """The type with a dtype of its own family; None: of another one."""
    match kind:
        case Whole() if found := _WHOLE.fullmatch(kept):
            return _whole(kind, kept, found[1])
        case Real() if found := _REAL.fullmatch(kept):
            name = _PYARROW_REAL.get(found[2] or "", (found[1] or "").lower())
            top = float(np.finfo(name).max)
            return Real(kept, top=top, is_as_mlflow=kept == kind.dtype)
        case Boolean() if _BOOLEAN.fullmatch(kept):
            is_plain = kept == kind.dtype
            return Boolean(kept, takes_null=not is_plain, is_as_mlflow=is_plain)
        case Text() if _TEXT.fullmatch(kept):
            return Text(kept)
        case Instant() if found := _INSTANT.fullmatch(kept):
            return _instant(kept, found[1], found[2])
        case _:
            return None


def _whole(kind: Whole, kept: str, name: str) -> Whole:
    bounds = np.iinfo(name.lower())
    has_null = kept != name or name[0] in "IU"
    return Whole(
        takes_null=has_null,
        dtype=kept,
        bottom=int(bounds.min),
        top=int(bounds.max),
        is_as_mlflow=kept == kind.dtype,
    )


def _instant(kept: str, unit: str, zone: str | None) -> Instant | None:
    try:
        pd.api.types.pandas_dtype(kept)
    except (TypeError, ValueError, KeyError):  # a zone that this machine does not know
        return None
    return Instant(unit, zone, is_as_mlflow=zone is None and unit == "ns")


@dataclass(frozen=True)
class Category(ValueType):
    """One of the values that a column of categories had in training."""

    of: ValueType
    dtype: pd.CategoricalDtype  # pyright: ignore[reportIncompatibleVariableOverride]
    is_as_mlflow: bool = False

    @property
    def names_null(self) -> bool:
        return True

    @property
    def words(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  they name the categories
        """The categories, or the first of them."""
        known = list(map(shown, self.dtype.categories[:_LISTED].tolist()))
        more = len(self.dtype.categories) - len(known)
        return f"one of {', '.join(known)}{f' and {more} more' if more else ''}"

    @property
    def known(self) -> frozenset[Any]:
        """The categories."""
        return frozenset(self.dtype.categories.tolist())

    def read(self, values: Sequence[Any], at: At) -> list[Any]:
        known = self.known
        return [self._known(value, at(row), known) for row, value in enumerate(values)]

    def one(self, value: Json, place: str) -> Json:
        return self._known(value, place, self.known)

    def _known(self, value: Json, place: str, known: frozenset[Any]) -> Json:
        if value is None or (isinstance(value, float) and np.isnan(value)):
            return None
        try:
            said = self.of.one(value, place)
        except Invalid:
            raise self.wrong(value, place) from None
        if said not in known:
            raise self.wrong(value, place)
        return said

    def schema(self) -> dict[str, Any]:
        return {"enum": [*self.dtype.categories.tolist(), None]}

    def sample(self) -> Json:
        first: Json = self.dtype.categories.tolist()[0]
        return first


def _category(kind: ValueType, kept: dict[str, Any]) -> Category | None:
    """A column of categories; None: they are not of the signature's type."""
    categories = kept.get("categories")
    has_values = isinstance(kind, Text | Whole | Real | Boolean)
    if not (has_values and isinstance(categories, list) and categories):
        return None
    try:
        said = [kind.one(each, "category") for each in categories]
        dtype = pd.CategoricalDtype(said, bool(kept.get("ordered")))
    except (Invalid, TypeError, ValueError):
        return None
    return Category(kind, dtype)
