"""Every route of everything that answers HTTP, read from the routers themselves.

Each function imports what it enumerates, so it runs in a process of its own:
`python tests/security/routes.py <place>` prints a list of `Route` as JSON, their paths
relative to where the place stands.

place  platform, mlflow, hub, or one of the kinds workspace, run, endpoint, app
rule   what the router says of who may come: "person", "workload" or "secret" (the
       platform), "gate" (all that is behind one), "login" (a handler that Jupyter
       Server shuts unless it says otherwise), "hub" (the hub's own handlers decide); ""
       is none
open   methods that the router itself lets anybody use
admin  methods that the platform keeps for administrators
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WEBSOCKET = "WebSocket"
SAMPLE = "x"
"""What stands for a parameter of a path, until a guess that is right replaces it."""

HOME = "/user/ana"
SHIPPED = Path(__file__).parents[2] / "hub_config" / "compute.toml"


@dataclass(frozen=True)
class Route:
    """One path, the methods that its router has something for, and its rule."""

    path: str
    methods: tuple[str, ...]
    rule: str
    open: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()


def enumerate_routes(place: str) -> list[Route]:
    """Routes of one place, read in a process of its own.

    Raises:
        SystemExit: they cannot be read, or there is none.
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, place],
        capture_output=True,
        text=True,
        check=False,
        cwd=tempfile.gettempdir(),
    )
    if done.returncode:
        raise SystemExit(f"the routes of {place} cannot be read: {done.stderr[-900:]}")
    found = [Route(**each) for each in json.loads(done.stdout.splitlines()[-1])]
    if not found:
        raise SystemExit(f"{place} has no route: its router was not read")
    return found


# -- Patterns


def of_template(template: str) -> str:
    """An example of `/runs/{id}`, `/files/{path:path}` or `/get/<int:n>`."""
    return re.sub(r"\{[^}]*\}|<[^>]*>", SAMPLE, template)


def of_pattern(pattern: str) -> str:
    """A shortest text that a regular expression matches."""
    return "".join(_texts(re._parser.parse(pattern)))


def _texts(tree: Iterable[Any]) -> Iterable[str]:
    for kind, value in tree:
        yield from _TEXTS.get(str(kind), lambda _: ())(value)


def _repeated(value: tuple[int, int, Any]) -> Iterable[str]:
    low, high, inner = value
    return list(_texts(inner)) * (low or (1 if high else 0))


def _one_of(choices: list[Any]) -> str:
    kind, value = choices[0]
    if str(kind) == "LITERAL":
        return chr(value)
    if str(kind) == "RANGE":
        return chr(value[0])
    return "1" if str(value) == "CATEGORY_DIGIT" else SAMPLE


_TEXTS: dict[str, Callable[[Any], Iterable[str]]] = {
    "LITERAL": chr,
    "NOT_LITERAL": lambda _: SAMPLE,
    "ANY": lambda _: SAMPLE,
    "IN": _one_of,
    "MAX_REPEAT": _repeated,
    "MIN_REPEAT": _repeated,
    "POSSESSIVE_REPEAT": _repeated,
    "SUBPATTERN": lambda value: _texts(value[-1]),
    "BRANCH": lambda value: _texts(value[1][0]),
}


# -- Routers


