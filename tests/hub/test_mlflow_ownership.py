"""MLflow behind the gate: what is another's, what is nobody's, and where it may lie."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import subprocess
import sys
import uuid

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from support.gated_mlflow import gated_mlflow

V3 = "/api/3.0/mlflow"
V2 = "/api/2.0/mlflow"
NONE = {
    "experiment": "987654",
    "run": "0" * 32,
    "trace": "tr-" + "0" * 32,
    "name": "no-such-name",
    "model": "m-" + "0" * 32,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with gated_mlflow(tmp_path_factory.mktemp("place")) as place:
        yield place


@pytest.fixture(scope="module")
def alice(place):
    return place.member("alice")


@pytest.fixture(scope="module")
def bob(place):
    return place.member("bob")


@pytest.fixture(scope="module")
def root(place):
    return place.member("root")


@pytest.fixture
def experiments(alice, bob):
    """One of alice's and one of bob's."""
    name = uuid.uuid4().hex
    return alice.create_experiment(f"a{name}"), bob.create_experiment(f"b{name}")


def trace_of(experiment, trace_id, **info):
    location = {
        "type": "MLFLOW_EXPERIMENT",
        "mlflow_experiment": {"experiment_id": experiment},
    }
    said = {
        "trace_id": trace_id,
        "trace_location": location,
        "request_time": "2026-01-01T00:00:00Z",
        "state": "OK",
        **info,
    }
    return {"trace": {"trace_info": said}}


def start_trace(member, experiment, trace_id="", **info):
    trace_id = trace_id or f"tr-{uuid.uuid4().hex}"
    body = trace_of(experiment, trace_id, **info)
    return trace_id, member.http.post(f"{V3}/traces", json=body)


def export(trace_id, *, tags=()):
    """One root span of a trace, as OpenTelemetry sends it."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id = bytes.fromhex(trace_id.removeprefix("tr-"))
    span.span_id = os.urandom(8)
    span.name = "taken"
    span.start_time_unix_nano = span.end_time_unix_nano = 10**18
    for key, value in tags:
        attribute = span.attributes.add()
        attribute.key = f"mlflow.traceTag.{key}"
        attribute.value.string_value = value
    return request


def send(member, experiment, request, **headers):
    return member.http.post(
        "/v1/traces",
        content=request.SerializeToString(),
        headers={
            "Content-Type": "application/x-protobuf",
            "X-Mlflow-Experiment-Id": experiment,
            **headers,
        },
    )


def error_code(answer):
    assert answer.headers["content-type"].startswith("application/json"), answer.text
    return answer.json().get("error_code")


# -- Ids that the client chooses


def test_a_trace_of_another_cannot_be_taken(alice, bob, experiments):
    hers, his = experiments
    trace, made = start_trace(alice, hers, request_preview="secret")
    assert made.status_code == 200, made.text
    _, taken = start_trace(bob, his, trace)
    assert (taken.status_code, error_code(taken)) == (400, "RESOURCE_ALREADY_EXISTS")
    assert "secret" not in taken.text
    kept = alice.http.get(f"{V3}/traces/{trace}").json()["trace"]["trace_info"]
    assert kept["trace_location"]["mlflow_experiment"]["experiment_id"] == hers
    assert bob.http.get(f"{V3}/traces/{trace}").status_code == 404
    _, again = start_trace(alice, hers, trace)
    assert again.status_code == 200, again.text


