"""Every route and every bad input: one line that says what to do, nothing started.

Asked of the served platform, as any client of HTTP could.
"""

from __future__ import annotations

import json
import re
import socket
import uuid
from dataclasses import replace

import httpx
import pytest
from fastapi.routing import APIRoute

from hubyard.contract.errors import Problem
from hubyard.contract.identity import Identity
from hubyard_hub.api.body import JSON
from hubyard_hub.parts import Parts
from hubyard_hub.runs.kept import RECORD_BOUND
from hubyard_hub.service import assemble
from support.patience import PATIENCE_S
from support.platform import Caller, Stamped, packed, settings_in
from support.runs import real
from support.stores import postgresql

__all__ = ["postgresql", "real"]  # fixtures

ROUTES = [route for route in assemble().routes if isinstance(route, APIRoute)]
WRITES = [
    (method, route.path)
    for route in ROUTES
    for method in sorted(route.methods)
    if route.body_field is not None and method in {"POST", "PATCH", "PUT"}
]
WITH_ID = [
    (method, route.path)
    for route in ROUTES
    for method in sorted(route.methods)
    if "{" in route.path
]
PERSON, RUN, ADMIN = "ada/", "ada/run-nobody", "root/"
WEBHOOK = {"url": "https://example.org/"}
DEEP = b"[" * 100_000

BODIES = {
    "none": b"",
    "cut off": b"{",
    "trailing": b"{} {}",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"text"',
    "a number": b"5",
    "nan": b"NaN",
    "nested": DEEP,
    "not utf-8": b'{"a": "\xff"}',
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "an unknown field": b'{"nonsense": 1}',
    "an endless number": b'{"lifetime_s": ' + b"9" * 5000 + b"}",
    "not JSON": b"compute=small&hours=1",
    "half a character": rb'{"a": ["\ud800"]}',
    "half a name": rb'{"\uDFff": 1}',
}


@pytest.fixture(scope="module")
def http(real):
    with httpx.Client(base_url=real.url, timeout=PATIENCE_S) as http:
        yield http


@pytest.fixture
def ask(real, http):
    """Ask the platform, as a person or as a run; what it has kept stays nothing."""

    def asked(method, path, who=PERSON, **more):
        headers = {"Authorization": f"Bearer {who}", **more.pop("headers", {})}
        return http.request(method, path, headers=headers, **more)

    yield asked
    assert real.kept() == 0


def refusal(answer, *statuses):
    """The one line of a refusal."""
    assert answer.status_code in statuses, answer.text
    message = Problem.model_validate_json(answer.content).message
    assert re.fullmatch(r"\S.*\.", message), message
    assert "Traceback" not in message
    assert len(message) < 500
    return message


def who_may(path):
    if any(f"/{noun}/" in path for noun in ("budgets", "channels", "people")):
        return ADMIN
    return RUN if "/job" in path else PERSON


def filled(path, id_="nobody"):
    return re.sub(r"\{\w+\}", id_, path.replace("{scope}", "user"))


# -- bodies ----------------------------------------------------------------------------


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("method", "path"), WRITES, ids=lambda part: part)
def test_a_body_that_cannot_be_read_is_refused(ask, method, path, body):
    optional = path.endswith("/keys") and body == "none"
    by_id = path.endswith("}") and "/budgets" not in path
    json_ = {"Content-Type": "application/json"}
    answer = ask(
        method, filled(path), who_may(path), content=BODIES[body], headers=json_
    )
    message = refusal(answer, 400, 404 if optional or by_id else 422, 422)
    assert message != "Not Found."


@pytest.mark.parametrize(("method", "path"), WRITES, ids=lambda part: part)
def test_a_body_that_is_no_json_or_too_large_is_refused_unread(ask, method, path):
    path, who = filled(path), who_may(path)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/x", ""):
        headers = {"Content-Type": kind}
        answer = ask(method, path, who, content=b"{}", headers=headers)
        assert refusal(answer, 415) == "Send it as application/json."
    bound = RECORD_BOUND if path.endswith("/record") else JSON
    limit = bound.size_bytes
    huge = b" " * (limit + 1)
    headers = {"Content-Type": "application/json"}
    answer = ask(method, path, who, content=huge, headers=headers)
    assert refusal(answer, 413) == f"At most {limit // 2**20} MiB are taken."


DIGEST = "a" * 64
RUN_WISH = {"source": DIGEST, "notebook": "a.ipynb"}
SCHEDULE = {**RUN_WISH, "cron": "0 6 * * *"}
APP = {"source": DIGEST, "path": "app.py"}
DEPLOYMENT = {"model": "churn", "version": "3"}
REGISTER = {"run_id": "a" * 32, "name": "churn"}
SPAN = {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}
RECORD = {"revision": 1, "status": "running", "started_at": "2030-01-01T00:00:00Z"}

