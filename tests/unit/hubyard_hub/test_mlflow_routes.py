"""The table of MLflow's routes, held against the version that is installed."""

import json
import re
import subprocess
import sys

import pytest

from hubyard_hub.mlflow import answers
from hubyard_hub.mlflow.asked import Asked, Thing
from hubyard_hub.mlflow.locations import Outside, folder, source
from hubyard_hub.mlflow.router import Found
from hubyard_hub.mlflow.routes import SHUT, Route, find, is_known, name_of, table
from hubyard_hub.mlflow.spans import LARGEST_BYTES, Export, TooLarge, Unclear, unpacked
from support.hub import REPOSITORY

ASSESSMENT = "3.0/mlflow/traces/<trace_id>/assessments/<assessment_id>"
# How fields of requests are called that name an object or a place.
TELLING = re.compile(
    r"(?:.*_)?(run|trace|request|experiment|model|dataset|issue|schema|queue|assessment"
    r"|role|item|span)_(id|ids|uuid)|.*location|.*uri|source|path|overrides"
)
UNCLAIMED = {
    "filters what MLflow has looked at": {
        "POST 2.0/mlflow/runs/search experiment_ids",
        "POST 2.0/mlflow/logged-models/search experiment_ids",
        "GET 3.0/mlflow/traces/batchGet experiment_ids",
        "POST 3.0/mlflow/traces/batchGetInfos experiment_ids",
        "GET 3.0/mlflow/review-queues/list item_id",
    },
    "only of the object that is named beside it": {
        "POST 2.0/mlflow/traces/delete-traces request_ids",
        "POST 3.0/mlflow/traces/delete-traces request_ids",
        f"GET {ASSESSMENT} assessment_id",
        f"DELETE {ASSESSMENT} assessment_id",
        "POST 3.0/mlflow/review-queues/items/remove item_ids",
        "POST 3.0/mlflow/review-queues/items/set-status item_id",
        "POST 3.0/mlflow/review-queues/create schema_ids",
        "POST 3.0/mlflow/review-queues/update schema_ids",
        "POST 3.0/mlflow/review-queues/update update_schema_ids",
    },
    "a path within the run or folder that is named": {
        "GET 2.0/mlflow/artifacts/list path",
        "POST 2.0/mlflow/artifacts/presigned-upload-url path",
        "POST 2.0/mlflow/artifacts/presigned-download-url path",
        "POST 2.0/mlflow-artifacts/mpu/create/<artifact_path> path",
        "POST 2.0/mlflow-artifacts/mpu/complete/<artifact_path> path",
        "POST 2.0/mlflow-artifacts/mpu/abort/<artifact_path> path",
    },
    "kept as text, and never opened": {
        "POST 2.0/mlflow/runs/log-inputs datasets.dataset.source",
        "POST 3.0/mlflow/datasets/create source",
        "POST 3.0/mlflow/traces trace.trace_info.client_request_id",
    },
    "not read, or replaced by the trace of the request": {
        f"{name} {field}"
        for name, inner in {
            "POST 3.0/mlflow/traces": "trace.trace_info.assessments",
            "POST 3.0/mlflow/traces/<trace_id>/assessments": "assessment",
            f"PATCH {ASSESSMENT}": "assessment",
        }.items()
        for field in (f"{inner}.trace_id", f"{inner}.span_id", f"{inner}.overrides")
    }
    | {
        f"PATCH {ASSESSMENT} assessment.assessment_id",
    }
    | {
        f"POST 3.0/mlflow/traces trace.spans.{field}"
        for field in (
            *("trace_id", "span_id", "parent_span_id"),
            *("links.trace_id", "links.span_id"),
        )
    },
}
"""Fields that the table need not claim, by the reason."""

INSTALLED = """
import json, sys
sys.path[:0] = [{tests!r}]
from security.routes import serve_mlflow
with serve_mlflow() as gate:
    print(json.dumps(sorted(gate._app.app._router.names())))
"""


