"""What a step hands over: values that arrive as they were, or a refusal in words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hubyard import pipelines
from hubyard.contract import environment
from hubyard.contract.errors import Invalid
from hubyard_runtime.run.step import handover

FRAME = pd.DataFrame({"n": [1, 2, 4], "flag": [True, False, True]})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(environment.OUTPUTS, str(tmp_path / "outputs"))
    return tmp_path / "outputs"


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (np.int64(7), 7),
        (np.uint8(7), 7),
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.array(3), 3),
        (FRAME["n"].prod(), 8),
        (FRAME["flag"].any(), True),
        (FRAME["n"].astype("Int64").max(), 4),
        (list(FRAME["n"]), [1, 2, 4]),
        ({"auc": np.float32(0.5), "rows": [np.int64(1), (np.int8(2),)]},) * 2,
        ("text", "text"),
        (None, None),
        (True, True),
    ],
)
def test_a_scalar_of_numpy_or_pandas_is_a_number(folder, value, arrives):
    pipelines.output("value", value)
    handed = handover.read(folder)["value"]
    plain = json.loads(json.dumps(arrives, default=lambda each: each.item()))
    assert (type(handed), handed) == (type(plain), plain)


@pytest.mark.parametrize(
    "value",
    [
        *({1: 2}, {None: 2}, [{"a": {(1, 2): 3}}], {1, 2}, b"bytes", object()),
        *(np.array([1, 2]), np.datetime64("2026-01-01"), np.complex64(1j)),
        *(FRAME, pd.Timestamp("2026-01-01"), pd.NA, float("nan"), np.float32("inf")),
        *(np.datetime64("2026-01-01", "ns"), np.timedelta64(5, "ns")),
    ],
)
def test_what_would_arrive_as_something_else_is_refused_in_words(folder, value):
    with pytest.raises(Invalid, match="hand over a plain value, or the Path of a file"):
        pipelines.output("value", value)
    assert not folder.exists()


def test_what_holds_itself_is_refused(folder):
    value = []
    value.append(value)
    with pytest.raises(Invalid, match="JSON"):
        pipelines.output("value", value)


def test_the_last_of_one_name_is_handed_over(folder, tmp_path):
    file = Path(tmp_path, "rows.csv")
    file.write_text("a")
    pipelines.output("rows", 1)
    pipelines.output("rows", file)
    assert handover.read(folder) == {"rows": str(folder / "rows" / "rows.csv")}
    pipelines.output("rows", 2)
    assert handover.read(folder) == {"rows": 2}
