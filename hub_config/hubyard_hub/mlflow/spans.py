"""Spans: what an OpenTelemetry export names, before MLflow writes it.

MLflow derives a trace's id from the one that the client has chosen, and writes a span
into whatever trace has that id.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import HubyardError
from hubyard_hub.mlflow.asked import Thing
from hubyard_hub.mlflow.fields import DEEPEST, MOST_FIELDS, Excessive, check_fields
from hubyard_hub.sources.json_text import JsonBound, check_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGEST_BYTES = 16 * 2**20
"""Of an export, unpacked."""
_AS_JSON = JsonBound(LARGEST_BYTES, values=MOST_FIELDS, depth=DEEPEST)
_HEADERS = {
    *("content-type", "content-encoding"),
    *("x-mlflow-run-id", "x-mlflow-experiment-id"),
}
_TAG = "mlflow.traceTag."
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"


class Unclear(ValueError):
    """A header that may say one thing says two."""


class TooLarge(ValueError):
    """An export is larger, unpacked, than it may be."""


@dataclass(frozen=True)
class Export:
    """What one export names."""

    traces: frozenset[str] = frozenset()
    tags: tuple[tuple[str, str], ...] = ()
    runs: tuple[Thing, ...] = ()
    experiments: tuple[Thing, ...] = ()

    @classmethod
    def parse(
        cls, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> Export | None:
        """Read an export; None: MLflow refuses it, whoever sends it.

        Raises:
            TooLarge: unpacked, it is larger than `LARGEST_BYTES`, or holds too much.
            Unclear: MLflow might take another of two headers than this does.
        """
        said = _texts(headers)
        plain = unpacked(body, said.get("content-encoding", ""))
        kind = said.get("content-type", "").partition(";")[0].strip()
        message = plain and _message(plain, kind)
        if not message:
            return None
        spans = list(_spans(message))
        return cls(
            frozenset(_trace_id(span) for span in spans),
            tuple(tag for span in spans for tag in _tags(span)),
            _things("run", said.get("x-mlflow-run-id")),
            _things("experiment", said.get("x-mlflow-experiment-id")),
        )


def _texts(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers that matter.

    Raises:
        Unclear: one of them is there twice.
    """
    found: dict[str, str] = {}
    for raw_name, value in headers:
        name = raw_name.decode("latin-1").lower()
        if name in found:
            raise Unclear(name)
        if name in _HEADERS:
            found[name] = value.decode("latin-1")
    return found


def _things(kind: str, id_: str | None) -> tuple[Thing, ...]:
    return (Thing(kind, (id_,)),) if id_ else ()


def unpacked(body: bytes, encoding: str) -> bytes | None:
    """The body without its encoding; None: it is not in the encoding that it claims.

    Raises:
        TooLarge: there is no end to it.
    """
    name = encoding.lower()
    if not name:
        return body
    windows = {"gzip": (31,), "deflate": (15, -15)}.get(name, ())
    for window in windows:
        try:
            return _unpack(body, window)
        except zlib.error:
            continue
    return None


def _unpack(body: bytes, window: int) -> bytes:
    """Unpack all members, as gzip allows several.

    Raises:
        TooLarge: there is no end to it.
        zlib.error: this is not what it claims to be.
    """
    whole = bytearray()
    while body:
        unpacker = zlib.decompressobj(window)
        whole += unpacker.decompress(body, LARGEST_BYTES - len(whole) + 1)
        if len(whole) > LARGEST_BYTES:
            raise TooLarge
        if not unpacker.eof:
            raise zlib.error
        body = unpacker.unused_data if window > 15 else b""  # noqa: PLR2004 - gzip's
    return bytes(whole)


def _message(plain: bytes, kind: str) -> Any:
    """The export as protobuf; None: it is none."""
    if kind not in {_PROTOBUF, _JSON}:
        return None
    from google.protobuf import json_format, message
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

    request = trace_service_pb2.ExportTraceServiceRequest()
    _check(plain, kind, request.DESCRIPTOR)
    try:
        if kind == _JSON:
            from mlflow.server import otel_api as api

            text = api._convert_otlp_json_ids_to_base64(plain)  # pyright: ignore[reportPrivateUsage]
            json_format.Parse(text, request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(plain)
    except (message.DecodeError, json_format.Error, ValueError, AttributeError):
        return None
    return request


def _check(plain: bytes, kind: str, descriptor: Any) -> None:
    """Accept an export for parsing.

    Raises:
        TooLarge: it would become more than is taken.
    """
    try:
        if kind == _JSON:
            check_json(plain, _AS_JSON)
        else:
            check_fields(plain, descriptor)
    except (Excessive, HubyardError):
        raise TooLarge from None


def _spans(message: Any) -> Iterator[Any]:
    for resource in message.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def _tags(span: Any) -> Iterator[tuple[str, str]]:
    """Tags of the whole trace, which its root span carries."""
    for attribute in span.attributes:
        if attribute.key.startswith(_TAG):
            # What is no text cannot be a location, and is refused as an empty one.
            yield attribute.key.removeprefix(_TAG), attribute.value.string_value


def _trace_id(span: Any) -> str:
    """As MLflow derives it: from a number, so bytes of any length may mean one id."""
    from mlflow.tracing.utils import (
        generate_mlflow_trace_id_from_otel_trace_id,
    )

    number = int.from_bytes(span.trace_id, byteorder="big")
    return generate_mlflow_trace_id_from_otel_trace_id(number)