def _starlette(routes: Iterable[Any], rule: str, prefix: str = "") -> Iterator[Route]:
    """Routes of Starlette and FastAPI, those of routers within routers too."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            inner = prefix + route.include_context.prefix
            yield from _starlette(included.routes, rule, inner)
            continue
        path = prefix + getattr(route, "path", "")
        if getattr(route, "routes", None):
            yield from _starlette(route.routes, rule, path)
            continue
        yield Route(of_template(path), _known(route), rule)


def _known(route: Any) -> tuple[str, ...]:
    """Methods of a route; one that names none is a WebSocket's or a whole folder's."""
    methods = getattr(route, "methods", None)
    if methods is None:
        return (WEBSOCKET,) if hasattr(route, "endpoint") else ("GET",)
    return tuple(method for method in METHODS if method in methods)


def _tornado(handlers: Iterable[tuple[str, type]], rule: str) -> Iterator[Route]:
    """Routes of tornado, from its patterns and handlers."""
    from tornado.web import RequestHandler
    from tornado.websocket import WebSocketHandler

    missing = RequestHandler._unimplemented_method
    for pattern, handler in handlers:
        acts = {m: getattr(handler, m.lower(), missing) for m in METHODS}
        found = [m for m in METHODS if acts[m] is not missing]
        if issubclass(handler, WebSocketHandler):
            found = [WEBSOCKET]
        yield Route(of_pattern(pattern), tuple(found), rule)


def _rules(rule: Any) -> Iterator[tuple[str, type]]:
    inner = getattr(rule.target, "rules", None)
    if inner is not None:
        for each in inner:
            yield from _rules(each)
    elif hasattr(rule.matcher, "regex"):
        yield rule.matcher.regex.pattern, rule.target


GATES_OWN = (
    Route("/oauth_callback", ("GET",), "gate"),
    Route("/logout", ("GET",), "gate"),
    Route("/" + SAMPLE, (), "gate"),
)
"""What every gate answers itself, and a path that nothing is at."""


# -- Places


def platform() -> Iterator[Route]:
    """FastAPI's routes, each with its rule (see `hubyard_hub.api.access`)."""
    from hubyard_hub.api import access
    from hubyard_hub.service import create_app
    from hubyard_hub.settings import Settings

    names = {
        access.person: "person",
        access.workload: "workload",
        access.secret: "secret",
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        app = create_app(Settings(state=Path(folder), catalogue=SHIPPED))
        for route in app.routes:
            if route.path in access.PUBLIC:
                yield Route(route.path, ("GET",), "gate", ("GET",))
                continue
            called = set(access._calls(route.dependant))
            rule = next((name for call, name in names.items() if call in called), "")
            methods = _known(route)
            admin = methods if access.admin in called else ()
            yield Route(of_template(route.path), methods, rule, admin=admin)
    yield from GATES_OWN


def mlflow() -> Iterator[Route]:
    """Flask's routes and FastAPI's, as they stand behind our gate."""
    with serve_mlflow() as gate:
        from mlflow.server import app as flask

        for path in gate._public:
            relative = path.removeprefix("/services/mlflow")
            yield Route(relative, ("GET",), "gate", ("GET",))
        from hubyard_hub.models.mlflow_client import MEMBERS

        for rule in flask.url_map.iter_rules():
            yield Route(of_template(str(rule)), _known(rule), "gate")
        yield from _starlette(gate._app.app._mlflow.routes, "gate")
        yield Route(f"{MEMBERS}{SAMPLE}", ("DELETE",), "gate")
    yield from GATES_OWN


@contextmanager
def serve_mlflow() -> Iterator[Any]:
    """MLflow behind its gate, made as its process makes it, for this one process."""
    from hubyard_hub.settings import Settings

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = Settings(state=Path(folder), catalogue=SHIPPED)
        settings.save()
        _pretend_to_be_served(settings)
        from hubyard_hub import mlflow_app

        os.environ.update(mlflow_app.server_environment(settings))
        yield mlflow_app.create_app()


def _pretend_to_be_served(settings: Any) -> None:
    """What `mlflow server` and the supervisor set before the application is made."""
    os.environ.update(
        HUBYARD_STATE=str(settings.state),
        MLFLOW_BACKEND_STORE_URI=f"sqlite:///{settings.state / 'mlflow.sqlite'}",
        _MLFLOW_SGI_NAME="uvicorn",
        JUPYTERHUB_SERVICE_NAME="mlflow",
        JUPYTERHUB_CLIENT_ID="service-mlflow",
        JUPYTERHUB_SERVICE_PREFIX="/services/mlflow/",
        JUPYTERHUB_SERVICE_URL="http://127.0.0.1:9",
        JUPYTERHUB_API_URL="http://127.0.0.1:9/hub/api",
        JUPYTERHUB_API_TOKEN="enumerating",
    )


def workspace() -> Iterator[Route]:
    """tornado's handlers of the single-user server, started as a workspace is."""
    from jupyter_server.base.handlers import JupyterHandler

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        _version_of_a_hub() as api_url,
    ):
        os.chdir(folder)
        os.environ.update(
            HOME=folder,
            JUPYTERHUB_API_URL=api_url,
            JUPYTERHUB_API_TOKEN="enumerating",
            JUPYTERHUB_CLIENT_ID="jupyterhub-user-ana",
            JUPYTERHUB_SERVICE_URL="http://127.0.0.1:0",
            JUPYTERHUB_SERVICE_PREFIX=f"{HOME}/",
            JUPYTERHUB_USER="ana",
        )
        from jupyterhub.singleuser.extension import JupyterHubSingleUser

        from hubyard_runtime.workspace.__main__ import _arguments

        app = JupyterHubSingleUser.initialize_server(argv=_arguments()).web_app
        shut = not app.settings["allow_unauthenticated_access"]
        for router in (app.wildcard_router, app.default_router):
            for pattern, handler in _rules_of(router):
                (route,) = _tornado([(pattern, handler)], "login")
                if not route.path.startswith(HOME):
                    continue  # the proxy brings nothing from outside here
                route = replace(route, path=route.path.removeprefix(HOME))
                opened = _opened(handler)
                # Jupyter Server shuts only its own handlers by default.
                knows = shut and issubclass(handler, JupyterHandler)
                if not knows and not opened.issuperset(route.methods):
                    route = replace(route, rule="")
                yield replace(route, open=tuple(opened))


