"""Routes: what each route of the installed MLflow is for, and what it names.

route    a method and a path, as "GET 2.0/mlflow/runs/get"; `/api/` and `/ajax-api/`
         are the same route
audience `shut`   nobody: Hubyard does not offer it
         `admin`  administrators only
         `own`    anybody, about themselves or what they may see
         `page`   anybody, and it tells nothing of anybody
         `named`  whoever may see the objects that the request names
claim    `run=run_id|run_uuid`   the request names a run, by any of these fields; a `*`
                                 after the kind allows several
         `read:run=...`          MLflow itself does not look whose that is: we do
         `edit:run=...`          the same, and it will be changed
         `new:trace=...`         the client chooses the id: free, or its own
         `at:field`              a location to which MLflow writes
         `source:field`          a location from which MLflow reads
         `tags:field`            tags, of which MLflow reads some as locations

A field is looked for in the path, the query and the JSON body, also in protobuf's
camelCase. What the table does not know is shut; `tests/unit` holds it against the
installed version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

SHUT, ADMIN, OWN, PAGE, NAMED = "shut", "admin", "own", "page", "named"
_AUDIENCES = {SHUT, ADMIN, OWN, PAGE, NAMED}
_DUTIES = {"", "read", "edit", "new", "at", "source", "tags"}

_TABLE = """
GET -                                         page
GET health                                    page
GET version                                   page
GET static-files/<path>                       page
GET build/<filename>                          shut
GET signup                                    shut
GET 3.0/mlflow/server-info                    page
GET 3.0/mlflow/ui-telemetry                   page
POST 3.0/mlflow/ui-telemetry                  page
GET graphql                                   own
POST graphql                                  own

POST 2.0/mlflow/experiments/create            own at:artifact_location
GET 2.0/mlflow/experiments/search             own
POST 2.0/mlflow/experiments/search            own
GET 2.0/mlflow/experiments/get                named experiment=experiment_id
GET 2.0/mlflow/experiments/get-by-name        named experiment-name=experiment_name
POST 2.0/mlflow/experiments/delete            named experiment=experiment_id
POST 2.0/mlflow/experiments/restore           named experiment=experiment_id
POST 2.0/mlflow/experiments/update            named experiment=experiment_id
POST 2.0/mlflow/experiments/set-experiment-tag named experiment=experiment_id
POST 2.0/mlflow/experiments/delete-experiment-tag named experiment=experiment_id
POST 2.0/mlflow/experiments/search-datasets   named experiment*=experiment_ids
POST 2.0mlflow/experiments/search-datasets    shut

POST 2.0/mlflow/runs/create                   named experiment=experiment_id
POST 2.0/mlflow/runs/search                   own
POST 2.0/mlflow/runs/create-promptlab-run     shut
GET 2.0/mlflow/runs/get                       named run=run_id|run_uuid
POST 2.0/mlflow/runs/update                   named run=run_id|run_uuid
POST 2.0/mlflow/runs/delete                   named run=run_id|run_uuid
POST 2.0/mlflow/runs/restore                  named run=run_id|run_uuid
POST 2.0/mlflow/runs/set-tag                  named run=run_id|run_uuid
POST 2.0/mlflow/runs/delete-tag               named run=run_id|run_uuid
POST 2.0/mlflow/runs/log-parameter            named run=run_id|run_uuid
POST 2.0/mlflow/runs/log-metric               named run=run_id|run_uuid
      logged-model=model_id
POST 2.0/mlflow/runs/log-batch                named run=run_id|run_uuid|metrics.run_id
      logged-model*=metrics.model_id
POST 2.0/mlflow/runs/log-inputs               named run=run_id|run_uuid
      logged-model*=models.model_id
POST 2.0/mlflow/runs/outputs                  named run=run_id|run_uuid
      logged-model*=models.model_id
POST 2.0/mlflow/runs/log-model                named run=run_id|run_uuid
GET 2.0/mlflow/metrics/get-history            named run=run_id|run_uuid
GET 2.0/mlflow/metrics/get-history-bulk       named run*=run_id
GET 2.0/mlflow/metrics/get-history-bulk-interval named run*=run_ids

