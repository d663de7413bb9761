"""The process that serves MLflow behind the gate; `hubyard_hub.mlflow` has its parts.

`python -m hubyard_hub.mlflow_app` is `mlflow server --app-name hubyard`, whose
application is made by `create_app` (entry point group `mlflow.app`). It serves in the
process that has imported MLflow, where the command would start another one: half the
time and half the memory.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from typing import TYPE_CHECKING, NoReturn, cast
from urllib.parse import unquote, urlsplit

import uvicorn

from hubyard_hub.mlflow.access import USER_HEADER, Behind
from hubyard_hub.mlflow.bounds import Bounded
from hubyard_hub.mlflow.members import BOOTSTRAP_ADMIN, Members
from hubyard_hub.mlflow.objects import Objects
from hubyard_hub.mlflow.router import Router
from hubyard_hub.mlflow.statistics import ANALYSE_EVERY_S, analyse_for_ever
from hubyard_hub.mlflow.users import HubUsers
from hubyard_hub.mlflow.verdict import Verdict
from hubyard_hub.settings import Settings, write_private
from hubyard_runtime import gate
from hubyard_runtime.url_tokens import keep_tokens_out_of_logs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.types import ASGIApp
    from werkzeug.datastructures import Authorization

# MLflow's page sends each cookie `mlflow-request-header-<name>` back as a header.
XSRF_COOKIE = "mlflow-request-header-X-XSRFToken"
_UVICORN_OPTIONS = (
    "--no-access-log --no-server-header --log-level warning "
    f"--timeout-graceful-shutdown 1 --timeout-keep-alive {gate.KEEP_ALIVE_S}"
)


def main() -> None:
    """Serve MLflow for the state folder in `$HUBYARD_STATE`."""
    keep_tokens_out_of_logs()
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
    from mlflow.server import app, auth, handlers  # noqa: PLC0415 - see above

    mlflow = cast("ASGIApp", auth.create_app(app))
    database = _database(Settings.load())
    threading.Thread(target=analyse_for_ever, args=(database,), daemon=True).start()
    settings = dataclasses.replace(
        gate.Settings.from_environment(), xsrf_cookie=XSRF_COOKIE
    )
    router = Router(app, mlflow, prefix=settings.prefix)
    verdict = Verdict(Objects(auth, handlers))
    users = HubUsers(settings.hub_api_url, settings.api_token)
    members = Members(auth.store, users)
    threading.Thread(target=members.follow_for_ever, daemon=True).start()
    behind = Behind(mlflow, members, router, verdict)
    return gate.Gate(Bounded(behind), settings=settings, public=("health",))


def authenticate() -> Authorization:
    """Tell MLflow whom the gate let through (its setting `authorization_function`)."""
    from flask import request  # noqa: PLC0415 - only MLflow's process has a request
    from werkzeug.datastructures import Authorization  # noqa: PLC0415 - the same

    name = unquote(request.headers[USER_HEADER.decode()])
    return Authorization("basic", {"username": name, "password": ""})


if __name__ == "__main__":
    main()