def _opened(handler: type) -> set[str]:
    """Methods that Jupyter Server's own mark opens to anybody."""
    acts = {method: getattr(handler, method.lower()) for method in METHODS}
    mark = "__allow_unauthenticated"
    return {method for method, act in acts.items() if getattr(act, mark, False)}


def _rules_of(router: Any) -> Iterator[tuple[str, type]]:
    for rule in router.rules:
        yield from _rules(rule)


class _version_of_a_hub:  # noqa: N801 - used as a context manager
    """All that a single-user server asks before it starts: which version the hub is."""

    def __enter__(self) -> str:
        from jupyterhub import __version__

        class Says(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("X-JupyterHub-Version", __version__)
                self.end_headers()
                self.wfile.write(b"{}")

        self._server = HTTPServer(("127.0.0.1", 0), Says)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/hub/api"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def run() -> Iterator[Route]:
    """The live page's routes."""
    from hubyard_runtime.run.page import Page

    yield from _starlette(Page(None).application(None).routes, "gate")
    yield from GATES_OWN


def endpoint() -> Iterator[Route]:
    """The endpoint's own table."""
    from hubyard_runtime.endpoint.service import Endpoint

    for path, method in Endpoint.ROUTES.items():
        yield Route(f"/{path}", (method,), "gate")
    yield from GATES_OWN


def app() -> Iterator[Route]:
    """An app forwards whatever is asked: the routes of both its frameworks."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["HOME"] = folder
        yield from _streamlit(Path(folder))
        yield from _voila(Path(folder))
    yield from GATES_OWN


def _streamlit(folder: Path) -> Iterator[Route]:
    from streamlit.starlette import App

    file = folder / "app.py"
    file.write_text("")
    yield from _starlette(App(file)._build_starlette_app().routes, "gate")


def _voila(folder: Path) -> Iterator[Route]:
    from hubyard_runtime.app.voila import OnSocket

    class Unheard(OnSocket):
        """Made ready to serve, and no more."""

        def listen(self) -> None:
            """Not at all."""

    notebook = folder / "app.ipynb"
    notebook.write_text('{"cells": [], "metadata": {}, "nbformat": 4}')
    voila = Unheard()
    voila.initialize([str(notebook)])
    voila.start()
    yield from _tornado(_rules_of(voila.app.wildcard_router), "gate")
    yield from _tornado(_rules_of(voila.app.default_router), "gate")


def hub() -> Iterator[Route]:
    """Every page and every call of the hub, ours and our authenticator's first."""
    from jupyterhub import apihandlers, handlers

    from hubyard_hub.pages.money import handlers as money_pages
    from hubyard_hub.people.pages import handlers as people_pages
    from hubyard_hub.signing_in.authenticator import HubyardAuthenticator
    from hubyard_hub.signing_in.routes import PAGES

    authenticator = HubyardAuthenticator.__new__(HubyardAuthenticator)
    authenticator.pages = PAGES
    pages, calls = people_pages(None)
    every = [
        *authenticator.get_handlers(None),
        *pages,
        *calls,
        *money_pages(None),
        *handlers.default_handlers,
        *apihandlers.default_handlers,
        ("/api/(.*)", apihandlers.base.API404),
    ]
    yield from _tornado([("/hub" + each[0], each[1]) for each in every], "hub")
    yield Route("/", ("GET",), "hub")
    yield Route("/hub/logo", ("GET",), "hub")
    yield Route("/hub/" + SAMPLE, (), "hub")


PLACES: dict[str, Callable[[], Iterator[Route]]] = {
    "platform": platform,
    "mlflow": mlflow,
    "workspace": workspace,
    "run": run,
    "endpoint": endpoint,
    "app": app,
    "hub": hub,
}


def _merged(routes: Iterable[Route]) -> list[Route]:
    """One route a path: a path without a rule anywhere has none."""
    found: dict[str, Route] = {}
    for route in routes:
        path = "/" + route.path.lstrip("/")
        known = found.get(path, Route(path, (), route.rule))
        found[path] = Route(
            path,
            tuple(sorted({*known.methods, *route.methods})),
            route.rule and known.rule,
            tuple(sorted({*known.open, *route.open})),
            tuple(sorted({*known.admin, *route.admin})),
        )
    return [found[path] for path in sorted(found)]


if __name__ == "__main__":
    print(json.dumps([asdict(route) for route in _merged(PLACES[sys.argv[1]]())]))