GET get-artifact                              named run=run_id|run_uuid
POST 2.0/mlflow/upload-artifact               named run=run_id|run_uuid
GET 2.0/mlflow/artifacts/list                 named run=run_id|run_uuid
POST 2.0/mlflow/artifacts/presigned-download-url named run=run_id|run_uuid
POST 2.0/mlflow/artifacts/presigned-upload-url named run=run_id logged-model=model_id
GET 2.0/mlflow-artifacts/artifacts            named artifact=path
GET 2.0/mlflow-artifacts/artifacts/<artifact_path> named artifact=artifact_path
PUT 2.0/mlflow-artifacts/artifacts/<artifact_path> named artifact=artifact_path
DELETE 2.0/mlflow-artifacts/artifacts/<artifact_path> named artifact=artifact_path
GET 2.0/mlflow-artifacts/presigned/<artifact_path> named artifact=artifact_path
POST 2.0/mlflow-artifacts/mpu/create/<artifact_path> named artifact=artifact_path
POST 2.0/mlflow-artifacts/mpu/complete/<artifact_path> named artifact=artifact_path
POST 2.0/mlflow-artifacts/mpu/abort/<artifact_path> named artifact=artifact_path

POST 2.0/mlflow/logged-models                 named experiment=experiment_id
      run=source_run_id
POST 2.0/mlflow/logged-models/search          own
GET 2.0/mlflow/logged-models/<model_id>       named logged-model=model_id
PATCH 2.0/mlflow/logged-models/<model_id>     named logged-model=model_id
DELETE 2.0/mlflow/logged-models/<model_id>    named logged-model=model_id
GET 2.0/mlflow/logged-models/<model_id>/artifacts/directories named
      logged-model=model_id
GET 2.0/mlflow/logged-models/<model_id>/artifacts/files named logged-model=model_id
POST 2.0/mlflow/logged-models/<model_id>/params named logged-model=model_id
PATCH 2.0/mlflow/logged-models/<model_id>/tags named logged-model=model_id
DELETE 2.0/mlflow/logged-models/<model_id>/tags/<tag_key> named logged-model=model_id

POST 2.0/mlflow/registered-models/create      own
GET 2.0/mlflow/registered-models/search       own
GET 2.0/mlflow/registered-models/get          named model=name
PATCH 2.0/mlflow/registered-models/update     named model=name
DELETE 2.0/mlflow/registered-models/delete    named model=name
POST 2.0/mlflow/registered-models/rename      named model=name
POST 2.0/mlflow/registered-models/set-tag     named model=name
DELETE 2.0/mlflow/registered-models/delete-tag named model=name
GET 2.0/mlflow/registered-models/get-latest-versions named model=name
POST 2.0/mlflow/registered-models/get-latest-versions named model=name
GET 2.0/mlflow/registered-models/alias        named model=name
POST 2.0/mlflow/registered-models/alias       named model=name
DELETE 2.0/mlflow/registered-models/alias     named model=name
POST 2.0/mlflow/model-versions/create         named model=name run=run_id
      logged-model=model_id source:source
GET 2.0/mlflow/model-versions/search          own
GET 2.0/mlflow/model-versions/get             named version=name,version
GET 2.0/mlflow/model-versions/get-download-uri named version=name,version
GET model-versions/get-artifact               named version=name,version
PATCH 2.0/mlflow/model-versions/update        named version=name,version
DELETE 2.0/mlflow/model-versions/delete       named version=name,version
POST 2.0/mlflow/model-versions/set-tag        named version=name,version
DELETE 2.0/mlflow/model-versions/delete-tag   named version=name,version
POST 2.0/mlflow/model-versions/transition-stage named version=name,version

POST v1/traces                                named
POST 3.0/mlflow/traces                        named
      experiment=trace.trace_info.trace_location.mlflow_experiment.experiment_id
      new:trace=trace.trace_info.trace_id
      new:assessment*=trace.trace_info.assessments.assessment_id
      tags:trace.trace_info.tags
POST 2.0/mlflow/traces                        named experiment=experiment_id tags:tags
GET 2.0/mlflow/traces                         named experiment*=experiment_ids
PATCH 2.0/mlflow/traces/<request_id>          named trace=request_id tags:tags
GET 2.0/mlflow/traces/<request_id>/info       named trace=request_id
PATCH 2.0/mlflow/traces/<request_id>/tags     named trace=request_id tags:-
DELETE 2.0/mlflow/traces/<request_id>/tags    named trace=request_id
POST 2.0/mlflow/traces/delete-traces          named experiment=experiment_id
POST 2.0/mlflow/traces/link-prompts           named trace=trace_id
      read:model*=prompt_versions.name
