"""Kinds of parameters: each value of each arrives in the cell as it was given."""

from __future__ import annotations

import contextlib
import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hubyard.contract.base import cut_text
from hubyard.contract.errors import HubyardError
from hubyard.contract.kind import NONE, Kind, read_kind, union_of
from hubyard.contract.literal import literal_text, python_of, read_literal
from hubyard.contract.parameters import accept, parameters_of, values_of
from hubyard.contract.source import Parameter, Parameters
from hubyard.contract.value import Unfit, take, take_text, words_of
from hubyard.contract.wire import wire_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": st.integers(),
    "float": st.floats(),
    "str": TEXT,
    "bytes": st.binary(max_size=8),
    "complex": st.complex_numbers(),
    "date": st.dates(),
    "datetime": st.datetimes(timezones=st.none() | st.timezones()).map(
        lambda each: datetime.fromisoformat(each.isoformat())
    ),
    "time": st.times(),
    "timedelta": st.timedeltas(timedelta(days=-90_000), timedelta(days=90_000)),
    "Decimal": st.decimals(allow_nan=False),
    "UUID": st.uuids(),
    "Path": TEXT.filter(lambda text: text.strip() and "\0" not in text).map(Path),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=6,
)
LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=6,
)
BARE = {
    "list": st.lists(LITERALS, max_size=3),
    "tuple": st.lists(LITERALS, max_size=3).map(tuple),
    "set": st.sets(st.integers() | TEXT, max_size=3),
    "frozenset": st.frozensets(st.integers() | TEXT, max_size=3),
    "dict": st.dictionaries(st.integers() | TEXT | st.none(), LITERALS, max_size=3),
}
Case = tuple[Kind, Any]


def cases(depth: int = 2) -> st.SearchStrategy[Case]:
    """A declared type, and one of its values."""
    if not depth:
        return _leaves()
    inner = cases(depth - 1)
    several = st.tuples(inner, st.integers(0, 2))
    return st.one_of(
        _leaves(),
        st.tuples(inner, st.booleans()).map(_optional),
        st.tuples(inner, inner).map(_pair),
        st.tuples(inner, st.sampled_from(["int", "str", "date", "bool", "UUID"]))
        .flatmap(lambda made: st.tuples(st.just(made), SCALARS[made[1]]))
        .map(_mapping),
        several.map(lambda made: _series("list", *made)),
        several.map(lambda made: _series("tuple", *made)),
        several.map(lambda made: _series("set", *made)),
    )


def _optional(made: tuple[Case, bool]) -> Case:
    (kind, value), is_there = made
    return union_of(kind, NONE), value if is_there else None


def _pair(made: tuple[Case, Case]) -> Case:
    (one, first), (other, second) = made
    return Kind("tuple", (one, other)), (first, second)


def _mapping(made: tuple[tuple[Case, str], Any]) -> Case:
    ((kind, value), keys), key = made
    return Kind("dict", (Kind(keys), kind)), {key: value}


def _series(name: str, case: Case, many: int) -> Case:
    kind, value = case
    values = [value] * many
    if name == "tuple":
        return Kind("tuple", (kind,), is_open=True), tuple(values)
    if name == "set":
        with contextlib.suppress(TypeError):
            return Kind("set", (kind,)), set(values)
    return Kind("list", (kind,)), values


@st.composite
def _leaves(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from([*SCALARS, *BARE, "any"]))
    found = {**SCALARS, **BARE, "any": JSON}[name]
    return Kind(name), draw(found)


def executed(value: object) -> object:
    """What a cell has once the text of a value was executed in it."""
    space: dict[str, object] = {}
    exec(f"value = {python_of(value)}", space)
    return space["value"]


def arrived(kind: Kind, wire: object) -> object:
    """What a cell has of what a run is told, which is JSON."""
    return executed(take(kind, json.loads(json.dumps(wire))))


@settings(max_examples=1500, deadline=None)
@given(cases())
def test_each_value_arrives_as_it_was_given(case: Case):
    kind, value = case
    found = arrived(kind, wire_of(kind, value))
    assert python_of(found) == python_of(value)
    assert type(found) is type(value)


@settings(max_examples=500, deadline=None)
@given(cases())
def test_a_kind_is_read_back_from_its_text(case: Case):
    assert read_kind(str(case[0])) == case[0]


