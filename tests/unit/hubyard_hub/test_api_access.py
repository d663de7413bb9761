from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy.exc import OperationalError
from starlette.routing import Mount, Route

from hubyard.contract.errors import Problem
from hubyard.contract.identity import Identity
from hubyard.contract.workload import new_id
from hubyard_hub import service
from hubyard_hub.api.access import HOOKS, PUBLIC, check_rules, people, public
from hubyard_hub.api.body import JSON, UPLOADS
from hubyard_hub.service import assemble
from support.platform import (
    Caller,
    ada,
    app,
    bob,
    hub,
    parts,
    upload,
    workload_of,
)
from support.sending import Sending

if TYPE_CHECKING:
    from pathlib import Path

    from support.platform import Stamped

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures

ROUTES = [
    (method, route.path)
    for route in assemble().routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]
FOR_HOLDERS = [route for route in ROUTES if route[1].startswith(HOOKS)]
FOR_PEOPLE = [
    route
    for route in ROUTES
    if "/job" not in route[1] and route[1] not in PUBLIC and route not in FOR_HOLDERS
]
FOR_WORKLOADS = [route for route in ROUTES if "/job" in route[1]]


def ask(caller: Caller, method: str, path: str) -> Any:
    path = path.removeprefix("/api").replace("{", "").replace("}", "")
    if path == "/":
        path = "/../"  # the root is above the prefix of the API
    return caller(method, path, json={} if method in {"POST", "PUT", "PATCH"} else None)


def test_there_is_a_route_for_all_that_is_promised():
    described = json.loads(service.openapi())["paths"]
    assert len(ROUTES) > 40
    assert {path for _, path in ROUTES} - {"/"} == set(described)


@pytest.mark.parametrize(
    "identity",
    [
        None,
        Identity(name="hubyard", kind="service"),
        Identity(name="ada", server="run-1"),
        Identity(name="ada", server="endpoint-a"),
        Identity(name="ada", server="app-a"),
    ],
    ids=["nobody", "service", "run", "endpoint", "app"],
)
def test_only_people_reach_what_is_for_people(app: Stamped, identity: Identity | None):
    for method, path in FOR_PEOPLE:
        answer = ask(Caller(app, identity), method, path)
        assert answer.status_code == 403, (method, path)
        assert set(answer.json()) == {"message", "field"}


@pytest.mark.parametrize(
    "identity",
    [
        None,
        Identity(name="ada"),
        Identity(name="ada", server=""),
        Identity(name="ada", server="workspace-gpu"),
        Identity(name="ada", kind="service", server="run-1"),
    ],
    ids=["nobody", "person", "workspace", "named", "service"],
)
def test_only_workloads_reach_their_job(app: Stamped, identity: Identity | None):
    for method, path in FOR_WORKLOADS:
        answer = ask(Caller(app, identity), method, path)
        assert answer.status_code == 403, (method, path)


@pytest.mark.parametrize("server", ["endpoint-a", "app-a"])
@pytest.mark.parametrize(
    "what",
    ["record", *(f"steps/a/{kind}" for kind in ("notebook", "report", "outputs"))],
)
def test_only_a_run_hands_anything_in(app: Stamped, server: str, what: str):
    caller = Caller(app, Identity(name="ada", server=server))
    record = {"revision": 1, "status": "running", "started_at": "2026-01-01T00:00:00Z"}
    answer = caller("PUT", f"/job/{what}", json=record)
    assert answer.status_code == 403


def test_a_workload_with_no_job_is_told_so(app: Stamped):
    for server in (f"run-{new_id()}", "endpoint-x", "app-x"):
        caller = Caller(app, Identity(name="ada", server=server))
        for path in ("/job", "/job/source"):
            assert caller.get(path).status_code == 404


