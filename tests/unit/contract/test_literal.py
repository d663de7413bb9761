import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.literal import parse_pair, parse_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1),
        ("3", 3),
        ("base", "base"),
        ("'3'", "3"),
        ("True", True),
        ("None", None),
        ("[1, 2]", [1, 2]),
        ("(1, 2)", [1, 2]),
        ("{'a': (1,)}", {"a": [1]}),
        ("2024-11-05", "2024-11-05"),
        ("", ""),
        ("a=b", "a=b"),
    ],
)
def test_a_value_is_a_literal_or_the_text(text, value):
    assert parse_value(text) == value


@pytest.mark.parametrize(
    "text",
    ["{1, 2}", "b'x'", "1j", "...", "1e999", "nan", "__import__('os')", "(" * 9999],
)
def test_what_json_cannot_say_stays_the_text(text):
    assert parse_value(text) == text


@pytest.mark.parametrize("text", ["", "a", "=1", "a b=1", "a-b=1", "1a=1", "a.b=1"])
def test_what_is_no_pair_is_refused(text):
    with pytest.raises(ValueError, match="is not NAME=VALUE"):
        parse_pair(text)


def test_a_pair_has_a_name_and_a_value():
    assert parse_pair(" lr = 0.1") == ("lr", 0.1)
    assert parse_pair("where=a=b") == ("where", "a=b")


@given(st.text(max_size=40))
def test_any_text_is_some_value(text):
    value = parse_value(text)
    assert not isinstance(value, float) or math.isfinite(value)
