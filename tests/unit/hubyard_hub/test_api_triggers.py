"""Schedules with a trigger, as their owners ask for them, and their webhooks."""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import select, update

from hubyard.contract.base import now
from hubyard.contract.errors import NotFound, TooOften
from hubyard.contract.identity import Identity
from hubyard.contract.schedule import HookCall
from hubyard.contract.workload import Status
from hubyard_hub.models.mlflow_client import MlflowClient
from hubyard_hub.schedules import files, hooks
from hubyard_hub.schedules.hooks import AT_ONCE, Hooks
from hubyard_hub.schedules.watch import FileWatch
from hubyard_hub.service import assemble
from hubyard_hub.store import Store
from hubyard_hub.store.tables import hook_calls, runs, schedules
from support.platform import Caller, Stamped, ada, app, bob, hub, parts, upload

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from hubyard_hub.parts import Parts

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures


@pytest.fixture
def digest(ada: Caller) -> str:
    return upload(ada)


def make(caller: Caller, digest: str, on: Any, **more: Any) -> httpx.Response:
    wish = {"source": digest, "notebook": "train.ipynb", "on": on, **more}
    return caller.post("/schedules", json=wish)


def made(caller: Caller, digest: str, on: Any, **more: Any) -> dict[str, Any]:
    answer = make(caller, digest, on, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def home(parts: Parts) -> Path:
    home = parts.settings.homes / "ada"
    (home / "data").mkdir(parents=True)
    return home


def seen(parts: Parts) -> str | None:
    with parts.store.read() as connection:
        return connection.scalar(select(schedules.c.seen))


# -- making them -------------------------------------------------------------------


def test_a_schedule_with_a_trigger_has_no_cron_and_says_when(
    ada: Caller, home: Path, digest: str
):
    schedule = made(ada, digest, {"file": "data/*.csv"})
    assert schedule["text"] == "when data/*.csv changes"
    assert schedule["on"]["file"] == "data/*.csv"
    nothing = ("cron", "next_fire", "per_month", "hook", "secret", "curl")
    assert [schedule[name] for name in nothing] == [None] * len(nothing)
    assert schedule["per_run"]["text"] == "$0.36"
    (shown,) = ada.get("/schedules").json()
    assert schedule == {**shown, "secret": None, "curl": None}


def test_a_preview_says_what_a_trigger_finds_now(ada: Caller, home: Path):
    for name in "abc":
        (home / f"data/{name}.csv").write_text("")
    asked = {"on": {"file": "data/*.csv"}}
    shown = ada.post("/schedules/preview", json=asked).json()
    assert shown["text"] == "when data/*.csv changes"
    assert (shown["files"], shown["next_fires"]) == (3, [])
    assert (shown["fires_per_month"], shown["per_month"]) == (None, None)
    hooked = ada.post("/schedules/preview", json={"on": {"webhook": True}}).json()
    assert hooked["text"] == "when its webhook is called"
    assert hooked["files"] is None


BAD = [
    ({}, "on"),
    ([], "on"),
    ({"webhook": False}, "on"),
    ({"file": "a", "webhook": True}, "on"),
    ({"model": "churn"}, "on"),
    ({"alias": "champion"}, "on"),
    ({"file": "a", "alias": "champion"}, "on"),
    ({"model": "churn", "alias": "x y"}, "on.alias"),
    ({"model": "a/b", "alias": "champion"}, "on.model"),
    ({"webhook": True, "secret": "mine"}, "on.secret"),
    ({"webhook": "perhaps"}, "on.webhook"),
    *(
        ({"file": path}, "on.file")
        for path in (
            *("", "/", "/etc/passwd", "..", "../bob/x", "a/../../bob", ".", "./a"),
            *("a//b", "**", "data/**/x", "a\0b", "a\nb", "a\x7f", "x" * 513),
            *("a/" * 17 + "b", "*a" * 17, "//a"),
        )
    ),
    ({"file": 5}, "on.file"),
    ({"file": ["a"]}, "on.file"),
]


@pytest.mark.parametrize(("on", "field"), BAD)
def test_a_trigger_that_cannot_be_is_refused_everywhere(
    ada: Caller, digest: str, on: Any, field: str
):
    answers = [
        make(ada, digest, on),
        ada.post("/schedules/preview", json={"on": on}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert answer.json()["message"].endswith(".")
    assert ada.get("/schedules").json() == []


@pytest.mark.parametrize(
    ("more", "field"),
    [({"cron": "0 0 * * *"}, "cron"), ({"time_zone": "Mars"}, "time_zone")],
)
def test_a_trigger_and_a_cron_are_one_too_many(
    ada: Caller, digest: str, more: dict[str, str], field: str
):
    answer = make(ada, digest, {"webhook": True}, **more)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    neither = ada.post("/schedules/preview", json={})
    assert (neither.status_code, neither.json()["field"]) == (422, "cron")


def test_more_files_than_are_looked_at_are_refused(
    ada: Caller, home: Path, digest: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(files, "MOST_ENTRIES", 3)
    monkeypatch.setattr(files.look, "__defaults__", (3,))
    for name in "abc":
        (home / f"data/{name}.csv").write_text("")
    answer = make(ada, digest, {"file": "data/*.csv"})
    assert (answer.status_code, answer.json()["field"]) == (422, "on")
    assert "name fewer" in answer.json()["message"]
    assert make(ada, digest, {"file": "data/a.csv"}).status_code == 201


def test_what_is_there_when_it_is_made_is_seen(
    ada: Caller, parts: Parts, home: Path, digest: str
):
    (home / "data/a.csv").write_text("x")
    made(ada, digest, {"file": "data/*.csv"})
    watch = FileWatch(parts, settled_s=0)
    assert watch.look() + watch.look() == 0
    (home / "data/b.csv").write_text("x")
    assert [watch.look(), watch.look()] == [0, 1]


def test_pause_and_go_on_without_making_up_for_it(
    ada: Caller, parts: Parts, home: Path, digest: str
):
    path = f"/schedules/{made(ada, digest, {'file': 'data/*.csv'})['id']}"
    ada("PATCH", path, json={"paused": True})
    (home / "data/a.csv").write_text("x")
    assert ada("PATCH", path, json={"paused": False}).json()["paused"] is False
    watch = FileWatch(parts, settled_s=0)
    assert watch.look() + watch.look() == 0
    (home / "data/b.csv").write_text("x")
    again = ada("PATCH", path, json={"paused": False})
    assert again.status_code == 200
    assert watch.look() + watch.look() == 1, "who goes on already has missed nothing"


def test_a_trigger_stays_what_it_is_and_nothing_else_does(
    ada: Caller, home: Path, digest: str
):
    path = f"/schedules/{made(ada, digest, {'file': 'data/*.csv'})['id']}"
    for change in ({"cron": "0 0 * * *"}, {"time_zone": "Europe/Berlin"}):
        answer = ada("PATCH", path, json=change)
        assert answer.status_code == 422
        assert "make another one" in answer.json()["message"]
    assert ada("PATCH", path, json={"overlap": "allow"}).json()["overlap"] == "allow"
    span = {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}
    filled = ada.post(f"{path}/backfill", json=span)
    assert filled.status_code == 422
    assert "nothing was due" in filled.json()["message"]
    assert ada.post(f"{path}/run").status_code == 201


# -- models ------------------------------------------------------------------------


@pytest.fixture
def with_models(parts: Parts, app: Stamped) -> Caller:
    """Ada, where MLflow knows the model of her token alone."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] != "Bearer strong":
            return httpx.Response(403, json={"error_code": "PERMISSION_DENIED"})
        if request.url.params["name"] != "churn":
            body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such"}
            return httpx.Response(404, json=body)
        aliases = [{"alias": "champion", "version": 3}]
        model = {"name": "churn", "aliases": aliases}
        return httpx.Response(200, json={"registered_model": model})

    mlflow = MlflowClient("http://m", transport=httpx.MockTransport(answer))
    return Caller(
        Stamped(assemble(replace(parts, mlflow=mlflow))), Identity(name="ada")
    )


def test_a_models_alias_is_seen_where_it_points_now(with_models: Caller, parts: Parts):
    digest = upload(with_models)
    on = {"model": "churn", "alias": "champion"}
    schedule = made(with_models, digest, on)
    assert (schedule["text"], seen(parts)) == ("when churn@champion moves", "3")
    path = f"/schedules/{schedule['id']}"
    with_models("PATCH", path, json={"paused": True})
    with_models("PATCH", path, json={"paused": False})
    assert seen(parts) is None


def test_a_model_that_one_may_not_see_is_as_one_that_is_not_there(
    with_models: Caller,
):
    bob = Caller(with_models.app, Identity(name="bob"), "bob's")
    answers = [
        make(who, upload(who), {"model": name, "alias": "champion"})
        for who, name in ((with_models, "none"), (bob, "churn"))
    ]
    said = [(a.status_code, a.json()["field"]) for a in answers]
    assert said == [(404, "on")] * 2
    one, two = (a.json()["message"] for a in answers)
    assert one.replace("none", "churn") == two
    on = {"model": "churn", "alias": "champion"}
    assert bob.post("/schedules/preview", json={"on": on}).status_code == 404
    assert bob.get("/schedules").json() == []


# -- webhooks ----------------------------------------------------------------------


@pytest.fixture
def hooked(ada: Caller, digest: str) -> dict[str, Any]:
    return made(ada, digest, {"webhook": True}, parameters={"epochs": 5})


@pytest.fixture
def anybody(app: Stamped) -> Caller:
    return Caller(app, None)


def call(
    caller: Caller, schedule: dict[str, Any], secret: str | None = None, **more: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {secret or schedule['secret']}"}
    headers |= more.pop("headers", {})
    return caller.post(f"/hooks/{schedule['id']}", headers=headers, **more)


def started(parts: Parts) -> list[Any]:
    with parts.store.read() as connection:
        wanted = select(runs).order_by(runs.c.id)
        return list(connection.execute(wanted).mappings())


def end_runs(parts: Parts) -> None:
    with parts.store.write() as connection:
        connection.execute(update(runs).values(status=Status.SUCCEEDED))


def test_whoever_has_the_secret_starts_a_run(
    anybody: Caller, parts: Parts, hooked: dict[str, Any]
):
    parts.wake.clear()
    answer = call(anybody, hooked)
    assert answer.status_code == 202
    (run,) = started(parts)
    assert answer.json() == {"run_id": run["id"], "dropped": None}
    assert (run["owner"], run["schedule_id"]) == ("ada", hooked["id"])
    assert run["parameters"] == {"epochs": 5}
    assert now() - run["fire_at"] < timedelta(minutes=10)
    assert parts.wake.is_set()


def test_the_secret_is_shown_once_and_kept_as_a_hash(
    ada: Caller, parts: Parts, hooked: dict[str, Any]
):
    secret, path = hooked["secret"], f"/schedules/{hooked['id']}"
    assert len(secret) >= 43
    url = f"{parts.settings.public_url}/services/hubyard/api/hooks/{hooked['id']}"
    words = shlex.split(hooked["curl"])
    assert words == [
        *("curl", "-X", "POST", "-H"),
        f"Authorization: Bearer {secret}",
        url,
    ]
    assert hooked["hook"] == url
    said = [ada.get(path), ada.get("/schedules"), ada("PATCH", path, json={})]
    for answer in said:
        assert "hash" not in answer.text
        assert secret not in answer.text
        assert hooks.hash_of(secret) not in answer.text
    with parts.store.read() as connection:
        (row,) = connection.execute(select(schedules)).mappings()
    assert row["secret_hash"] == hooks.hash_of(secret)
    assert secret not in repr(dict(row))


@pytest.mark.parametrize("secret", ["x", "", "none", "\xe4", "0" * 64])
def test_a_wrong_secret_is_as_no_such_schedule(
    anybody: Caller, ada: Caller, parts: Parts, hooked: dict[str, Any], secret: str
):
    wrong = {"Authorization": f"Bearer {secret}".encode()}
    path = f"/hooks/{hooked['id']}"
    unknown = anybody.post("/hooks/nobody", headers=wrong)
    answers = [
        anybody.post(path, headers=wrong),
        anybody.post(path, headers=wrong, json={"parameters": {"lr": "x"}}),
        anybody.post(path, headers=wrong, json={"parameters": 5}),
        ada.post(path, headers=wrong),
        ada.post(path),
        anybody.post(path),
    ]
    assert {(a.status_code, a.text) for a in answers} == {(404, unknown.text)}
    assert started(parts) == []


def test_the_hash_opens_nothing_and_nor_does_another_schedules_secret(
    anybody: Caller, ada: Caller, parts: Parts, digest: str, hooked: dict[str, Any]
):
    other = made(ada, digest, {"webhook": True})
    cron = ada.post(
        "/schedules",
        json={"source": digest, "notebook": "train.ipynb", "cron": "0 0 * * *"},
    ).json()
    for schedule, secret in (
        (hooked, hooks.hash_of(hooked["secret"])),
        (hooked, other["secret"]),
        (cron, "None"),
        (cron, hooks.hash_of("")),
    ):
        assert call(anybody, schedule, secret).status_code == 404
    assert started(parts) == []


def test_a_call_may_set_declared_parameters(
    anybody: Caller, parts: Parts, hooked: dict[str, Any]
):
    said = {"parameters": {"lr": 0.5}, "repository": {"name": "of the sender's"}}
    assert call(anybody, hooked, json=said).status_code == 202
    (run,) = started(parts)
    assert run["parameters"] == {"epochs": 5, "lr": 0.5}


@pytest.mark.parametrize(
    "body",
    [
        {"parameters": {"lr": "fast"}},
        {"parameters": {"import os": 1}},
        {"parameters": {"nobody": 1}},
        {"parameters": []},
        [],
        5,
    ],
)
def test_what_a_call_may_not_say_starts_nothing(
    anybody: Caller, parts: Parts, hooked: dict[str, Any], body: Any
):
    assert call(anybody, hooked, json=body).status_code == 422
    assert started(parts) == []


@pytest.mark.parametrize("key", ["a\tb", "x" * 256, "a b"])
def test_a_key_is_short_and_plain(
    anybody: Caller, parts: Parts, hooked: dict[str, Any], key: str
):
    answer = call(anybody, hooked, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert started(parts) == []


def test_a_call_that_is_sent_again_is_no_second_one(
    anybody: Caller, ada: Caller, parts: Parts, hooked: dict[str, Any]
):
    ada("PATCH", f"/schedules/{hooked['id']}", json={"overlap": "allow"})
    key = {"Idempotency-Key": "delivery-1"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: call(anybody, hooked, headers=key), range(4)))
    assert {a.status_code for a in answers} == {202}
    (run,) = started(parts)
    assert {a.json()["run_id"] for a in answers} == {run["id"]}
    other = call(anybody, hooked, headers={"Idempotency-Key": "delivery-2"})
    assert other.json()["run_id"] != run["id"]
    assert call(anybody, hooked).json()["run_id"] not in {
        run["id"],
        other.json()["run_id"],
    }
    assert len(started(parts)) == 3


def test_keys_are_kept_for_a_day(
    anybody: Caller, ada: Caller, parts: Parts, hooked: dict[str, Any]
):
    ada("PATCH", f"/schedules/{hooked['id']}", json={"overlap": "allow"})
    for key in ("one", "two"):
        call(anybody, hooked, headers={"Idempotency-Key": key})
    with parts.store.write() as connection:
        old = now() - timedelta(hours=25)
        connection.execute(update(hook_calls).values(called_at=old))
    call(anybody, hooked, headers={"Idempotency-Key": "three"})
    with parts.store.read() as connection:
        assert list(connection.scalars(select(hook_calls.c.key))) == ["three"]
    ada("DELETE", f"/schedules/{hooked['id']}")
    with parts.store.read() as connection:
        assert connection.execute(select(hook_calls)).all() == []


def test_a_call_that_overlaps_is_dropped_counted_and_says_so(
    anybody: Caller, ada: Caller, parts: Parts, hooked: dict[str, Any]
):
    call(anybody, hooked)
    key = {"Idempotency-Key": "k"}
    for _ in range(2):
        answer = call(anybody, hooked, headers=key)
        assert answer.status_code == 202
        assert answer.json() == {"run_id": None, "dropped": "overlap"}
    (lost,) = ada.get(f"/schedules/{hooked['id']}").json()["dropped"]
    assert (lost["why"], lost["count"]) == ("overlap", 1)
    end_runs(parts)
    assert call(anybody, hooked).json()["run_id"]


def test_a_paused_schedule_says_so_to_who_may_call_it(
    anybody: Caller, ada: Caller, parts: Parts, hooked: dict[str, Any]
):
    path = f"/schedules/{hooked['id']}"
    ada("PATCH", path, json={"paused": True})
    answer = call(anybody, hooked)
    assert answer.status_code == 409
    assert "paused" in answer.json()["message"]
    assert call(anybody, hooked, "wrong").status_code == 404
    ada("PATCH", path, json={"paused": False})
    assert call(anybody, hooked).status_code == 202
    ada("DELETE", path)
    assert call(anybody, hooked).status_code == 404


def test_too_many_calls_are_refused_until_there_is_time(
    parts: Parts, hooked: dict[str, Any]
):
    moment = [0.0]
    taken = Hooks(parts, clock=lambda: moment[0])
    row = taken.open(hooked["id"], hooked["secret"])

    def ask() -> str | None:
        return taken.call(row, HookCall(), None).run_id

    for _ in range(AT_ONCE):
        ask()
    with pytest.raises(TooOften, match="once a second"):
        ask()
    moment[0] = 0.9
    with pytest.raises(TooOften):
        ask()
    moment[0] = 1.0
    ask()
    moment[0] = 100.0
    for _ in range(AT_ONCE):
        ask()


def test_what_is_remembered_of_the_pace_is_bounded(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hooks, "_BUCKETS", 3)
    moment = [0.0]
    pace = hooks._Pace(lambda: moment[0])
    for id_ in "abcdef":
        moment[0] += 1
        pace.take(id_)
    assert len(pace._free_at) <= 3
    for _ in range(AT_ONCE - 1):
        pace.take("f")
    with pytest.raises(TooOften):
        pace.take("f")


def test_a_call_whose_answer_was_lost_is_no_second_run(
    parts: Parts, hooked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    atomically = Store.atomically

    def twice(store: Store, work: Any) -> Any:
        """As where the connection breaks after the commit."""
        first = atomically(store, work)
        assert atomically(store, work) == first
        return first

    monkeypatch.setattr(Store, "atomically", twice)
    taken = Hooks(parts)
    row = taken.open(hooked["id"], hooked["secret"])
    answer = taken.call(row, HookCall(), None)
    assert [run["id"] for run in started(parts)] == [answer.run_id]


def test_a_schedule_that_goes_while_it_is_called_is_gone(
    ada: Caller, parts: Parts, hooked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    atomically = Store.atomically

    def after_its_end(store: Store, work: Any) -> Any:
        def gone(connection: Connection) -> Any:
            connection.execute(schedules.delete())
            return work(connection)

        return atomically(store, gone)

    monkeypatch.setattr(Store, "atomically", after_its_end)
    row = Hooks(parts).open(hooked["id"], hooked["secret"])
    with pytest.raises(NotFound):
        Hooks(parts).call(row, HookCall(), None)
    assert started(parts) == []