def test_health_is_for_everyone(app: Stamped):
    answer = Caller(app, None).get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_the_root_leads_to_the_hub(ada: Caller, app: Stamped):
    answer = ada.get("/../")
    assert answer.status_code == 307
    assert answer.headers["location"].endswith(":8000/hub/home")
    run = Caller(app, Identity(name="ada", server="run-1"))
    assert run.get("/../").status_code == 403


def test_a_login_opens_nothing_that_a_secret_opens(ada: Caller, app: Stamped):
    assert FOR_HOLDERS == [("POST", "/api/hooks/{schedule_id}")]
    for caller in (ada, Caller(app, None)):
        assert ask(caller, *FOR_HOLDERS[0]).status_code == 404


# -- no route without a rule -------------------------------------------------------


def nothing() -> None: ...


def unruled() -> FastAPI:
    return FastAPI(openapi_url=None)


def test_a_route_without_a_rule_is_not_served():
    application = unruled()
    application.get("/api/secret")(nothing)
    with pytest.raises(RuntimeError, match="/api/secret"):
        check_rules(application)


@pytest.mark.parametrize(
    "route",
    [
        Mount("/files", app=unruled()),
        Route("/plain", endpoint=lambda _: None),
    ],
    ids=["mount", "plain"],
)
def test_what_is_no_api_route_is_not_served(route: Any):
    application = unruled()
    application.router.routes.append(route)
    with pytest.raises(RuntimeError, match="no rule"):
        check_rules(application)


def test_an_included_router_is_not_served_unseen():
    application, router = unruled(), APIRouter()
    router.get("/api/hidden")(nothing)
    application.include_router(router)
    with pytest.raises(RuntimeError):
        check_rules(application)


def test_fastapis_own_pages_are_not_served():
    with pytest.raises(RuntimeError, match=r"openapi\.json"):
        check_rules(FastAPI())


def test_a_public_route_may_only_be_read():
    application, router = unruled(), public("health")
    router.post("/health")(nothing)
    application.router.routes.extend(router.routes)
    with pytest.raises(RuntimeError, match="/api/health"):
        check_rules(application)


def test_a_ruled_route_is_served():
    application, router = unruled(), people("things")
    router.get("/things")(nothing)
    application.router.routes.extend(router.routes)
    check_rules(application)


# -- bodies ------------------------------------------------------------------------


def test_a_body_that_is_too_long_is_refused_unread(ada: Caller):
    answer = ada.post("/runs", content=b" " * (JSON.size_bytes + 1))
    assert answer.status_code == 413
    assert "1 MiB" in Problem.model_validate(answer.json()).message


@pytest.mark.parametrize(
    ("headers", "read"), [({}, 2), ({"Content-Length": str(JSON.size_bytes + 1)}, 0)]
)
def test_no_more_of_it_is_read_than_it_takes_to_refuse_it(
    ada: Caller, headers: dict[str, str], read: int
):
    sent = Sending()
    assert ada.post("/runs", content=sent, headers=headers).status_code == 413
    assert sent.pieces == read


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", ""]
)
def test_a_body_that_does_not_say_it_is_json_is_refused(ada: Caller, kind: str):
    answer = ada.post("/estimate", content="{}", headers={"content-type": kind})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["message"]


