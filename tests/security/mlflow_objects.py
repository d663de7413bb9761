"""What is ana's in MLflow, asked for within requests about what is bo's own.

taken     an id of ana's in the place of one that bo may choose
passing   an object of ana's that a request about bo's own names in passing
location  a folder of ana's, of the machine or of a bucket
lists     roles and users, which name everybody's things
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from security.judge import Question
from security.routes import Route
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from security.judge import Somebody
    from security.victim import Victim
    from support.running import Person

V2, V3 = "/services/mlflow/api/2.0/mlflow", "/services/mlflow/api/3.0/mlflow"
REFUSED = frozenset({400, 403, 404})
DENIED = frozenset({403, 404})
TAKEN = frozenset({400})
LISTED = frozenset({200})
OUTSIDE = ("/tmp/x", "file:///etc", "s3://bucket/x", "hdfs://h/x", "http://127.0.0.1:9")


@dataclass(frozen=True)
class Own:
    """What bo has of his own, to put beside what is ana's."""

    experiment: str
    run: str
    trace: str
    model: str = "bo-model"

    @classmethod
    def made(cls, url: str, bo: Person) -> Own:
        """One of each, made by bo."""
        bearer = {"Authorization": f"Bearer {bo.token()}"}
        with httpx.Client(base_url=url, headers=bearer, timeout=PATIENCE_S) as http:

            def post(path: str, said: dict[str, object]) -> Any:
                return http.post(path, json=said).raise_for_status().json()

            made = post(f"{V2}/experiments/create", {"name": "bo's own"})
            experiment = str(made["experiment_id"])
            run = post(f"{V2}/runs/create", {"experiment_id": experiment})
            own = cls(
                experiment, run["run"]["info"]["run_id"], f"tr-{uuid.uuid4().hex}"
            )
            post(f"{V3}/traces", trace_in(experiment, own.trace))
            post(f"{V2}/registered-models/create", {"name": own.model})
            return own


def trace_in(experiment: str, trace_id: str, **info: object) -> dict[str, object]:
    """A request that starts a trace."""
    within = {
        "type": "MLFLOW_EXPERIMENT",
        "mlflow_experiment": {"experiment_id": experiment},
    }
    said = {
        "trace_id": trace_id,
        "trace_location": within,
        "request_time": "2026-01-01T00:00:00Z",
        "state": "OK",
        **info,
    }
    return {"trace": {"trace_info": said}}


def beside_ones_own(who: Somebody, place: str, victim: Victim) -> Iterator[Question]:
    """All questions that put what is ana's beside what is bo's."""
    own = victim.beside
    if place != "mlflow" or own is None:
        return
    asked = [
        *_taken(victim, own),
        *_passing(victim, own),
        *_located(victim, own),
        *_lists(victim),
    ]
    for method, path, said, expected in asked:
        headers = {}
        if path.endswith("/v1/traces"):
            headers = {"X-Mlflow-Experiment-Id": own.experiment}
        yield Question(
            who,
            "mlflow",
            Route(path, (method,), "object"),
            method,
            path,
            json.dumps(said) if said else "",
            expected=expected,
            headers=tuple(headers.items()),
        )


_Asked = tuple[str, str, dict[str, object], frozenset[int]]


