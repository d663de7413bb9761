"""OpenAPI: the description of an endpoint, typed by its model's signature."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import Problem

if TYPE_CHECKING:
    from hubyard.contract.deployment import DeploymentJob
    from hubyard_runtime.endpoint.model import Model
    from hubyard_runtime.endpoint.protocol.values import Json

_PROBLEMS = {
    400: "The body is not JSON",
    413: "The body is too large",
    415: "The body is not said to be JSON",
    422: "The model does not take this input; `field` says where",
    500: "The model failed",
    503: "Too many requests wait",
}


def example(model: Model) -> dict[str, Any]:
    """A body that the endpoint accepts: the model's own, of one row, if it has one."""
    if model.example is None:
        return model.signature.sample()
    body: dict[str, Any] = json.loads(model.example)
    return {name: _first_row(name, said) for name, said in body.items()}


def _first_row(name: str, said: Json) -> Json:
    match name, said:
        case "dataframe_split", {"data": list(data), "columns": columns}:
            return {"columns": columns, "data": data[:1]}
        case "dataframe_records" | "instances" | "inputs", list():
            return said[:1]
        case _:
            return said


def document(model: Model, job: DeploymentJob, prefix: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of an endpoint that lies at a prefix."""
    revision = job.revision
    return {
        "openapi": "3.1.0",
        "info": {
            "title": job.name,
            "version": str(revision.number),
            "description": f"Serves version {revision.version} of {revision.model}.",
        },
        "servers": [{"url": f"{prefix}/"}],
        "security": [{"token": []}],
        "paths": {
            "/invocations": {"post": _invocations(model)},
            "/health": {"get": _get("Whether the endpoint answers")},
            "/info": {"get": _get("What is served, and the traffic so far")},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": Problem.model_json_schema()},
        },
    }


def _invocations(model: Model) -> dict[str, Any]:
    return {
        "operationId": "invocations",
        "summary": "Predict",
        "description": "Null in an answer says that there is no value (NaN). "
        'An infinite number is the text "Infinity" or "-Infinity".',
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"oneOf": _bodies(model)},
                    "example": example(model),
                }
            },
        },
        "responses": {
            "200": _json(
                {"type": "object", "required": ["predictions"]}, "Predictions"
            ),
            **{
                str(status): _json({"$ref": "#/components/schemas/Problem"}, words)
                for status, words in _PROBLEMS.items()
            },
        },
    }


def _bodies(model: Model) -> list[dict[str, Any]]:
    params = model.signature.params
    beside = {"params": params.schema()} if params.params else {}
    return [
        {
            "type": "object",
            "properties": {name: schema, **beside},
            "required": [name],
            "additionalProperties": False,
        }
        for name, schema in model.signature.formats().items()
    ]


def _get(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _json({"type": "object"}, "Yes")}}


def _json(schema: dict[str, Any], words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema}}}
