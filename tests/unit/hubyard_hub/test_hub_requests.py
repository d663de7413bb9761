"""What the hub refuses before any of its handlers sees it."""

from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from hubyard_hub.hub.requests import why_refused

OWN = "http://hub.example:8000"
CROSS, NAVIGATES = {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Mode": "navigate"}


def refused(method="POST", uri="/hub/x", public_host="", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    shown = HTTPHeaders({"Host": "hub.example:8000", **named})
    connection = SimpleNamespace(
        context=SimpleNamespace(remote_ip="127.0.0.1", protocol="http")
    )
    request = HTTPServerRequest(
        headers=shown,
        connection=connection,
        start_line=RequestStartLine(method, uri, "HTTP/1.1"),
    )
    return why_refused(request, public_host)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://hub.example",
        "http://hub.example:8001",
        "http://eve.hub.example:8000",
        "http://hub.example:8000.evil.example",
        "http://hub.example:8000@evil.example",
        "null",
        "",
        "http://[",
    ],
)
def test_a_change_from_elsewhere_is_refused(method, origin):
    assert "another site" in refused(method, Origin=origin)


@pytest.mark.parametrize("origin", [OWN, OWN.upper(), "https://people.example"])
def test_a_change_from_our_own_pages_is_not(origin):
    assert refused(public_host="People.example", Origin=origin) == ""


def test_who_sends_no_origin_or_a_token_of_theirs_is_no_page():
    assert refused() == ""
    assert (
        refused(Authorization="token x", Origin="https://evil.example", **CROSS) == ""
    )


@pytest.mark.parametrize(
    ("method", "headers", "is_refused"),
    [
        ("GET", {**CROSS, **NAVIGATES}, False),
        ("GET", {**CROSS, "Sec-Fetch-Mode": "no-cors"}, True),
        ("GET", {**CROSS, "Sec-Fetch-Mode": "cors"}, True),
        ("GET", CROSS, True),
        ("POST", {**CROSS, **NAVIGATES}, True),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, False),
        ("GET", {"Origin": "https://evil.example"}, False),
    ],
)
def test_other_sites_may_link_to_us_and_nothing_else(method, headers, is_refused):
    assert bool(refused(method, **headers)) == is_refused


@pytest.mark.parametrize("query", ["token=x", "a=1&Token=x", "%74oken=x"])
def test_a_token_in_an_address_is_refused_whoever_sends_it(query):
    said = refused("GET", f"/hub/api/user?{query}", Authorization="token x")
    assert "Authorization header" in said
