"""MLflow behind the gate beside a bare MLflow server: the same questions to both.

What remains of differences is listed in the docs, each with its reason.
"""

from __future__ import annotations

from typing import NamedTuple

import httpx
import pytest

from support.gated_mlflow import gated_mlflow
from support.hub import REPOSITORY
from support.mlflow_server import mlflow_server

V2, V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"
RUN, TRACE, MODEL = "0" * 32, "tr-" + "0" * 32, "m-" + "0" * 32
NAMED = {"name": "none", "version": "1"}
ARTIFACT = f"/api/2.0/mlflow-artifacts/artifacts/987654/{RUN}/artifacts/x"


class Question(NamedTuple):
    method: str
    path: str
    said: dict[str, object] = {}  # noqa: RUF012 - a default that nobody changes

    def __str__(self):
        return f"{self.method} {self.path} {self.said}"


NOT_THERE = [
    Question("GET", f"{V2}/experiments/get", {"experiment_id": "987654"}),
    Question("GET", f"{V2}/experiments/get", {"experiment_id": "abc"}),
    Question("GET", f"{V2}/experiments/get-by-name", {"experiment_name": "none"}),
    Question("POST", f"{V2}/experiments/delete", {"experiment_id": "987654"}),
    Question("POST", f"{V2}/experiments/restore", {"experiment_id": "987654"}),
    Question(
        "POST", f"{V2}/experiments/update", {"experiment_id": "987654", "new_name": "n"}
    ),
    Question("POST", f"{V2}/runs/create", {"experiment_id": "987654"}),
    Question("POST", f"{V2}/runs/search", {"experiment_ids": ["987654"]}),
    Question("GET", f"{V2}/runs/get", {"run_id": RUN}),
    Question("GET", f"{V2}/runs/get", {"run_uuid": RUN}),
    Question("POST", f"{V2}/runs/delete", {"run_id": RUN}),
    Question("POST", f"{V2}/runs/update", {"run_id": RUN, "status": "FAILED"}),
    Question("POST", f"{V2}/runs/set-tag", {"run_id": RUN, "key": "k", "value": "v"}),
    Question("POST", f"{V2}/runs/log-batch", {"run_id": RUN}),
    Question("GET", f"{V2}/metrics/get-history", {"run_id": RUN, "metric_key": "m"}),
    Question("GET", f"{V2}/artifacts/list", {"run_id": RUN}),
    Question("GET", "/get-artifact", {"run_id": RUN, "path": "x"}),
    Question("GET", f"{V2}/registered-models/get", {"name": "none"}),
    Question("PATCH", f"{V2}/registered-models/update", {"name": "none"}),
    Question("DELETE", f"{V2}/registered-models/delete", {"name": "none"}),
    Question("GET", f"{V2}/registered-models/alias", {"name": "none", "alias": "a"}),
    Question(
        "POST",
        f"{V2}/registered-models/set-tag",
        {"name": "none", "key": "k", "value": "v"},
    ),
    Question("GET", f"{V2}/model-versions/get", NAMED),
    Question("GET", f"{V2}/model-versions/get-download-uri", NAMED),
    Question("PATCH", f"{V2}/model-versions/update", {**NAMED, "description": "d"}),
    Question("DELETE", f"{V2}/model-versions/delete", NAMED),
    Question("GET", "/model-versions/get-artifact", {**NAMED, "path": "x"}),
    Question("GET", f"{V2}/logged-models/{MODEL}"),
    Question("DELETE", f"{V2}/logged-models/{MODEL}"),
    Question("POST", f"{V2}/logged-models", {"experiment_id": "987654"}),
    Question("GET", f"{V3}/traces/{TRACE}"),
    Question("GET", f"{V3}/traces/get", {"trace_id": TRACE}),
    Question("GET", f"{V3}/traces/batchGet", {"trace_ids": [TRACE]}),
    Question("PATCH", f"{V3}/traces/{TRACE}/tags", {"key": "k", "value": "v"}),
    Question("GET", f"{V3}/traces/{TRACE}/assessments/a-1"),
    Question(
        "POST",
        f"{V3}/traces/search",
        {
            "locations": [
                {
                    "type": "MLFLOW_EXPERIMENT",
                    "mlflow_experiment": {"experiment_id": "987654"},
                }
            ]
        },
    ),
    Question("GET", f"{V3}/datasets/d-1"),
    Question("DELETE", f"{V3}/datasets/d-1"),
    Question("GET", f"{V3}/datasets/d-1/records"),
    Question("POST", f"{V3}/datasets/create", {"name": "d"}),
    Question("GET", f"{V3}/scorers/get", {"experiment_id": "987654", "name": "s"}),
    Question("GET", f"{V3}/scorers/list", {"experiment_id": "987654"}),
    Question("GET", f"{V3}/issues/iss-1"),
    Question("GET", f"{V3}/label-schemas/get", {"schema_id": "s"}),
    Question("GET", f"{V3}/label-schemas/list", {"experiment_id": "987654"}),
    Question("GET", f"{V3}/review-queues/get", {"queue_id": "q"}),
    Question("POST", f"{V3}/review-queues/delete", {"queue_id": "q"}),
    Question("GET", f"{V3}/mcp-servers/a/b"),
    Question("GET", ARTIFACT),
    Question("DELETE", ARTIFACT),
]
ODD = [
    Question("GET", "/no/such/path"),
    Question("GET", f"{V2}/no-such-call"),
    Question("POST", f"{V2}/no-such-call", {"a": 1}),
    Question("GET", f"{V2}/runs/get/", {"run_id": RUN}),
    Question("GET", f"//api/2.0//mlflow/runs/get?run_id={RUN}"),
    Question("GET", "/api/4.0/mlflow/runs/get", {"run_id": RUN}),
    Question("POST", f"{V2}/runs/get", {"run_id": RUN}),
    Question("PUT", f"{V2}/runs/get", {"run_id": RUN}),
    Question("GET", f"{V2}/runs/create"),
    Question("DELETE", f"{V2}/experiments/search"),
    Question("GET", "/v1/traces"),
    Question("HEAD", f"{V2}/experiments/search?max_results=1"),
    Question("HEAD", f"{V2}/runs/get?run_id={RUN}"),
    Question("HEAD", f"{V2}/runs/create"),
    Question("HEAD", "/health"),
    Question("HEAD", "/version"),
    Question("HEAD", "/no/such/path"),
    Question("OPTIONS", f"{V2}/runs/get"),
    Question("OPTIONS", f"{V2}/experiments/search"),
    Question("OPTIONS", ARTIFACT),
    Question("OPTIONS", "/health"),
    Question("OPTIONS", "/v1/traces"),
    Question("OPTIONS", "/no/such/path"),
    Question("TRACE", f"{V2}/runs/get"),
    Question("GET", f"{V2}/experiments/get"),
    Question("POST", f"{V2}/runs/set-tag", {}),
    Question("GET", f"{V2}/experiments/search", {"max_results": "1"}),
    Question("POST", f"{V2}/experiments/search", {"max_results": 0}),
    Question("GET", f"{V2}/registered-models/search", {}),
    Question("GET", "/version"),
    Question("GET", "/static-files/no-such-file"),
    Question("GET", f"{V3}/server-info"),
    Question("GET", f"{V2}/unified-traces"),
]
DIFFERENT = {
    "An empty answer": {
        ("GET", f"{V2}/metrics/get-history"),
        ("GET", f"{V3}/traces/batchGet"),
        ("POST", f"{V3}/traces/search"),
        ("GET", f"{V3}/datasets/d-1/records"),
        ("DELETE", f"{V3}/datasets/d-1"),
        ("POST", f"{V3}/review-queues/delete"),
        ("DELETE", ARTIFACT),
        ("PATCH", f"{V3}/traces/{TRACE}/tags"),
    },
    "Wording": {
        ("GET", f"{V3}/traces/get"),
        ("GET", f"{V3}/traces/{TRACE}/assessments/a-1"),
        ("POST", f"{V2}/runs/set-tag"),
    },
    "Datasets": {("POST", f"{V3}/datasets/create")},
    "HEAD": {
        ("HEAD", f"{V2}/experiments/search?max_results=1"),
        ("HEAD", f"{V2}/runs/get?run_id={RUN}"),
    },
    "Listing": {
        ("GET", f"{V2}/experiments/search"),
    },
    "Not offered": {
        ("GET", f"{V2}/unified-traces"),
        ("POST", "/ajax-api/3.0/mlflow/scorer/invoke"),
    },
    "Locations": {("POST", f"{V2}/experiments/create")},
    "Users and roles": {("GET", f"{V2}/users/list")},
    "One object named twice": {("POST", f"{V2}/runs/update#twice")},
}
"""Differences by their names in `docs/tracking.md`, and requests that show them."""
SHOWING = [
    Question("POST", "/ajax-api/3.0/mlflow/scorer/invoke", {}),
    Question(
        "POST", f"{V2}/experiments/create", {"name": "l", "artifact_location": "/tmp/l"}
    ),
    Question("GET", f"{V2}/users/list"),
    Question("POST", f"{V2}/runs/update#twice", {"run_uuid": RUN, "runId": "1" * 32}),
]


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    with (
        mlflow_server(tmp_path_factory.mktemp("bare")) as url,
        httpx.Client(base_url=url) as http,
    ):
        yield http


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    with gated_mlflow(tmp_path_factory.mktemp("place")) as place:
        yield place.member("bob").http