def test_an_assessment_of_another_cannot_be_taken_with_a_trace(alice, bob, experiments):
    hers, his = experiments
    trace, _ = start_trace(alice, hers)
    assessment = {
        "assessment_name": "good",
        "source": {"source_type": "HUMAN", "source_id": "alice"},
        "feedback": {"value": True},
        "create_time": "2026-01-01T00:00:00Z",
        "last_update_time": "2026-01-01T00:00:00Z",
    }
    made = alice.http.post(
        f"{V3}/traces/{trace}/assessments", json={"assessment": assessment}
    )
    hers_id = made.raise_for_status().json()["assessment"]["assessment_id"]
    own, _ = start_trace(bob, his)
    stolen = {**assessment, "assessment_id": hers_id}
    _, taken = start_trace(bob, his, own, assessments=[stolen])
    assert error_code(taken) == "RESOURCE_ALREADY_EXISTS"
    taken = bob.http.post(f"{V3}/traces/{own}/assessments", json={"assessment": stolen})
    assert error_code(taken) == "RESOURCE_ALREADY_EXISTS"
    found = alice.http.get(f"{V3}/traces/{trace}/assessments/{hers_id}")
    assert found.status_code == 200, found.text


def test_spans_cannot_be_written_into_the_trace_of_another(alice, bob, experiments):
    hers, his = experiments
    trace, _ = start_trace(alice, hers)
    assert send(alice, hers, export(trace)).status_code == 200
    request = export(trace)
    plain = request.SerializeToString()
    bodies = {
        "as it is": (plain, {}),
        "packed": (gzip.compress(plain), {"Content-Encoding": "gzip"}),
    }
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = bytes(
        4
    ) + bytes.fromhex(trace.removeprefix("tr-"))
    bodies["with a longer id"] = (request.SerializeToString(), {})
    for content, headers in bodies.values():
        answer = bob.http.post(
            "/v1/traces",
            content=content,
            headers={
                "Content-Type": "application/x-protobuf",
                "X-Mlflow-Experiment-Id": his,
                **headers,
            },
        )
        assert error_code(answer) == "RESOURCE_ALREADY_EXISTS"
    span = {"traceId": trace.removeprefix("tr-"), "spanId": "12" * 8, "name": "s"}
    said = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    answer = bob.http.post(
        "/v1/traces", json=said, headers={"X-Mlflow-Experiment-Id": his}
    )
    assert error_code(answer) == "RESOURCE_ALREADY_EXISTS"
    seen = alice.http.get(f"{V3}/traces/get", params={"trace_id": trace}).json()
    assert len(seen["trace"]["spans"]) == 1


def test_spans_are_written_into_ones_own(alice, bob, experiments):
    _, his = experiments
    trace = f"tr-{uuid.uuid4().hex}"
    assert send(bob, his, export(trace)).status_code == 200
    assert send(bob, his, export(trace)).status_code == 200
    seen = bob.http.get(f"{V3}/traces/get", params={"trace_id": trace})
    assert len(seen.raise_for_status().json()["trace"]["spans"]) == 2


def test_spans_are_not_linked_to_the_run_of_another(alice, bob, experiments):
    hers, his = experiments
    run, own = alice.create_run(hers)["run_id"], bob.create_run(his)["run_id"]
    for wrong in (run, NONE["run"]):
        answer = send(bob, his, export(uuid.uuid4().hex), **{"X-Mlflow-Run-Id": wrong})
        assert (answer.status_code, error_code(answer)) == (
            404,
            "RESOURCE_DOES_NOT_EXIST",
        )
    answer = send(bob, his, export(uuid.uuid4().hex), **{"X-Mlflow-Run-Id": own})
    assert answer.status_code == 200


@pytest.mark.parametrize("order", [1, -1])
def test_a_header_that_says_two_things_is_refused(alice, bob, experiments, order):
    hers, his = experiments
    runs = [alice.create_run(hers)["run_id"], bob.create_run(his)["run_id"]][::order]
    headers = [
        ("Authorization", f"Bearer {bob.token}"),
        ("Content-Type", "application/x-protobuf"),
        ("X-Mlflow-Experiment-Id", his),
        *(("X-Mlflow-Run-Id", run) for run in runs),
    ]
    body = export(uuid.uuid4().hex).SerializeToString()
    answer = bob.http.post("/v1/traces", content=body, headers=headers)
    # The proxy makes one header of both, which is then no run's id.
    assert answer.status_code in {400, 404}


