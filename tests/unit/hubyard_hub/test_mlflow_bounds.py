"""What stands in front of MLflow: what is beyond a bound never reaches it."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from hubyard_hub.bounds import MLFLOW_BOUNDS, Bound
from hubyard_hub.mlflow import bounds as module
from hubyard_hub.mlflow import fields as fields_module
from hubyard_hub.mlflow.bounds import Bounded
from hubyard_hub.mlflow.fields import Excessive, check_fields
from hubyard_hub.mlflow.spans import LARGEST_BYTES, Export, TooLarge
from hubyard_hub.mlflow.wire import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive, Scope, Send

SEARCH = "/api/2.0/mlflow/runs/search"
PUT = "/api/2.0/mlflow-artifacts/artifacts/1/a"
BIG = 10**30


class Reads:
    """Reads each body to its end, as MLflow would."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append(await read(receive))
        start = {"type": "http.response.start", "status": 200, "headers": []}
        await send(start)
        await send({"type": "http.response.body", "body": b"{}"})


class GivesUp(Reads):
    """Answers 500 where its client is gone, as a framework may."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "http.disconnect":
            if not message.get("more_body"):
                return
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def asked(app: Reads, method: str, path: str, **more: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Bounded(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://m") as http:
            return await http.request(method, path, **more)

    return asyncio.run(ask())


class Doors:
    """What is beyond each bound."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def post(self, content: bytes, path: str = SEARCH) -> int:
        return self.ask("POST", path, content=content)

    def get(self, path: str) -> int:
        return self.ask("GET", path)

    def ask(self, method: str, path: str, **more: Any) -> int:
        app = Reads()
        answer = asked(app, method, path, **more)
        assert app.bodies == []
        assert answer.json()["error_code"] in {
            "INVALID_PARAMETER_VALUE",
            "REQUEST_LIMIT_EXCEEDED",
        }
        return answer.status_code

    def json_size(self):
        return self.post(b" " * (module.JSON.size_bytes + 1))

    def json_values(self):
        return self.post(b"[" + b"[]," * 1_000_000 + b"[]]")

    def json_depth(self):
        return self.post(b"[" * 100_000)

    def json_text(self):
        return self.post(rb'{"filter": "\ud800"}')

    def numbers(self):
        return self.post(json.dumps({"start_time": BIG}).encode())

    def graphql_depth(self):
        return self.post(json.dumps({"query": "{" * 5000}).encode(), "/graphql")

    def traces_as_sent(self):
        return self.post(bytes(module.EXPORT_LIMIT_BYTES + 1), "/v1/traces")

    def traces_unpacked(self):
        return refused_export(gzip.compress(bytes(LARGEST_BYTES + 1)), "gzip")

    def traces_fields(self):
        return refused_export(flood(LARGEST_BYTES // 4))

    def artifact(self):
        self.monkeypatch.setattr(module, "ARTIFACT_LIMIT_BYTES", 2**20)
        return self.ask("PUT", PUT, content=b"x" * (2**20 + 1))

    def path_of_an_artifact(self):
        return self.get(f"/get-artifact?path={'a/' * module.PATH_LIMIT_BYTES}")

    def name_in_a_path(self):
        return self.get(PUT + "x" * module.NAME_LIMIT_BYTES)


def refused_export(body: bytes, encoding: str = "") -> int:
    headers = [(b"content-type", b"application/x-protobuf")]
    more = [(b"content-encoding", encoding.encode())] if encoding else []
    with pytest.raises(TooLarge):
        Export.parse([*headers, *more], body)
    return 413


def number(value: int) -> bytes:
    """A number of seven bits a byte."""
    if value < 128:
        return bytes([value])
    return bytes([value & 127 | 128]) + number(value >> 7)


def text_field(field: int, content: bytes) -> bytes:
    return number(field << 3 | 2) + number(len(content)) + content


def flood(size: int) -> bytes:
    """An export of nothing but empty spans."""
    return text_field(1, text_field(2, b"\x12\x00" * (size // 2)))


@pytest.mark.parametrize("bound", MLFLOW_BOUNDS, ids=lambda bound: bound.door)
def test_what_is_beyond_a_bound_is_refused_cheaply(
    bound: Bound, monkeypatch: pytest.MonkeyPatch
):
    door = bound.door.lower().replace(", ", "_").replace(" ", "_")
    begun = time.process_time()
    assert getattr(Doors(monkeypatch), door)() == bound.answer
    assert time.process_time() - begun < 3.0


# -- numbers ---------------------------------------------------------------------------

NAMES = ["filter", "filter_string", "filterString", "experiment_id", "version"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [2**63, -(2**63) - 2, BIG, -BIG])
def test_a_number_of_more_than_64_bits_reaches_no_database(
    monkeypatch: pytest.MonkeyPatch, name: str, value: int
):
    doors = Doors(monkeypatch)
    said = str(value) if "filter" not in name else f"attributes.start_time > {value}"
    assert doors.post(json.dumps({name: said}).encode()) == 400
    assert doors.post(json.dumps({"a": [{name: value}]}).encode()) == 400


@pytest.mark.parametrize(
    "path",
    [
        f"/api/2.0/mlflow/model-versions/search?filter=version_number%20%3E%20{BIG}",
        f"/api/2.0/mlflow/model-versions/get?name=m&version={BIG}",
        f"/api/2.0/mlflow/experiments/get?experiment_id={BIG}",
        f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?start_step=-{BIG}",
        f"/api/3.0/mlflow/mcp-servers/a/versions/{BIG}",
    ],
)
def test_a_number_of_an_address_has_64_bits(monkeypatch: pytest.MonkeyPatch, path: str):
    assert Doors(monkeypatch).get(path) == 400


@pytest.mark.parametrize(
    "said",
    [
        {"filter": f"attributes.start_time > {2**63 - 1}"},
        {"filter": f"params.seed = '{BIG}'"},
        {"filter": f'tags."{BIG}" = "a"'},
        {"filter": f"metrics.loss < 0.{BIG}"},
        {"filter": "metrics.loss < 1e30"},
        {"key": "seed", "value": str(BIG)},
        {"metrics": [{"key": "a", "value": 1e30}]},
        {"metrics": [{"key": "a", "value": 1 / 3}]},
        {"run_id": "1" * 32},
        {"description": f"the filter: {BIG}"},
    ],
)
def test_a_text_of_digits_is_no_number(said: dict[str, Any]):
    app, body = Reads(), json.dumps(said).encode()
    assert asked(app, "POST", SEARCH, content=body).status_code == 200
    assert app.bodies == [body]


@given(st.text(st.sampled_from("'\"\\ 0123456789ab>[]{},:"), max_size=60))
def test_no_filter_breaks_the_check(text: str):
    answer = asked(Reads(), "POST", SEARCH, json={"filter": text, "a": [text]})
    assert answer.status_code in {200, 400}


# -- artifacts -------------------------------------------------------------------------


def parts(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"x" * 2**16


@pytest.mark.parametrize("kind", [Reads, GivesUp])
def test_an_artifact_is_counted_as_it_comes(
    monkeypatch: pytest.MonkeyPatch, kind: type[Reads]
):
    monkeypatch.setattr(module, "ARTIFACT_LIMIT_BYTES", 2**18)

    async def sent():
        for part in parts(8):
            yield part

    answer = asked(kind(), "PUT", PUT, content=sent())
    assert (answer.status_code, answer.json()["message"]) == (
        413,
        "At most 0 MiB are taken.",
    )


def test_an_artifact_may_hold_anything():
    app, content = Reads(), b"[" * 10_000 + str(BIG).encode() + rb"\ud800"
    assert asked(app, "PUT", PUT, content=content).status_code == 200
    assert app.bodies == [content]


# -- protobuf --------------------------------------------------------------------------

DESCRIPTOR = ExportTraceServiceRequest.DESCRIPTOR


def export(spans: int, attributes: int) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for _ in range(spans):
        span = scope.spans.add(name="a", start_time_unix_nano=2**60, flags=1)
        for n in range(attributes):
            span.attributes.add(key=str(n)).value.string_value = "x" * 100
    return request.SerializeToString()


@given(st.integers(0, 6), st.integers(0, 6))
def test_each_field_of_an_export_is_counted_once(spans: int, attributes: int):
    count = 2 + spans * (4 + 4 * attributes)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fields_module, "MOST_FIELDS", count)
        check_fields(export(spans, attributes), DESCRIPTOR)
        patched.setattr(fields_module, "MOST_FIELDS", count - 1)
        with pytest.raises(Excessive):
            check_fields(export(spans, attributes), DESCRIPTOR)


def test_a_large_export_of_a_real_client_is_taken():
    check_fields(export(512, 60), DESCRIPTOR)


def test_values_within_values_have_an_end():
    value = b""
    for _ in range(1000):
        value = text_field(5, text_field(1, value))
    span = text_field(9, text_field(2, value))
    with pytest.raises(Excessive):
        check_fields(text_field(1, text_field(2, text_field(2, span))), DESCRIPTOR)


@given(st.binary(max_size=200))
def test_what_is_no_protobuf_is_left_to_its_parser(body: bytes):
    check_fields(body, DESCRIPTOR)
