"""Every door has its bound: of what models take, and of what is beyond each."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

import support
from hubyard.contract.errors import HubyardError, Problem
from hubyard.contract.run import MOST_CELLS
from hubyard_hub.api import body as body_module
from hubyard_hub.bounds import BOUNDS, MLFLOW_BOUNDS, Bound, table
from hubyard_hub.runs import kept as kept_module
from hubyard_hub.sandbox import COMPARE, READ, Lane, Limits
from hubyard_hub.service import assemble
from hubyard_hub.sources import packed as packed_module
from hubyard_hub.sources.json_text import JsonBound, check_json, has_lone_surrogate
from support.calls import spin
from support.platform import (
    Caller,
    ada,
    app,
    bob,
    code_cell,
    hub,
    notebook,
    packed,
    parts,
    upload,
    workload_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures

DOCS = Path(__file__).parents[3] / "docs"
MOST_CPU_S = 3.0
"""Of this process. Each takes less than a second; a machine may be busy."""
MOST_BYTES = 50 * 2**20


# -- of each field that somebody writes ------------------------------------------------


Schema = dict[str, Any]


def written(described: Schema) -> Iterator[tuple[str, Schema]]:
    """What each route takes, but texts of the address, which is bounded as a whole."""
    for path, routes in described["paths"].items():
        for method, route in routes.items():
            body = route.get("requestBody", {}).get("content", {})
            asked = [a for a in route.get("parameters", []) if is_no_text(a["schema"])]
            for each in (*body.values(), *asked):
                yield f"{method} {path}", each["schema"]


def is_no_text(schema: Schema) -> bool:
    kinds = [each.get("type") for each in schema.get("anyOf", [schema])]
    return not set(kinds) <= {"string", "null"}


def unbounded(
    schemas: Schema, schema: Schema, place: str, seen: tuple[str, ...] = ()
) -> Iterator[str]:
    """The places within a schema that are told no bound."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name and name not in seen:
        yield from unbounded(schemas, schemas[name], place, (*seen, name))
    if is_unbounded(schema):
        yield f"{place}: {schema['type']}"
    fields = schema.get("properties", {}).items()
    inner = [(f".{key}", field) for key, field in fields]
    inner += [("", each) for each in schema.get("anyOf", [])]
    inner += [("[]", schema.get(key)) for key in ("items", "additionalProperties")]
    for key, each in inner:
        if isinstance(each, dict):
            yield from unbounded(schemas, each, f"{place}{key}", seen)


def is_unbounded(schema: Mapping[str, Any]) -> bool:
    if "enum" in schema or "const" in schema:
        return False
    has = schema.keys()
    match schema.get("type"):
        case "string":
            return not has & {"maxLength", "pattern", "format"}
        case "integer" | "number":
            return not (
                has & {"maximum", "exclusiveMaximum"}
                and has & {"minimum", "exclusiveMinimum"}
            )
        case "array":
            return "maxItems" not in has
        case "object":
            keys = schema.get("additionalProperties")
            return isinstance(keys, dict) and "maxProperties" not in has
        case _:
            return False


def test_each_field_that_is_written_has_a_bound():
    described = assemble().openapi()
    schemas = described["components"]["schemas"]
    found = [
        each
        for place, schema in written(described)
        for each in unbounded(schemas, schema, place)
    ]
    assert found == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
        {"type": "number", "maximum": 1},
        {"type": "array", "items": {"type": "boolean"}},
        {"type": "object", "additionalProperties": {}},
        {"properties": {"a": {"$ref": "#/components/schemas/Inner"}}},
    ],
)
def test_a_field_without_a_bound_is_found(schema: Schema):
    assert list(unbounded({"Inner": {"type": "string"}}, schema, "place"))


# -- the table -------------------------------------------------------------------------


@pytest.mark.parametrize("bounds", [BOUNDS, MLFLOW_BOUNDS])
def test_the_docs_show_the_table(bounds: tuple[Bound, ...]):
    assert table(bounds) in (DOCS / "security.md").read_text()


def json_of(**fields: object) -> dict[str, Any]:
    content = json.dumps(fields).encode()
    return {"content": content, "headers": {"Content-Type": "application/json"}}