def ask(http, question):
    method, path, said = question
    url = httpx.URL(str(http.base_url).rstrip("/") + path)
    if method in {"GET", "HEAD", "OPTIONS", "TRACE"}:
        return http.request(method, url, params=said or None)
    return http.request(method, url, json=said)


def essence(answer):
    """What a client sees, without what tells the two places apart."""
    root = str(answer.request.url.copy_with(raw_path=b"/")).rstrip("/")
    told = answer.text.replace(root, "").replace("/services/mlflow", "")
    if told and answer.headers.get("content-type", "").startswith("application/json"):
        told = {
            k: v
            for k, v in answer.json().items()
            if k in {"error_code", "message", "detail"}
        } or told
    location = answer.headers.get("location", "").replace("/services/mlflow", "")
    allow = answer.headers.get("allow", "")
    kind = answer.headers.get("content-type", "").partition(";")[0]
    return (
        answer.status_code,
        kind,
        location.removeprefix(root),
        set(allow.split(", ")),
        told,
    )


EVERY = [*NOT_THERE, *ODD, *SHOWING]
EXPECTED = {key: name for name, keys in DIFFERENT.items() for key in keys}


def differs(bare, ours, question):
    expected, found = essence(ask(bare, question)), essence(ask(ours, question))
    return None if expected == found else (question, expected, found)