def test_who_may_change_a_trace_may_not_take_it_away(alice, bob, root, experiments):
    hers, his = experiments
    trace, _ = start_trace(alice, hers)
    bob.experiments()
    root.http.post(
        f"{V3}/users/permissions/grant",
        json={
            "username": "bob",
            "resource_type": "experiment",
            "resource_id": hers,
            "permission": "EDIT",
        },
    ).raise_for_status()
    assert start_trace(bob, hers, trace)[1].status_code == 200
    assert send(bob, hers, export(trace)).status_code == 200
    for answer in (start_trace(bob, his, trace)[1], send(bob, his, export(trace))):
        assert error_code(answer) == "RESOURCE_ALREADY_EXISTS"


def test_an_export_without_end_is_refused(bob, experiments):
    packed = gzip.compress(bytes(200 * 2**20), 9)
    answer = bob.http.post(
        "/v1/traces",
        content=packed,
        headers={
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            "X-Mlflow-Experiment-Id": experiments[1],
        },
    )
    assert answer.status_code == 413


# -- One request that names two


@pytest.mark.parametrize(
    ("call", "more"),
    [
        ("runs/update", {"status": "FAILED", "end_time": 1}),
        ("runs/set-tag", {"key": "k", "value": "v"}),
        ("runs/log-parameter", {"key": "k", "value": "v"}),
        ("runs/log-metric", {"key": "k", "value": 1, "timestamp": 1}),
    ],
)
@pytest.mark.parametrize(
    ("mine", "theirs"), [("run_uuid", "runId"), ("run_id", "runUuid")]
)
def test_two_names_of_a_run_are_refused(
    alice, bob, experiments, call, more, mine, theirs
):
    hers, his = experiments
    run, own = alice.create_run(hers)["run_id"], bob.create_run(his)["run_id"]
    before = alice.get("runs/get", run_id=run).json()
    answer = bob.post(call, **{mine: own, theirs: run}, **more)
    assert (answer.status_code, error_code(answer)) == (400, "INVALID_PARAMETER_VALUE")
    assert alice.get("runs/get", run_id=run).json() == before


def test_an_upload_cannot_name_two_runs(alice, bob, experiments):
    hers, his = experiments
    run, own = alice.create_run(hers)["run_id"], bob.create_run(his)["run_id"]
    answer = bob.http.post(
        "/ajax-api/2.0/mlflow/upload-artifact",
        params={"run_id": own, "run_uuid": run, "path": "x.txt"},
        content=b"bob was here",
    )
    assert answer.status_code == 400
    found = alice.get("artifacts/list", run_id=run).json()
    assert found.get("files", []) == []


# -- Roles and users


def test_nobody_reads_the_roles_of_others(alice, bob, root, experiments):
    everybody = root.http.get(f"{V3}/roles/list", params={"workspace": "default"})
    roles = everybody.raise_for_status().json()["roles"]
    answer = bob.http.get(f"{V3}/roles/list", params={"workspace": "default"})
    own = answer.raise_for_status().json()["roles"]
    assert "group/ds" in {role["name"] for role in own}
    assert len(own) < len(roles)
    held = {role["id"] for role in own}
    nobodys = max(role["id"] for role in roles) + 1000
    for call in ("roles/get", "roles/permissions/list"):
        for door in ("api", "ajax-api"):
            url = f"/{door}/3.0/mlflow/{call}"
            for role in [*({role["id"] for role in roles} - held), nobodys]:
                said = bob.http.get(url, params={"role_id": role})
                assert said.status_code == 404
                assert said.json() == {
                    "error_code": "RESOURCE_DOES_NOT_EXIST",
                    "message": f"Role with id={role} not found",
                }
            for role in held:
                assert bob.http.get(url, params={"role_id": role}).status_code == 200


