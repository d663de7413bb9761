"""The routes are read from the routers, and each has a rule."""

import pytest

from security.routes import (
    METHODS,
    PLACES,
    WEBSOCKET,
    enumerate_routes,
    of_pattern,
    of_template,
)

LEAST = {
    "platform": 60,
    "mlflow": 450,
    "workspace": 60,
    "run": 4,
    "endpoint": 7,
    "app": 25,
    "hub": 60,
}
KNOWN = {
    "platform": "/api/runs/x/stop",
    "mlflow": "/api/3.0/mlflow/mcp-servers/x/versions",
    "workspace": "/hubyard/api/x",
    "run": "/status",
    "endpoint": "/invocations",
    "app": "/_stcore/stream",
    "hub": "/hub/authorize/x",
}
"""A route of each, deep inside its router."""


@pytest.mark.parametrize("place", PLACES)
def test_every_route_has_a_rule(place):
    routes = enumerate_routes(place)
    assert len(routes) >= LEAST[place]
    assert KNOWN[place] in {route.path for route in routes}
    assert [route.path for route in routes if not route.rule] == []
    known = {*METHODS, WEBSOCKET}
    assert all(known.issuperset(route.methods) for route in routes)


def test_what_cannot_be_read_ends_the_attack():
    with pytest.raises(SystemExit, match="routes of nothing cannot be read"):
        enumerate_routes("nothing")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"/hub/api/users/([^/]+)/servers/([^/]*)", "/hub/api/users/x/servers/x"),
        (r"/api/kernels/(?P<id>\w+-\w+)/(?P<act>restart|stop)$", "/api/kernels/x-x/"),
        (r"/static/(.*)", "/static/x"),
        (r"/n/(\d+)", "/n/1"),
        (r"/api/?", "/api/"),
    ],
)
def test_a_pattern_has_an_example(pattern, text):
    assert of_pattern(pattern).startswith(text)


def test_a_template_has_an_example():
    assert of_template("/runs/{id}/a/{path:path}/<int:n>") == "/runs/x/a/x/x"
