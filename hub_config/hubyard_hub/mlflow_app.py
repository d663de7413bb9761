"""MLflow behind the gate: tracking and registry, with the hub's users and groups.

member  a user or service of the hub as MLflow knows it. MLflow's own users are only
        shadows: the hub says who is an admin and who is in which group
role    MLflow's word for what several members share; each group of the hub is one,
        called `group/<group>`

`python -m hubyard_hub.mlflow_app` is `mlflow server --app-name hubyard`, whose
application is made by `create_app` (entry point group `mlflow.app`). It serves in the
process that has imported MLflow, where the command would start another one: half the
time and half the memory.

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
import dataclasses
import logging
import os
import re
import secrets
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn, cast
from urllib.parse import quote, unquote, urlsplit

import uvicorn
from starlette.responses import JSONResponse

from hubyard.contract.errors import Invalid
from hubyard.contract.workload import Kind
from hubyard_hub.mlflow_client import API, ON_BEHALF_OF
from hubyard_hub.settings import Settings, write_private
from hubyard_hub.tracked_ends import ENDS, EXPERIMENTS, RUNS
from hubyard_runtime import gate
from hubyard_spawner.workloads import PLATFORM_SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore
    from starlette.types import ASGIApp, Receive, Scope, Send
    from werkzeug.datastructures import Authorization

    from hubyard.contract.identity import Identity

log = logging.getLogger(__name__)

# MLflow's page sends each cookie `mlflow-request-header-<name>` back as a header.
XSRF_COOKIE = "mlflow-request-header-X-XSRFToken"
# The hub forbids slashes in its users' names: no user can be mistaken for these.
BOOTSTRAP_ADMIN = "hubyard/admin"
SERVICE_PREFIX = "service/"
GROUP_PREFIX = "group/"
WORKSPACE = "default"
"""MLflow's name for the one workspace of a server without workspaces."""

ANALYSE_EVERY_S = 600
"""A connection reads the statistics only when it opens, so MLflow's live as long."""
_UVICORN_OPTIONS = (
    "--no-access-log --no-server-header --log-level warning "
    f"--timeout-graceful-shutdown 1 --timeout-keep-alive {gate.KEEP_ALIVE_S}"
)
_PATIENCE_S = 1
_USER_HEADER = b"x-hubyard-user"
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


def main() -> None:
    """Serve MLflow for the state folder in `$HUBYARD_STATE`."""
    settings = Settings.load()
    os.umask(0o077)
    environment = server_environment(settings)
    os.environ.clear()
    os.environ.update(environment)
    # MLflow reads its configuration when these are imported, so not before.
    from mlflow import server  # noqa: PLC0415 - see above
    from mlflow.cli import cli  # noqa: PLC0415 - see above

    # A private name: where MLflow has it no more, the command starts its process.
    setattr(server, "_exec_cmd", _serve_here)  # noqa: B010
    cli.main(server_arguments(settings), prog_name="mlflow")


def _serve_here(
    command: list[str], *, extra_env: Mapping[str, str], **_: object
) -> NoReturn:
    """Serve as `python -m uvicorn ...` would, which the command was about to start."""
    os.environ.update(extra_env)
    uvicorn.main(command[command.index("uvicorn") + 1 :])
    raise AssertionError("uvicorn's command leaves the process")


def server_arguments(settings: Settings) -> list[str]:
    """How `mlflow` is called."""
    address = urlsplit(gate.Settings.from_environment().service_url)
    artifacts = settings.state / "artifacts"
    return [
        *("server", "--app-name", "hubyard", "--workers", "1"),
        *("--host", address.hostname or "127.0.0.1", "--port", str(address.port)),
        *("--backend-store-uri", f"sqlite:///{_database(settings)}"),
        *("--artifacts-destination", str(artifacts), "--serve-artifacts"),
        f"--uvicorn-opts={_UVICORN_OPTIONS}",
    ]


def server_environment(settings: Settings) -> dict[str, str]:
    """This process's environment, and what MLflow reads from there."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    return {
        "HUBYARD_COOKIE_SECRET_FILE": str(settings.secret_file("mlflow-cookies")),
        **inherited,
        "MLFLOW_AUTH_CONFIG_PATH": _write_config(settings),
        "MLFLOW_AUTH_ADMIN_PASSWORD": settings.secret("mlflow-admin"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": settings.secret("mlflow-forms"),
        "MLFLOW_BASIC_AUTH_FAIL_CLOSED": "true",
        # The gate has looked at the host.
        "MLFLOW_SERVER_ALLOWED_HOSTS": "*",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE": str(ANALYSE_EVERY_S),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _database(settings: Settings) -> Path:
    return settings.state / "mlflow.sqlite"


def _write_config(settings: Settings) -> str:
    path = settings.state / "mlflow-auth.ini"
    database = settings.state / "mlflow-auth.sqlite"
    lines = [
        "[mlflow]",
        "default_permission = NO_PERMISSIONS",
        # ConfigParser takes a lone % for a reference.
        f"database_uri = sqlite:///{str(database).replace('%', '%%')}",
        f"admin_username = {BOOTSTRAP_ADMIN}",
        f"authorization_function = {__spec__.name}:authenticate",
    ]
    write_private(path, "\n".join(lines) + "\n")
    return str(path)


def create_app() -> gate.Gate:
    """MLflow's application behind the gate; called by `mlflow server`."""
    # MLflow reads its configuration when these are imported, so not before.
    from mlflow.server import app, auth  # noqa: PLC0415 - see above

    mlflow = cast("ASGIApp", auth.create_app(app))
    database = _database(Settings.load())
    threading.Thread(target=analyse_for_ever, args=(database,), daemon=True).start()
    settings = dataclasses.replace(
        gate.Settings.from_environment(), xsrf_cookie=XSRF_COOKIE
    )
    behind = Behind(mlflow, Members(auth.store), prefix=settings.prefix)
    return gate.Gate(behind, settings=settings, public=("health",))