def test_nobody_lists_the_users(alice, bob, root):
    for path in (f"{V2}/users/list", "/ajax-api/2.0/mlflow/users/list"):
        answer = bob.http.get(path)
        assert (answer.status_code, error_code(answer)) == (403, "PERMISSION_DENIED")
        assert "alice" in root.http.get(path).raise_for_status().text
    for call in ("users/roles/list", "users/permissions/list"):
        for name in ("alice", "nobody-of-this-name"):
            answer = bob.http.get(f"{V3}/{call}", params={"username": name})
            assert (answer.status_code, error_code(answer)) == (
                403,
                "PERMISSION_DENIED",
            )
        assert bob.http.get(f"{V3}/{call}", params={"username": "bob"}).is_success


# -- Locations


OUTSIDE = [
    "/tmp/x",
    "file:///tmp/x",
    "file:/tmp/x",
    "s3://bucket/x",
    "hdfs://host/x",
    "http://127.0.0.1:9/x",
    "mlflow-artifacts:/../../tmp/x",
    "mlflow-artifacts:/%2e%2e/x",
    "mlflow-artifacts://other.host/1/x",
    "mlflow-artifacts:/",
    "mlflow-artifacts:/a-folder",
    "nonsense:/x",
    "x",
    "mlflow-artifacts:/{own}/../{other}",
    "mlflow-artifacts:/{own}/a?b",
]


@pytest.mark.parametrize("location", OUTSIDE)
def test_an_experiment_lies_below_the_root(bob, root, experiments, location):
    hers, his = experiments
    text = location.format(own=his, other=hers)
    for member in (bob, root):
        for name in ("artifact_location", "artifactLocation"):
            answer = member.post(
                "experiments/create", name=uuid.uuid4().hex, **{name: text}
            )
            assert (answer.status_code, error_code(answer)) == (
                400,
                "INVALID_PARAMETER_VALUE",
            )
            assert "leave it out" in answer.json()["message"]


