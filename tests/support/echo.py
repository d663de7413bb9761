"""An application that says what it was told, behind the gate: `python echo.py`."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from hubyard_runtime import gate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.websockets import WebSocket


async def echo(request: Request) -> JSONResponse:
    identity = request.scope["hubyard.identity"]
    return JSONResponse(
        {
            "method": request.method,
            "path": request.scope["path"],
            "root_path": request.scope["root_path"],
            "identity": identity and identity.model_dump(),
            "token": request.scope["hubyard.token"],
            "secret": request.scope["hubyard.secret"],
            "headers": dict(request.headers),
            "client": request.client and request.client.host,
            "lifespan": request.state.lifespan,
        }
    )


async def health(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(request.scope["hubyard.identity"]))


async def own_token(request: Request) -> PlainTextResponse:
    """What an attacker inside the workload would find; only tests ask."""
    return PlainTextResponse(os.environ["JUPYTERHUB_API_TOKEN"])


async def stream(request: Request) -> StreamingResponse:
    """One line after the other, for as long as somebody may listen."""

    async def lines() -> AsyncIterator[str]:
        while True:
            yield "still here\n"
            await asyncio.sleep(0.1)

    return StreamingResponse(lines())


async def websocket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(socket.scope["hubyard.identity"].name)
    async for text in socket.iter_text():
        await socket.send_text(text.upper())


class _Lifespan:
    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __aenter__(self) -> dict[str, bool]:
        return {"lifespan": True}

    async def __aexit__(self, *args: object) -> None:
        print(json.dumps({"lifespan": "ended"}), flush=True)


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
app = Starlette(
    routes=[
        Route("/", echo, methods=METHODS),
        Route("/thing/{name}", echo, methods=METHODS),
        Route("/stream", stream),
        Route("/health", health),
        Route("/hooks/{name:path}", echo, methods=METHODS),
        Route("/own-token", own_token),
        WebSocketRoute("/socket", websocket),
    ],
    lifespan=_Lifespan,
)

if __name__ == "__main__":
    gate.serve(app, public=("health",), hooks=("hooks",))
