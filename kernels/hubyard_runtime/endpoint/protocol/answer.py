"""An answer: what a model's predict returned, as plain JSON."""

from __future__ import annotations

import base64
import json
import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hubyard_runtime.endpoint.protocol.values import Json


class NotByRow(Exception):
    """The model's answer is not one item for each row."""


def plain(answer: Any) -> Json:  # noqa: ANN401  whatever a model returns
    """Numpy, pandas and their kin as JSON.

    NaN, NaT and NA are null: they say that there is no value. An infinity is a value:
    the text "Infinity" or "-Infinity", as in the JSON mapping of protocol buffers,
    https://protobuf.dev/programming-guides/json/

    Raises:
        TypeError: JSON has no form for a part of it.
    """
    if isinstance(answer, np.ndarray):
        return _plain_array(answer)
    if isinstance(answer, pd.DataFrame):
        names = [str(name) for name in answer.columns]
        columns = [plain(answer.iloc[:, index]) for index in range(len(names))]
        return [
            dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)
        ]
    if isinstance(answer, pd.Series):
        return plain(answer.to_numpy())
    return _plain_value(answer)


def _plain_array(array: np.ndarray[Any, Any]) -> Json:
    if array.dtype.kind in "iubU" or (
        array.dtype.kind == "f" and np.isfinite(array).all()
    ):
        return array.tolist()
    if array.dtype.kind == "M":
        return _plain_value(pd.Series(array.ravel()).tolist())
    return _plain_value(array.tolist())


def _plain_value(value: Any) -> Json:  # noqa: ANN401  whatever a model returns
    match value:
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case float() if math.isnan(value):
            return None
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _:
            return _plain_kin(value)


def _plain_kin(value: Any) -> Json:  # noqa: ANN401  whatever a model returns
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return _plain_value(float(value))
    for method in ("tolist", "toarray", "model_dump"):
        if callable(convert := getattr(value, method, None)):
            return plain(convert())
    raise TypeError(f"the model answered with a {type(value).__name__}")


def encoded(answer: Json) -> bytes:
    """The body of an answer."""
    return b'{"predictions": %b}' % json.dumps(answer, allow_nan=False).encode()


def by_rows(answer: Any, rows: Sequence[int]) -> list[Json]:  # noqa: ANN401  whatever a model returns
    """An answer, taken apart for requests of so many rows each.

    Raises:
        NotByRow: it does not have one item for each row.
    """
    items = plain(answer)
    if len(rows) == 1:
        return [items]
    if not isinstance(items, list) or len(items) != sum(rows):
        raise NotByRow
    parts: list[Json] = []
    start = 0
    for count in rows:
        parts.append(items[start : start + count])
        start += count
    return parts