def test_a_charset_does_no_harm(ada: Caller):
    answer = ada.post(
        "/estimate",
        content='{"compute": "small"}',
        headers={"content-type": "Application/JSON; charset=utf-8"},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "The body is not JSON."),
        ("[]", "cannot be used"),
        ("[" * 20_000, "The body"),
        ('{"compute": 1}', "compute cannot be used"),
        ("{}", "compute is missing."),
        ('{"compute": "small", "x": 1}', "x is not known here: remove it."),
        ('{"compute": "small", "lifetime_s": 0}', "lifetime_s cannot be used"),
        ('{"compute": "small", "lifetime_s": 99999}', "at most 2h"),
        ('{"compute": "nope"}', "choose small, giant"),
        ('{"compute": "vip"}', "choose small, giant"),
    ],
)
def test_a_wrong_body_is_answered_by_one_line(ada: Caller, body: str, words: str):
    answer = ada.post(
        "/estimate", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code in {400, 422}
    message = answer.json()["message"]
    assert words in message
    assert "\n" not in message


def test_uploads_are_routes_that_exist():
    uploads = {path for _, path in ROUTES if UPLOADS.fullmatch(path)}
    assert len(uploads) == 4


# -- errors ------------------------------------------------------------------------


def test_unknown_paths_and_methods_are_problems(ada: Caller):
    assert ada.get("/nothing").json()["message"].startswith("There is no /services")
    answer = ada("PUT", "/me")
    assert (answer.status_code, answer.json()["field"]) == (405, None)
    assert ada.get("/docs").status_code == 404
    assert ada.get("/openapi.json").status_code == 404


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (RuntimeError("secret detail"), 500, "its log says more"),
        (OperationalError("SELECT secret", {}, Exception("locked")), 503, "database"),
    ],
)
def test_an_unexpected_error_says_nothing_of_itself(
    app: Stamped,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    words: str,
):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("hubyard_hub.money.spending.Spending.of", fail)
    caller = Caller(app, Identity(name="ada"))
    caller.raises = False
    answer = caller.get("/spend")
    assert answer.status_code == status
    assert words in answer.json()["message"]
    assert "secret" not in answer.text


# -- the command -------------------------------------------------------------------


def test_the_interface_is_printed_and_written_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert service.main(["openapi"]) == 0
    file = tmp_path / "openapi.json"
    assert service.main(["--openapi", str(file)]) == 0
    assert file.read_text() == capsys.readouterr().out == service.openapi()


def test_without_a_hub_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HUBYARD_STATE", str(tmp_path))
    assert service.main([]) == 1
    assert "hubyard up" in capsys.readouterr().err


def test_another_owners_objects_do_not_exist(ada: Caller, bob: Caller):
    digest = upload(ada)
    run = ada.post("/runs", json={"source": digest, "notebook": "train.ipynb"}).json()
    nightly = {"source": digest, "notebook": "train.ipynb", "cron": "0 0 * * *"}
    published = {"source": digest, "path": "train.ipynb"}
    made = {
        "runs": run["id"],
        "schedules": ada.post("/schedules", json=nightly).json()["id"],
        "apps": ada.post("/apps", json=published).json()["id"],
    }
    span = {"since": "2026-11-01T00:00Z", "until": "2026-11-02T00:00Z"}
    needed = {"shares": {"user": "bob"}, "backfill": span}
    for method, path in FOR_PEOPLE:
        noun = path.split("/")[2] if path.count("/") > 2 else ""
        if noun not in made or "{" not in path:
            continue
        start, _, end = path.partition("{")
        real = f"{start}{made[noun]}{end.partition('}')[2]}".removeprefix("/api")
        body = needed.get(real.rpartition("/")[2], {})
        if method == "DELETE" and body:
            real, body = f"{real}?user=bob", {}
        answer = bob(method, real, json=body if method in {"POST", "PATCH"} else None)
        assert answer.status_code == 404, (method, real, answer.text)
        missing = real.replace(made[noun], "nothing-there")
        other = bob(method, missing, json=body if method in {"POST", "PATCH"} else None)
        assert (other.status_code, other.json()) == (404, answer.json())
    for noun in made:
        assert bob.get(f"/{noun}").json() == []
        assert len(ada.get(f"/{noun}").json()) == 1
    stranger = workload_of(bob, f"run-{run['id']}")
    assert stranger.get("/job").status_code == 404


@pytest.mark.parametrize("path", ["/me", "/health", "/runs/none", "/nowhere"])
def test_no_page_of_anybody_reads_an_answer_that_it_frames(ada: Caller, path: str):
    headers = ada.get(path).headers
    assert headers["content-security-policy"] == "sandbox; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"