LIFETIMES = ["NaN", "Infinity", "-1", "0", "1e999", "1.5", "true", '"1h"', "[]", "9e15"]
EDGES = ['"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"']
MOMENTS = ['"noon"', '"2026-11-01T00:00:00"', "true", "[]", "null", *EDGES]
REVISIONS = ['"x"', "1.5", "NaN", "null", "-1", str(2**31), str(10**30)]
AMOUNTS = ["NaN", "Infinity", "-1", "1e999", "0.00000001", "true", "[]", "null"]
NAMES = ['""', '"a\\nb"', '"\\u0000"', f'"{"x" * 129}"', "5", "[]", "{}"]
TEXTS = ["5", "[]", "{}", "true"]
REUSE = {"cache_key": "c" * 64}
FIELDS = [
    ("POST", "/estimate", {"compute": "small"}, {"lifetime_s": LIFETIMES}),
    ("POST", "/estimate", {}, {"compute": [*TEXTS, "null"]}),
    ("POST", "/workloads/w/extend", {}, {"seconds": [*LIFETIMES, "null"]}),
    ("PUT", "/workloads/self/activity", {}, {"idle_s": [*AMOUNTS, '"1h"', "9e15"]}),
    ("PUT", "/job/activity", {"idle_s": 0}, {"requests": [*AMOUNTS[:-1], "9e99"]}),
    ("PUT", "/budgets/user/a", {}, {"amount": [*AMOUNTS, '"1e400"', '"ten"', '""']}),
    ("PUT", "/budgets/user/a", {"amount": 1}, {"stop": ['"firm"', "5", '""']}),
    ("PUT", "/budgets/user/a", {"amount": 1}, {"endpoints": ['"never"', "5"]}),
    ("PUT", "/budgets/user/a", {"amount": 1}, {"spent": ["0"], "name": ['"bo"']}),
    ("PUT", "/channels/c", {}, {"url": ['""', "5", "null", '"x://"', '"http://["']}),
    ("PUT", "/channels/c", WEBHOOK, {"purpose": NAMES, "is_default": ['"maybe"']}),
    ("PUT", "/channels/c", WEBHOOK, {"secret": ['"x"'], "place": ['"x"']}),
    ("POST", "/people/p/offboard", {}, {"deputy": NAMES, "name": ['"bo"']}),
    ("POST", "/people/p/offboard", {}, {"grace_s": [*LIFETIMES[:3], "1e9", "[]"]}),
    ("POST", "/notices/seen", {}, {"ids": ['"x"', "5", "{}"], "owner": ['"bob"']}),
    ("POST", "/runs", RUN_WISH, {"lifetime_s": LIFETIMES, "cell_timeout_s": LIFETIMES}),
    ("POST", "/runs", RUN_WISH, {"name": NAMES, "compute": TEXTS, "notebook": TEXTS}),
    ("POST", "/runs", RUN_WISH, {"parameters": ["[]", "5", '"a"', "null"]}),
    ("POST", "/runs", RUN_WISH, {"source": [*TEXTS, '"../x"', '""', f'"{"A" * 64}"']}),
    ("POST", "/runs", RUN_WISH, {"fresh": ['"maybe"', "5", "null"]}),
    ("POST", "/runs/preview", RUN_WISH, {"compute": TEXTS, "lifetime_s": LIFETIMES}),
    ("POST", "/runs/preview", RUN_WISH, {"parameters": ["[]", "5"], "x": ["1"]}),
    ("POST", "/runs", RUN_WISH, {"price": ["0"], "owner": ['"bob"'], "id": ['"x"']}),
    (
        "POST",
        "/schedules",
        SCHEDULE,
        {"cron": ['""', '"daily"', f'"{"* " * 200}"', "5"]},
    ),
    ("POST", "/schedules", SCHEDULE, {"time_zone": [f'"{"x" * 65}"', "5", "null"]}),
    ("POST", "/schedules", SCHEDULE, {"name": NAMES, "lifetime_s": LIFETIMES}),
    (
        "POST",
        "/schedules",
        SCHEDULE,
        {"missed": ['"twice"', "null"], "paused": ["true"]},
    ),
    ("POST", "/schedules", SCHEDULE, {"overlap": ['"x"', "5"], "grace_s": LIFETIMES}),
    (
        "POST",
        "/runs/r/resume",
        {},
        {"step": TEXTS, "source": [*TEXTS, '"../x"'], "only": ['"x"'], "x": ["1"]},
    ),
    (
        "POST",
        "/schedules",
        RUN_WISH,
        {"on": ["{}", "5", "[]", '"a"', "true", '{"model": "churn"}']},
    ),
    ("POST", "/schedules/preview", {}, {"on": ['{"webhook": false}', "5"]}),
    ("POST", "/schedules", SCHEDULE, {"notify": ['"x"', '["nobody"]', "5"]}),
    ("POST", "/schedules", SCHEDULE, {"notify_on": ['"failed"', "5", "null"]}),
    ("POST", "/schedules/s/backfill", SPAN, {"since": MOMENTS, "until": MOMENTS}),
    ("POST", "/schedules/s/backfill", SPAN, {"dry_run": ['"maybe"'], "x": ["1"]}),
    ("POST", "/schedules/preview", {"cron": "0 6 * * *"}, {"lifetime_s": LIFETIMES}),
    ("POST", "/schedules/preview", {}, {"cron": [f'"{"x" * 257}"', "5", "null"]}),
    (
        "PATCH",
        "/schedules/s",
        {},
        {"paused": ['"maybe"', "5", "[]"], "source": ['"x"']},
    ),
    ("PATCH", "/schedules/s", {}, {"cron": ['"x"'], "name": ['"new"']}),
    ("POST", "/apps", APP, {"name": NAMES, "lifetime_s": LIFETIMES}),
    ("POST", "/apps", APP, {"framework": ['"dash"', '""', "5"], "path": TEXTS}),
    ("POST", "/apps", APP, {"path": [f'"{"x" * 513}"'], "source": ['"x"']}),
    ("POST", "/apps/a/shares", {}, {"user": ['""', f'"{"x" * 256}"', "5"]}),
    ("POST", "/apps/a/shares", {"user": "bob"}, {"group": ['"ml"'], "scope": ['"x"']}),
    ("POST", "/deployments", DEPLOYMENT, {"version": ['"0"', '"x"', '"@"', "3", '""']}),
    ("POST", "/deployments", DEPLOYMENT, {"model": ['""', f'"{"x" * 251}"', "5"]}),
    ("POST", "/deployments", DEPLOYMENT, {"name": ['"A B"', '""', '"-a"', "5"]}),
    ("POST", "/deployments", DEPLOYMENT, {"lifetime_s": LIFETIMES}),
    ("POST", "/deployments/d/keys", {}, {"expires_in_s": LIFETIMES, "scope": ['"x"']}),
    ("POST", "/models", REGISTER, {"run_id": ['"x"', f'"{"A" * 32}"', "5", '""']}),
    ("POST", "/models", REGISTER, {"name": ['""', '"a/b"', '"a\\nb"', "5"]}),
    ("POST", "/models", REGISTER, {"alias": ['"a b"', '""', f'"{"x" * 101}"', "5"]}),
    ("PUT", "/job/record", RECORD, {"revision": REVISIONS}),
    ("PUT", "/job/record", RECORD, {"status": ['"flying"', "5"]}),
    ("POST", "/job/steps/s/reuse", {}, {"cache_key": [*TEXTS, '"x"', "null"]}),
    (
        "PUT",
        "/job/record",
        RECORD,
        {"started_at": ['"yesterday"', "NaN", '"2030-01-01"', *EDGES]},
    ),
]
CASES = [
    (method, path, base, name, value)
    for method, path, base, fields in FIELDS
    for name, values in fields.items()
    for value in values
]


