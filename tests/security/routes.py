"""Every route of everything that answers HTTP, read from the routers themselves.

Each function imports what it enumerates, so it runs in a process of its own:
`python tests/security/routes.py <platform|mlflow|run|endpoint|app|workspace|hub>`
prints one path a line, relative to the process's prefix.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SAMPLE = "x1"
"""What stands for a parameter whose value does not matter."""


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
    return "1" if str(value) == "CATEGORY_DIGIT" else SAMPLE[0]


_TEXTS: dict[str, Callable[[Any], Iterable[str]]] = {
    "LITERAL": chr,
    "NOT_LITERAL": lambda _: SAMPLE[0],
    "ANY": lambda _: SAMPLE[0],
    "IN": _one_of,
    "MAX_REPEAT": _repeated,
    "MIN_REPEAT": _repeated,
    "POSSESSIVE_REPEAT": _repeated,
    "SUBPATTERN": lambda value: _texts(value[-1]),
    "BRANCH": lambda value: _texts(value[1][0]),
}


def platform() -> list[str]:
    from hubyard_hub.service import create_app
    from hubyard_hub.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        shipped = Path(__file__).parents[2] / "hub_config" / "compute.toml"
        settings = Settings(state=Path(folder), catalogue=shipped)
        app = create_app(settings)
        return _starlette(app.routes)


def _starlette(routes: Iterable[Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for route in routes:
        path = prefix + getattr(route, "path", "")
        inner = getattr(route, "routes", None)
        found += _starlette(inner, path) if inner else [of_template(path)]
    return found


def mlflow() -> list[str]:
    os.environ.setdefault("MLFLOW_FLASK_SERVER_SECRET_KEY", "enumerating")
    os.environ["_MLFLOW_STATIC_PREFIX"] = "/services/mlflow"
    from mlflow.server import app
    from mlflow.server.fastapi_app import create_fastapi_app

    flask = [of_template(str(rule)) for rule in app.url_map.iter_rules()]
    own = [p for p in _starlette(create_fastapi_app(app).routes) if p.strip("/")]
    return [path.removeprefix("/services/mlflow") for path in [*flask, *own]]


def workspace() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = os.environ["JUPYTER_CONFIG_DIR"] = folder
        from jupyterlab.labapp import LabApp

        server = LabApp.initialize_server(
            argv=[
                "--allow-root",
                f"--ServerApp.root_dir={folder}",
                "--ServerApp.jpserver_extensions=hubyard_lab=True",
            ]
        )
        patterns = [
            rule.matcher.regex.pattern
            for router in server.web_app.wildcard_router.rules
            for rule in _rules(router)
        ]
        patterns += [
            rule.matcher.regex.pattern
            for router in server.web_app.default_router.rules
            for rule in _rules(router)
        ]
    return [of_pattern(pattern) for pattern in patterns]


def _rules(rule: Any) -> list[Any]:
    inner = getattr(rule.target, "rules", None)
    if inner is not None:
        return [found for each in inner for found in _rules(each)]
    return [rule] if hasattr(rule.matcher, "regex") else []


def run() -> list[str]:
    from hubyard_runtime.run.page import Page

    return _starlette(Page(None).application(None).routes)


def endpoint() -> list[str]:
    from hubyard_runtime.endpoint.service import Endpoint

    return [*Endpoint.ROUTES, "/" + SAMPLE]


def app() -> list[str]:
    """An app forwards whatever path is asked for: some that its frameworks know."""
    streamlit = ("/_stcore/health", "/_stcore/stream", "/_stcore/upload_file/x/y")
    voila = ("/api/kernels", "/api/kernels/x1/channels", "/voila/files/x1", "/static/x")
    return ["/", "/api", "/" + SAMPLE, *streamlit, *voila]


def hub() -> list[str]:
    """The hub's pages that are ours or our authenticator's."""
    from hubyard_hub.sign_in import HubyardAuthenticator

    bare = HubyardAuthenticator.__new__(HubyardAuthenticator)
    patterns = [handler[0] for handler in bare.get_handlers(None)]
    own = ("/home", "/spawn", "/spawn/ana", "/spawn-pending/ana", "/user/ana/api")
    return ["/hub" + path for path in (*map(of_pattern, patterns), *own)]


ENUMERATED: dict[str, Callable[[], list[str]]] = {
    "platform": platform,
    "mlflow": mlflow,
    "workspace": workspace,
    "run": run,
    "endpoint": endpoint,
    "app": app,
    "hub": hub,
}

if __name__ == "__main__":
    found = sorted({"/" + path.lstrip("/") for path in ENUMERATED[sys.argv[1]]()})
    print(json.dumps(found))
