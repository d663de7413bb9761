"""What stands for a workload in `attack-offboard`: small, but behind the real gate.

app, endpoint  a page, a stream and a WebSocket that go on for ever, behind the gate
others         a process that listens until it is ended
"""

from __future__ import annotations

import asyncio
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

PLAIN = Path(__file__).parents[1] / "support" / "plain_workload.py"
_EVERY_S = 1


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once, or go on until the other side ends it."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            await send({"type": "websocket.send", "text": "on"})
            await asyncio.sleep(_EVERY_S)
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        streams = scope["path"].endswith("/stream")
        while streams:
            part = {"type": "http.response.body", "body": b"on\n", "more_body": True}
            await send(part)
            await asyncio.sleep(_EVERY_S)
        await send({"type": "http.response.body", "body": b"on"})


if __name__ == "__main__":
    if sys.argv[1] in {"app", "endpoint"}:
        from hubyard_runtime import gate

        gate.serve(application)
    else:
        runpy.run_path(str(PLAIN), run_name="__main__")