def typed(value: Any) -> str:
    """As a person types it."""
    match value:
        case str():
            return repr(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(wire_of(Kind("timedelta"), value))
        case frozenset():
            return literal_text(set(value))
        case Decimal() | UUID() | Path():
            return repr(str(value))
        case _:
            return literal_text(value)


@settings(max_examples=1000, deadline=None)
@given(_leaves())
def test_what_is_typed_arrives(case: Case):
    kind, value = case
    found = take_text(kind, typed(value))
    assert python_of(arrived(kind, wire_of(kind, found))) == python_of(value)


@settings(max_examples=500, deadline=None)
@given(cases(), st.text(max_size=12) | JSON)
def test_whatever_is_given_is_taken_whole_or_refused(case: Case, raw: object):
    kind, _ = case
    for read in (take, take_text) if isinstance(raw, str) else (take,):
        try:
            value = read(kind, raw)  # type: ignore[operator]
            wire = wire_of(kind, value)
        except Unfit:
            continue
        assert python_of(arrived(kind, wire)) == python_of(value)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ("bool", "true", True),
        ("bool", "False", False),
        ("str", "123", "123"),
        ("str", "true", "true"),
        ("str", "'123'", "123"),
        ("str", "it's", "it's"),
        ("int", " 7 ", 7),
        ("int", "0x10", 16),
        ("float", "1", 1.0),
        ("float", "-inf", float("-inf")),
        ("int | None", "None", None),
        ("int | None", "null", None),
        ("str | None", "None", None),
        ("str | None", "'None'", "None"),
        ("int | str", "3", 3),
        ("int | str", "'3'", "3"),
        ("int | str", "three", "three"),
        ("date | str", "2024-01-31", "2024-01-31"),
        ("date | None", "2024-01-31", date(2024, 1, 31)),
        ("list | str", "[1]", [1]),
        ("list", "[nan, true, null]", [float("nan"), True, None]),
        ("list[float]", "(1, inf)", [1.0, float("inf")]),
        ("list[date]", '["2024-01-31"]', [date(2024, 1, 31)]),
        ("dict", "{1: 2}", {1: 2}),
        ("dict", '{"a": null}', {"a": None}),
        ("dict[int, int]", '{"1": 2}', {1: 2}),
        ("set", "{1, 2}", {1, 2}),
        ("bytes", "b'\\x00'", b"\0"),
        ("timedelta", "90s", timedelta(seconds=90)),
        ("timedelta", "1h30m", timedelta(minutes=90)),
        ("timedelta", "PT1.5S", timedelta(seconds=1.5)),
        ("Decimal", "0.10", Decimal("0.10")),
        ("Path", "data/x.csv", Path("data/x.csv")),
        ("Literal['a', 1, None]", "a", "a"),
        ("Literal['a', 1, None]", "1", 1),
        ("Literal['a', 1, None]", "None", None),
        ("datetime", "2024-01-31T06:30:00+01:00", None),
        ("Any", "true", True),
        ("Any", "nan", "nan"),
        ("Any", "[1, {'a': 'b'}]", [1, {"a": "b"}]),
        ("Any", "plain words", "plain words"),
    ],
)
def test_a_text_is_read_as_it_is_declared(declared: str, text: str, value: object):
    kind = read_kind(declared)
    found = take_text(kind, text)
    if value is not None or "None" in text or "null" in text:
        assert python_of(found) == python_of(value)
    assert python_of(arrived(kind, wire_of(kind, found))) == python_of(found)


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("date", "soon"),
        ("date", "2024-02-30"),
        ("date", "2024-01-31T00:00"),
        ("datetime", ""),
        ("time", "25:00"),
        ("bool", "yes"),
        ("bool", "1"),
        ("int", "1.0"),
        ("int", "True"),
        ("int", "9" * 5000),
        ("float", "a"),
        ("float", "1e999"),
        ("list[float]", "[1e999]"),
        ("bytes", "abc"),
        ("list", "1"),
        ("list[int]", "[1.5]"),
        ("list[date]", "['x']"),
        ("dict", "{1}"),
        ("dict", "{[]: 1}"),
        ("dict[int, int]", "{1: 1, '1': 2}"),
        ("set", "{}"),
        ("tuple[int, str]", "(1,)"),
        ("Literal['a']", "b"),
        ("Decimal", "x"),
        ("UUID", "x"),
        ("Path", ""),
        ("timedelta", "soon"),
        ("int | None", "x"),
        ("list", "[" * 40 + "]" * 40),
        ("list", "[__import__('os')]"),
        ("list", "[x]"),
    ],
)
def test_what_is_not_of_the_kind_is_refused(declared: str, text: str):
    with pytest.raises(Unfit):
        take_text(read_kind(declared), text)