class Doors:
    """What is beyond each bound, sent as anybody could send it."""

    def __init__(self, ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ada, self.monkeypatch = ada, monkeypatch
        self.sent_bytes = 30 * 2**20
        """What this process itself makes of a body, as it is the client too."""

    def raw(self, content: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        return self.ada.post("/estimate", content=content, headers=headers)

    def run(self, **wish: object) -> httpx.Response:
        known = {"source": "a" * 64, "notebook": "a.ipynb"}
        return self.ada.post("/runs", **json_of(**{**known, **wish}))

    def record(self, **said: object) -> httpx.Response:
        known = {"revision": 1, "status": "running"}
        moment = {"started_at": "2030-01-01T00:00:00Z"}
        itself = workload_of(self.ada, "run-none")
        return itself("PUT", "/job/record", **json_of(**{**known, **moment, **said}))

    def source(self, content: bytes, notebook: str = "") -> httpx.Response:
        self.sent_bytes = 3 * len(content)
        query = f"?notebook={notebook}" if notebook else ""
        return self.ada.post(f"/sources{query}", content=content)

    def file(self, name: str, content: bytes) -> httpx.Response:
        return self.source(packed({name: content}), name)

    def cell(self, source: str) -> httpx.Response:
        return self.file("n.ipynb", notebook(code_cell(source, "parameters")))

    def yaml(self, content: bytes) -> httpx.Response:
        return self.source(packed({"hubyard.yml": content}))

    def beyond(self, door: str) -> httpx.Response:
        return getattr(self, door.lower().replace(", ", "_").replace(" ", "_"))()

    # -- one for each row of the table -------------------------------------------------

    def address(self):
        return self.ada.get(f"/runs?schedule={'x' * body_module.TARGET_LIMIT_BYTES}")

    def json_size(self):
        return self.raw(b" " * (body_module.JSON.size_bytes + 1))

    def json_values(self):
        return self.raw(b'{"a": [' + b"[]," * 300_000 + b"[]]}")

    def json_depth(self):
        return self.raw(b"[" * 1000 + b"]" * 1000)

    def json_text(self):
        return self.raw(rb'{"compute": "\ud800"}')

    def json_parameters(self):
        return self.run(parameters={f"a{n}": n for n in range(501)})

    def json_numbers(self):
        return self.record(revision=10**30)

    def json_dates(self):
        span = {"since": "0001-01-01T00:00:00+14:00", "until": "2026-01-01T00:00:00Z"}
        return self.ada.post("/schedules/s/backfill", **json_of(**span))

    def record_size(self):
        return self.record(failure={"reason": "lost", "message": "x" * 2**23})

    def record_values(self):
        return self.record(steps=[[]] * 300_000)

    def record_cells(self):
        cells = [{"index": 1, "status": "waiting"}] * (MOST_CELLS + 1)
        return self.record(steps=[{"key": "a", "step": "a", "cells": cells}])

    def file_of_a_step_run(self):
        self.monkeypatch.setattr(kept_module, "OUTPUT_LIMIT_BYTES", 2**20)
        digest = upload(self.ada)
        wish = {"source": digest, "notebook": "train.ipynb"}
        run = self.ada.post("/runs", json=wish).json()["id"]
        itself = workload_of(self.ada, f"run-{run}")
        return itself("PUT", "/job/steps/train/outputs", content=b"x" * (2**20 + 1))

    def source_packed(self):
        limit = "hubyard_hub.api.sources.SOURCE_LIMIT_BYTES"
        self.monkeypatch.setattr(limit, 2**20)
        return self.source(b"x" * (2**20 + 1))

    def source_unpacked(self):
        member = tarfile.TarInfo("huge")
        member.size = packed_module.UNPACKED_LIMIT_BYTES + 1
        return self.source(gzip.compress(member.tobuf()))

    def source_files(self):
        names = (f"{n}.py" for n in range(packed_module.MEMBER_LIMIT + 1))
        return self.source(packed(dict.fromkeys(names, b"")))

    def source_header(self):
        member = tarfile.TarInfo("a")
        member.pax_headers = {"comment": "x" * (packed_module.HEADER_LIMIT_BYTES + 1)}
        buffer = io.BytesIO(member.tobuf(tarfile.PAX_FORMAT))
        return self.source(gzip.compress(buffer.getvalue()))

    def source_name(self):
        return self.source(packed({"x" * (packed_module.NAME_LIMIT + 1): b""}))

    def source_places(self):
        return self.source(packed({"a": b"", "a/b.py": b""}))

    def notebook_size(self):
        return self.file("n.ipynb", b" " * (packed_module.FILE_LIMIT_BYTES + 1))

    def notebook_values(self):
        return self.file("n.ipynb", b'{"a": [' + b"[]," * 3_000_001 + b"[]]}")

    def notebook_depth(self):
        return self.file("n.ipynb", b"[" * 5000 + b"]" * 5000)

    def notebook_cells(self):
        return self.file("n.ipynb", notebook(*[code_cell("")] * (MOST_CELLS + 1)))

    def notebook_text(self):
        return self.file("n.ipynb", notebook(code_cell("'\ud800'")))

    def script(self):
        return self.file("a.py", b"#" * (2**20 + 1))

    def parameters_cell_size(self):
        return self.cell("a=1\n" * 2**18)

    def parameters_cell_names(self):
        return self.cell("".join(f"a{n}=1\n" for n in range(501)))

    def parameters_cell_text(self):
        return self.cell(r"a = '\ud800'")

    def tagged_notebook_code(self):
        return self.file(
            "n.ipynb", notebook(code_cell("a=1\n" * 2**18 + "b", "step:a"))
        )

    def tagged_notebook_magics(self):
        many = notebook(code_cell("%time 1\n" * 2**12, "step:a"))
        return self.file("n.ipynb", many)

    def yaml_size(self):
        return self.yaml(b"a: " + b"x" * 2**16)

    def yaml_depth(self):
        return self.yaml(b"a: " + b"[" * 100 + b"]" * 100)

    def yaml_numbers(self):
        return self.yaml(b"parameters: {a: 1" + b"0" * 30 + b"}")

    def yaml_text(self):
        return self.yaml(rb'name: "\ud800"')

    def reading_one_source(self):
        """A reader that never ends, as one with an unknown flaw would not."""
        place = str(Path(support.__file__).parents[1])
        self.monkeypatch.setenv("PYTHONPATH", place)
        short = Lane("reading", Limits(cpu_s=0, memory_bytes=2**28), workers=1)
        self.monkeypatch.setattr("hubyard_hub.sources.uploads.READ", short)
        self.monkeypatch.setattr("hubyard_hub.sources.uploads.read_upload", spin)
        answer = self.source(packed())
        short.close()
        return answer

    def reading_sources(self):
        return self.crowded(READ, READ.per_person, lambda: self.source(packed()))

    def comparing_two_sources(self):
        short = Lane("comparing", Limits(cpu_s=0, memory_bytes=2**28), workers=1)
        self.monkeypatch.setattr("hubyard_hub.sources.uploads.COMPARE", short)
        lines = [f"{n % 60}\n" for n in range(4000)]
        before, after = "".join(lines).encode(), "".join(reversed(lines)).encode()
        names = [f"{n}.py" for n in range(40)]
        digests = [upload(self.ada, dict.fromkeys(names, c)) for c in (before, after)]
        answer = self.ada.get(f"/sources/{digests[0]}/diff/{digests[1]}")
        short.close()
        return answer

    def comparing_sources(self):
        digests = [upload(self.ada, {"a.py": c}) for c in (b"1", b"2")]
        path = f"/sources/{digests[0]}/diff/{digests[1]}"
        return self.crowded(COMPARE, COMPARE.per_person, lambda: self.ada.get(path))

    def crowded(
        self, lane: Lane, places: int, ask: Callable[[], httpx.Response]
    ) -> httpx.Response:
        """What is answered while this person has all their places."""
        self.monkeypatch.setattr(lane, "_in_hand", lane._in_hand.copy())
        lane._in_hand["ada"] = places
        answer = ask()
        lane._in_hand["ada"] = 0
        assert ask().status_code == 200
        return answer


def peak_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.fixture
def doors(ada: Caller, monkeypatch: pytest.MonkeyPatch) -> Doors:
    return Doors(ada, monkeypatch)


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.door)
def test_what_is_beyond_a_bound_is_refused_cheaply(doors: Doors, bound, app):
    bob = Caller(app, doors.ada.identity.model_copy(update={"name": "bob"}))
    assert bob.get("/me").status_code == 200
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, begun = psutil.Process().memory_info().rss, time.process_time()
    answer = doors.beyond(bound.door)
    assert answer.status_code == bound.answer, answer.text
    message = Problem.model_validate_json(answer.content).message
    assert message.endswith(".")
    assert len(message) < 300
    assert time.process_time() - begun < MOST_CPU_S
    assert peak_bytes() - before < MOST_BYTES + doors.sent_bytes
    assert bob.get("/me").status_code == 200


# -- JSON ------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def count(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(count, value.values()))
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


@given(VALUES)
def test_no_json_within_its_bounds_is_refused(value: object):
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    size, values, deepest = len(text), 2 * count(value), depth(value)
    if not has_lone_surrogate(text):
        check_json(text, JsonBound(size, values, deepest))
    with pytest.raises(HubyardError):
        check_json(text, JsonBound(size - 1, values, deepest))
    if deepest:
        with pytest.raises(HubyardError):
            check_json(text, JsonBound(size, values, deepest - 1))


@given(st.lists(VALUES, min_size=3))
def test_json_of_more_values_than_are_taken_is_refused(value: list[object]):
    text = json.dumps(value).encode()
    with pytest.raises(HubyardError):
        check_json(text, JsonBound(len(text), len(value) - 2, 1000))


@given(st.text(st.characters(), max_size=8) | st.text('\\u"d8\ud83d\ude00', max_size=8))
def test_half_a_character_is_found_wherever_it_is(text: str):
    try:
        json.loads(json.dumps(text)).encode()
    except UnicodeEncodeError:
        is_half = True
    else:
        is_half = False
    assert has_lone_surrogate(json.dumps(text).encode()) is is_half


@given(st.text('[]{},"\\ab', max_size=200))
def test_no_text_takes_long_to_count(text: str):
    """No pattern goes back: a quote that nothing closes is the usual trap."""
    for body in (text.encode(), text.encode() * 2000):
        begun = time.process_time()
        with suppress(HubyardError):
            check_json(body, JsonBound(2**30, 10, 5))
        assert time.process_time() - begun < MOST_CPU_S