@pytest.fixture(scope="module")
def installed():
    """Names of all routes, read in a process of its own."""
    script = INSTALLED.format(tests=str(REPOSITORY / "tests"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_each_route_of_the_installed_mlflow_is_in_the_table(installed):
    assert len(installed) >= 290
    assert [name for name in installed if not is_known(name)] == []


def test_the_table_has_no_route_that_is_gone(installed):
    assert table().keys() - set(installed) == set()


def _telling(message, path=()):
    """Fields of a message, and of those within it, that name objects or places."""
    for field in message.fields:
        inner, at = field.message_type, (*path, field.name)
        if inner is None:
            if TELLING.fullmatch(field.name):
                yield ".".join(at)
        elif not (inner.GetOptions().map_entry or "google" in inner.full_name):
            yield from _telling(inner, at) if len(at) < 6 else ()


def _requests():
    """The name of each route of a protobuf service, and what it is asked with."""
    from mlflow.protos import databricks_pb2, model_registry_pb2, service_pb2
    from mlflow.protos.mlflow_artifacts_pb2 import MlflowArtifactsService
    from mlflow.protos.webhooks_pb2 import WebhookService

    services = [
        service_pb2.MlflowService,
        model_registry_pb2.ModelRegistryService,
        MlflowArtifactsService,
        WebhookService,
    ]
    for method in (m for service in services for m in service.DESCRIPTOR.methods):
        for end in method.GetOptions().Extensions[databricks_pb2.rpc].endpoints:
            path = f"/api/{end.since.major}.{end.since.minor}{end.path}"
            path = re.sub(r"\{(?:\w+\.)*(\w+)[^}]*\}", r"{\1}", path)
            yield name_of(end.method, path), method.input_type


def test_each_field_that_names_something_is_claimed():
    unclaimed, seen = set(), 0
    for name, message in _requests():
        route = find(name)
        claimed = {n for claim in route.claims for part in claim.fields for n in part}
        for field in _telling(message) if route.audience != SHUT else ():
            seen += 1
            unclaimed |= set() if field in claimed else {f"{name} {field}"}
    assert seen >= 150
    assert unclaimed == set().union(*UNCLAIMED.values())


def test_what_the_table_does_not_know_is_shut():
    assert find("GET 9.0/mlflow/everything").audience == SHUT


def test_each_kind_has_its_words():
    for route in table().values():
        for claim in route.claims:
            if claim.kind:
                thing = Thing(claim.kind, ("a", "b")[: len(claim.fields)])
                assert answers.missing(thing).status_code == 404, route


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("/api/2.0/mlflow/runs/get", "GET 2.0/mlflow/runs/get"),
        ("/ajax-api/3.0/mlflow/traces/<trace_id>", "GET 3.0/mlflow/traces/<trace_id>"),
        ("/static-files/<path:path>", "GET static-files/<path>"),
        (
            "/api/3.0/mlflow/mcp-servers/{name:path}",
            "GET 3.0/mlflow/mcp-servers/<name>",
        ),
        ("/", "GET -"),
    ],
)
def test_a_route_has_one_name(template, name):
    assert name_of("GET", template) == name


def asked(name, *, query="", body=b"", **parameters):
    return Asked.parse(Found(find(name), parameters), query.encode(), body)


def named(request):
    claims = request.found.route.claims
    return [each for claim in claims for each in request.things(claim)]


@pytest.mark.parametrize(
    "body",
    [
        b'{"run_id": "r", "metrics": [{"model_id": "a"}, {"modelId": "b"}]}',
        b'{"runId": "r", "metrics": [{"modelId": "a"}, {"model_id": "b"}]}',
        b'{"run_uuid": "r", "metrics": [{"modelId": "a"}, {"model_id": "b"}]}',
        json.dumps('{"run_id": "r", "metrics": [{"model_id": "a"}, {"modelId": "b"}]}'),
    ],
)
def test_a_request_names_things_in_each_spelling(body):
    body = body if isinstance(body, bytes) else body.encode()
    request = asked("POST 2.0/mlflow/runs/log-batch", body=body)
    things = {(thing.kind, thing.id) for thing in named(request)}
    assert things == {
        ("run", ("r",)),
        ("logged-model", ("a",)),
        ("logged-model", ("b",)),
    }


@pytest.mark.parametrize(
    "request_",
    [
        asked("POST 2.0/mlflow/runs/update", body=b'{"run_id": "a", "runUuid": "b"}'),
        asked("POST 2.0/mlflow/upload-artifact", query="run_id=a&run_uuid=b"),
        asked("GET 2.0/mlflow/runs/get", query="run_id=a&run_id=b"),
        asked("GET 2.0/mlflow/runs/get", query="run_id=a", body=b'{"run_id": "b"}'),
        asked(
            "PATCH 2.0/mlflow/logged-models/<model_id>",
            model_id="a",
            body=b'{"modelId": "b"}',
        ),
    ],
)
def test_two_things_where_one_may_be_named_are_seen(request_):
    claims = request_.found.route.claims
    assert any(request_.ambiguous(claim) for claim in claims)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"7", b"\xff", b"[" * 9999]
)
def test_a_body_that_says_nothing_names_nothing(body):
    assert named(asked("POST 2.0/mlflow/runs/update", body=body)) == []


