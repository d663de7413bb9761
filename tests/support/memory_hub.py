"""A hub in memory: JupyterHub 6.1's answers about servers, without processes.

`tests/hub` holds the same questions against the real one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

Hook = Callable[["MemoryHub", str, str], None]


@dataclass
class MemoryHub:
    """`servers[(owner, name)]` is one of ready, spawn, stop, stopped."""

    token: str = "platform-token"
    servers: dict[tuple[str, str], str] = field(default_factory=dict)
    options: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    shares: set[tuple[str, str]] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    """Names of whom it has no user."""
    knows_nobody: bool = False
    leaving: list[str] = field(default_factory=list)
    """Whose access it was asked to end, each time."""
    keeps_users: bool = False
    """Whether it ends access without deleting anybody."""
    refuse: httpx.Response | None = None
    down: bool = False
    slow: bool = False
    """A start is answered before it is done: 202, pending."""
    on_start: Hook = lambda hub, owner, name: None
    on_stop: Hook = lambda hub, owner, name: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def transport(self) -> httpx.BaseTransport:
        return httpx.MockTransport(self._answer)

    @property
    def starts(self) -> int:
        return sum(method == "POST" for method, _ in self.asked)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("connection refused", request=request)
        with self.lock:
            return self._decide(request)

    def _decide(self, request: httpx.Request) -> httpx.Response:
        method, path = request.method, request.url.path.removeprefix("/hub/api")
        self.asked.append((method, path))
        body = json.loads(request.content or b"{}")
        token = request.headers["authorization"].removeprefix("token ")
        parts = path.strip("/").split("/")
        if parts[0] == "hubyard":
            assert token == self.token, "departures are the platform's own hand"
            return self._end_access(parts[2])
        if parts[0] == "users" and len(parts) == 2:
            known = parts[1] not in self.unknown and not self.knows_nobody
            return httpx.Response(200, json={}) if known else _no(404, "Not Found")
        if parts[0] == "users" and parts[2] == "servers":
            assert token == self.token, "servers are the platform's own hand"
            return self._server(method, (parts[1], parts[3]), body)
        assert token != self.token, "keys and shares are the caller's hand"
        if token == "weak":
            return _no(403, "Action is not authorized with current scopes")
        if parts[0] == "shares":
            return self._share(method, (parts[1], parts[2]), body)
        assert parts[2] == "tokens"
        return httpx.Response(
            201,
            json={
                "token": f"key for {','.join(body['scopes'])}",
                "expires_at": "2027-01-01T00:00:00Z",
            },
        )

    def _end_access(self, name: str) -> httpx.Response:
        """The first call begins to stop servers, a later one finds them stopped."""
        self.leaving.append(name)
        running = [key for key, state in self.servers.items() if state == "ready"]
        mine = [key for key in running if key[0] == name]
        for key in mine:
            self.on_stop(self, *key)
            self.servers[key] = "stopped"
        gone = not mine and not self.keeps_users
        if gone:
            self.unknown.add(name)
            kept = {k: v for k, v in self.servers.items() if k[0] != name}
            self.servers = kept
        return httpx.Response(200, json={"gone": gone, "servers": len(mine)})

    def _server(
        self, method: str, key: tuple[str, str], body: dict[str, Any]
    ) -> httpx.Response:
        state = self.servers.get(key)
        if method == "GET":
            if state is None:
                return _no(404, "Not Found")
            pending = state if state in {"spawn", "stop", "check"} else None
            return httpx.Response(
                200, json={"pending": pending, "ready": state == "ready"}
            )
        return self._start(key, body) if method == "POST" else self._stop(key, body)

    def _start(self, key: tuple[str, str], body: dict[str, Any]) -> httpx.Response:
        if self.refuse is not None:
            return self.refuse
        state = self.servers.get(key)
        if state == "ready":
            return _no(400, f"{key[0]}:{key[1]} is already running")
        if state == "spawn":
            return httpx.Response(202)
        self.options[key] = body["user_options"]
        self.servers[key] = "spawn" if self.slow else "ready"
        self.on_start(self, *key)
        return httpx.Response(202 if self.slow else 201)

    def _stop(self, key: tuple[str, str], body: dict[str, Any]) -> httpx.Response:
        if key not in self.servers:
            return _no(404, f"{key[0]} has no server named '{key[1]}'")
        if body.get("remove") and self.servers[key] == "ready":
            # As of one whose process has ended, which is how a run ends.
            return _no(500, f"Spawner {key[0]}:{key[1]} is active")
        self.on_stop(self, *key)
        self.servers[key] = "stopped"
        if body.get("remove"):
            del self.servers[key]
        return httpx.Response(204)

    def _share(
        self, method: str, key: tuple[str, str], body: dict[str, Any]
    ) -> httpx.Response:
        if key not in self.servers:
            return _no(404, "No such server")
        who = (key[1], body.get("user") or f"group:{body['group']}")
        if who[1] == "nobody":
            return _no(400, "No such user: nobody")
        (self.shares.add if method == "POST" else self.shares.discard)(who)
        return httpx.Response(200, json={})


def _no(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"status": status, "message": message})