def test_an_experiment_lies_in_a_folder_of_ones_own(alice, bob, experiments):
    hers, his = experiments
    for place in (hers, NONE["experiment"]):
        answer = bob.post(
            "experiments/create",
            name=uuid.uuid4().hex,
            artifact_location=f"mlflow-artifacts:/{place}/x",
        )
        assert error_code(answer) == "RESOURCE_DOES_NOT_EXIST"
    answer = bob.post(
        "experiments/create",
        name=uuid.uuid4().hex,
        artifact_location=f"mlflow-artifacts:/{his}/x",
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("source", OUTSIDE)
def test_a_model_version_comes_from_below_the_root(bob, experiments, source):
    hers, his = experiments
    name = uuid.uuid4().hex
    bob.post("registered-models/create", name=name).raise_for_status()
    text = source.format(own=his, other=hers)
    answer = bob.post("model-versions/create", name=name, source=text)
    assert (answer.status_code, error_code(answer)) == (400, "INVALID_PARAMETER_VALUE")


def test_a_model_version_comes_from_ones_own_run(alice, bob, experiments):
    hers, his = experiments
    theirs, own = alice.create_run(hers), bob.create_run(his)
    name = uuid.uuid4().hex
    bob.post("registered-models/create", name=name).raise_for_status()
    for run_id in (own["run_id"], None):
        said = {"run_id": run_id} if run_id else {}
        source = f"{theirs['artifact_uri']}/model"
        answer = bob.post("model-versions/create", name=name, source=source, **said)
        assert error_code(answer) == "RESOURCE_DOES_NOT_EXIST"
    answer = bob.post(
        "model-versions/create",
        name=name,
        source=f"{own['artifact_uri']}/model",
        run_id=own["run_id"],
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "key", ["mlflow.artifactLocation", "mlflow.trace.archiveLocation"]
)
def test_a_trace_does_not_lie_where_a_tag_says(alice, bob, experiments, key):
    hers, his = experiments
    trace, _ = start_trace(bob, his)
    theirs = f"mlflow-artifacts:/{hers}/traces/x"
    for text in ("file:///etc", theirs):
        answers = [
            bob.http.patch(
                f"{V3}/traces/{trace}/tags", json={"key": key, "value": text}
            ),
            bob.http.patch(
                f"{V2}/traces/{trace}/tags", json={"key": key, "value": text}
            ),
            start_trace(bob, his, tags={key: text})[1],
            bob.post(
                "traces",
                experiment_id=his,
                timestamp_ms=1,
                tags=[{"key": key, "value": text}],
            ),
            send(bob, his, export(uuid.uuid4().hex, tags=[(key, text)])),
        ]
        for answer in answers:
            assert answer.status_code in {400, 404}, answer.text
            assert error_code(answer)


def test_a_tag_may_say_where_ones_own_trace_lies(bob, experiments):
    _, his = experiments
    trace, _ = start_trace(bob, his)
    own = f"mlflow-artifacts:/{his}/traces/{trace}/artifacts"
    tag = {"key": "mlflow.artifactLocation", "value": own}
    assert bob.http.patch(f"{V3}/traces/{trace}/tags", json=tag).status_code == 200


# -- What is not there


def asked_for(experiment, run, trace, name, model):
    """Questions of each kind of object."""
    v = {"name": name, "version": "1"}
    yield "GET", f"{V2}/experiments/get", {"experiment_id": experiment}
    yield "GET", f"{V2}/experiments/get-by-name", {"experiment_name": name}
    yield "POST", f"{V2}/experiments/delete", {"experiment_id": experiment}
    yield "POST", f"{V2}/runs/create", {"experiment_id": experiment}
    yield "GET", f"{V2}/runs/get", {"run_id": run}
    yield "POST", f"{V2}/runs/delete", {"run_id": run}
    yield "POST", f"{V2}/runs/log-batch", {"run_id": run}
    yield "GET", f"{V2}/artifacts/list", {"run_id": run}
    yield "GET", f"{V2}/metrics/get-history", {"run_id": run, "metric_key": "m"}
    bulk = {"run_id": [run], "metric_key": "m"}
    yield "GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", bulk
    yield "GET", "/get-artifact", {"run_id": run, "path": "x"}
    yield "GET", f"{V2}/registered-models/get", {"name": name}
    yield "DELETE", f"{V2}/registered-models/delete", {"name": name}
    alias = {"name": name, "alias": "champion"}
    yield "GET", f"{V2}/registered-models/alias", alias
    yield "POST", f"{V2}/registered-models/alias", {**alias, "version": "1"}
    yield "GET", f"{V2}/model-versions/get", v
    yield "GET", f"{V2}/model-versions/get-download-uri", v
    yield "GET", "/model-versions/get-artifact", {**v, "path": "x"}
    yield "POST", f"{V2}/model-versions/create", {"name": name, "source": "models:/m/1"}
    yield "GET", f"{V2}/logged-models/{model}", {}
    yield "DELETE", f"{V2}/logged-models/{model}", {}
    yield "GET", f"{V3}/traces/{trace}", {}
    yield "GET", f"{V3}/traces/get", {"trace_id": trace}
    yield "GET", f"{V3}/traces/batchGet", {"trace_ids": [trace]}
    yield "PATCH", f"{V3}/traces/{trace}/tags", {"key": "k", "value": "v"}
    yield "GET", f"{V3}/traces/{trace}/assessments/a-1", {}
    yield "POST", f"{V3}/datasets/create", {"name": "d", "experiment_ids": [experiment]}
    yield "GET", f"{V3}/scorers/get", {"experiment_id": experiment, "name": "s"}
    yield "GET", f"{V3}/label-schemas/list", {"experiment_id": experiment}
    yield "POST", f"{V3}/issues/search", {"experiment_id": experiment}
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/x"
    yield "GET", path, {}
    yield "PUT", path, {}


def ask(member, method, path, said):
    if method == "GET":
        return member.http.get(path, params=said)
    return member.http.request(method, path, json=said)


def test_what_is_anothers_looks_like_what_is_not_there(alice, bob, experiments):
    hers, _ = experiments
    name = f"n{uuid.uuid4().hex}"
    alice.post("experiments/update", experiment_id=hers, new_name=name)
    alice.post("registered-models/create", name=name).raise_for_status()
    run = alice.create_run(hers)
    source = {"source": f"{run['artifact_uri']}/m", "run_id": run["run_id"]}
    alice.post("model-versions/create", name=name, **source).raise_for_status()
    trace, _ = start_trace(alice, hers)
    model = alice.post("logged-models", experiment_id=hers, name="m").json()
    hers_ids = {
        "experiment": hers,
        "run": run["run_id"],
        "trace": trace,
        "name": name,
        "model": model["model"]["info"]["model_id"],
    }
    for theirs, nobodys in zip(asked_for(**hers_ids), asked_for(**NONE), strict=True):
        answers = [ask(bob, *theirs), ask(bob, *nobodys)]
        for answer in answers:
            assert (answer.status_code, error_code(answer)) == (
                404,
                "RESOURCE_DOES_NOT_EXIST",
            ), (theirs, answer.text)
        told = [answer.text for answer in answers]
        for kind, nobody in NONE.items():
            # An experiment's number may stand within an id, or be a version's.
            whole = rf"(?<!\w)(?<!version=){re.escape(hers_ids[kind])}(?!\w)"
            told[0] = re.sub(whole, nobody, told[0])
        assert told[0] == told[1], theirs


def test_what_is_seen_and_not_ones_own_is_denied_in_json(alice, bob, root, experiments):
    hers, _ = experiments
    root.http.post(
        f"{V3}/users/permissions/grant",
        json={
            "username": "bob",
            "resource_type": "experiment",
            "resource_id": hers,
            "permission": "READ",
        },
    ).raise_for_status()
    assert bob.get("experiments/get", experiment_id=hers).status_code == 200
    answer = bob.post("runs/create", experiment_id=hers)
    assert (answer.status_code, error_code(answer)) == (403, "PERMISSION_DENIED")


def test_a_prompt_that_is_not_there_is_none_to_the_client(place, alice, bob, tmp_path):
    alice.post(
        "registered-models/create",
        name="hers",
        tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}],
    ).raise_for_status()
    script = """
import mlflow, sys
for name in ("hers", "nobodys"):
    for what in (name, f"prompts:/{name}/1", f"prompts:/{name}@champion"):
        found = mlflow.genai.load_prompt(what, allow_missing=True)
        assert found is None, found
mlflow.genai.register_prompt("mine", "Say {{word}}")
assert mlflow.genai.load_prompt("mine", allow_missing=True).version == 1
assert mlflow.genai.load_prompt("prompts:/mine@none", allow_missing=True) is None
assert mlflow.get_experiment_by_name("no such experiment") is None
print("fine")
"""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")},
        "MLFLOW_TRACKING_URI": f"{place.hub.url}/services/mlflow",
        "MLFLOW_TRACKING_TOKEN": bob.token,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip().endswith("fine"), done.stderr[-3000:]