def authenticate() -> Authorization:
    """Tell MLflow whom the gate let through (its setting `authorization_function`)."""
    from flask import request  # noqa: PLC0415 - only MLflow's process has a request
    from werkzeug.datastructures import Authorization  # noqa: PLC0415 - the same

    name = unquote(request.headers[_USER_HEADER.decode()])
    return Authorization("basic", {"username": name, "password": ""})


class Members:
    """Keeps MLflow's users and roles as the hub has them."""

    def __init__(self, store: SqlAlchemyStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[str, tuple[bool, frozenset[str]]] = {}

    @staticmethod
    def name(identity: Identity) -> str:
        """What this user or service is called in MLflow."""
        is_user = identity.kind == "user"
        return identity.name if is_user else f"{SERVICE_PREFIX}{identity.name}"

    @staticmethod
    def _state(identity: Identity) -> tuple[bool, frozenset[str]]:
        # Only a service to which the deployment gave this scope comes through the gate.
        is_admin = identity.admin or identity.kind == "service"
        return is_admin, frozenset(identity.groups)

    async def welcome(self, identity: Identity) -> None:
        """Bring MLflow up to date with one member, before it looks at their request."""
        if self._known.get(self.name(identity)) != self._state(identity):
            await asyncio.to_thread(self._update, identity)

    def _update(self, identity: Identity) -> None:
        name, (is_admin, groups) = self.name(identity), self._state(identity)
        with self._lock:
            if not self._store.has_user(name):
                # Nobody ever learns this password; MLflow wants one.
                password = secrets.token_urlsafe(32)
                self._store.create_user(name, password, is_admin=is_admin)
            self._store.update_user(name, is_admin=is_admin)
            self._assign(self._store.get_user(name).id, groups)
            self._known[name] = (is_admin, groups)

    def _assign(self, user_id: int, groups: frozenset[str]) -> None:
        wanted = {f"{GROUP_PREFIX}{group}" for group in groups}
        held = {
            role.name: role.id
            for role in self._store.list_user_roles(user_id)
            if role.name.startswith(GROUP_PREFIX)
        }
        for role in wanted - held.keys():
            self._store.assign_role_to_user(user_id, self._role_id(role))
        for role in held.keys() - wanted:
            self._store.unassign_role_from_user(user_id, held[role])

    def _role_id(self, name: str) -> int:
        roles = {role.name: role.id for role in self._store.list_roles([WORKSPACE])}
        if name in roles:
            return roles[name]
        return self._store.create_role(name, WORKSPACE, "A group of the hub").id


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
    others = [pair for pair in headers if pair[0] not in {_USER_HEADER, b"origin"}]
    return [*others, (_USER_HEADER, quote(name).encode())]


def _refuse(status: int, message: str) -> JSONResponse:
    """An answer that MLflow's client shows as it stands."""
    code = "PERMISSION_DENIED" if status == 403 else "ENDPOINT_NOT_FOUND"  # noqa: PLR2004
    return JSONResponse({"error_code": code, "message": message}, status)


def analyse_for_ever(database: Path) -> None:
    """Keep SQLite's statistics fresh.

    Without them, sorting 10,000 runs by a metric takes seconds instead of
    milliseconds: the planner takes every table for a small one.
    """
    pause = threading.Event()
    while True:
        analyse(database)
        pause.wait(ANALYSE_EVERY_S)


def analyse(database: Path) -> None:
    """Gather statistics once; a busy database is left for the next time."""
    opened = sqlite3.connect(database, timeout=_PATIENCE_S, isolation_level=None)
    with closing(opened) as connection:
        try:
            # A sample of each index is enough, and holds the lock for milliseconds.
            connection.execute("PRAGMA analysis_limit = 1000")
            connection.execute("ANALYZE")
        except sqlite3.OperationalError as error:
            log.warning("MLflow's database is busy, its statistics wait: %s", error)


if __name__ == "__main__":
    main()
