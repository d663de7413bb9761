"""The proxy alone, as the supervisor starts it, and a client that only writes."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import subprocess
from typing import TYPE_CHECKING

import httpx

from hubyard_hub.up.processes import processes
from hubyard_spawner.local.ports import free_port
from support.patience import PATIENCE_S, SOON_S, until
from support.platform import settings_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hubyard_hub.up.processes import Process

PATIENT_BYTES = 512 * 2**20
"""What the writing client writes at most: no machine buffers so much of one request."""
_BLOCK = b"x" * 2**16


class Proxy:
    """A proxy and its API."""

    def __init__(self, folder: Path) -> None:
        ports = [free_port()]
        ports.append(free_port(ports))
        self.settings = dataclasses.replace(
            settings_in(folder), port=ports[0], proxy_api_port=ports[1], hub_port=1
        )
        self.process: Process = processes(self.settings)[0]
        self.url = self.settings.public_url
        self._popen: subprocess.Popen[bytes] | None = None
        self._api = httpx.Client(
            base_url=f"http://127.0.0.1:{ports[1]}/api/routes",
            headers={"Authorization": f"token {self.process.health_token}"},
            trust_env=False,
            timeout=PATIENCE_S,
        )

    def start(self, log: Path | None = None) -> None:
        """Start it, and wait until it answers."""
        with contextlib.ExitStack() as closing:
            out = closing.enter_context(log.open("ab")) if log else None
            self._popen = subprocess.Popen(
                self.process.command,
                env=self.process.environment,
                stdout=out,
                stderr=out,
            )
        until(self._answers)

    def _answers(self) -> bool:
        assert self._popen is not None
        assert self._popen.poll() is None
        with contextlib.suppress(httpx.TransportError):
            return self._api.get("").is_success
        return False

    def kill(self) -> None:
        """kill -9."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()

    def add(self, path: str, target: str) -> None:
        """Add a route, as the hub does."""
        self._api.post(path, json={"target": target}).raise_for_status()

    def remove(self, path: str) -> None:
        """Remove a route, as the hub does."""
        self._api.delete(path).raise_for_status()

    def routes(self) -> dict[str, str]:
        """Where each path leads."""
        found = self._api.get("").json()
        return {path: route["target"] for path, route in found.items()}


@contextlib.contextmanager
def proxying(folder: Path) -> Iterator[Proxy]:
    """A started proxy that is gone at the end."""
    proxy = Proxy(folder)
    try:
        proxy.start()
        yield proxy
    finally:
        proxy.kill()


def write_blindly(
    port: int, path: str, *headers: str, in_chunks: bool = False
) -> tuple[bytes, int]:
    """Write a body for as long as it is taken, and only then read.

    Returns:
        What was answered, and how many bytes were written.

    Raises:
        TimeoutError: nothing more is taken, and the connection is kept all the same.
    """
    length = (
        "Transfer-Encoding: chunked" if in_chunks else "Content-Length: 1" + 12 * "0"
    )
    lines = (f"POST {path} HTTP/1.1", "Host: any", length, *headers, "", "")
    block = b"10000\r\n" + _BLOCK + b"\r\n" if in_chunks else _BLOCK
    written = 0
    with socket.create_connection(("127.0.0.1", port), timeout=SOON_S) as client:
        client.sendall("\r\n".join(lines).encode())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while written < PATIENT_BYTES:
                client.sendall(block)
                written += len(_BLOCK)
        return _read(client), written


def _read(client: socket.socket) -> bytes:
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while more := client.recv(2**16):
            answer += more
    return answer
