"""An endpoint's process, and what it needs around it, for tests and measurements."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from hubyard.contract.base import now
from hubyard.contract.deployment import DeploymentJob, Revision

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREFIX = "/user/ann/endpoint-delays/"
SCOPE = "access:servers!server=ann/endpoint-delays"
OWN_TOKEN = "own-token-of-a-test"
KEY = "key-of-a-test"


def job() -> DeploymentJob:
    revision = Revision(
        number=3, model="delays", version="7", created_at=now(), created_by="ann"
    )
    return DeploymentJob(deployment_id="delays", name="delays", revision=revision)


def packed(folder: Path) -> bytes:
    """A model folder as the platform hands it out."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, str(path.relative_to(folder)), recursive=False)
    return buffer.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: dict[str, bytes]

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "").partition(" ")[2]
        content = self.answers.get(self.path)
        known = token == OWN_TOKEN or (token == KEY and self.path == "/hub/api/user")
        self.send_response(200 if content and known else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def neighbours(model: Path, port: int = 0) -> Iterator[str]:
    """The answers of hub and platform that an endpoint asks for; gives their URL."""
    caller = {"kind": "user", "name": "ann", "scopes": [SCOPE]}
    answers = {
        "/hub/api/user": json.dumps(caller).encode(),
        "/services/hubyard/api/job": job().model_dump_json().encode(),
        "/services/hubyard/api/job/source": packed(model),
    }
    handler = type("Handler", (_Handler,), {"answers": answers})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def environment(neighbours: str, port: int, scratch: Path) -> dict[str, str]:
    """What the hub would tell an endpoint that listens on a port."""
    return {
        **os.environ,
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}{PREFIX}",
        "JUPYTERHUB_API_URL": f"{neighbours}/hub/api",
        "JUPYTERHUB_API_TOKEN": OWN_TOKEN,
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ann-endpoint-delays",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([SCOPE]),
        "HUBYARD_PLATFORM_URL": f"{neighbours}/services/hubyard",
        "HUBYARD_PUBLIC_URL": "http://hubyard.test",
        "HUBYARD_SCRATCH": str(scratch),
    }


def start_endpoint(
    environ: dict[str, str], log: Path, *how: str
) -> subprocess.Popen[bytes]:
    """The real process, its output in a log; started as usual, or as said."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *(how or ("-m", "hubyard_runtime.endpoint"))],
            env=environ,
            cwd=environ["HUBYARD_SCRATCH"],
            stdout=output,
            stderr=output,
        )
