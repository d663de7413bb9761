"""The gate before a real service and a real hub server, through the real proxy."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from hubyard_spawner.local.ports import free_port
from support import echo
from support.hub import (
    ADMIN_TOKEN,
    NAVIGATION,
    REPOSITORY,
    end_process,
    running_hub,
    wait_until_answers,
)
from support.patience import PATIENCE_S, SOON_S, until

# -P: the modules beside it are not for it to import.
ECHO = [sys.executable, "-P", str(REPOSITORY / "tests" / "support" / "echo.py")]
SERVICE_TOKEN = "echo-service-token-of-a-test"
OBJECT = "quarterly-figures"
THING = f"/services/echo/thing/{OBJECT}"
SCOPE = "access:services!service=echo"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
PROGRAM = {"Accept": "*/*", "Sec-Fetch-Dest": "empty", **SAME_ORIGIN}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    port = free_port()
    with running_hub(
        tmp_path_factory.mktemp("hub"),
        groups={"Data, science": ["alice"], "ops": ["alice"]},
        services=[
            {
                "name": "echo",
                "url": f"http://127.0.0.1:{port}",
                "api_token": SERVICE_TOKEN,
                "oauth_no_confirm": True,
                "timeout": 1,
            }
        ],
        roles=[
            {
                "name": "echo-users",
                "users": ["alice", "erika@müller"],
                "scopes": [SCOPE],
            },
            {
                "name": "server",
                "scopes": ["users:activity!user", "access:servers!server", SCOPE],
            },
        ],
        lines=[f"c.Spawner.cmd = {ECHO!r}"],
    ) as hub:
        for name in ("alice", "carol", "erika@müller"):
            hub.add_user(name)
        hub.port = port
        yield hub


@pytest.fixture(scope="module")
def secret_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("secrets") / "cookies"
    file.write_text("0" * 64)
    return file


@pytest.fixture(scope="module")
def environment(hub, secret_file):
    return {
        **hub.service_environment("echo", hub.port, SERVICE_TOKEN),
        "HUBYARD_COOKIE_SECRET_FILE": str(secret_file),
    }


def start_service(environment):
    process = subprocess.Popen(ECHO, env=environment, stdout=subprocess.PIPE, text=True)
    wait_until_answers(environment["JUPYTERHUB_SERVICE_URL"], process)
    return process


@pytest.fixture(scope="module")
def service(hub, environment):
    process = start_service(environment)
    # The hub tells its proxy of the service a moment after it has come up.
    until(lambda: ask(hub, "/services/echo/health").status_code != 404)
    yield process
    end_process(process, signal.SIGTERM)
    process.stdout.close()


@pytest.fixture(scope="module")
def endpoint(hub, service):
    """Alice's hub server `endpoint-x`, and its own token."""
    hub.api("POST", "/users/alice/servers/endpoint-x").raise_for_status()
    own = ask(hub, "/user/alice/endpoint-x/own-token", hub.token("alice"))
    yield own.raise_for_status().text
    hub.api("DELETE", "/users/alice/servers/endpoint-x").raise_for_status()


def ask(hub, path, token=None, method="GET", **headers):
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return httpx.request(method, hub.url + path, headers=headers, timeout=PATIENCE_S)


@pytest.fixture
def shared_with_team(hub, endpoint):
    """Alice's endpoint, shared with a group of which carol is."""
    path = "/groups/team/users"
    hub.api("POST", "/groups/team")
    hub.api("POST", path, json={"users": ["carol"]}).raise_for_status()
    share = {"group": "team"}
    hub.api("POST", "/shares/alice/endpoint-x", json=share).raise_for_status()
    yield lambda: hub.api("DELETE", path, json={"users": ["carol"]}).raise_for_status()
    hub.api("PATCH", "/shares/alice/endpoint-x", json=share)
    hub.api("DELETE", "/groups/team")


SHARED = "/user/alice/endpoint-x/"


def come_in(hub, user):
    """A browser at alice's endpoint, once its user has agreed to the login."""
    browser = hub.browser(user)
    asked = browser.get(f"{SHARED}thing/1", headers=NAVIGATION, follow_redirects=True)
    if "/hub/api/oauth2/authorize" in str(asked.url) and asked.status_code == 200:
        proof = browser.cookies.get("_xsrf", path="/hub/")
        form = {"_xsrf": proof, "scopes": scopes_of(asked.text)}
        asked = browser.post(str(asked.url), data=form, follow_redirects=True)
    return browser, asked