@pytest.mark.parametrize("text", ["{1: 2}", "b'x'", "{1, 2}", "[1j]"])
def test_what_json_cannot_say_needs_a_declared_type(text: str):
    parameter = Parameter(name="a", type="none", declared="Any", default=None)
    with pytest.raises(HubyardError, match="must be a value that JSON can say"):
        accept([parameter], {}, {"a": text})


def test_a_name_is_given_once():
    parameter = Parameter(name="a", type="int", declared="int", default=1)
    with pytest.raises(HubyardError, match="a is given twice"):
        accept([parameter], {"a": 1}, {"a": "1"})


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), cases(), max_size=4))
def test_a_cell_says_what_arrives_in_it(given_: dict[str, Case]):
    lines = [f"{name}: {kind} = f()" for name, (kind, _) in given_.items()]
    cell = {
        "cell_type": "code",
        "metadata": {"tags": ["parameters"]},
        "source": "\n".join(lines),
    }
    declared = parameters_of({"cells": [cell]})
    wire = {name: wire_of(*case) for name, case in given_.items()}
    assert accept(declared, wire) == wire
    found = values_of(declared, json.loads(json.dumps(wire)))
    assert {name: python_of(value) for name, value in found.items()} == {
        name: python_of(value) for name, (_, value) in given_.items()
    }


@pytest.mark.parametrize("text", ["list[", "int int", "(" * 500, "lambda: 1"])
def test_what_is_no_annotation_says_no_kind(text: str):
    with pytest.raises(ValueError, match=r".+"):
        read_kind(text)


@pytest.mark.parametrize(
    ("declared", "raw", "value"),
    [
        ("Union[int, str]", 5, 5),
        ("Literal[b'x', 'y']", "b'x'", b"x"),
        ("Literal[b'x', 'y']", "y", "y"),
        ("float", " -inf ", float("-inf")),
        ("complex", "1 + 2j", 1 + 2j),
        ("complex", 2, 2 + 0j),
        ("bytes", "b'a'", b"a"),
        ("dict[date, int]", {"2024-01-31": 1}, {date(2024, 1, 31): 1}),
    ],
)
def test_a_value_is_taken_as_it_is_declared(declared: str, raw: Any, value: Any):
    assert take(read_kind(declared), raw) == value


@pytest.mark.parametrize(
    ("declared", "raw"),
    [
        ("Literal[b'x', 'y']", "b'y'"),
        ("complex", None),
        ("bytes", 5),
        ("bytes", "'a'"),
        ("Decimal", True),
        ("dict[date, str]", "{5: 'x'}"),
        ("dict[int, str]", "{'[': 'x'}"),
    ],
)
def test_what_is_none_of_a_kind_is_not_taken(declared: str, raw: Any):
    with pytest.raises(Unfit):
        take(read_kind(declared), raw)


@pytest.mark.parametrize(
    ("declared", "value", "wire"),
    [
        ("Literal['a'] | int", "a", "a"),
        ("Literal['a'] | int", 3, 3),
        ("None | Literal['a']", None, None),
        ("dict[tuple[int, int], str]", {(1, 2): "a"}, "{(1, 2): 'a'}"),
        ("dict[date, int]", {date(2024, 1, 31): 1}, {"2024-01-31": 1}),
    ],
)
def test_a_value_travels_as_what_it_is_taken_from(declared: str, value: Any, wire: Any):
    kind = read_kind(declared)
    assert wire_of(kind, value) == wire
    assert take(kind, wire) == value


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("int | date", "x"),
        ("list[int] | str", ["a"]),
        ("tuple[int, int] | None", (1,)),
        ("int", object()),
        ("Any", object()),
    ],
)
def test_what_fits_no_member_does_not_travel(declared: str, value: Any):
    with pytest.raises(Unfit):
        wire_of(read_kind(declared), value)


def test_words_name_the_choices():
    assert words_of(read_kind("Literal['a', 2]")) == "one of 'a', 2"


def test_a_long_literal_is_refused_before_it_is_read():
    with pytest.raises(ValueError, match="at most 64 thousand characters"):
        read_literal("1" * 70_000)


def test_no_expression_says_what_no_run_can_be_given():
    with pytest.raises(TypeError, match="no literal says a object"):
        python_of(object())


def test_a_message_is_cut_and_anything_else_is_refused():
    cut = TypeAdapter(Annotated[str, cut_text(3)])
    assert cut.validate_python("a\0bcd") == "a\ufffdb"
    with pytest.raises(ValidationError):
        cut.validate_python(5)


def test_what_people_look_at_is_strict_json():
    shown = TypeAdapter(Parameters).dump_json({"a": {"b": [float("nan"), 1]}})
    assert json.loads(shown) == {"a": {"b": ["NaN", 1]}}
