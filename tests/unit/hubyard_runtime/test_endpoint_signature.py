"""Whatever a client sends: read by the signature, or refused with the field's name."""

from __future__ import annotations

import base64
import json
import math
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubyard.contract.errors import Invalid, Rejected
from hubyard_runtime.endpoint.protocol import body, signature
from hubyard_runtime.endpoint.protocol.table import Frame, Tensors

CELLS = {
    "double": st.floats(allow_infinity=False) | st.integers(-(2**60), 2**60),
    "float": st.floats(allow_infinity=False, width=32),
    "long": st.integers(-(2**63), 2**63 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "boolean": st.booleans(),
    "string": st.text(st.characters(exclude_categories=["Cs"])) | st.none(),
    "datetime": st.datetimes(
        min_value=pd.Timestamp(1900, 1, 1).to_pydatetime(),
        max_value=pd.Timestamp(2200, 1, 1).to_pydatetime(),
    ).map(lambda moment: moment.isoformat()),
    "binary": st.binary().map(lambda raw: base64.b64encode(raw).decode()),
}
WRONG = {
    "double": ["1", True, [1.0], {}, math.inf, 10**400],
    "float": ["1", False, [1.0], 1e39],
    "long": ["1", True, None, math.nan, 1.5, 2**63, [1]],
    "integer": ["1", False, None, math.nan, 0.5, 2**31, [1]],
    "boolean": ["true", 0, 1.0, None],
    "string": [1, True, 1.5, ["a"], "\ud800"],
    "datetime": ["yesterday", 5, "1066-10-14", "2500-01-01"],
    "binary": ["&", 1, "a"],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["columns", "data", "index", "a", "b", "c"]), inner
        )
    ),
    max_leaves=12,
)


def parsed(*columns, params=()):
    specs = [
        {"name": name, "type": kind, "required": True, **dict(*more)}
        for name, kind, *more in columns
    ]
    recorded = {"inputs": json.dumps(specs), "params": json.dumps(params)}
    return signature.parse(recorded, typed_by_hint=False)


def tensors(*specs):
    inputs = [
        {
            "type": "tensor",
            "tensor-spec": {"dtype": dtype, "shape": shape},
            **({"name": name} if name else {}),
        }
        for name, dtype, shape in specs
    ]
    return signature.parse({"inputs": json.dumps(inputs)}, typed_by_hint=False)


def read(sig, said):
    return sig.table(body.read(json.dumps(said).encode(), apart=sig.is_apart))


def refused(sig, said):
    with pytest.raises(Invalid) as caught:
        read(sig, said)
    assert caught.value.field
    assert caught.value.field.split(".")[0].split("[")[0] in caught.value.message
    return caught.value


def split(columns, *rows):
    return {"dataframe_split": {"columns": columns, "data": list(rows)}}


@st.composite
def tables(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=5))
    names = list(string.ascii_lowercase[: len(kinds)])
    row = st.tuples(*(CELLS[kind] for kind in kinds)).map(list)
    return kinds, names, draw(st.lists(row, min_size=1, max_size=4))


@given(tables())
def test_all_formats_say_the_same(table):
    kinds, names, rows = table
    sig = parsed(*zip(names, kinds, strict=True))
    records = [dict(zip(names, row, strict=True)) for row in rows]
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    bodies = [
        split(names, *rows),
        split(names[::-1], *(row[::-1] for row in rows)),
        {"dataframe_records": records},
        {"instances": records},
        {"instances": rows},
        {"inputs": columns},
        {"inputs": rows},
    ]
    first, *others = [read(sig, said).joined([]) for said in bodies]
    assert list(first.columns) == names
    assert len(first) == len(rows)
    for other in others:
        pd.testing.assert_frame_equal(first, other)


@given(tables())
def test_each_column_gets_the_dtype_of_its_type(table):
    kinds, names, rows = table
    frame = read(parsed(*zip(names, kinds, strict=True)), split(names, *rows)).joined(
        []
    )
    wanted = {
        "double": "float64",
        "float": "float32",
        "long": "int64",
        "integer": "int32",
        "boolean": "bool",
        "string": "str",
        "datetime": "datetime64[ns]",
        "binary": "object",
    }
    assert [str(dtype) for dtype in frame.dtypes] == [wanted[kind] for kind in kinds]