def scopes_of(page):
    return re.findall(r'name="scopes"\s+value="([^"]+)"', page)


def test_a_share_with_a_group_opens_to_its_members_and_to_nobody_else(
    hub, shared_with_team
):
    browser, answer = come_in(hub, "carol")
    assert answer.status_code == 200, answer.text
    assert answer.json()["identity"]["name"] == "carol"
    _, refused = come_in(hub, "erika@müller")
    assert refused.status_code == 403
    shared_with_team()  # carol leaves
    until(lambda: browser.get(f"{SHARED}thing/1").status_code in {401, 403})
    _, again = come_in(hub, "carol")
    assert again.status_code == 403


def test_a_stream_ends_when_its_listener_leaves_the_group(hub, shared_with_team):
    browser, _ = come_in(hub, "carol")
    with browser.stream("GET", f"{SHARED}stream") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "still here"
        shared_with_team()
        for _ in lines:  # it would go on for ever
            pass


def test_a_token_has_what_is_shared_with_a_group_within_its_own_scopes(
    hub, shared_with_team
):
    own = "access:servers!server=alice/endpoint-x"
    assert ask(hub, f"{SHARED}thing/1", hub.token("carol", own)).status_code == 200
    whole = hub.token("carol", "inherit")
    assert ask(hub, f"{SHARED}thing/1", whole).status_code == 200
    other = hub.token("carol", "read:users:name!user")
    assert ask(hub, f"{SHARED}thing/1", other).status_code == 403


def logged_in(hub, user="alice"):
    """A browser that has come through the gate by following its redirects."""
    browser = hub.browser(user)
    browser.get("/services/echo/", follow_redirects=True).raise_for_status()
    return browser


def proof(browser):
    (cookie,) = (
        cookie
        for cookie in browser.cookies.jar
        if cookie.name == "_xsrf" and cookie.path == "/services/echo/"
    )
    return cookie.value


def websocket_address(hub):
    return hub.url.replace("http", "ws") + "/services/echo/socket"


def cookie_header(browser):
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)


# -- Strangers and others