POST 2.0/mlflow/traces/link-to-run            named run=run_id trace*=trace_ids
GET 3.0/mlflow/traces/<trace_id>              named trace=trace_id
PATCH 3.0/mlflow/traces/<trace_id>/tags       named trace=trace_id tags:-
DELETE 3.0/mlflow/traces/<trace_id>/tags      named trace=trace_id
GET 3.0/mlflow/traces/get                     named trace=trace_id
GET 3.0/mlflow/traces/batchGet                named trace*=trace_ids
POST 3.0/mlflow/traces/batchGetInfos          named trace*=trace_ids
POST 3.0/mlflow/traces/delete-traces          named experiment=experiment_id
POST 3.0/mlflow/traces/search                 named
      experiment*=locations.mlflow_experiment.experiment_id
POST 3.0/mlflow/traces/metrics                named experiment*=experiment_ids
POST 3.0/mlflow/traces/calculate-filter-correlation named experiment*=experiment_ids
GET 2.0/mlflow/get-trace-artifact             named trace=request_id
GET 3.0/mlflow/get-trace-artifact             named trace=request_id
GET 2.0/mlflow/get-online-trace-details       shut
GET 2.0/mlflow/unified-traces                 shut
POST 3.0/mlflow/traces/<trace_id>/assessments named trace=trace_id
      new:assessment=assessment.assessment_id
GET 3.0/mlflow/traces/<trace_id>/assessments/<assessment_id> named trace=trace_id
PATCH 3.0/mlflow/traces/<trace_id>/assessments/<assessment_id> named trace=trace_id
DELETE 3.0/mlflow/traces/<trace_id>/assessments/<assessment_id> named trace=trace_id

POST 3.0/mlflow/datasets/create               named experiment*=experiment_ids
GET 3.0/mlflow/datasets/search                named experiment*=experiment_ids
POST 3.0/mlflow/datasets/search               named experiment*=experiment_ids
GET 3.0/mlflow/datasets/<dataset_id>          named dataset=dataset_id
DELETE 3.0/mlflow/datasets/<dataset_id>       named dataset=dataset_id
POST 3.0/mlflow/datasets/<dataset_id>/add-experiments named dataset=dataset_id
      experiment*=experiment_ids
POST 3.0/mlflow/datasets/<dataset_id>/remove-experiments named dataset=dataset_id
      experiment*=experiment_ids
GET 3.0/mlflow/datasets/<dataset_id>/experiment-ids named dataset=dataset_id
GET 3.0/mlflow/datasets/<dataset_id>/records  named dataset=dataset_id
POST 3.0/mlflow/datasets/<dataset_id>/records named dataset=dataset_id
DELETE 3.0/mlflow/datasets/<dataset_id>/records named dataset=dataset_id
PATCH 3.0/mlflow/datasets/<dataset_id>/tags   named dataset=dataset_id
DELETE 3.0/mlflow/datasets/<dataset_id>/tags/<key> named dataset=dataset_id

POST 3.0/mlflow/scorers/register              named experiment=experiment_id
GET 3.0/mlflow/scorers/list                   named experiment=experiment_id
      experiment*=experiment_ids
GET 3.0/mlflow/scorers/get                    named experiment=experiment_id
GET 3.0/mlflow/scorers/versions               named experiment=experiment_id
DELETE 3.0/mlflow/scorers/delete              named experiment=experiment_id
PUT 3.0/mlflow/scorers/online-config          shut
GET 3.0/mlflow/scorers/online-configs         shut
POST 3.0/mlflow/scorer/invoke                 shut
POST 3.0/mlflow/genai/evaluate/invoke         shut

POST 3.0/mlflow/issues                        named experiment=experiment_id
      read:run=source_run_id
POST 3.0/mlflow/issues/search                 named experiment=experiment_id
GET 3.0/mlflow/issues/<issue_id>              named issue=issue_id
PATCH 3.0/mlflow/issues/<issue_id>            named issue=issue_id
POST 3.0/mlflow/issues/invoke                 shut