def _taken(victim: Victim, own: Own) -> Iterator[_Asked]:
    it = victim.tracked
    yield "POST", f"{V3}/traces", trace_in(own.experiment, it["trace_id"]), TAKEN
    assessment = {
        "assessment_id": it["assessment_id"],
        "assessment_name": "good",
        "source": {"source_type": "HUMAN", "source_id": "bo"},
        "feedback": {"value": False},
        "create_time": "2026-01-01T00:00:00Z",
        "last_update_time": "2026-01-01T00:00:00Z",
    }
    stolen = trace_in(own.experiment, own.trace, assessments=[assessment])
    yield "POST", f"{V3}/traces", stolen, TAKEN
    path = f"{V3}/traces/{own.trace}/assessments"
    yield "POST", path, {"assessment": assessment}, TAKEN
    id_ = it["trace_id"].removeprefix("tr-")
    for each in (id_, "0000" + id_):
        span = {"traceId": each, "spanId": "12" * 8, "name": "bo was here"}
        said = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
        yield "POST", "/services/mlflow/v1/traces", said, TAKEN
    tag = {"key": "bo", "value": "was here"}
    for mine, theirs in (("run_uuid", "runId"), ("run_id", "runUuid")):
        both = {mine: own.run, theirs: it["run_id"]}
        yield "POST", f"{V2}/runs/set-tag", {**both, **tag}, TAKEN
        yield "POST", f"{V2}/runs/update", {**both, "status": "FAILED"}, TAKEN
    upload = f"/services/mlflow/ajax-api/2.0/mlflow/upload-artifact?run_id={own.run}"
    upload += f"&run_uuid={it['run_id']}&path=bo.txt"
    yield "POST", upload, {"bo": "was here"}, TAKEN


def _passing(victim: Victim, own: Own) -> Iterator[_Asked]:
    it = victim.tracked
    prompts = [{"name": it["name"], "version": "1"}]
    calls: list[tuple[str, dict[str, object]]] = [
        (
            f"{V2}/traces/link-prompts",
            {"trace_id": own.trace, "prompt_versions": prompts},
        ),
        (
            f"{V2}/traces/link-to-run",
            {"run_id": own.run, "trace_ids": [it["trace_id"]]},
        ),
        (
            f"{V2}/traces/link-to-run",
            {"run_id": it["run_id"], "trace_ids": [own.trace]},
        ),
        (
            f"{V3}/issues",
            {
                "experiment_id": own.experiment,
                "name": "i",
                "description": "d",
                "source_run_id": it["run_id"],
            },
        ),
        (
            f"{V2}/logged-models",
            {"experiment_id": own.experiment, "source_run_id": it["run_id"]},
        ),
        (
            f"{V2}/runs/log-batch",
            {
                "run_id": own.run,
                "metrics": [
                    {"key": "m", "value": 1, "timestamp": 1, "modelId": it["model_id"]}
                ],
            },
        ),
        (
            f"{V3}/datasets/create",
            {"name": "d", "experiment_ids": [own.experiment, it["experiment_id"]]},
        ),
    ]
    for path, said in calls:
        yield "POST", path, said, DENIED


def _located(victim: Victim, own: Own) -> Iterator[_Asked]:
    hers = f"mlflow-artifacts:/{victim.tracked['experiment_id']}/x"
    up = f"mlflow-artifacts:/{own.experiment}/../{victim.tracked['experiment_id']}/x"
    for place in (*OUTSIDE, hers, up):
        name = uuid.uuid4().hex
        made: dict[str, object] = {"name": name, "artifact_location": place}
        yield "POST", f"{V2}/experiments/create", made, REFUSED
        version: dict[str, object] = {"name": own.model, "source": place}
        yield "POST", f"{V2}/model-versions/create", version, REFUSED
        tag: dict[str, object] = {"key": "mlflow.artifactLocation", "value": place}
        yield "PATCH", f"{V3}/traces/{own.trace}/tags", tag, REFUSED
        fresh = trace_in(
            own.experiment,
            f"tr-{uuid.uuid4().hex}",
            tags={"mlflow.artifactLocation": place},
        )
        yield "POST", f"{V3}/traces", fresh, REFUSED


def _lists(victim: Victim) -> Iterator[_Asked]:
    ana = victim.person.name
    for door in (V2, V2.replace("/api/", "/ajax-api/")):
        yield "GET", f"{door}/users/list", {}, frozenset({403})
    for door in (V3, V3.replace("/api/", "/ajax-api/")):
        yield "GET", f"{door}/roles/list?workspace=default", {}, LISTED
        for call in ("users/roles/list", "users/permissions/list"):
            yield "GET", f"{door}/{call}?username={ana}", {}, DENIED
        for call in ("roles/get", "roles/permissions/list", "roles/users/list"):
            role = victim.tracked["role_id"]
            yield "GET", f"{door}/{call}?role_id={role}", {}, DENIED
