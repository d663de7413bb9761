"""The page: what a person sees of a run while it runs, and the JSON behind it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Lifespan

    from hubyard_runtime.run.runner import Runner

_HTML = (Path(__file__).parent / "page.html").read_text("utf-8")
_WATCHED_S = 5.0
_LAST_LOOK_S = 2.0


class Page:
    """The live page of one run."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._last_asked = float("-inf")
        self._end_seen = asyncio.Event()

    def application(self, lifespan: Lifespan[Starlette]) -> Starlette:
        """The ASGI application, its routes relative to the prefix."""
        routes = [Route("/", self._page), Route("/status", self._status)]
        return Starlette(routes=routes, lifespan=lifespan)

    async def show_the_end(self) -> None:
        """Give who is watching a moment to see how the run ended."""
        if time.monotonic() - self._last_asked < _WATCHED_S:
            try:
                await asyncio.wait_for(self._end_seen.wait(), _LAST_LOOK_S)
            except TimeoutError:
                return

    async def _page(self, _: Request) -> HTMLResponse:
        return HTMLResponse(_HTML, headers=_HEADERS)

    async def _status(self, _: Request) -> JSONResponse:
        self._last_asked = time.monotonic()
        record = self._runner.record
        if not record.status.is_active:
            self._end_seen.set()
        return JSONResponse(self._shown(), headers={"Cache-Control": "no-store"})

    def _shown(self) -> dict[str, Any]:
        job = self._runner.job
        about = {
            "id": job.run_id if job else None,
            "name": job.name if job else None,
            "notebook": job.notebook if job else None,
        }
        return about | self._runner.record.model_dump(mode="json")


def _policy(html: str) -> str:
    """Let the page run and look like what is written in it, and nothing else."""
    hashes: dict[str, str] = {}
    for tag in ("script", "style"):
        found = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = hashlib.sha256((found.group(1) if found else "").encode()).digest()
        hashes[tag] = f"'sha256-{b64encode(digest).decode()}'"
    return (
        f"default-src 'none'; script-src {hashes['script']}; "
        f"style-src {hashes['style']}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


_HEADERS = {
    "Content-Security-Policy": _policy(_HTML),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
