"""The proxy: hands each request that has come through the gate to the child.

The child believes that it stands at the root: the prefix is taken off on the way in
and put before redirects and cookies on the way out, so that an app cannot set a cookie
for the hub or for another app. Voila knows the prefix, for the links in its pages, and
its redirects have it already.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from hubyard.contract.errors import Problem, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]
_HOP_BY_HOP = {
    *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization"),
    *(b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
}
_FORWARDED = {
    b"x-hubyard-user": b"x-forwarded-user",
    b"x-hubyard-groups": b"x-forwarded-groups",
}
"""What frameworks look for, besides our own names for it."""
_ONCE = {b"date", b"server"}
"""What our own server says in each answer."""
_HUB_COOKIES = (b"jupyterhub-", b"service-")
_NO_STATUS = 1005
_CONNECT_S = 10


class Proxy:
    """An ASGI application that is the child, seen from behind the gate."""

    def __init__(self, socket: Path, *, prefix: str) -> None:
        self._socket = str(socket)
        self._prefix = prefix.rstrip("/")
        # No client: it would send one visitor's cookies for another, and add headers.
        self._http = httpx.AsyncHTTPTransport(uds=self._socket)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        try:
            answer = await self._ask(request)
        except httpx.TransportError:
            problem = Problem(message="The app does not answer; try again in a moment.")
            refusal = JSONResponse(problem.model_dump(), Unavailable.status)
            await refusal(scope, receive, send)
            return
        try:
            await self._passed_on(answer, request)(scope, receive, send)
        finally:
            await answer.aclose()

    async def _ask(self, request: Request) -> httpx.Response:
        has_body = not {"content-length", "transfer-encoding"}.isdisjoint(
            request.headers.keys()
        )
        # How long an answer takes is the business of the app, not ours.
        options = {
            "timeout": {"connect": _CONNECT_S},
            "target": self._target(request.scope),
        }
        question = httpx.Request(
            request.method,
            "http://app",
            headers=_inwards(request.scope["headers"]),
            content=request.stream() if has_body else None,
            extensions=options,
        )
        return await self._http.handle_async_request(question)

    def _passed_on(self, answer: httpx.Response, request: Request) -> Response:
        """The child's answer, byte by byte as it comes."""
        response = StreamingResponse(answer.aiter_raw(), answer.status_code)
        response.raw_headers = self._outwards(answer.headers.raw, _host(request.scope))
        return response

    async def _websocket(self, visitor: WebSocket) -> None:
        wanted = visitor.scope["subprotocols"]
        try:
            child = await unix_connect(
                self._socket,
                self._address(visitor.scope),
                additional_headers=_for_handshake(visitor.scope["headers"]),
                subprotocols=wanted or None,
                user_agent_header=None,
                compression=None,
                max_size=None,
                # An app that computes for a while does not answer pings, and lives.
                ping_interval=None,
            )
        except (InvalidHandshake, InvalidURI, OSError, ValueError):
            # It refuses, it is gone, or the visitor's Host is none.
            await visitor.close()
            return
        async with child:
            await visitor.accept(child.subprotocol)
            await _talk(visitor, child)

    def _target(self, scope: Scope) -> bytes:
        """Path and query as the visitor wrote them, without our prefix."""
        raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        path = raw.removeprefix(self._prefix.encode()) or b"/"
        query: bytes = scope["query_string"]
        return b"%b?%b" % (path, query) if query else path

    def _address(self, scope: Scope) -> str:
        return (b"ws://%b%b" % (_host(scope), self._target(scope))).decode("latin-1")

    def _outwards(self, headers: Headers, host: bytes) -> Headers:
        kept: Headers = []
        for raw_name, value in headers:
            name = raw_name.lower()
            if name in _HOP_BY_HOP | _ONCE:
                continue
            if name == b"set-cookie":
                if not value.lstrip().lower().startswith(_HUB_COOKIES):
                    kept.append((name, self._own_cookie(value)))
            elif name == b"location":
                kept.append((name, self._own_location(value, host)))
            else:
                kept.append((name, value))
        return kept

    def _own_cookie(self, cookie: bytes) -> bytes:
        """The cookie for this app's prefix and no other place."""
        first, *attributes = (part.strip() for part in cookie.split(b";"))
        others = [
            part
            for part in attributes
            if not part.lower().startswith((b"path", b"domain"))
        ]
        return b"; ".join([first, *others, f"Path={self._prefix}/".encode()])

    def _own_location(self, location: bytes, host: bytes) -> bytes:
        """The location below the prefix, where it is the app's own."""
        prefix = self._prefix.encode()
        whole = rb"https?://%b(?![^/?#])" % re.escape(host)
        if own := re.match(whole, location, re.IGNORECASE):
            location = b"/" + location[own.end() :].removeprefix(b"/")
        elif not location.startswith(b"/") or location.startswith(b"//"):
            return location
        has_prefix = re.match(rb"%b(?![^/?#])" % re.escape(prefix), location)
        return location if has_prefix else prefix + location


def _host(scope: Scope) -> bytes:
    """The address under which the visitor knows the hub, and so also the app."""
    host: bytes = dict(scope["headers"]).get(b"host", b"app")
    return host


def _inwards(headers: Headers) -> Headers:
    """What a visitor sent and the gate added, and the same under common names."""
    common = set(_FORWARDED.values())
    kept = [
        (name, value)
        for name, value in headers
        if name not in _HOP_BY_HOP and name.replace(b"_", b"-") not in common
    ]
    said = dict(headers)
    return kept + [
        (theirs, said[ours]) for ours, theirs in _FORWARDED.items() if ours in said
    ]


def _for_handshake(headers: Headers) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in _inwards(headers)
        if name != b"host" and not name.startswith(b"sec-websocket-")
    ]


async def _talk(visitor: WebSocket, child: ClientConnection) -> None:
    """Carry messages both ways until one side has had enough."""
    tasks = {
        asyncio.create_task(_to_child(visitor, child)),
        asyncio.create_task(_to_visitor(visitor, child)),
    }
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _to_child(visitor: WebSocket, child: ClientConnection) -> None:
    while (message := await visitor.receive())["type"] == "websocket.receive":
        text = message.get("text")
        try:
            await child.send(message["bytes"] if text is None else text)
        except ConnectionClosed:
            return


async def _to_visitor(visitor: WebSocket, child: ClientConnection) -> None:
    try:
        async for message in child:
            if isinstance(message, str):
                await visitor.send_text(message)
            else:
                await visitor.send_bytes(message)
    except ConnectionClosed:
        pass
    except WebSocketDisconnect:
        return
    code = child.close_code or _NO_STATUS
    await visitor.close(1000 if code == _NO_STATUS else code, child.close_reason)
