"""Access: who may ask MLflow for what, and as whom it answers.

The platform, which is a service of the hub, asks where aliases point to. On behalf of a
member it asks whether they may see a model, and says how what a run has tracked ended,
where the run could not. It can ask for nothing else.

MLflow is told nothing of its prefix. Some of its routes would carry a static prefix
and others not (uploads and downloads would lose streaming, and the permission checks
of its two halves would see different paths), so the prefix is taken off here and
MLflow believes that it stands at the root.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.responses import JSONResponse

from hubyard.contract.errors import Invalid
from hubyard.contract.workload import Kind
from hubyard_hub.mlflow_client import API, ON_BEHALF_OF
from hubyard_hub.tracked_ends import ENDS, EXPERIMENTS, RUNS
from hubyard_spawner.workloads import PLATFORM_SERVICE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from hubyard.contract.identity import Identity
    from hubyard_hub.mlflow.members import Members

USER_HEADER = b"x-hubyard-user"
_ACT_AS_OWNER = {Kind.WORKSPACE, Kind.RUN}

_SHUT = re.compile(
    r"/+(signup|gateway"
    r"|(ajax-)?api/+\d+\.\d+/+jobs"
    r"|(ajax-)?api/+\d+\.\d+/+mlflow/+(assistant|demo|gateway|gateway-proxy|jobs"
    r"|users/+(create|create-ui|delete|update-admin|update-password)))(/|$)"
)
"""What MLflow offers and Hubyard does not: an assistant with a shell, made-up data in
an experiment of everybody's, a gateway to paid models, jobs on this machine, and users
of its own."""
_WATCHED = {("GET", f"{API}/registered-models/{call}") for call in ("search", "get")}
"""All that the platform asks by its own hand."""
_TOLD = {("POST", f"{API}{route}") for route in (EXPERIMENTS, RUNS, ENDS)}
"""What it asks on behalf of somebody beside that."""


class Behind:
    """What stands between the gate and MLflow: who may, what is open, which path."""

    def __init__(self, mlflow: ASGIApp, members: Members, *, prefix: str) -> None:
        self._mlflow = mlflow
        self._members = members
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._mlflow(scope, receive, send)
            return
        inside = self._at_the_root(scope)
        identity: Identity | None = scope["hubyard.identity"]
        if _SHUT.match(inside["path"]):
            await _refuse(404, "Hubyard does not offer this part of MLflow.")(
                scope, receive, send
            )
            return
        if identity is not None:
            asked = scope["method"], inside["path"]
            no = _refusal(identity, asked, _on_behalf_of(scope))
            if no is not None:
                await _refuse(403, no)(scope, receive, send)
                return
            await self._members.welcome(identity)
            inside["headers"] = _named(inside["headers"], self._name(identity, scope))
        await self._mlflow(inside, receive, send)

    def _name(self, identity: Identity, scope: Scope) -> str:
        """As whom MLflow shall answer."""
        name = self._members.name(identity)
        return (_on_behalf_of(scope) if _is_platform(identity) else "") or name

    def _at_the_root(self, scope: Scope) -> Scope:
        raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        return {
            **scope,
            "root_path": "",
            "path": scope["path"].removeprefix(self._prefix),
            "raw_path": raw.removeprefix(self._prefix.encode()),
        }


def _refusal(
    identity: Identity, asked: tuple[str, str], on_behalf_of: str
) -> str | None:
    """Why somebody may not ask for this method and path; None: MLflow decides."""
    if _is_platform(identity):
        may = _WATCHED | (_TOLD if on_behalf_of else set())
        return None if asked in may else "The platform may not ask for this."
    if not _may_track(identity):
        return "An endpoint or app cannot use MLflow."
    return None


def _is_platform(identity: Identity) -> bool:
    return (identity.kind, identity.name) == ("service", PLATFORM_SERVICE)


def _on_behalf_of(scope: Scope) -> str:
    """The member whom the platform asks for; empty: nobody."""
    named: bytes = dict(scope["headers"]).get(ON_BEHALF_OF.lower().encode(), b"")
    return unquote(named.decode())


def _may_track(identity: Identity) -> bool:
    try:
        workload = identity.workload
    except Invalid:
        return False
    return workload is None or workload.kind in _ACT_AS_OWNER


def _named(headers: list[tuple[bytes, bytes]], name: str) -> list[tuple[bytes, bytes]]:
    # The gate has looked at the origin; MLflow would take only localhost for ours.
    others = [pair for pair in headers if pair[0] not in {USER_HEADER, b"origin"}]
    return [*others, (USER_HEADER, quote(name).encode())]


def _refuse(status: int, message: str) -> JSONResponse:
    """An answer that MLflow's client shows as it stands."""
    code = "PERMISSION_DENIED" if status == 403 else "ENDPOINT_NOT_FOUND"  # noqa: PLR2004
    return JSONResponse({"error_code": code, "message": message}, status)