def test_tags_are_read_in_each_form():
    def tags(name, body):
        request = asked(name, body=json.dumps(body).encode())
        (claim,) = request.found.route.of("tags")
        return list(request.pairs(claim.fields[0][0]))

    info = {"traceInfo": {"tags": {"a": "b"}}}
    assert tags("POST 3.0/mlflow/traces", {"trace": info}) == [("a", "b")]
    listed = {"tags": [{"key": "a", "value": "b"}]}
    assert tags("POST 2.0/mlflow/traces", listed) == [("a", "b")]
    one = {"key": "a", "value": "b"}
    assert tags("PATCH 3.0/mlflow/traces/<trace_id>/tags", one) == [("a", "b")]


def test_an_upload_is_not_read():
    assert not find("PUT 2.0/mlflow-artifacts/artifacts/<artifact_path>").reads_body
    assert not find("POST 2.0/mlflow/upload-artifact").reads_body
    assert find("POST 2.0/mlflow/runs/update").reads_body
    assert not Route("POST nothing").reads_body


@pytest.mark.parametrize(
    ("location", "inside"),
    [
        ("mlflow-artifacts:/5", "5"),
        ("mlflow-artifacts:/5/", "5"),
        ("mlflow-artifacts:/5/models/m-1/artifacts", "5/models/m-1/artifacts"),
        ("mlflow-artifacts:/5/a%20b", "5/a b"),
        ("mlflow-artifacts:/5/grün", "5/grün"),
    ],
)
def test_a_location_lies_in_the_folder_of_an_experiment(location, inside):
    assert folder(location) == Thing("folder", (inside,))


@pytest.mark.parametrize(
    "location",
    [
        *("", "/", "/tmp", "tmp", "file:///tmp", "s3://b/5", "mlflow-artifacts:"),
        *("mlflow-artifacts:/", "mlflow-artifacts://5", "mlflow-artifacts://h/5"),
        *("mlflow-artifacts:/x/5", "mlflow-artifacts:/5/../6", "mlflow-artifacts:5"),
        *("mlflow-artifacts:/5/%2e%2e/6", "mlflow-artifacts:/5/%252e%252e/6"),
        *("mlflow-artifacts:/5//6", "mlflow-artifacts:/5/./6", "mlflow-artifacts:/5?x"),
        *("mlflow-artifacts:/5#x", "mlflow-artifacts:/5/a\\..\\6", "runs:/r/m"),
        *(
            "mlflow-artifacts:/5/\0",
            "mlflow-artifacts:/5/a\nb",
            "mlflow-artifacts:///../5",
        ),
        *(
            "mlflow-artifacts:/\u0665",
            "mlflow-artifacts://[",
            "mlflow-artifacts:/5/%00",
        ),
    ],
)
def test_a_location_lies_nowhere_else(location):
    with pytest.raises(Outside):
        folder(location)


def test_a_source_may_be_a_reference():
    places = frozenset({"dummy"})
    assert source("runs:/r/m", places) is None
    assert source("models:/m-1", places) is None
    assert source("dummy", places) is None
    assert source("mlflow-artifacts:/5/m", places) == Thing("folder", ("5/m",))
    for text in ("RUNS:/r", "%72uns:/r", "runs", "s3://b/m"):
        with pytest.raises(Outside):
            source(text, places)


def test_an_export_is_unpacked_up_to_a_bound():
    import gzip
    import zlib

    assert unpacked(b"abc", "") == b"abc"
    packed = gzip.compress(b"ab") + gzip.compress(b"c")
    assert unpacked(packed, "GZIP") == b"abc"
    assert unpacked(zlib.compress(b"abc"), "deflate") == b"abc"
    assert unpacked(zlib.compress(b"abc")[2:-4], "deflate") == b"abc"
    for body, encoding in ((b"abc", "gzip"), (packed[:-9], "gzip"), (b"abc", "br")):
        assert unpacked(body, encoding) is None
    with pytest.raises(TooLarge):
        unpacked(gzip.compress(bytes(LARGEST_BYTES + 1)), "gzip")


def test_a_header_of_an_export_is_there_once():
    once = [(b"Content-Type", b"text/plain"), (b"Accept", b"a")]
    assert Export.parse(once, b"abc") is None
    for name in (b"x-mlflow-run-id", b"X-Mlflow-Experiment-Id", b"content-encoding"):
        with pytest.raises(Unclear, match=name.decode().lower()):
            Export.parse([*once, (name, b"a"), (name.upper(), b"b")], b"abc")
