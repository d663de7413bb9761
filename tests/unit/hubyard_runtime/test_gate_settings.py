"""Where a process stands behind the hub: one prefix, spelled in many ways."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard_runtime.gate import Settings

OWN = "/user/o%27malley%20%25@example.org/app-x/"


def settings(prefix=OWN):
    return Settings.from_environment(
        {
            "JUPYTERHUB_SERVICE_PREFIX": prefix,
            "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1",
            "JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api",
            "JUPYTERHUB_API_TOKEN": "secret",
            "JUPYTERHUB_CLIENT_ID": "x",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": "[]",
        }
    )


@pytest.mark.parametrize(
    ("sent", "own"),
    [
        (OWN, OWN),
        ("/user/o'malley%20%25@example.org/app-x/", OWN),
        ("/user/o%27malley%20%25%40example%2Eorg/%61pp-x/a%2Fb//c", f"{OWN}a%2Fb//c"),
        ("/user/o'malley%20%25@example.org/app-x", OWN),
        ("/user/o'malley%20%25@example.org/app-xy/", None),
        ("/user/o'malley%20%2525@example.org/app-x/", None),
        ("/user/o'malley%20%25@example.org/", None),
        ("/user/o'malley%20%25@example.org%2Fapp-x/a", None),
        ("//user/o'malley%20%25@example.org/app-x/", None),
        ("/", None),
        ("//evil.example/", None),
    ],
)
def test_the_hubs_spelling_stands_in_for_every_other(sent, own):
    found = settings().own_path({"raw_path": sent.encode()})
    assert found == (own and own.encode())


@given(st.text(st.characters(exclude_characters="/", codec="utf-8"), min_size=1))
def test_any_name_in_any_spelling_is_below_its_own_prefix_alone(name):
    place = settings(f"/user/{quote(name, safe='@~')}/app-x/")
    assert place.path == f"/user/{name}/app-x/"
    for spelled in (
        quote(name, safe="!$&'()*+,;=:@~"),
        "".join(f"%{byte:02x}" for byte in name.encode()),
    ):
        raw = f"/user/{spelled}/app-x/a%2fb".encode()
        assert place.own_path({"raw_path": raw}) == f"{place.prefix}a%2fb".encode()
        other = f"/user/{spelled}x/app-x/".encode()
        assert place.own_path({"raw_path": other}) is None
    assert unquote_to_bytes(place.prefix) == place.path.encode()