@given(tables(), st.data())
def test_the_one_wrong_cell_is_named(table, data):
    kinds, names, rows = table
    at_row = data.draw(st.integers(0, len(rows) - 1))
    at = data.draw(st.integers(0, len(kinds) - 1))
    rows[at_row][at] = data.draw(st.sampled_from(WRONG[kinds[at]]))
    error = refused(parsed(*zip(names, kinds, strict=True)), split(names, *rows))
    assert error.field == f"data[{at_row}].{names[at]}"
    assert "write" in error.message


@given(tables(), st.integers(2, 4))
def test_joined_tables_are_the_tables_below_each_other(table, times):
    kinds, names, rows = table
    one = read(parsed(*zip(names, kinds, strict=True)), split(names, *rows))
    joined = one.joined([one] * (times - 1))
    single = one.joined([])
    pd.testing.assert_frame_equal(
        joined, pd.concat([single] * times, ignore_index=True)
    )


MIXED = parsed(("a", "double"), ("b", "string"), ("c", "long", {"required": False}))
UNNAMED = signature.parse(
    {"inputs": '[{"type": "double", "required": true}]'}, typed_by_hint=False
)
SIGNATURES = {
    "columns": MIXED,
    "unnamed": UNNAMED,
    "tensor": tensors((None, "float64", [-1, 2])),
    "tensors": tensors(("a", "int64", [-1]), ("b", "str", [-1, 1])),
    "loose": signature.parse(None, typed_by_hint=False),
    "hint": signature.parse(None, typed_by_hint=True),
}


@pytest.mark.parametrize("kind", SIGNATURES)
@example(said=[{}], form="dataframe_records", params=None)
@given(said=JSON, form=st.sampled_from([*body.FORMATS, "other"]), params=JSON)
def test_any_json_is_read_or_refused(kind, said, form, params):
    raw = json.dumps({form: said, "params": params}).encode()
    for sent in (raw, json.dumps({form: said}).encode(), json.dumps(said).encode()):
        try:
            table = SIGNATURES[kind].table(body.read(sent))
        except Rejected:
            continue
        assert table.rows > 0
        table.joined([])


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw):
    try:
        table = MIXED.table(body.read(raw))
    except Rejected:
        return
    assert table.rows > 0


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"inputs": [' + b"1" * 5000 + b"]}", "too many digits"),
    ],
)
def test_what_is_not_json_is_rejected(raw, words):
    with pytest.raises(Rejected, match=words) as caught:
        body.read(raw)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (split(["a"], [1.0]), "columns.b"),
        (split(["a", "b", "z"], [1.0, "x", 1]), "columns.z"),
        (split(["a", "b"], [1.0, "x"], [1.0]), "data[1]"),
        (split(["a", "b"], 5), "data[0]"),
        (split(["a", "a"], [1.0, 2.0]), "columns[1]"),
        (split(["a", 5], [1.0, 2.0]), "columns[1]"),
        (split(["a", "b"]), "data"),
        (split([], []), "columns"),
        ({"dataframe_split": []}, "dataframe_split"),
        ({"dataframe_split": {"columns": ["a"]}}, "data"),
        ({"dataframe_split": {"rows": []}}, "dataframe_split.rows"),
        ({"dataframe_records": []}, "dataframe_records"),
        ({"dataframe_records": {}}, "dataframe_records"),
        ({"dataframe_records": [{"a": 1, "b": "x"}, 3]}, "dataframe_records[1]"),
        (
            {"dataframe_records": [{"a": 1, "b": "x"}, {"a": 1}]},
            "dataframe_records[1].b",
        ),
        ({"dataframe_records": [{"a": 1, "b": "x", "z": 1}]}, "dataframe_records[0].z"),
        ({"instances": [[1.0]]}, "instances[0]"),
        ({"instances": [[None, 5, 1]]}, "instances[0].b"),
        ({"instances": []}, "instances"),
        ({"inputs": {}}, "inputs"),
        ({"inputs": {"a": [1], "b": []}}, "inputs.b"),
        ({"inputs": {"a": [1, 2], "b": ["x"]}}, "inputs.b"),
        ({"inputs": {"a": [1], "b": "x"}}, "inputs.b"),
        ({"inputs": {"a": "x", "b": "x"}}, "inputs.a"),
        ({"inputs": {"a": [1, "x"], "b": ["x", "y"]}}, "inputs.a[1]"),
        ({**split(["a", "b"], [1.0, "x"]), "params": {"t": 1}}, "params.t"),
        ({**split(["a", "b"], [1.0, "x"]), "params": [1]}, "params"),
        ({**split(["a", "b"], [1.0, "x"]), "extra": 1}, "extra"),
    ],
)
def test_the_field_is_named(said, field):
    assert refused(MIXED, said).field == field