POST 3.0/mlflow/label-schemas/create          named experiment=experiment_id
GET 3.0/mlflow/label-schemas/list             named experiment=experiment_id
GET 3.0/mlflow/label-schemas/get-by-name      named schema-name=experiment_id,name
GET 3.0/mlflow/label-schemas/get              named schema=schema_id
PATCH 3.0/mlflow/label-schemas/update         named schema=schema_id
DELETE 3.0/mlflow/label-schemas/delete        named schema=schema_id
POST 3.0/mlflow/review-queues/create          named experiment=experiment_id
GET 3.0/mlflow/review-queues/list             named experiment=experiment_id
POST 3.0/mlflow/review-queues/get-or-create-user named experiment=experiment_id
GET 3.0/mlflow/review-queues/get-by-name      named queue-name=experiment_id,name
GET 3.0/mlflow/review-queues/get              named queue=queue_id
POST 3.0/mlflow/review-queues/update          named queue=queue_id
POST 3.0/mlflow/review-queues/delete          named queue=queue_id
POST 3.0/mlflow/review-queues/items/add       named queue=queue_id read:trace*=item_ids
GET 3.0/mlflow/review-queues/items/list       named queue=queue_id
POST 3.0/mlflow/review-queues/items/remove    named queue=queue_id
POST 3.0/mlflow/review-queues/items/set-status named queue=queue_id

GET 3.0/mlflow/mcp-servers                    own
POST 3.0/mlflow/mcp-servers                   own
GET 3.0/mlflow/mcp-servers/endpoints          own
GET 3.0/mlflow/mcp-servers/<name>             named mcp=name
PATCH 3.0/mlflow/mcp-servers/<name>           named mcp=name
DELETE 3.0/mlflow/mcp-servers/<name>          named mcp=name
GET 3.0/mlflow/mcp-servers/<name>/versions    named mcp=name
POST 3.0/mlflow/mcp-servers/<name>/versions   named mcp=name
GET 3.0/mlflow/mcp-servers/<name>/versions/<version> named mcp=name
PATCH 3.0/mlflow/mcp-servers/<name>/versions/<version> named mcp=name
DELETE 3.0/mlflow/mcp-servers/<name>/versions/<version> named mcp=name
POST 3.0/mlflow/mcp-servers/<name>/versions/<version>/tags named mcp=name
DELETE 3.0/mlflow/mcp-servers/<name>/versions/<version>/tags/<key> named mcp=name
POST 3.0/mlflow/mcp-servers/<name>/tags       named mcp=name
DELETE 3.0/mlflow/mcp-servers/<name>/tags/<key> named mcp=name
POST 3.0/mlflow/mcp-servers/<name>/aliases    named mcp=name
GET 3.0/mlflow/mcp-servers/<name>/aliases/<alias> named mcp=name
DELETE 3.0/mlflow/mcp-servers/<name>/aliases/<alias> named mcp=name
GET 3.0/mlflow/mcp-servers/<name>/endpoints   named mcp=name
POST 3.0/mlflow/mcp-servers/<name>/endpoints  named mcp=name
GET 3.0/mlflow/mcp-servers/<name>/endpoints/<endpoint_id> named mcp=name
PATCH 3.0/mlflow/mcp-servers/<name>/endpoints/<endpoint_id> named mcp=name
DELETE 3.0/mlflow/mcp-servers/<name>/endpoints/<endpoint_id> named mcp=name

GET 2.0/mlflow/webhooks                       admin
POST 2.0/mlflow/webhooks                      admin
GET 2.0/mlflow/webhooks/<webhook_id>          admin
PATCH 2.0/mlflow/webhooks/<webhook_id>        admin
DELETE 2.0/mlflow/webhooks/<webhook_id>       admin
POST 2.0/mlflow/webhooks/<webhook_id>/test    admin

