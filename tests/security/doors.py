"""The doors that are open on purpose, each with its reason. All others are shut."""

from __future__ import annotations

from hubyard_hub.api import access
from security.judge import GATED, Open

ANY = "GET POST PUT PATCH DELETE WebSocket"
READ = "GET WebSocket"
"""What is no WebSocket answers a handshake as any GET."""

_GATES = (
    *(
        Open(("platform",), "GET", f"/services/hubyard{path}", {200}, "sign of life")
        for path in sorted(access.PUBLIC)
    ),
    Open(
        ("platform",),
        "POST",
        f"/services/hubyard{access.HOOKS}/[^/]+",
        {404, 415},
        "a secret opens it, and whoever has none is told that there is nothing, as "
        "soon as they write JSON",
    ),
    Open(("mlflow",), "GET", "/services/mlflow/health", {200}, "sign of life"),
    Open(
        GATED,
        "GET POST PUT PATCH DELETE",
        ".*/logout",
        {302},
        "forgets the browser's own cookie and leads to the hub's logout",
    ),
)
_HUBS = (
    Open(
        ("hub",),
        READ,
        "/hub/(login|signup|welcome|sign-in-link)",
        {200},
        "how one comes in",
    ),
    Open(("hub",), READ, "/hub/(api/)?health", {200}, "sign of life"),
    Open(("hub",), READ, "/hub/api/", {200}, "says the hub's version"),
    Open(("hub",), READ, "/hub/(logo|error/1)", {200}, "how the hub's pages look"),
    Open(
        ("hub",), READ, "/hub/logout", {200, 302}, "ends the asking browser's session"
    ),
    Open(
        ("hub",),
        "POST",
        "/hub/api/oauth2/token",
        {400},
        "the second half of a login, for services that know their own secret",
    ),
    Open(
        ("hub",),
        "GET POST WebSocket",
        "/hub/api/authorizations/token(/x)?",
        {500},
        "JupyterHub 6.1: the handler of a call that was removed breaks at its door",
    ),
    Open(
        ("hub",),
        "GET WebSocket",
        "/hub/api/users/ana",
        {200},
        "a name, so that one can share with somebody",
        kinds=("guest",),
    ),
    Open(
        ("hub",),
        "POST PATCH DELETE",
        "/hub/user/ana/.*",
        {424},
        "what the hub says of any path that the proxy does not know",
        kinds=("guest",),
    ),
)
_JUPYTERS = (
    Open(("workspace",), READ, "/user/ana/api", {200}, "the hub's sign of life"),
    Open(
        ("workspace",),
        READ,
        "/user/ana/(static/(lab/)?|lab/extensions/|lab/api/themes/)x",
        {404},
        "files that every installation ships",
    ),
    Open(
        ("workspace",),
        ANY,
        "/user/ana/(|x/|api/notebooks/x)",
        {302},
        "leads to where the same is asked for by another name",
    ),
    Open(
        ("workspace",),
        READ,
        "/user/ana/logout",
        {302},
        "forgets the browser's own cookie and leads to the hub's logout",
    ),
    Open(
        ("workspace",),
        READ,
        "/user/ana/oauth_callback",
        {400},
        "the second half of a login, which lacks the hub's code",
    ),
    Open(
        ("workspace",),
        ANY,
        "/user/ana/(favicon.ico|robots.txt)",
        {503},
        "jupyter_server 2.21: the connection breaks for want of a handler's folder",
    ),
)
_MLFLOWS = (
    Open(
        ("mlflow",),
        "GET POST",
        "/services/mlflow/graphql",
        {500},
        "MLflow 3.17 breaks on what is no query",
        kinds=("guest",),
    ),
    Open(
        ("mlflow",),
        "GET",
        "/services/mlflow/(ajax-)?api/3.0/mlflow/workspaces",
        {503},
        "MLflow's name for what is not configured",
        kinds=("guest",),
    ),
)
DOORS = (*_GATES, *_HUBS, *_JUPYTERS, *_MLFLOWS)

SILENT: dict[str, dict[str, str]] = {
    "workspace": {
        "/lab/api/licenses/x": (
            "jupyterlab_server 2.28: the handler is refused before it runs, and never "
            "sends the refusal, since its finish() is a coroutine that nothing awaits"
        ),
    },
}
"""Routes, by place, that may give no answer, each with its reason."""