@pytest.mark.parametrize("said", [[], 5, {}, {"inputs": [1], "instances": [1]}])
def test_exactly_one_format_is_wanted(said):
    with pytest.raises(Invalid, match="dataframe_split"):
        read(MIXED, said)


def test_an_int_for_a_double_and_a_whole_float_for_an_int_are_taken():
    frame = read(MIXED, split(["a", "b", "c"], [1, "x", 3.0])).joined([])
    assert frame.to_dict("records") == [{"a": 1.0, "b": "x", "c": 3}]
    assert str(frame["a"].dtype) == "float64"


def test_null_is_missing_for_a_double():
    table = read(MIXED, split(["a", "b"], [1, "x"], [None, "y"]))
    assert math.isnan(table.joined([])["a"][1])
    assert table.missing() == "data[1].a"


def test_an_optional_column_that_can_be_missing_is_filled():
    sig = parsed(("a", "double"), ("b", "double", {"required": False}))
    frame = read(sig, {"dataframe_records": [{"a": 1}, {"a": 2, "b": 3}]}).joined([])
    assert math.isnan(frame["b"][0])
    assert frame["b"][1] == 3.0
    assert list(read(sig, split(["a"], [1])).joined([])) == ["a", "b"]


OPTIONAL = {"long": "Int64", "integer": "Int32", "boolean": "boolean"}


@pytest.mark.parametrize("kind", OPTIONAL)
@pytest.mark.parametrize("record", [{}, {"b": None}])
def test_an_optional_value_that_is_missing_is_nas(kind, record):
    sig = parsed(("a", "double"), ("b", kind, {"required": False}))
    for said in (
        {"dataframe_records": [{"a": 1, **record}]},
        {"inputs": {"a": 1, **record}},
        split(["a", *record], [1, *record.values()]),
    ):
        frame = read(sig, said).joined([])
        assert str(frame["b"].dtype) == OPTIONAL[kind]
        assert frame["b"][0] is pd.NA
    nested = {"type": "object", "properties": {"b": {"type": kind, "required": False}}}
    cell = read(parsed(("o", "object", nested)), split(["o"], [record]))
    assert cell.joined([])["o"][0] == record


@pytest.mark.parametrize("kind", OPTIONAL)
def test_an_optional_value_of_another_type_is_told_that_null_may_be(kind):
    sig = parsed(("a", "double"), ("b", kind, {"required": False}))
    error = refused(sig, split(["a", "b"], [1, "x"]))
    assert error.message.endswith("or null where it is missing.")
    schema = sig.formats()["dataframe_records"]["items"]
    assert "null" in schema["properties"]["b"]["type"]
    assert schema["required"] == ["a"]


def kept(kind, dtype, *, required=True, shape="frame"):
    inputs = json.dumps([{"name": "a", "type": kind, "required": required}])
    known = {"hubyard": {"shape": shape, "dtypes": {"a": dtype}}}
    return signature.parse(
        {"inputs": inputs}, typed_by_hint=False, kept=signature.Kept.parse(known)
    )


