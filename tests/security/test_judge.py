"""The judge finds each open door: real servers, with and without a gate."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from itertools import product

import pytest
import uvicorn

from hubyard.contract.identity import Identity
from hubyard_runtime.gate import Gate, Settings
from hubyard_spawner.local.ports import free_port
from security.attack import Tally
from security.attackers import Attacker
from security.judge import GATED, SHARED, Judge, Open, Question, Somebody
from security.routes import METHODS, WEBSOCKET, Route
from support.hub import NAVIGATION

PATH, ROUTE = "/user/ana/run-1/x", Route("/x", ("GET",), "gate")
NAME, SECRET = "zyzzyva", "quincunx"
NOBODY = Somebody("nobody", "stranger")
BO = Somebody("bo", "guest")
NOBODYS_BROWSER = Somebody("nobody", "stranger", by_browser=True)
LURED = Somebody("a page", "lured", by_browser=True)
TOKENS = {
    "bo's": Identity(name="bo", scopes=("access:servers!server=bo/",)),
    "ana's": Identity(name="ana", scopes=("access:servers!server=ana/run-1",)),
}


class Says:
    """An application without a gate that always answers the same."""

    def __init__(self, status=200, text="{}", **headers):
        self.start = {
            "type": "http.response.start",
            "status": status,
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        }
        self.text = text

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close"})
            return
        text = self.text(scope["path"]) if callable(self.text) else self.text
        await send(self.start)
        await send({"type": "http.response.body", "body": text.encode()})


class SaysNothing:
    """Keeps whoever asks waiting."""

    async def __call__(self, scope, receive, send):
        await asyncio.sleep(1)


class Knows:
    """What a gate asks of the hub, for the tokens of this file."""

    async def identify(self, token, session_id=""):
        return TOKENS.get(token)


def gated(app):
    """The application behind the gate of ana's run."""
    environment = {
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ana/run-1/",
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1",
        "JUPYTERHUB_API_URL": "http://127.0.0.1:2/hub/api",
        "JUPYTERHUB_API_TOKEN": "secret",
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ana-run-1",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!server=ana/run-1"]',
    }
    settings = Settings.from_environment(environment)
    return Gate(app, settings=settings, hub=Knows())


