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

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.responses import Response

from hubyard.contract.errors import Invalid, Unavailable
from hubyard.contract.workload import Kind
from hubyard_hub.mlflow import answers
from hubyard_hub.mlflow.asked import Asked
from hubyard_hub.mlflow.fields import MOST_FIELDS
from hubyard_hub.mlflow.spans import LARGEST_BYTES, Export, TooLarge, Unclear
from hubyard_hub.mlflow.wire import Judged, read, repeat, without_body
from hubyard_hub.models.mlflow_client import API, MEMBERS, ON_BEHALF_OF
from hubyard_hub.models.tracked_ends import ENDS, EXPERIMENTS, RUNS
from hubyard_spawner.workloads import PLATFORM_SERVICE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from hubyard.contract.identity import Identity
    from hubyard_hub.mlflow.members import Members
    from hubyard_hub.mlflow.router import Router
    from hubyard_hub.mlflow.verdict import Verdict

USER_HEADER = b"x-hubyard-user"
EXPORT = "POST v1/traces"
_ACT_AS_OWNER = {Kind.WORKSPACE, Kind.RUN}

_WATCHED = {("GET", f"{API}/registered-models/{call}") for call in ("search", "get")}
"""All that the platform asks by its own hand."""
_TOLD = {("POST", f"{API}{route}") for route in (EXPERIMENTS, RUNS, ENDS)}
"""What it asks on behalf of somebody beside that."""


class Behind:
    """What stands between the gate and MLflow: who may, what is open, which path."""

    def __init__(
        self, mlflow: ASGIApp, members: Members, router: Router, verdict: Verdict
    ) -> None:
        self._mlflow = mlflow
        self._members = members
        self._router = router
        self._verdict = verdict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._mlflow(scope, receive, send)
            return
        inside = _at_the_root(scope)
        identity: Identity | None = scope["hubyard.identity"]
        if identity is None:
            await self._mlflow(inside, receive, send)
            return
        if (forgotten := _forgotten(identity, inside)) is not None:
            await asyncio.to_thread(self._members.forget, forgotten)
            await Response(status_code=204)(scope, receive, send)
            return
        no = _refusal(identity, (scope["method"], inside["path"]), _on_behalf_of(scope))
        if no is not None:
            await answers.denied(no)(scope, receive, send)
            return
        try:
            await self._members.welcome(identity, _on_behalf_of(scope))
        except Unavailable as error:
            busy = answers.error("TEMPORARILY_UNAVAILABLE", error.message)
            await busy(scope, receive, send)
            return
        name = self._name(identity, scope)
        inside["headers"] = _named(inside["headers"], name)
        await self._ask(name, inside, receive, send)

    async def _ask(
        self, name: str, inside: Scope, receive: Receive, send: Send
    ) -> None:
        if inside["method"] == "HEAD":
            # MLflow's permission check knows no HEAD.
            inside["method"], send, receive = "GET", *without_body(send, receive)
        query: bytes = inside["query_string"]
        found = self._router.find(inside["method"], inside["path"], query)
        if isinstance(found, Response):
            await found(inside, receive, send)
            return
        body = b""
        if found.route.reads_body or found.route.name == EXPORT:
            body = await read(receive)
            receive = repeat(body, receive)
        asked = Asked.parse(found, query, body)
        said = await asyncio.to_thread(self._before, name, inside, asked, body)
        if said is not None:
            await said(inside, receive, send)
            return

        async def instead(status: int) -> Response | None:
            return await asyncio.to_thread(self._verdict.after, name, asked, status)

        await self._mlflow(inside, receive, Judged(send, inside, instead))

    def _before(
        self, name: str, inside: Scope, asked: Asked, body: bytes
    ) -> Response | None:
        said = self._verdict.before(name, asked)
        if said is None and asked.found.route.name == EXPORT:
            return self._export(name, inside, body)
        return said

    def _export(self, name: str, inside: Scope, body: bytes) -> Response | None:
        try:
            export = Export.parse(inside["headers"], body)
        except Unclear as unclear:
            return answers.invalid(f"The header {unclear} is there twice.")
        except TooLarge:
            most = f"{LARGEST_BYTES // 2**20} MiB or {MOST_FIELDS:,} fields"
            return answers.error(
                "REQUEST_LIMIT_EXCEEDED", f"Unpacked, this is larger than {most}."
            )
        if export is None:
            return answers.invalid("Invalid OpenTelemetry format")
        return self._verdict.export(name, export)

    def _name(self, identity: Identity, scope: Scope) -> str:
        """As whom MLflow shall answer."""
        name = self._members.name(identity)
        return (_on_behalf_of(scope) if _is_platform(identity) else "") or name


def _at_the_root(scope: Scope) -> Scope:
    """The same without the prefix, which the gate has put into `root_path`."""
    prefix: str = scope["root_path"]
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return {
        **scope,
        "root_path": "",
        "path": scope["path"].removeprefix(prefix),
        "raw_path": raw.removeprefix(prefix.encode()),
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


def _forgotten(identity: Identity, inside: Scope) -> str | None:
    """Whom the platform has forgotten by this request; None: it is another one."""
    path: str = inside["path"]
    asked = inside["method"] == "DELETE" and path.startswith(MEMBERS)
    return path.removeprefix(MEMBERS) if asked and _is_platform(identity) else None


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