@pytest.mark.parametrize(
    ("kind", "trained", "said"),
    [
        ("long", pd.Series([1, None], dtype="Int64"), [1, None]),
        ("integer", pd.Series([1, 2], dtype="uint8"), [1, 2]),
        ("integer", pd.Series([1, None], dtype="Int8"), [1, None]),
        ("boolean", pd.Series([True, None], dtype="boolean"), [True, None]),
        ("boolean", pd.Series([True, None], dtype="object"), [True, None]),
        ("double", pd.Series([1.5, None], dtype="Float64"), [1.5, None]),
        ("float", pd.Series([1.5, 2], dtype="float16"), [1.5, 2]),
        ("string", pd.Series(["a", None], dtype="object"), ["a", None]),
        ("string", pd.Series(["a", None], dtype="string"), ["a", None]),
        ("string", pd.Series(["a", None, "b"], dtype="category"), ["a", None, "b"]),
        ("long", pd.Series([3, 1], dtype="category"), [3, 1]),
        ("long", pd.Series([1, None], dtype="int64[pyarrow]"), [1, None]),
        (
            "datetime",
            pd.Series(["2026-01-31 10:00:00.5", None], dtype="datetime64[ms]"),
            ["2026-01-31T10:00:00.5", None],
        ),
        (
            "datetime",
            pd.Series(
                ["2026-01-31 10:00:00.123456789", None], dtype="datetime64[ns]"
            ).dt.tz_localize("Europe/Berlin"),
            ["2026-01-31T09:00:00.123456789Z", "NaT"],
        ),
    ],
)
def test_a_column_is_what_it_was_in_training(kind, trained, said):
    dtype = str(trained.dtype)
    if dtype == "category":
        dtype = {"categories": trained.cat.categories.tolist()}
    sig = kept(kind, dtype, required=not trained.isna().any())
    column = read(sig, {"inputs": {"a": said}}).joined([])["a"]
    pd.testing.assert_series_equal(column, trained, check_names=False)
    sig.table(body.read(json.dumps(sig.sample()).encode()))


@pytest.mark.parametrize(
    ("kind", "dtype", "said", "words"),
    [
        ("integer", "uint8", 300, "from 0 to 255"),
        ("string", {"categories": ["a", "b"]}, "c", 'one of "a", "b", such as "a", or'),
        ("string", {"categories": ["a", "b"]}, 1, 'one of "a", "b"'),
        (
            "datetime",
            "datetime64[us, Europe/Berlin]",
            "2026-01-31T10:00:00",
            "offset from UTC",
        ),
        ("datetime", "datetime64[us]", "2026-01-31T10:00:00.1234567", "6 digits"),
        ("datetime", None, "2026-01-31T10:00:00.1234567891", "9 digits"),
    ],
)
def test_what_the_trained_column_cannot_hold_is_refused(kind, dtype, said, words):
    error = refused(kept(kind, dtype), {"inputs": {"a": [said]}})
    assert error.field == "inputs.a[0]"
    assert words in error.message


@pytest.mark.parametrize(
    "dtype",
    ["nonsense", "Int64", 5, [], {}, {"categories": [[1]]}, {"categories": ["a", "a"]}],
)
def test_a_dtype_that_is_not_of_the_signatures_type_is_left_alone(dtype):
    frame = read(kept("string", dtype), {"inputs": {"a": ["x"]}}).joined([])
    assert str(frame["a"].dtype) == "str"


def test_a_date_keeps_each_of_its_nanoseconds():
    frame = read(
        parsed(("a", "datetime")), split(["a"], ["2026-01-31T10:00:00.000000007+01:00"])
    ).joined([])
    assert frame["a"][0] == pd.Timestamp("2026-01-31T09:00:00.000000007")


def test_one_column_may_be_a_series_or_a_list():
    said = {"inputs": {"a": ["x", "y"]}}
    series = read(kept("string", None, shape="series"), said).joined([])
    assert isinstance(series, pd.Series)
    assert series.name == "a"
    assert read(kept("string", None, shape="list"), said).joined([]) == ["x", "y"]