def test_both_answer_alike_but_for_the_list(bare, ours):
    found = [each for q in EVERY if (each := differs(bare, ours, q))]
    unlisted = [each for each in found if each[0][:2] not in EXPECTED]
    assert unlisted == []
    seen = {each[0][:2] for each in found}
    assert EXPECTED.keys() - seen == set()


def test_the_docs_tell_each_difference():
    page = (REPOSITORY / "docs" / "tracking.md").read_text()
    _, _, table = page.partition("## Where it differs from a bare MLflow server")
    rows = {line.split("|")[1].strip() for line in table.splitlines() if "|" in line}
    assert rows >= {*DIFFERENT, "Names in use"}


def test_a_name_in_use_is_told_alike(bare, ours):
    answers = []
    for http in (bare, ours):
        for call in ("experiments/create", "registered-models/create"):
            http.post(f"{V2}/{call}", json={"name": "in use"}).raise_for_status()
            said = http.post(f"{V2}/{call}", json={"name": "in use"})
            answers.append((call, said.status_code, said.json()["error_code"]))
    assert answers[:2] == answers[2:]
    assert {status for _, status, _ in answers} == {400}


def test_what_is_done_with_ones_own_is_answered_alike(bare, ours):
    def answers(http):
        def call(method, path, **said):
            answer = ask(http, Question(method, path, said))
            answer.raise_for_status()
            yields.append((method, path.partition("m-")[0], answer.status_code))
            return answer.json()

        yields = []
        experiment = call("POST", f"{V2}/experiments/create", name="own")[
            "experiment_id"
        ]
        run = call("POST", f"{V2}/runs/create", experiment_id=experiment)["run"]["info"]
        for at in ("run_id", "run_uuid"):
            call("POST", f"{V2}/runs/update", **{at: run["run_id"]}, status="FINISHED")
        path = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
        address = f"/api/2.0/mlflow-artifacts/artifacts/{path}/x.txt"
        put = http.put(address, content=b"abc")
        head = http.head(address)
        yields.append(
            (put.status_code, head.status_code, head.headers["content-length"])
        )
        model = call("POST", f"{V2}/logged-models", experiment_id=experiment, name="m")
        model_id = model["model"]["info"]["model_id"]
        call("GET", f"{V2}/logged-models/{model_id}")
        call("POST", f"{V2}/registered-models/create", name="own")
        source = f"{run['artifact_uri']}/m"
        call(
            "POST",
            f"{V2}/model-versions/create",
            name="own",
            source=source,
            run_id=run["run_id"],
        )
        call("GET", f"{V2}/model-versions/get", name="own", version="1")
        dataset = call(
            "POST", f"{V3}/datasets/create", name="d", experiment_ids=[experiment]
        )["dataset"]["dataset_id"]
        records = '[{"inputs": {"a": 1}}]'
        call("POST", f"{V3}/datasets/{dataset}/records", records=records)
        yields[-1] = "records"
        call("POST", f"{V2}/experiments/delete", experiment_id=experiment)
        return yields

    assert answers(bare) == answers(ours)