GET 2.0/mlflow/users/current                  own
GET 3.0/mlflow/users/current/permissions      own
GET 2.0/mlflow/users/get                      own
GET 3.0/mlflow/users/roles/list               own
GET 3.0/mlflow/users/permissions/list         own
GET 3.0/mlflow/users/permissions/get          own
POST 3.0/mlflow/users/permissions/grant       own
POST 3.0/mlflow/users/permissions/revoke      own
GET 2.0/mlflow/users/list                     admin
POST 2.0/mlflow/users/create                  shut
POST 2.0/mlflow/users/create-ui               shut
DELETE 2.0/mlflow/users/delete                shut
PATCH 2.0/mlflow/users/update-admin           shut
PATCH 2.0/mlflow/users/update-password        shut
GET 3.0/mlflow/roles/list                     own
GET 3.0/mlflow/roles/get                      named read:role=role_id
GET 3.0/mlflow/roles/permissions/list         named read:role=role_id
GET 3.0/mlflow/roles/users/list               admin
POST 3.0/mlflow/roles/create                  admin
PATCH 3.0/mlflow/roles/update                 admin
DELETE 3.0/mlflow/roles/delete                admin
POST 3.0/mlflow/roles/assign                  admin
DELETE 3.0/mlflow/roles/unassign              admin
POST 3.0/mlflow/roles/permissions/add         admin
PATCH 3.0/mlflow/roles/permissions/update     admin
DELETE 3.0/mlflow/roles/permissions/remove    admin

GET 3.0/mlflow/workspaces                     own
GET 3.0/mlflow/workspaces/<workspace_name>    own
POST 3.0/mlflow/workspaces                    shut
PATCH 3.0/mlflow/workspaces/<workspace_name>  shut
DELETE 3.0/mlflow/workspaces/<workspace_name> shut
"""
_NOT_OFFERED = re.compile(
    r"gateway/|\d\.\d/(jobs/|mlflow/"
    r"(assistant|demo|gateway|gateway-proxy|jobs|prompt-optimization)(/|$))"
)
"""What Hubyard does not offer, whatever is below it: a gateway to paid models, jobs on
this machine, an assistant with a shell, and made-up data in everybody's experiment."""
_DOORS = re.compile(r"^/?(?:(?:ajax-)?api/)?")
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}|<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Claim:
    """Fields of a request that name an object or a location."""

    duty: str
    kind: str
    fields: tuple[tuple[str, ...], ...]
    """Each part of an id, and the fields that may hold it."""
    several: bool = False


@dataclass(frozen=True)
class Route:
    """Who may ask, and what the request names."""

    name: str
    audience: str = SHUT
    claims: tuple[Claim, ...] = ()

    @property
    def reads_body(self) -> bool:
        """Whether what it names may stand in its body."""
        method, _, path = self.name.partition(" ")
        streams = path.startswith("2.0/mlflow-artifacts/") or "upload-artifact" in path
        return method != "GET" and bool(self.claims) and not streams

    def of(self, *duties: str) -> tuple[Claim, ...]:
        """The claims with one of these duties."""
        return tuple(claim for claim in self.claims if claim.duty in duties)


def name_of(method: str, template: str) -> str:
    """The name of a route of MLflow's, from a template of Flask's or Starlette's."""
    path = _PARAMETER.sub(r"<\1\2>", _DOORS.sub("", template))
    return f"{method} {path or '-'}"


def find(name: str) -> Route:
    """The route of that name; what the table does not know is shut."""
    return table().get(name) or Route(name)


def is_known(name: str) -> bool:
    """Whether somebody has decided what this route is."""
    return name in table() or bool(_NOT_OFFERED.match(name.partition(" ")[2]))


@cache
def table() -> dict[str, Route]:
    """All routes that are known one by one.

    Raises:
        ValueError: a line does not follow the words above.
    """
    unfolded = _TABLE.replace("\n      ", " ")
    parsed = [_parsed(line) for line in unfolded.splitlines() if line]
    return {route.name: route for route in parsed}


def _parsed(line: str) -> Route:
    method, path, audience, *claims = line.split()
    if audience not in _AUDIENCES:
        raise ValueError(line)
    return Route(f"{method} {path}", audience, tuple(_claim(text) for text in claims))


def _claim(text: str) -> Claim:
    duty, _, rest = text.rpartition(":")
    kind, _, fields = rest.rpartition("=")
    if duty not in _DUTIES or (not kind) != (duty in {"at", "source", "tags"}):
        raise ValueError(text)
    parts = tuple(tuple(part.split("|")) for part in fields.split(","))
    return Claim(duty, kind.rstrip("*"), parts, kind.endswith("*"))
