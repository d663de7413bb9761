"""A server: one process that listens where the hub routes to, behind the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvicorn

from hubyard_runtime.gate.middleware import Gate
from hubyard_runtime.gate.settings import Settings
from hubyard_runtime.url_tokens import keep_tokens_out_of_logs

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp

KEEP_ALIVE_S = 3600
"""How long a connection may be idle. The proxy keeps its connections and never closes
one, so each that we close may be the one by which it is just sending a request: that
request would be answered with 503."""
_GRACE_S = 1
"""What open requests get after SIGTERM."""


def serve(
    app: ASGIApp,
    *,
    public: Collection[str] = (),
    hooks: Collection[str] = (),
    settings: Settings | None = None,
) -> None:
    """Serve an application behind the gate until SIGTERM or SIGINT.

    Args:
        app: any ASGI application, its routes relative to the prefix (see `gate`).
        public: paths below the prefix that anybody may GET.
        hooks: folders below the prefix to whose members anybody may POST (see `Gate`).
        settings: None: from the environment.
    """
    keep_tokens_out_of_logs()
    settings = settings or Settings.from_environment()
    url = urlsplit(settings.service_url)
    uvicorn.run(
        Gate(app, settings=settings, public=public, hooks=hooks),
        host=url.hostname or "127.0.0.1",
        port=url.port or 0,
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