def test_older_models_say_optional():
    inputs = '[{"name": "a", "type": "double", "optional": true}]'
    sig = signature.parse({"inputs": inputs}, typed_by_hint=False)
    assert sig.formats()["dataframe_records"]["items"]["required"] == []


def test_an_unnamed_column_takes_bare_values_and_any_names():
    for said in ({"inputs": [1, 2]}, {"inputs": [[1], [2]]}, split(["z"], [1], [2])):
        frame = read(UNNAMED, said).joined([])
        assert frame.to_numpy().tolist() == [[1.0], [2.0]]
        assert list(frame.columns) == [0]


def test_nested_types_name_the_place_inside():
    item = {"type": "object", "properties": {"n": {"type": "long", "required": True}}}
    sig = parsed(
        ("rows", "array", {"items": item}),
        ("scores", "map", {"values": {"type": "double"}}),
    )
    good = [[{"n": 1}], {"x": 1}]
    frame = read(sig, split(["rows", "scores"], good)).joined([])
    assert frame["rows"][0] == [{"n": 1}]
    assert frame["scores"][0] == {"x": 1.0}
    for bad, field in [
        ([[{"n": "x"}], {}], "data[0].rows[0].n"),
        ([[{"n": 1}, {}], {}], "data[0].rows[1].n"),
        ([[{"n": 1, "z": 1}], {}], "data[0].rows[0].z"),
        ([[{"n": 1}], {"x": "y"}], "data[0].scores.x"),
        ([{}, {}], "data[0].rows"),
        ([[], []], "data[0].scores"),
    ]:
        assert refused(sig, split(["rows", "scores"], bad)).field == field


def test_params_are_typed_and_have_defaults():
    params = [
        {"name": "top", "type": "long", "default": 3, "shape": None},
        {"name": "stop", "type": "string", "default": ["a"], "shape": [-1]},
    ]
    sig = parsed(("a", "double"), params=params)
    said = split(["a"], [1])
    assert read(sig, said).params == {"top": 3, "stop": ["a"]}
    table = read(sig, {**said, "params": {"top": 5}})
    assert table.params == {"top": 5, "stop": ["a"]}
    assert table.layout != read(sig, said).layout
    assert refused(sig, {**said, "params": {"top": "x"}}).field == "params.top"
    assert refused(sig, {**said, "params": {"stop": [1]}}).field == "params.stop[0]"


def test_a_tensor_is_checked_in_type_and_shape():
    sig = SIGNATURES["tensor"]
    table = read(sig, {"inputs": [[1, 2.5], [None, 4]]})
    assert isinstance(table, Tensors)
    np.testing.assert_array_equal(table.joined([]), [[1, 2.5], [np.nan, 4]])
    assert table.joined([table]).shape == (4, 2)
    assert table.missing() == "inputs[1][0]"
    assert read(sig, split(["x", "y"], [1, 2])).rows == 1
    for bad, field in [
        ({"inputs": [[1, 2], [3]]}, "inputs[1]"),
        ({"instances": [[1, 2, 3]]}, "instances[0]"),
        ({"inputs": [1, 2]}, "inputs[0]"),
        ({"inputs": [[1, "x"]]}, "inputs[0][1]"),
        ({"inputs": [[1, True]]}, "inputs[0][1]"),
        ({"inputs": {"a": [[1, 2]]}}, "inputs"),
        ({"dataframe_records": [{"a": 1}]}, "dataframe_records"),
        (split(["x"], [1]), "data[0]"),
    ]:
        assert refused(sig, bad).field == field


def test_a_free_dimension_inside_has_one_length():
    sig = tensors((None, "float32", [-1, -1, 1]))
    assert read(sig, {"inputs": [[[1], [2]]]}).joined([]).shape == (1, 2, 1)
    assert refused(sig, {"inputs": [[[1], [2]], [[1]]]}).field == "inputs[1]"


