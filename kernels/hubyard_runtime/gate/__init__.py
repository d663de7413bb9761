"""The gate: the one login before every process that answers HTTP.

gate     ASGI middleware that lets nobody through whom the hub does not know, or who
         has none of the scopes that this process asks for: default deny, for every
         method and for WebSockets
visitor  who was let through: an `Identity`, and the token that proved it
proof    what a browser must show beside its cookie (see `xsrf`)
hook     a path that anybody may POST to; the application asks for a secret of its own

Inside the gate an application finds

    scope["hubyard.identity"]   the visitor, as `hubyard.contract.identity.Identity`
    scope["hubyard.token"]      the visitor's hub token
    scope["hubyard.secret"]     what was sent in its place to a hook, unchecked
    scope["root_path"]          the prefix without its trailing slash
    scope["path"]               the whole path, as ASGI wants it
    scope["raw_path"]           the same as it was sent, below the prefix as the hub
                                spells it

The first two are None on a public path and a hook. `root_path` and `path` are how
Starlette and FastAPI match their routes relative to the prefix: an application with
`@app.get("/api/me")` answers `/services/hubyard/api/me` and needs no `root_path` of its
own.

The headers `X-Hubyard-User` and `X-Hubyard-Groups` (comma-separated) say the same to
what is not Python; all but letters, digits and `-._~@+` is percent-encoded in them.
"""

from __future__ import annotations

from hubyard_runtime.gate.hub import KNOWN_S, Hub
from hubyard_runtime.gate.middleware import Gate, named
from hubyard_runtime.gate.server import KEEP_ALIVE_S, serve
from hubyard_runtime.gate.settings import Settings

__all__ = ["KEEP_ALIVE_S", "KNOWN_S", "Gate", "Hub", "Settings", "named", "serve"]
