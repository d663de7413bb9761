"""Answers of our own, as MLflow's clients know them: JSON with a code and a message.

What is not there and what is another's are the same answer: MLflow's own "not there".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from hubyard_hub.mlflow.asked import Thing

_STATUS = {
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "PERMISSION_DENIED": 403,
    "REQUEST_LIMIT_EXCEEDED": 413,
    "TEMPORARILY_UNAVAILABLE": 503,
}
_MISSING = {
    "artifact": "No such artifact: '{0}'",
    "assessment": "Assessment with ID '{0}' not found",
    "dataset": "Evaluation dataset with id '{0}' not found",
    "experiment": "No Experiment with id={0} exists",
    "experiment-name": "Could not find experiment with name '{0}'",
    "folder": "No Experiment with id={0} exists",
    "issue": "Issue with ID '{0}' not found",
    "logged-model": "Logged model with ID '{0}' not found.",
    "mcp": "MCP server '{0}' not found",
    "model": "Registered Model with name={0} not found",
    "queue": "Review queue with id '{0}' not found.",
    "queue-name": "Review queue with name '{1}' not found for experiment '{0}'.",
    "role": "Role with id={0} not found",
    "run": "Run with id={0} not found",
    "schema": "Label schema with id '{0}' not found.",
    "schema-name": "Label schema with name '{1}' not found for experiment '{0}'.",
    "trace": "Trace with ID '{0}' not found.",
    "version": "Model Version (name={0}, version={1}) not found",
}
"""MLflow's own words, for each kind of object."""
NOT_OFFERED = "Hubyard does not offer this part of MLflow."


def error(code: str, message: str) -> JSONResponse:
    """An error as MLflow answers it."""
    said = {"error_code": code, "message": message}
    return JSONResponse(said, _STATUS.get(code, 400))


def missing(thing: Thing) -> JSONResponse:
    """MLflow's "not there", for what is not there and for what is another's."""
    name = thing.id
    if thing.kind == "folder":
        name = (thing.id[0].lstrip("/").partition("/")[0],)
    return error("RESOURCE_DOES_NOT_EXIST", _MISSING[thing.kind].format(*name))


def taken(thing: Thing) -> JSONResponse:
    """An id that the client has chosen, and that is not free."""
    told = f"{thing.kind.capitalize()} with ID '{thing.id[0]}' already exists."
    return error("RESOURCE_ALREADY_EXISTS", told)


def denied(message: str = "Permission denied") -> JSONResponse:
    """The objects are seen, and this may not be done with them."""
    return error("PERMISSION_DENIED", message)


def invalid(message: str) -> JSONResponse:
    """A request that cannot be right."""
    return error("INVALID_PARAMETER_VALUE", message)