@pytest.mark.parametrize("method", [*echo.METHODS, "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", [THING, "/services/echo/", "/services/echo/missing"])
def test_a_stranger_is_kept_out_by_every_method(hub, service, method, path):
    answer = ask(hub, path, method=method)
    assert answer.status_code == 401
    assert OBJECT not in answer.text
    assert answer.headers["x-jupyterhub-version"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", echo.METHODS)
def test_a_token_that_the_hub_does_not_know_is_nobodys(hub, service, method):
    answer = ask(hub, THING, "no-such-token", method)
    assert answer.status_code == 401
    assert set(answer.json()) == {"message", "field"}


def test_a_wrong_token_is_not_sent_to_a_login(hub, service):
    assert ask(hub, THING, "no-such-token", **NAVIGATION).status_code == 401


@pytest.mark.parametrize("method", echo.METHODS)
def test_another_user_is_refused_by_every_method(hub, service, method):
    answer = ask(hub, THING, hub.token("carol"), method)
    assert answer.status_code == 403
    assert OBJECT not in answer.text


def test_a_token_of_too_few_scopes_is_refused(hub, service):
    answer = ask(hub, THING, hub.token("alice", "read:users:name!user=alice"))
    assert answer.status_code == 403


def test_a_scope_without_filter_is_enough(hub, service):
    answer = ask(hub, THING, ADMIN_TOKEN).raise_for_status().json()
    assert answer["identity"]["kind"] == "service"
    assert answer["identity"]["name"] == "admin"


@pytest.mark.parametrize("token", [None, "no-such-token", "carol"])
def test_a_websocket_is_closed_to_strangers_and_others(hub, service, token):
    token = hub.token("carol") if token == "carol" else token
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(websocket_address(hub), additional_headers=headers),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_only_reading_of_a_public_path_is_open(hub, service):
    answer = ask(hub, "/services/echo/health")
    assert (answer.status_code, answer.text) == (200, "None")
    assert ask(hub, "/services/echo/health", method="POST").status_code == 401
    assert ask(hub, "/services/echo/health/", method="GET").status_code == 401


def test_anybody_may_post_to_a_hook_and_its_secret_reaches_the_application(
    hub, service
):
    hook = "/services/echo/hooks/h1"
    for token in (None, "a secret of its own", hub.token("alice")):
        answer = ask(hub, hook, token, "POST", **{"X-Hubyard-User": "alice"})
        said = answer.raise_for_status().json()
        assert (said["identity"], said["token"]) == (None, None)
        assert said["secret"] == token
        assert not {"authorization", "x-hubyard-user"} & said["headers"].keys()
    browser = logged_in(hub)
    said = browser.post(hook).raise_for_status().json()
    assert (said["identity"], said["secret"]) == (None, None)
    elsewhere = ask(hub, THING, hub.token("alice"), "POST").json()
    assert elsewhere["secret"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", f"hooks{end}") for end in ("", "/", "/h1/", "/h1/x", "/../me")),
        *((method, "hooks/h1") for method in ("GET", "PUT", "PATCH", "DELETE")),
        *(("POST", path) for path in ("hooks%2fh1/x", "Hooks/h1", "x/hooks/h1")),
    ],
)
def test_nothing_else_is_a_hook(hub, service, method, path):
    answer = ask(hub, f"/services/echo/{path}", "a secret of its own", method)
    assert answer.status_code == 401


# -- Who comes with a token


@pytest.mark.parametrize("method", echo.METHODS)
@pytest.mark.parametrize("scheme", ["Bearer", "token"])
def test_a_token_opens_every_method_without_a_proof(hub, service, method, scheme):
    token = hub.token("alice")
    answer = httpx.request(
        method, hub.url + THING, headers={"Authorization": f"{scheme} {token}"}
    )
    assert answer.status_code == 200
    said = answer.json()
    assert (said["method"], said["path"]) == (method, THING)
    assert said["root_path"] == "/services/echo"
    assert said["token"] == token
    assert said["identity"]["name"] == "alice"
    assert set(said["identity"]["groups"]) == {"Data, science", "ops"}
    assert said["identity"]["server"] is None
    assert said["lifespan"] is True


def test_a_websocket_opens_to_a_token(hub, service):
    headers = {"Authorization": f"Bearer {hub.token('alice')}"}
    with connect(websocket_address(hub), additional_headers=headers) as socket:
        assert socket.recv() == "alice"
        socket.send("hello")
        assert socket.recv() == "HELLO"


def test_a_token_in_a_url_is_refused_and_not_repeated(hub, service):
    token = hub.token("alice")
    for path in (
        f"{THING}?token={token}",
        f"/services/echo/health?a=1&token={token}",
        f"{THING}?Token={token}",
        f"{THING}?a=1&%74oke%6E={token}",
        f"{THING}?%2574oken={token}",
    ):
        for sent in (None, token):
            answer = ask(hub, path, sent)
            assert answer.status_code == 403
            assert token not in answer.text


def test_nobody_can_say_who_they_are(hub, service):
    answer = ask(
        hub,
        THING,
        hub.token("alice"),
        **{
            "X-Hubyard-User": "root",
            "x_hubyard_user": "root",
            "X-Hubyard-Groups": "admins",
            "X-Hubyard-Anything": "root",
            "Cookie": "jupyterhub-session-id=1; mine=2; service-echo=3; _xsrf=4",
        },
    )
    headers = answer.raise_for_status().json()["headers"]
    assert "root" not in str(headers)
    assert "authorization" not in headers
    assert headers["x-hubyard-user"] == "alice"
    assert set(headers["x-hubyard-groups"].split(",")) == {"Data%2C%20science", "ops"}
    assert headers["cookie"] == "mine=2; _xsrf=4"


def test_a_name_of_any_letters_fits_a_header(hub, service):
    answer = ask(hub, THING, hub.token("erika@müller")).raise_for_status().json()
    assert answer["identity"]["name"] == "erika@müller"
    assert answer["headers"]["x-hubyard-user"] == "erika@m%C3%BCller"


def test_the_prefix_without_its_slash_leads_to_the_prefix(hub, service):
    answer = ask(hub, "/services/echo", hub.token("alice"))
    assert answer.status_code == 307
    assert answer.headers["location"] == "/services/echo/"


# -- Whose own token


def test_a_servers_own_token_names_its_server(hub, endpoint):
    own = ask(hub, "/user/alice/endpoint-x/", endpoint).raise_for_status().json()
    assert own["identity"]["server"] == "endpoint-x"
    seen_by_a_service = ask(hub, THING, endpoint).raise_for_status().json()
    assert seen_by_a_service["identity"]["server"] == "endpoint-x"


def test_a_key_of_an_endpoint_opens_that_endpoint_and_nothing_else(hub, endpoint):
    key = hub.token("alice", "access:servers!server=alice/endpoint-x")
    answer = ask(hub, "/user/alice/endpoint-x/thing/a", key, "POST")
    assert answer.raise_for_status().json()["identity"]["server"] is None
    assert ask(hub, THING, key).status_code == 403


def test_a_persons_token_opens_their_server_and_is_not_its_own(hub, endpoint):
    answer = ask(hub, "/user/alice/endpoint-x/", hub.token("alice"))
    assert answer.raise_for_status().json()["identity"]["server"] is None
    refused = ask(hub, "/user/alice/endpoint-x/", hub.token("carol"))
    assert refused.status_code == 403
    assert "alice" not in refused.text
    assert "endpoint-x" not in refused.text


def test_a_browsers_token_is_not_the_servers_own(hub, endpoint):
    browser = hub.browser("alice")
    answer = browser.get("/user/alice/endpoint-x/", follow_redirects=True)
    assert answer.raise_for_status().json()["identity"]["server"] is None


# -- Browsers


def test_a_browser_logs_in_and_comes_back_to_where_it_wanted(hub, service):
    browser = hub.browser("alice")
    first = browser.get(f"{THING}?q=a%20b%2Fc&x=%26")
    assert first.status_code == 302
    question = parse_qs(urlsplit(first.headers["location"]).query)
    assert question["code_challenge_method"] == ["S256"]
    assert "quarterly" not in first.headers["location"]
    answer = browser.get(first.headers["location"], follow_redirects=True)
    assert answer.status_code == 200
    assert str(answer.url) == f"{hub.url}{THING}?q=a%20b%2Fc&x=%26"
    said = answer.json()
    assert said["identity"]["name"] == "alice"
    assert "service-echo" not in said["headers"].get("cookie", "")


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(hub, service):
    browser = logged_in(hub)
    (cookie,) = (c for c in browser.cookies.jar if c.name == "service-echo")
    assert cookie.path == "/services/echo/"
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"


def test_a_login_that_began_elsewhere_is_refused(hub, service):
    attacker, victim = hub.browser("alice"), hub.browser("alice")
    begun = attacker.get("/services/echo/").headers["location"]
    callback = attacker.get(begun).headers["location"]
    answer = victim.get(callback)
    assert answer.status_code == 403
    assert "service-echo" not in victim.cookies
    assert attacker.get(callback).status_code == 302


def test_a_code_counts_once(hub, service):
    browser = hub.browser("alice")
    begun = browser.get("/services/echo/")
    callback = browser.get(begun.headers["location"]).headers["location"]
    kept = cookie_header(browser)
    assert browser.get(callback).status_code == 302
    again = httpx.get(hub.url + callback, headers={**NAVIGATION, "Cookie": kept})
    assert again.status_code == 403


@pytest.mark.parametrize(
    "query", ["", "?state=x&code=y", "?error=access_denied", "?state=&code=y"]
)
def test_a_made_up_callback_is_refused(hub, service, query):
    answer = hub.browser().get(f"/services/echo/oauth_callback{query}")
    assert answer.status_code == 403


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "eyJ.1.zz", "é.1.2", ".." * 500])
def test_a_made_up_session_is_nobodys(hub, service, value):
    cookie = f"service-echo={value}".encode()
    headers = {b"Cookie": cookie, b"Accept": b"*/*"}
    assert httpx.get(hub.url + THING, headers=headers).status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_browser_that_changes_something_shows_its_proof(hub, service, method):
    browser = logged_in(hub)
    assert browser.request(method, THING, headers=PROGRAM).status_code == 403
    for wrong in ("", "x", proof(logged_in(hub))):
        headers = {**PROGRAM, "X-XSRFToken": wrong}
        assert browser.request(method, THING, headers=headers).status_code == 403
    headers = {**PROGRAM, "X-XSRFToken": proof(browser), "Origin": hub.url}
    assert browser.request(method, THING, headers=headers).status_code == 200
    for origin in ("https://evil.example", "http://[", "null"):
        headers["Origin"] = origin
        assert browser.request(method, THING, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("site", "mode", "destination", "status"),
    [
        ("none", "navigate", "document", 200),
        ("cross-site", "navigate", "document", 200),
        ("same-origin", "no-cors", "image", 200),
        ("same-origin", "cors", "script", 200),
        ("same-origin", "cors", "font", 200),
        ("same-origin", "cors", "empty", 403),
        ("same-origin", "no-cors", "empty", 403),
        ("same-origin", "same-origin", "empty", 403),
        ("same-origin", "cors", "json", 403),
        ("same-site", "no-cors", "image", 403),
        ("cross-site", "no-cors", "script", 403),
        ("cross-site", "cors", "empty", 403),
    ],
)
def test_a_cookie_alone_reads_what_a_page_cannot(
    hub, service, site, mode, destination, status
):
    headers = {
        "Accept": "*/*",
        "Sec-Fetch-Site": site,
        "Sec-Fetch-Mode": mode,
        "Sec-Fetch-Dest": destination,
    }
    assert logged_in(hub).get(THING, headers=headers).status_code == status


