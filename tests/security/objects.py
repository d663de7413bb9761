"""The objects: what is ana's, asked for by its id, as its owner would ask."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from security.judge import Question, Somebody
from security.routes import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from security.victim import Victim

DENIED = frozenset({403, 404})
MISSING = frozenset({404})
LISTED = frozenset({200})


def objects(who: Somebody, place: str, victim: Victim) -> Iterator[Question]:
    """Questions whose only right answers are known."""
    asked = {"mlflow": _of_mlflow, "platform": _of_the_platform}.get(place)
    for method, path, fields, expected in asked(victim) if asked else ():
        in_path = method in {"GET", "DELETE"} and "/mlflow/" not in path
        in_path = in_path or method == "GET"
        query = f"?{urlencode(fields, doseq=True)}" if fields and in_path else ""
        yield Question(
            who,
            place,
            Route(path, (method,), "object"),
            method,
            path + query,
            json.dumps(fields) if fields and not in_path else "",
            expected=expected,
        )


_Asked = tuple[str, str, dict[str, object], frozenset[int]]


_GRAPHQL = (
    'mlflowGetRun(input: {runId: "RUN"}) { run { data { TAGS } } }',
    'mlflowGetExperiment(input: {experimentId: "EXP"}) { experiment { TAGS } }',
    'mlflowSearchRuns(input: {experimentIds: ["EXP"]}) { runs { data { TAGS } } }',
    "mlflowSearchModelVersions(input: {}) { modelVersions { TAGS } }",
    'mlflowListArtifacts(input: {runId: "RUN"}) { files { path } }',
)


def _of_mlflow(victim: Victim) -> Iterator[_Asked]:
    it = victim.tracked
    run, name = {"run_id": it["run_id"]}, {"name": it["name"]}
    experiment = {"experiment_id": it["experiment_id"]}
    version = {**name, "version": it["version"]}
    among = {"experiment_ids": [it["experiment_id"]]}
    calls: list[tuple[str, str, dict[str, object], frozenset[int]]] = [
        ("GET", "experiments/get", experiment, DENIED),
        ("POST", "experiments/update", {**experiment, "new_name": "b"}, DENIED),
        ("POST", "experiments/delete", experiment, DENIED),
        ("POST", "experiments/search", {"max_results": 1000}, LISTED),
        ("GET", "runs/get", run, DENIED),
        ("POST", "runs/create", experiment, DENIED),
        ("POST", "runs/search", among, LISTED | DENIED),
        (
            "POST",
            "runs/log-metric",
            {**run, "key": "m", "value": 1, "timestamp": 1},
            DENIED,
        ),
        ("POST", "runs/set-tag", {**run, "key": "m", "value": "1"}, DENIED),
        ("POST", "runs/delete", run, DENIED),
        ("GET", "metrics/get-history", {**run, "metric_key": "m"}, DENIED),
        ("GET", "artifacts/list", run, DENIED),
        ("GET", "registered-models/search", {}, LISTED),
        ("GET", "registered-models/get", name, DENIED),
        ("DELETE", "registered-models/delete", name, DENIED),
        ("GET", "model-versions/search", {}, LISTED),
        ("GET", "model-versions/get", version, DENIED),
        ("GET", "model-versions/get-download-uri", version, DENIED),
        ("PATCH", "model-versions/update", {**version, "description": "b"}, DENIED),
        ("DELETE", "model-versions/delete", version, DENIED),
        (
            "POST",
            "registered-models/alias",
            {**version, "alias": "champion"},
            DENIED,
        ),
        ("POST", "logged-models/search", among, LISTED | DENIED),
        ("GET", f"logged-models/{it['model_id']}", {}, DENIED),
        ("DELETE", f"logged-models/{it['model_id']}", {}, DENIED),
    ]
    for method, call, fields, expected in calls:
        for door in ("api", "ajax-api"):
            path = f"/services/mlflow/{door}/2.0/mlflow/{call}"
            yield method, path, fields, expected
    yield from _artifacts(victim)
    yield from _traces(victim)
    words = {"RUN": it["run_id"], "EXP": it["experiment_id"]}
    words["TAGS"] = "tags { key value }"
    for asked in _GRAPHQL:
        query = re.sub("[A-Z]{2,}", lambda found: words[found[0]], asked)
        fields = {"query": f"query {{ {query} }}"}
        yield "POST", "/services/mlflow/graphql", fields, LISTED | DENIED


def _traces(victim: Victim) -> Iterator[_Asked]:
    it = victim.tracked
    among = {"trace_ids": [it["trace_id"]]}
    in_hers = {"mlflow_experiment": {"experiment_id": it["experiment_id"]}}
    where = {"locations": [{"type": "MLFLOW_EXPERIMENT", **in_hers}]}
    tag = {"key": "bo", "value": "was here"}
    by_name = {"experiment_name": it["experiment_name"]}
    for door in ("api", "ajax-api"):
        base = f"/services/mlflow/{door}/3.0/mlflow/traces"
        one = f"{base}/{it['trace_id']}"
        yield "GET", one, {}, MISSING
        yield "PATCH", f"{one}/tags", tag, MISSING
        yield "DELETE", f"{one}/tags", {"key": "bo"}, MISSING
        yield "GET", f"{one}/assessments/{it['assessment_id']}", {}, MISSING
        yield "DELETE", f"{one}/assessments/{it['assessment_id']}", {}, MISSING
        yield "POST", f"{base}/search", where, MISSING
        yield "POST", f"{base}/batchGetInfos", among, MISSING
        gone = {"experiment_id": it["experiment_id"], "request_ids": [it["trace_id"]]}
        yield "POST", f"{base}/delete-traces", gone, MISSING
        old = f"/services/mlflow/{door}/2.0/mlflow"
        yield "GET", f"{old}/traces/{it['trace_id']}/info", {}, MISSING
        yield "GET", f"{old}/experiments/get-by-name", by_name, MISSING


def _artifacts(victim: Victim) -> Iterator[_Asked]:
    it, base = victim.tracked, "/services/mlflow"
    path = victim.ids["artifacts"]
    for method in ("GET", "PUT", "DELETE"):
        for door in ("api", "ajax-api"):
            kept = f"{base}/{door}/2.0/mlflow-artifacts/artifacts/{path}"
            yield method, kept, {}, DENIED
    of_run = {"run_uuid": it["run_id"], "path": it["path"]}
    of_version = {"name": it["name"], "version": it["version"], "path": "MLmodel"}
    yield "GET", f"{base}/get-artifact", of_run, DENIED
    yield "GET", f"{base}/model-versions/get-artifact", of_version, DENIED


def _of_the_platform(victim: Victim) -> Iterator[_Asked]:
    """What is ana's, named within a question of bo's own."""
    base = "/services/hubyard/api"
    source, path = victim.source["source"], victim.source["notebook"]
    schedule = {**victim.source, "cron": "0 0 1 1 *"}
    yield "POST", f"{base}/runs", {**victim.source}, MISSING
    yield "POST", f"{base}/runs/preview", {**victim.source}, MISSING
    yield "GET", f"{base}/sources/{source}/diff/{source}", {}, MISSING
    yield "POST", f"{base}/schedules", {**schedule}, MISSING
    yield "POST", f"{base}/schedules/preview", {**schedule}, MISSING
    moved = {"model": victim.tracked["name"], "alias": "champion"}
    yield "POST", f"{base}/schedules/preview", {"on": moved}, MISSING
    yield "POST", f"{base}/apps", {"source": source, "path": path}, MISSING
    model = {"model": victim.tracked["name"], "version": "1"}
    yield "POST", f"{base}/deployments", model, MISSING
    tracked = {"run_id": victim.tracked["run_id"], "name": "stolen"}
    yield "POST", f"{base}/models", tracked, MISSING
    seen = {"ids": [victim.ids["notices"]]}
    yield "POST", f"{base}/notices/seen", seen, LISTED
    of_schedule = {"schedule": victim.ids["schedules"]}
    yield "GET", f"{base}/runs", of_schedule, LISTED | MISSING
    of_experiment = {"experiment": victim.tracked["experiment_id"]}
    yield "GET", f"{base}/tracked-runs", of_experiment, LISTED | DENIED
