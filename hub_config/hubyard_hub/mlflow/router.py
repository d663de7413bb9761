"""Router: which of MLflow's routes a request is for, asked of MLflow's own tables.

MLflow is a Flask application mounted below a few native routes of FastAPI, which come
first. Where neither has a route, the answer is the one that Flask would give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import compile_path
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from hubyard_hub.mlflow.routes import Route, find, name_of

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator

    from flask import Flask
    from werkzeug.routing import MapAdapter

_API = ("/api/", "/ajax-api/")
_BEFORE_THE_BODY = {"content-length", "content-type"}


@dataclass(frozen=True)
class Found:
    """A route, and what stands in its path."""

    route: Route
    parameters: dict[str, str]


@dataclass(frozen=True)
class _Native:
    template: str
    pattern: re.Pattern[str]
    methods: frozenset[str]


class Router:
    """MLflow's routes, in the order in which MLflow looks for them."""

    def __init__(self, flask: Flask, fastapi: Any, *, prefix: str) -> None:
        """Read the routes.

        Args:
            flask: MLflow's Flask application.
            fastapi: the FastAPI application in which that is mounted.
            prefix: where all of it stands, for redirects.
        """
        self._map = flask.url_map
        self._native = tuple(_native(fastapi.routes))
        self._prefix = prefix.rstrip("/")

    def names(self) -> set[str]:
        """The names of all routes, as `routes` has them."""
        flask = {
            name_of(method, str(rule))
            for rule in self._map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }
        native = {
            name_of(method, route.template)
            for route in self._native
            for method in route.methods
        }
        return flask | native

    def find(self, method: str, path: str, query: bytes) -> Found | Response:
        """The route for a request, or what Flask answers where there is none."""
        for route in self._native:
            matched = route.pattern.match(path)
            if matched and method in route.methods:
                return Found(find(name_of(method, route.template)), matched.groupdict())
        adapter = self._map.bind("localhost", query_args=query.decode("latin-1"))
        try:
            if method == "OPTIONS":
                return _options(adapter, path)
            rule, values = adapter.match(path, method, return_rule=True)
        except HTTPException as error:
            return self._not_there(error)
        parameters = {name: str(value) for name, value in values.items()}
        return Found(find(name_of(method, str(rule))), parameters)

    def _not_there(self, error: HTTPException) -> Response:
        if isinstance(error, RequestRedirect):
            inside = error.new_url.removeprefix("http://localhost")
            error.new_url = f"{self._prefix}/{inside.lstrip('/')}"
        said = error.get_response()
        headers = {k: v for k, v in said.headers if k.lower() not in _BEFORE_THE_BODY}
        return Response(
            said.get_data(), error.code or 404, headers, said.headers["content-type"]
        )


def _options(adapter: MapAdapter, path: str) -> Response:
    """Which methods there are, as Flask says it.

    Raises:
        NotFound: nothing is there.
    """
    methods = set(adapter.allowed_methods(path))
    if not methods:
        adapter.match(path, "GET")
        raise MethodNotAllowed
    allow = {"Allow": ", ".join(sorted(methods | {"OPTIONS"}))}
    status = 204 if path.startswith(_API) else 200
    return Response(b"", status, allow, "text/html; charset=utf-8")


def _native(routes: Iterable[Any], prefix: str = "") -> Iterator[_Native]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            inner = prefix + route.include_context.prefix
            yield from _native(included.routes, inner)
        elif getattr(route, "methods", None):
            template: str = prefix + route.path
            pattern, _, _ = compile_path(template)
            yield _Native(template, pattern, frozenset(route.methods))