def test_named_tensors_come_by_name():
    sig = SIGNATURES["tensors"]
    table = read(sig, {"inputs": {"a": [1, 2], "b": [["x"], ["yy"]]}})
    assert {name: a.tolist() for name, a in table.joined([]).items()} == {
        "a": [1, 2],
        "b": [["x"], ["yy"]],
    }
    assert read(sig, {"instances": [{"a": 1, "b": ["x"]}]}).rows == 1
    for bad, field in [
        ({"inputs": [[1, "x"]]}, "inputs"),
        ({"inputs": {"a": [1]}}, "inputs.b"),
        ({"inputs": {"a": [1], "b": [["x"]], "z": [1]}}, "inputs.z"),
        ({"instances": [{"a": 1, "b": ["x"]}, {"a": 1}]}, "instances[0].b[1]"),
    ]:
        assert refused(sig, bad).field.startswith(field.split("[0]")[0])


def test_a_tensor_of_fixed_first_dimension_goes_alone():
    sig = tensors((None, "float64", [2, 2]))
    assert read(sig, {"inputs": [[1, 2], [3, 4]]}).layout is None


def test_tensors_of_fixed_first_dimensions_are_as_long_as_each_says():
    sig = tensors(("a", "float64", [2, 3]), ("b", "int64", [5]), ("c", "str", [-1]))
    said = {"a": [[1, 2, 3], [4, 5, 6]], "b": [1, 2, 3, 4, 5], "c": ["x"]}
    table = read(sig, {"inputs": said})
    shapes = {name: array.shape for name, array in table.joined([]).items()}
    assert shapes == {"a": (2, 3), "b": (5,), "c": (1,)}
    assert table.layout is None
    assert read(sig, sig.sample()).layout is None
    for bad, field in [({"b": [1]}, "inputs.b"), ({"a": 7}, "inputs.a")]:
        assert refused(sig, {"inputs": said | bad}).field == field
    assert refused(sig, {"inputs": {}}).field == "inputs"
    assert refused(sig, {"inputs": said | {"z": [1]}}).field == "inputs.z"


def test_tensors_of_free_first_dimensions_are_equally_long():
    said = {"inputs": {"a": [1, 2], "b": [["x"]]}}
    assert refused(SIGNATURES["tensors"], said).field == "inputs.b"


def test_without_a_signature_rows_must_be_whole():
    sig = SIGNATURES["loose"]
    assert list(read(sig, split(["x", "y"], [1, "a"])).joined([])) == ["x", "y"]
    assert read(sig, {"inputs": [[1, 2], [3, 4]]}).joined([]).shape == (2, 2)
    ragged = {"dataframe_records": [{"a": 1}, {"b": 1}]}
    assert refused(sig, ragged).field == "dataframe_records[1].a"
    assert refused(sig, {"inputs": [[1, 2], [3]]}).field == "inputs"


@pytest.mark.parametrize("kind", SIGNATURES)
def test_the_sample_is_accepted(kind):
    sig = SIGNATURES[kind]
    assert read(sig, sig.sample()).rows == 1


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "tensor", "tensor-spec": {"dtype": "complex64", "shape": [-1]}},
        {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": []}},
        {"name": "a", "type": "quaternion"},
    ],
)
def test_a_type_that_cannot_be_served_is_refused_at_the_start(spec):
    with pytest.raises(ValueError, match=r"complex64|dimension|quaternion"):
        signature.parse({"inputs": json.dumps([spec])}, typed_by_hint=False)


def test_many_made_up_names_cost_no_more_than_they_are_long():
    records = [{f"name{row}": row} for row in range(20_000)]
    for sig in (MIXED, SIGNATURES["loose"], SIGNATURES["tensors"]):
        error = refused(sig, {"dataframe_records": records})
        assert error.field.startswith("dataframe_records[")
        assert len(error.message) < 300


def test_a_quick_column_and_a_slow_one_read_alike():
    table = read(MIXED, split(["a", "b"], [1, "x"], [2, "ü"]))
    assert isinstance(table, Frame)
    assert table.cells == [[1.0, 2.0], ["x", "ü"], [None, None]]