@contextlib.contextmanager
def served(app):
    """A server of the application; gives its URL."""
    port = free_port()
    config = uvicorn.Config(app, port=port, lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def asked(
    app,
    *paths,
    who=NOBODY,
    places=("run",),
    token="",
    headers=None,
    doors=(),
    methods=(*METHODS, WEBSOCKET),
    **more,
):
    """What the judge says of an application's answers."""
    tally = Tally(Judge(doors, frozenset({NAME}), frozenset({SECRET})))
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    sent = {"Accept": "application/json", **bearer, **(headers or {})}
    with served(app) as url:
        attacker = Attacker(who, url, lambda *_: sent)
        for place, path, method in product(places, paths or (PATH,), methods):
            named = {"place": place, "method": method, "path": path}
            question = Question(who, **{"route": ROUTE, **named, **more})
            tally.add(question, attacker.ask(question))
    return tally


BARE = {
    "ok": Says(200),
    "missing": Says(404),
    "no such method": Says(405),
    "invalid": Says(422),
    "broken": Says(500),
    "busy": Says(503),
    "another redirect": Says(302, location="/elsewhere"),
    "another login": Says(302, location="/login"),
    "another's 401": Says(401, **{"www-authenticate": 'Basic realm="mlflow"'}),
    "another's 403": Says(403, '{"message": "Permission denied"}'),
    "the gate's words with another status": Says(
        403, '{"message":"Log in, or send a token in the Authorization header."}'
    ),
    "a problem of the platform": Says(
        403, '{"message":"You are not allowed to do this.","field":"x"}'
    ),
}


@pytest.mark.parametrize("app", BARE.values(), ids=BARE)
def test_a_process_without_a_gate_is_found_whatever_it_answers(app):
    tally = asked(app, places=GATED)
    assert len(tally.answered) == tally.requests == len(GATED) * (len(METHODS) + 1)
    browser = {"who": NOBODYS_BROWSER, "headers": NAVIGATION, "methods": ["GET"]}
    assert len(asked(app, places=GATED, **browser).answered) == len(GATED)


@pytest.mark.parametrize("app", BARE.values(), ids=BARE)
def test_a_workload_without_a_gate_is_found_by_another_user(app):
    assert len(asked(app, who=BO).answered) == len(METHODS) + 1


@pytest.mark.parametrize("app", BARE.values(), ids=BARE)
def test_what_looks_at_no_proof_is_found_by_another_sites_page(app):
    changing = ["POST", "PUT", "PATCH", "DELETE", WEBSOCKET]
    assert len(asked(app, who=LURED, methods=changing).answered) == len(changing)


@pytest.mark.parametrize(
    ("place", "status"),
    [
        *(("hub", status) for status in (200, 201, 204, 302, 400, 405, 422, 500)),
        *(("workspace", status) for status in (200, 204, 302, 400, 404, 405, 500)),
    ],
)
def test_the_hub_and_the_workspace_are_looked_at_too(place, status):
    for who in (NOBODY, BO):
        if who is BO and place in SHARED:
            continue
        tally = asked(Says(status, "", location="/x"), who=who, places=[place])
        # A method that the route has; the others may be unknown to it.
        assert any(" GET " in found for found in tally.answered)


def test_a_gate_is_shut():
    inside = Says(200, f"{NAME} {SECRET}")
    for who, token in ((NOBODY, ""), (NOBODY, "nobody's"), (BO, "bo's")):
        tally = asked(gated(inside), who=who, token=token)
        assert tally.found == []
        assert tally.requests == len(METHODS) + 1


def test_a_gate_that_lets_in_is_found():
    tally = asked(gated(Says(404)), who=BO, token="ana's")
    assert len(tally.answered) == len(METHODS) + 1


def test_a_public_path_is_open_to_a_get_alone():
    app = gated(Says(200))
    app._public = {"/user/ana/run-1/health"}
    tally = asked(app, "/user/ana/run-1/health")
    (found,) = tally.answered
    assert "GET /user/ana/run-1/health -> 200 let through" in found
    door = Open(("run",), "GET", ".*/health", {200}, "sign of life")
    listed = asked(app, "/user/ana/run-1/health", doors=(door,))
    assert listed.answered == []
    assert listed.judge.used == {door}


def test_a_door_that_is_listed_but_shut_is_not_used():
    door = Open(("run",), "GET", ".*/x", {200}, "long gone")
    assert asked(gated(Says(200)), doors=(door,)).judge.used == set()


def test_silence_is_no_refusal(monkeypatch):
    monkeypatch.setattr("security.attackers.PATIENCE_S", 0.2)
    tally = asked(SaysNothing(), methods=["GET", "POST"])
    assert len(tally.answered) == 2
    assert all("no answer" in found for found in tally.answered)


# -- Guests


@pytest.mark.parametrize("status", [200, 204, 302, 403, 409, 422])
def test_what_is_anas_must_be_missing_at_the_platform(status):
    app = Says(status, "" if status == 204 else "{}")
    path = f"/services/hubyard/api/runs/{NAME}"
    how = {"who": BO, "places": ["platform"], "methods": ["GET"]}
    assert len(asked(app, path, is_guess=True, **how).answered) == 1
    assert asked(Says(404), path, is_guess=True, **how).answered == []


@pytest.mark.parametrize("is_guess", [True, False])
def test_administrators_routes_are_forbidden_whatever_they_name(is_guess):
    route = Route("/api/x", ("GET",), "person", admin=("GET",))
    how = {"who": BO, "places": ["platform"], "methods": ["GET"], "route": route}
    assert len(asked(Says(404), is_guess=is_guess, **how).answered) == 1
    assert asked(Says(403), is_guess=is_guess, **how).answered == []


def test_a_failure_decides_nothing():
    assert len(asked(Says(500), who=BO, places=["mlflow"]).answered) == len(METHODS) + 1


def test_an_answer_other_than_the_right_ones_is_found():
    how = {"who": BO, "places": ["mlflow"], "methods": ["GET"]}
    denied = frozenset({403, 404})
    assert len(asked(Says(200), expected=denied, **how).answered) == 1
    assert asked(Says(403), expected=denied, **how).answered == []


def test_what_was_asked_without_a_proof_says_nothing_of_a_guest():
    refusal = "The header X-XSRFToken is missing or wrong: reload the page."
    app = Says(403, f'{{"message":"{refusal}","field":null}}')
    how = {"who": BO, "places": ["platform"], "methods": ["POST"]}
    assert "without the proof" in asked(app, **how).answered[0]


def test_twins_must_be_answered_alike():
    ours, theirs = "/services/hubyard/api/runs/1a", "/services/hubyard/api/runs/1b"
    how = {"who": BO, "places": ["platform"], "methods": ["GET"], "twin": "GET /runs/x"}
    alike = Says(404, lambda path: f"There is no {path.rpartition('/')[2]}.")
    assert asked(alike, ours, theirs, **how).judge.told_apart() == []
    words = {ours: "It is not yours.", theirs: "There is none."}
    apart = Says(404, words.__getitem__)
    assert len(asked(apart, ours, theirs, **how).judge.told_apart()) == 1


# -- Leaks


@pytest.mark.parametrize("status", [200, 403, 404, 500])
def test_a_name_in_any_answer_is_a_leak(status):
    tally = asked(Says(status, f"There is {NAME}."), methods=["GET"])
    assert len(tally.leaked) == 1
    tally = asked(Says(302, location=f"/of/{NAME}"), methods=["GET"])
    assert len(tally.leaked) == 1


def test_what_was_asked_for_may_be_repeated_but_no_secret():
    path = f"/user/ana/run-1/{NAME}"
    assert asked(Says(404, f"No {NAME}."), path, methods=["GET"]).leaked == []
    assert asked(Says(404, f"No {path}."), path, methods=["GET"]).leaked == []
    assert len(asked(Says(404, SECRET), path, methods=["GET"]).leaked) == 1


def test_the_last_line_counts():
    tally = asked(Says(200, NAME), methods=["GET", "POST"])
    assert tally.line() == "attack routes=1 requests=2 answered=2 leaked=2"