@pytest.mark.parametrize(
    ("method", "path", "base", "name", "value"),
    CASES,
    ids=[f"{case[1]}-{case[3]}-{number}" for number, case in enumerate(CASES)],
)
def test_a_field_that_cannot_be_is_named(ask, method, path, base, name, value):
    known = "".join(f"{json.dumps(k)}: {json.dumps(v)}, " for k, v in base.items())
    answer = ask(
        method,
        f"/api{path}",
        who_may(path),
        content=f'{{{known}"{name}": {value}}}'.encode(),
        headers={"Content-Type": "application/json"},
    )
    message = refusal(answer, 422)
    shared = path.endswith("/shares") and name == "group"
    assert name in message or shared
    assert answer.json()["field"] in {name, None if shared else name}


def test_every_route_that_takes_json_is_in_the_list():
    listed = {(method, path) for method, path, _, _ in FIELDS}
    shown = {
        (method, re.sub(r"/\{\w+\}", lambda _: "/id", path.removeprefix("/api")))
        for method, path in WRITES
    }
    budgets = {(m, p.replace("/budgets/user", "/budgets/id")) for m, p in listed}
    named = {(m, re.sub(r"/[a-z](?=/|$)", "/id", p)) for m, p in budgets}
    # Without a secret nothing of a webhook's body is read; see test_api_triggers.
    assert named == shown - {("POST", "/hooks/id")}


# -- paths and queries -----------------------------------------------------------------

NAMED = ("tracked-runs", "budgets", "channels", "people")
IDS = ["%00", "%ff", "%0a", "..%2f..%2fme", "a%20b", "x" * 3000, "%F0%9F%98%80", "%25"]