def test_a_name_that_is_taken_tells_nothing_of_its_owner(alice, bob, experiments):
    hers, _ = experiments
    name = f"taken-{uuid.uuid4().hex}"
    alice.post("experiments/update", experiment_id=hers, new_name=name)
    alice.post("registered-models/create", name=name).raise_for_status()
    for call in ("experiments/create", "registered-models/create"):
        answer = bob.post(call, name=name)
        assert error_code(answer) == "RESOURCE_ALREADY_EXISTS"
        assert "alice" not in answer.text
        said = json.dumps(answer.json()).replace(name, "")
        assert not re.search(rf"\b{hers}\b", said), "a time may hold its digits"


def test_every_object_named_in_passing_is_looked_at(alice, bob, experiments):
    hers, his = experiments
    run, trace = alice.create_run(hers)["run_id"], start_trace(alice, hers)[0]
    own = start_trace(bob, his)[0]
    name = uuid.uuid4().hex
    alice.post("registered-models/create", name=name).raise_for_status()
    queue = bob.http.post(
        f"{V3}/review-queues/create",
        json={"experiment_id": his, "name": name, "queue_type": "CUSTOM"},
    )
    queue_id = queue.raise_for_status().json()["review_queue"]["queue_id"]
    calls = [
        (
            f"{V3}/issues",
            lambda run: {
                "experiment_id": his,
                "name": "i",
                "description": "d",
                "source_run_id": run,
            },
            (run, NONE["run"]),
        ),
        (
            f"{V2}/traces/link-prompts",
            lambda name: {
                "trace_id": own,
                "prompt_versions": [{"name": name, "version": "1"}],
            },
            (name, NONE["name"]),
        ),
        (
            f"{V3}/review-queues/items/add",
            lambda trace: {"queue_id": queue_id, "item_ids": [trace]},
            (trace, NONE["trace"]),
        ),
    ]
    for (path, body, ids), door in itertools.product(calls, ("/api/", "/ajax-api/")):
        for each in ids:
            answer = bob.http.post(path.replace("/api/", door), json=body(each))
            assert (answer.status_code, error_code(answer)) == (
                404,
                "RESOURCE_DOES_NOT_EXIST",
            ), (path, answer.text)


