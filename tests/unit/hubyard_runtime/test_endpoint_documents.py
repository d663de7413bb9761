"""An endpoint describes its input, shows it on its page and reads it, all alike."""

from __future__ import annotations

import json

import jsonschema
import pytest

from hubyard.contract.errors import Invalid
from hubyard_runtime.endpoint.model import Model
from hubyard_runtime.endpoint.openapi import document, example
from hubyard_runtime.endpoint.page import page
from hubyard_runtime.endpoint.protocol import body, signature
from support.endpoints import job

NUMBER = {"type": "double", "required": True}
NESTED = {
    "list": {"type": "array", "items": {"type": "long"}},
    "vector": {"type": "sparkml_vector"},
    "map": {"type": "map", "values": {"type": "string"}},
    "object": {
        "type": "object",
        "properties": {"n": NUMBER, "note": {"type": "string", "required": False}},
    },
}
SCALARS = (
    *("boolean", "integer", "long", "float", "double"),
    *("string", "binary", "datetime", "any"),
)
DTYPES = (
    *("float32", "float64", "int8", "int64", "uint64"),
    *("bool", "str", "datetime64[ns]", "object"),
)


def column(spec):
    return [{"name": "a", "required": True, **spec}]


def tensor(dtype, *shape):
    return [{"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}}]


def model_of(inputs, sample=None):
    recorded = {"inputs": json.dumps(inputs)} if inputs else None
    return Model(
        predict=lambda rows, _params: rows,
        signature=signature.parse(recorded, typed_by_hint=False),
        recorded={"inputs": inputs} if inputs else {},
        example=json.dumps(sample).encode() if sample else None,
        by_row=False,
    )


def read(model, said):
    return model.signature.table(body.read(json.dumps(said).encode()))


INPUTS = {
    **{name: column({"type": name}) for name in SCALARS},
    **{name: column(spec) for name, spec in NESTED.items()},
    **{f"tensor of {dtype}": tensor(dtype, -1, 2) for dtype in DTYPES},
    "a tensor of one size": tensor("float64", 2, 3),
    "a tensor of any size": tensor("float64", -1, -1),
    "nothing": [],
}


@pytest.mark.parametrize("inputs", INPUTS.values(), ids=INPUTS.keys())
def test_the_example_is_what_the_description_asks_for_and_is_read(inputs):
    model = model_of(inputs)
    described = document(model, job(), "/user/ann/endpoint-delays")
    content = described["paths"]["/invocations"]["post"]["requestBody"]["content"]
    asked = content["application/json"]
    jsonschema.Draft202012Validator.check_schema(asked["schema"])
    jsonschema.validate(asked["example"], asked["schema"])
    assert read(model, asked["example"]).rows >= 1


@pytest.mark.parametrize("name", NESTED)
def test_a_nested_value_may_be_missing(name):
    rows = {"dataframe_split": {"columns": ["a"], "data": [[None]]}}
    assert read(model_of(column(NESTED[name])), rows).joined([])["a"].tolist() == [None]


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("list", {}, "a list, such as [3]"),
        ("vector", "1, 2", "a list, such as [1.5]"),
        ("map", ["a"], 'an object, such as {"name": "a"}'),
        ("object", [1], 'an object, such as {"n": 1.5, "note": "a"}'),
    ],
)
def test_another_value_than_the_nested_one_is_told_what_to_write(name, said, words):
    rows = {"dataframe_records": [{"a": said}]}
    with pytest.raises(Invalid) as refused:
        read(model_of(column(NESTED[name])), rows)
    assert refused.value.field == "dataframe_records[0].a"
    assert f"write {words}." in refused.value.message


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_a_number_beyond_all_floats_is_too_large(number):
    rows = {"dataframe_records": [{"a": 1}, {"a": number}]}
    with pytest.raises(Invalid, match="too large") as refused:
        read(model_of(column({"type": "double"})), rows)
    assert refused.value.field == "dataframe_records[1].a"


SPLIT = {"columns": ["a"], "index": [0, 1], "data": [[1], [2]]}


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        (
            {"dataframe_split": SPLIT},
            {"dataframe_split": {"columns": ["a"], "data": [[1]]}},
        ),
        (
            {"dataframe_records": [{"a": 1}, {"a": 2}]},
            {"dataframe_records": [{"a": 1}]},
        ),
        ({"inputs": [[1], [2]]}, {"inputs": [[1]]}),
        ({"inputs": {"a": [1, 2]}}, {"inputs": {"a": [1, 2]}}),
        (
            {"instances": [1, 2], "params": {"top": 3}},
            {"instances": [1], "params": {"top": 3}},
        ),
    ],
)
def test_of_the_models_own_example_one_row_is_shown(kept, shown):
    assert example(model_of([], kept)) == shown


def test_the_page_names_each_input_its_type_and_whether_it_must_be_there():
    inputs = [
        {"name": "distance", "type": "double", "required": True},
        {"name": "<b>&", "type": "string", "required": False},
    ]
    shown = page(model_of(inputs), job(), "http://hub/user/ann/endpoint-delays/")
    assert "<tr><td>distance</td><td>double</td><td>yes</td></tr>" in shown
    assert "<tr><td>&lt;b&gt;&amp;</td><td>string</td><td>no</td></tr>" in shown
    assert "curl http://hub/user/ann/endpoint-delays/invocations" in shown


def test_the_page_shows_the_shape_of_a_tensor():
    shown = page(model_of(tensor("float32", -1, 28, 28)), job(), "http://hub/")
    assert "<td>float32, any x 28 x 28</td>" in shown


def test_the_page_says_that_a_model_has_no_signature():
    assert "logged without a signature" in page(model_of([]), job(), "http://hub/")


def test_the_pages_command_survives_an_apostrophe():
    sample = {"dataframe_records": [{"a": "it's"}]}
    shown = page(model_of(column({"type": "string"}), sample), job(), "http://hub/")
    assert "it\\u0027s" in shown
    assert "it&#x27;s" not in shown