@pytest.mark.parametrize(("method", "path"), WITH_ID, ids=lambda part: part)
def test_an_id_that_is_none_does_not_exist(ask, method, path):
    needed = {"shares": {"user": "bob"}, "backfill": SPAN, "reuse": REUSE}
    body = needed.get(path.rpartition("/")[2], {})
    query = "?user=bob" if method == "DELETE" and body else ""
    for id_ in IDS:
        json_ = body if method in {"POST", "PATCH"} else None
        answer = ask(method, f"{filled(path, id_)}{query}", who_may(path), json=json_)
        read_first = any(n in path for n in NAMED)
        refusal(answer, 404, 422 if read_first else 404)


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/api/nothing", (404,)),
        ("/api/runs/a/b/c", (404,)),
        ("/api/%00", (404,)),
        ("/api/%ff", (404,)),
        ("/api/..%2f..%2f", (404,)),
        (f"/api/{'x' * 3000}", (404,)),
        ("/docs", (404,)),
        ("/openapi.json", (404,)),
    ],
)
def test_a_path_that_leads_nowhere_is_one_line(ask, path, statuses):
    refusal(ask("GET", path), *statuses)


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        ("POST", "/api/sources?notebook=", "notebook cannot be used"),
        ("POST", f"/api/sources?notebook={'x' * 513}", "notebook cannot be used"),
        ("POST", "/api/sources?notebook=../a.ipynb", "no '../a.ipynb'"),
        ("POST", "/api/sources?notebook=%00", "no '\\x00'"),
        ("GET", f"/api/tracked-runs?filter={'x' * 2001}", "filter cannot be used"),
        ("GET", f"/api/tracked-runs?page={'x' * 2001}", "page cannot be used"),
        ("GET", f"/api/tracked-runs?experiment={'x' * 2001}", "experiment cannot be"),
        ("DELETE", "/api/apps/a/shares", "exactly one of user or group"),
        ("DELETE", "/api/apps/a/shares?user=a&group=b", "exactly one of user or group"),
        ("DELETE", "/api/apps/a/shares?user=", "user cannot be used"),
        ("DELETE", f"/api/apps/a/shares?group={'x' * 256}", "group cannot be used"),
        ("PUT", "/api/me", "PUT is not possible here"),
        ("DELETE", "/api/runs", "DELETE is not possible here"),
    ],
)
def test_a_query_or_method_that_cannot_be_is_one_line(ask, method, path, says):
    content = packed() if "sources" in path else None
    answer = ask(method, path, content=content)
    assert says in refusal(answer, 404, 405, 422)


@pytest.mark.parametrize(
    "query", ["schedule=%00", "schedule=%ff", f"schedule={'x' * 3000}"]
)
def test_a_schedule_that_is_none_has_no_runs(ask, query):
    answer = ask("GET", f"/api/runs?{query}")
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("path", ["/runs/%00", "/runs?schedule=%00", "/apps/%00"])
def test_a_text_that_postgresql_cannot_take_is_bad_input(postgresql, tmp_path, path):
    database = postgresql.url(f"t{uuid.uuid4().hex}")
    parts = Parts.build(replace(settings_in(tmp_path), database=database))
    caller = Caller(Stamped(assemble(parts)), Identity(name="ada"))
    answer = caller.get(path)
    assert refusal(answer, 422) == "A value holds what no text can: remove it."
    parts.close()


@pytest.mark.parametrize(
    ("text", "is_half"),
    [
        (r"\ud83d\ude00", False),
        (r"\ud83d", True),
        (r"\ude00\ud83d", True),
        (r"\\ud83d", False),  # a backslash and five letters
    ],
)
def test_only_half_a_character_is_half_a_character(ask, text, is_half):
    answer = ask(
        "POST",
        "/api/estimate",
        content=f'{{"compute": "{text}"}}'.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert ("half a character" in refusal(answer, 422)) is is_half


# -- uploads and the wire --------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/api/sources"]
    + [f"/api/job/steps/train/{kind}" for kind in ("notebook", "report", "outputs")],
)
def test_an_upload_of_nothing_is_refused(ask, path):
    method = "POST" if path.endswith("sources") else "PUT"
    answer = ask(method, path, who_may(path), content=b"")
    refusal(answer, 404, 422)


@pytest.mark.parametrize(
    "lines",
    [
        "nonsense",
        "GET  HTTP/1.1",
        "\x00\x01\x02",
        "POST /services/hubyard/api/runs HTTP/1.1\r\nContent-Length: many",
    ],
)
def test_what_is_no_http_is_answered_400(real, lines):
    with socket.create_connection(("127.0.0.1", real.port), timeout=PATIENCE_S) as wire:
        wire.sendall(f"{lines}\r\nHost: platform\r\n\r\n".encode())
        assert wire.recv(100).startswith(b"HTTP/1.1 400 ")
    assert real.kept() == 0