# -- what MLflow itself answers with 500 -----------------------------------------------

BIG = 10**30
LATER = f"attributes.start_time > {BIG}"
ODD = [
    (f"{V2}/runs/search", {"experiment_ids": ["{own}"], "filter": LATER}),
    (f"{V2}/runs/search", {"experiment_ids": [str(BIG)]}),
    (f"{V2}/runs/create", {"experiment_id": str(BIG)}),
    (f"{V2}/runs/create", {"experiment_id": "{own}", "start_time": BIG}),
    (
        f"{V2}/experiments/search",
        {"max_results": 9, "filter": f"creation_time > {BIG}"},
    ),
    (f"{V2}/experiments/create", {"name": "odd", "artifact_location": "s3://b/x"}),
    (f"{V2}/experiments/create", {"name": "odd", "artifact_location": "foo://x"}),
    (f"{V2}/runs/log-batch", [[[[]]]] * 100_000),
    ("/graphql", {"query": "{" * 5000}),
]


@pytest.mark.parametrize(("path", "body"), ODD, ids=range(len(ODD)))
def test_what_no_database_can_hold_is_answered_400(alice, experiments, path, body):
    text = json.dumps(body).replace("{own}", experiments[0])
    headers = {"Content-Type": "application/json"}
    answer = alice.http.post(path, content=text, headers=headers)
    assert answer.status_code in {400, 404, 413}, answer.text
    assert answer.json()["error_code"]


def test_an_address_that_names_what_none_can_hold_is_answered_400(alice):
    for path in (
        f"{V2}/model-versions/get?name=m&version={BIG}",
        f"{V2}/experiments/get?experiment_id={BIG}",
        f"{V2}/mlflow-artifacts/artifacts?path={'x' * 300}".replace("/mlflow/", "/"),
    ):
        assert alice.http.get(path).status_code == 400


def test_a_bomb_of_traces_is_refused_and_the_next_one_taken(alice, experiments):
    bomb = gzip.compress(bytes(200 * 2**20))
    headers = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "gzip",
        "x-mlflow-experiment-id": experiments[0],
    }
    answer = alice.http.post("/v1/traces", content=bomb, headers=headers)
    assert answer.status_code == 413
    assert alice.http.get("/health").status_code == 200
