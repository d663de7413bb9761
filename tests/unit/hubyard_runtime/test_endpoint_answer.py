"""Whatever a model returns becomes plain JSON, or a clear error."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from hubyard_runtime.endpoint.protocol.answer import NotByRow, by_rows, encoded, plain

MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001  as pandas gives it


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (np.array([1, 2]), [1, 2]),
        (np.array([1.5, np.nan, np.inf]), [1.5, None, "Infinity"]),
        (np.array([[0.25, 0.75]], dtype="float32"), [[0.25, 0.75]]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([True, False]), [True, False]),
        (np.array(["a", None, 1.0], dtype=object), ["a", None, 1.0]),
        (np.array(["2026-01-02"], dtype="datetime64[ns]"), ["2026-01-02T00:00:00"]),
        (np.array(["NaT"], dtype="datetime64[ns]"), [None]),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (pd.Series([1.0, None]), [1.0, None]),
        (pd.Series(["a", None], dtype="str"), ["a", None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (
            pd.DataFrame({"p": [0.5, np.nan], "label": ["x", "y"], 7: [1, 2]}),
            [{"p": 0.5, "label": "x", "7": 1}, {"p": None, "label": "y", "7": 2}],
        ),
        (pd.DataFrame({"a": []}), []),
        (pd.Series([pd.Timestamp(MOMENT)]), ["2026-01-02T03:04:05"]),
        ([MOMENT, MOMENT.date()], ["2026-01-02T03:04:05", "2026-01-02"]),
        (
            [(1, 2), {"a": np.int64(1), 2: np.array([1.0])}],
            [[1, 2], {"a": 1, "2": [1.0]}],
        ),
        (
            [b"hi", Decimal("1.5"), None, float("-inf")],
            ["aGk=", 1.5, None, "-Infinity"],
        ),
        (sparse.csr_matrix([[0, 1]]), [[0, 1]]),
        ({"a": np.array([1, 2])}, {"a": [1, 2]}),
        ("text", "text"),
    ],
)
def test_an_answer_is_plain_json(answer, said):
    assert json.loads(encoded(plain(answer))) == {"predictions": said}


def test_what_json_cannot_say_is_an_error_that_names_it():
    with pytest.raises(TypeError, match="answered with a complex"):
        plain([1j])


def test_an_answer_is_taken_apart_by_rows():
    assert by_rows(np.arange(6), [1, 3, 2]) == [[0], [1, 2, 3], [4, 5]]


@pytest.mark.parametrize("answer", [np.arange(5), {"a": [1] * 6}, 7])
def test_an_answer_that_is_not_by_row_is_not_taken_apart(answer):
    with pytest.raises(NotByRow):
        by_rows(answer, [1, 3, 2])
    assert by_rows(answer, [6]) == [plain(answer)]
