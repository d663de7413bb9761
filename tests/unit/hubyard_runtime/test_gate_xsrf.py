"""Which requests a cookie alone may make."""

from __future__ import annotations

import dataclasses

import pytest
from starlette.requests import HTTPConnection

from hubyard.contract.errors import Forbidden, Invalid
from hubyard_runtime.gate.settings import Settings
from hubyard_runtime.gate.signature import Signer
from hubyard_runtime.gate.xsrf import Xsrf, is_navigation

ENVIRONMENT = {
    "JUPYTERHUB_SERVICE_PREFIX": "/user/alice/app-x/",
    "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:2/hub/api",
    "JUPYTERHUB_API_TOKEN": "hub-secret",
    "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-alice-app-x",
    "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!server=alice/app-x"]',
    "JUPYTERHUB_PUBLIC_URL": "https://hub.example/user/alice/app-x/",
}
SETTINGS = Settings.from_environment(ENVIRONMENT)
FOR_APPS = dataclasses.replace(SETTINGS, same_origin_suffices=True)
SIGNER = Signer(b"secret")


def connection(method="GET", kind="http", **headers):
    headers = {"host": "127.0.0.1:8000", **headers}
    return HTTPConnection(
        {
            "type": kind,
            "method": method,
            "path": "/",
            "headers": [
                (name.replace("_", "-").encode(), value.encode())
                for name, value in headers.items()
            ],
        }
    )


def passes(settings, request):
    try:
        Xsrf(settings, SIGNER).check(request, "token")
    except Forbidden:
        return False
    return True


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "https://hub.example"])
def test_our_own_origin_is_the_host_asked_or_the_public_one(origin):
    proof = Xsrf(SETTINGS, SIGNER).value("token")
    assert passes(SETTINGS, connection("POST", origin=origin, x_xsrftoken=proof))
    assert passes(SETTINGS, connection(kind="websocket", origin=origin))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1"])
def test_another_origin_is_refused_even_with_a_proof(origin):
    proof = Xsrf(SETTINGS, SIGNER).value("token")
    for settings in (SETTINGS, FOR_APPS):
        request = connection("POST", origin=origin, x_xsrftoken=proof)
        assert not passes(settings, request)
        assert not passes(settings, connection(kind="websocket", origin=origin))


def test_the_proof_belongs_to_one_session():
    other = Xsrf(SETTINGS, SIGNER).value("another token")
    assert not passes(SETTINGS, connection("POST", x_xsrftoken=other))
    assert not passes(SETTINGS, connection("POST", x_xsrftoken="é"))


@pytest.mark.parametrize(
    ("method", "headers", "for_apps", "otherwise"),
    [
        ("POST", {"sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"}, 1, 0),
        ("GET", {"sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"}, 1, 0),
        ("POST", {"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"}, 0, 0),
        ("POST", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, 0, 0),
        ("GET", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, 1, 1),
        ("GET", {"sec_fetch_site": "none", "sec_fetch_mode": "navigate"}, 1, 1),
        ("GET", {}, 1, 1),
        ("POST", {}, 0, 0),
        ("POST", {"origin": "http://127.0.0.1:8000"}, 1, 0),
    ],
)
def test_a_cookie_is_enough_for_an_app_within_its_origin(
    method, headers, for_apps, otherwise
):
    request = connection(method, **headers)
    assert passes(FOR_APPS, request) == bool(for_apps)
    assert passes(SETTINGS, request) == bool(otherwise)


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {"sec_fetch_mode": "navigate"}, True),
        ("GET", {"accept": "text/html,*/*"}, True),
        ("GET", {"accept": "text/html", "sec_fetch_mode": "cors"}, False),
        ("GET", {"accept": "*/*"}, False),
        ("POST", {"sec_fetch_mode": "navigate"}, False),
    ],
)
def test_only_an_opened_page_is_a_navigation(method, headers, expected):
    assert is_navigation(connection(method, **headers)) is expected


def test_a_signed_value_is_good_for_one_name_one_secret_and_a_while():
    text = SIGNER.sign("cookie", "välue")
    assert SIGNER.read("cookie", text, max_age_s=60) == "välue"
    assert SIGNER.read("other", text, max_age_s=60) is None
    assert SIGNER.read("cookie", text, max_age_s=-1) is None
    assert Signer(b"another").read("cookie", text, max_age_s=60) is None
    body, moment, mac = text.split(".")
    assert SIGNER.read("cookie", f"{body}x.{moment}.{mac}", max_age_s=60) is None
    assert SIGNER.read("cookie", f"{body}.{int(moment) + 1}.{mac}", max_age_s=9) is None


def test_two_purposes_that_read_alike_are_signed_apart():
    assert SIGNER.mac("ab", "c") != SIGNER.mac("a", "bc")


def test_the_settings_come_from_the_hubs_variables():
    assert SETTINGS.redirect_uri == "/user/alice/app-x/oauth_callback"
    assert SETTINGS.hub_url == "/hub/"
    assert SETTINGS.is_secure
    assert "hub-secret" not in repr(SETTINGS)


@pytest.mark.parametrize(
    "name", [name for name in ENVIRONMENT if name != "JUPYTERHUB_PUBLIC_URL"]
)
def test_a_missing_variable_is_named(name):
    environment = {k: v for k, v in ENVIRONMENT.items() if k != name}
    with pytest.raises(Invalid, match=r"JUPYTERHUB_[A-Z_]+ is not set"):
        Settings.from_environment(environment)


def test_a_kept_cookie_secret_must_not_be_empty(tmp_path):
    file = tmp_path / "secret"
    file.write_text("abc\n")
    environment = {**ENVIRONMENT, "HUBYARD_COOKIE_SECRET_FILE": str(file)}
    assert Settings.from_environment(environment).cookie_secret == b"abc"
    file.write_text("\n")
    with pytest.raises(Invalid, match="empty file"):
        Settings.from_environment(environment)
