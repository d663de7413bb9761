"""Twenty bad bodies for a model, each with what its refusal must name.

Each is made from a good request by one mistake. A refusal is clear if it is 4xx, in one
line, names the wrong field, row or part, and says what was expected.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COUNT = 20
_JSON = {"Content-Type": "application/json"}
_EXPECTS = (
    "write",
    "must be",
    "name each",
    "add it",
    "leave it out",
    "send",
    "exactly one",
    "not json",
    "utf-8",
)
"""One of these stands in a message that says what was expected."""


@dataclass(frozen=True)
class Bad:
    """One bad request; `names`: what its refusal must hold, in message or field."""

    what: str
    content: bytes
    names: tuple[str, ...]
    headers: Mapping[str, str]

    def is_clear(self, status: int, answer: bytes) -> bool:
        """Whether the answer names what is wrong and what was expected."""
        try:
            problem = json.loads(answer)
            message, field = str(problem["message"]), str(problem.get("field") or "")
        except (ValueError, LookupError, TypeError):
            return False
        text = f"{field} {message}".lower()
        return (
            400 <= status < 500
            and "\n" not in message
            and any(name.lower() in text for name in self.names)
            and any(word in text for word in _EXPECTS)
        )


def bad(what: str, said: Any, *names: str) -> Bad:
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Bad(what, content, names, _JSON)


def bodies(good: dict[str, Any]) -> list[Bad]:
    """Twenty for the request of a model, its own mistakes before those of any body."""
    form = "dataframe_records" if "dataframe_records" in good else "inputs"
    own = _of_records(good) if form == "dataframe_records" else _of_inputs(good)
    found = [*own, *_of_any(good, form)][:COUNT]
    assert len(found) == COUNT, len(found)
    return found


def _of_any(good: dict[str, Any], form: str) -> Iterator[Bad]:
    content = json.dumps(good).encode()
    yield bad("nothing", b"", "body")
    yield bad("half of it", content[: len(content) // 2], "line 1")
    yield bad("no UTF-8", b"\xff\xfe" + content, "byte 0")
    yield bad("a list", [good], "object")
    yield bad("no format", {}, "dataframe_split")
    yield bad("two formats", {**good, "instances": [1]}, "instances")
    yield bad("another name", {**good, "rows": 1}, "rows")
    yield bad("an unknown param", {**good, "params": {"of_nobody": 1}}, "of_nobody")
    yield bad("params in a list", {**good, "params": [1]}, "params")
    yield bad("null", {form: None}, form)
    yield bad("a number", {form: 5}, form)
    yield bad("an empty list", {form: []}, form)
    yield bad("a text", {form: "good film"}, form)
    plain = {"Content-Type": "text/plain"}
    yield Bad("not said to be JSON", content, ("content-type",), plain)
    packed = {**_JSON, "Content-Encoding": "gzip"}
    yield Bad("said to be packed", content, ("content-encoding",), packed)
    yield bad("a split without data", {"dataframe_split": {"columns": ["a"]}}, "data")
    yield bad("a split that is a list", {"dataframe_split": []}, "dataframe_split")
    yield bad("nested too deeply", b"[" * 100_000, "nested")
    yield bad("a number without an end", b'{"inputs": ' + b"1" * 5000 + b"}", "digits")
    yield bad(
        "one item that is null", {"dataframe_records": [None]}, "dataframe_records"
    )


def _of_records(good: dict[str, Any]) -> Iterator[Bad]:
    records: list[dict[str, Any]] = good["dataframe_records"]
    names = list(records[0])
    first, last = names[0], names[-1]

    def changed(row: int, name: str, value: Any) -> dict[str, Any]:
        new = copy.deepcopy(records)
        new[row][name] = value
        return {"dataframe_records": new}

    yield bad("an object in a cell", changed(0, first, {"a": 1}), f"[0].{first}")
    yield bad("a list in a cell", changed(2, last, [1]), f"[2].{last}")
    yield bad("an unknown column", changed(1, "of_nobody", 1), "[1].of_nobody")
    wrong = 5 if isinstance(records[0][last], str) else "many"
    yield bad("another type", changed(3, last, wrong), f"[3].{last}")
    yield bad("a row in a list", {"dataframe_records": [*records, [1]]}, "[4]")
    short = [list(each.values()) for each in records]
    short[1] = short[1][:-1]
    split = {"columns": names, "data": short}
    yield bad("a short row", {"dataframe_split": split}, "data[1]")
    double = {"columns": [first, first], "data": [[1, 1]]}
    yield bad("a column twice", {"dataframe_split": double}, "columns[1]")
    uneven = {name: [1] * (index + 1) for index, name in enumerate([*names, "z"])}
    yield bad("columns of other lengths", {"inputs": uneven}, "inputs.")


def _of_inputs(good: dict[str, Any]) -> Iterator[Bad]:
    inputs = good["inputs"]
    if isinstance(inputs, dict):
        first, last = next(iter(inputs)), list(inputs)[-1]
        yield bad(
            "a name too many", {"inputs": {**inputs, "of_nobody": [1]}}, "of_nobody"
        )
        lacking = {name: said for name, said in inputs.items() if name != last}
        yield bad("a name too few", {"inputs": lacking}, last)
        broken = {**inputs, first: [{"a": 1}, *inputs[first][1:]]}
        yield bad("an object in a tensor", {"inputs": broken}, f"{first}[0]")
        yield bad("no list", {"inputs": {**inputs, last: 5}}, last)
        return

    def changed(row: int, value: Any) -> dict[str, Any]:
        return {"inputs": [*inputs[:row], value, *inputs[row + 1 :]]}

    yield bad("an object in an item", changed(1, {"a": 1}), "inputs[1]")
    yield bad("true as an item", changed(2, True), "inputs[2]")  # noqa: FBT003
    yield bad("an item that is nested", changed(3, [[[[["x"]]]]]), "inputs[3]")
    if isinstance(inputs[0], list):
        yield bad("a short item", changed(1, inputs[1][:-1]), "inputs[1]")
        yield bad(
            "a text in an item", changed(0, ["many", *inputs[0][1:]]), "inputs[0]"
        )