def test_a_websocket_of_a_browser_comes_from_our_own_origin(hub, service):
    cookies = {"Cookie": cookie_header(logged_in(hub))}
    address = websocket_address(hub)
    with connect(address, additional_headers=cookies, origin=hub.url) as socket:
        assert socket.recv() == "alice"
    for origin in ("https://evil.example", "null", None):
        with (
            pytest.raises(InvalidStatus),
            connect(address, additional_headers=cookies, origin=origin),
        ):
            pass


def test_a_person_who_may_not_come_in_sees_a_page(hub, service):
    browser = hub.browser("carol")
    answer = browser.get(THING, follow_redirects=True)
    assert answer.status_code == 403
    assert OBJECT not in answer.text


def test_logging_out_ends_the_session(hub, service):
    browser = logged_in(hub)
    answer = browser.get("/services/echo/logout")
    assert answer.headers["location"] == "/hub/logout"
    assert "service-echo" not in browser.cookies
    assert browser.get("/services/echo/").status_code == 302


def test_leaving_the_hub_ends_the_session_here(hub, service):
    browser = logged_in(hub)
    browser.get("/hub/logout")
    assert browser.get("/services/echo/").status_code == 302


# -- Restarts. These come last: they stop what the tests above use.


def test_the_hub_may_be_away_for_a_while(hub, service):
    known, unknown, browser = hub.token("alice"), hub.token("alice"), logged_in(hub)
    assert ask(hub, THING, known).status_code == 200
    hub.kill_hub()
    assert ask(hub, THING, known).status_code == 200
    assert browser.get(THING).status_code == 200
    answer = ask(hub, THING, unknown)
    assert answer.status_code == 503
    assert "Traceback" not in answer.text
    hub.start_hub()
    until(lambda: ask(hub, THING, unknown).status_code != 503)
    assert ask(hub, THING, unknown).status_code == 200


def test_a_session_outlives_a_restart_and_its_end_is_quick(hub, environment, service):
    browser = logged_in(hub)
    cookies = {"Cookie": cookie_header(browser)}
    address = websocket_address(hub)
    with connect(address, additional_headers=cookies, origin=hub.url) as socket:
        assert socket.recv() == "alice"
        service.terminate()
        service.wait(SOON_S)
    assert json.loads(service.stdout.readlines()[-1]) == {"lifespan": "ended"}
    again = start_service(environment)
    try:
        assert browser.get(THING).status_code == 200
    finally:
        end_process(again, signal.SIGTERM)
        again.stdout.close()


def test_a_process_that_no_hub_started_says_so(hub, environment):
    lacking = {k: v for k, v in environment.items() if k != "JUPYTERHUB_CLIENT_ID"}
    ended = subprocess.run(
        ECHO, env=lacking, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    assert "JUPYTERHUB_CLIENT_ID is not set" in ended.stderr
