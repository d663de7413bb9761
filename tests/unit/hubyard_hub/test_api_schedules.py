from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from hubyard.contract.base import now
from hubyard_hub.schedules.core import fire_due
from hubyard_hub.store.tables import drops, runs, schedules
from support.platform import Caller, ada, app, bob, hub, parts, upload, workload_of

if TYPE_CHECKING:
    from hubyard_hub.parts import Parts

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures


@pytest.fixture
def digest(ada: Caller) -> str:
    return upload(ada)


def wish(digest: str, **changes: Any) -> dict[str, Any]:
    base = {"source": digest, "notebook": "train.ipynb", "cron": "30 2 * * 1-5"}
    return {**base, **changes}


@pytest.fixture
def schedule(ada: Caller, digest: str) -> dict[str, Any]:
    answer = ada.post("/schedules", json=wish(digest, time_zone="Europe/Berlin"))
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_preview_says_what_it_would_do_and_cost(ada: Caller):
    asked = {"cron": "0 * * * *", "time_zone": "Asia/Kathmandu", "lifetime_s": 1800}
    shown = ada.post("/schedules/preview", json=asked).json()
    assert shown["text"] == "Every hour"
    fires = [datetime.fromisoformat(fire) for fire in shown["next_fires"]]
    assert len(fires) == 5
    assert all(fire.minute == 15 and fire > now() for fire in fires)
    assert shown["price"]["text"] == "$0.36"
    assert shown["per_run"]["text"] == "$0.18"
    assert shown["fires_per_month"] in range(729, 733)
    assert shown["per_month"]["micros"] == 180_000 * shown["fires_per_month"]
    assert shown["basis"] == "the whole lifetime of 30m"


def test_past_runs_give_the_expected_cost(
    ada: Caller, parts: Parts, digest: str, schedule: dict[str, Any]
):
    asked = {"cron": "0 0 * * *", "notebook": "train.ipynb"}
    for minutes, basis in (
        (5, "the last run: 5m"),
        (15, "the mean of the last 2 runs: 10m"),
    ):
        run = ada.post("/runs", json={"source": digest, "notebook": "train.ipynb"})
        began = now()
        record = {
            "revision": 1,
            "status": "succeeded",
            "started_at": began.isoformat(),
            "ended_at": (began + timedelta(minutes=minutes)).isoformat(),
        }
        itself = workload_of(ada, f"run-{run.json()['id']}")
        assert itself("PUT", "/job/record", json=record).status_code == 204
        shown = ada.post("/schedules/preview", json=asked).json()
        assert shown["basis"] == basis
    assert shown["per_run"]["micros"] == 60_000
    listed = ada.get(f"/schedules/{schedule['id']}").json()
    assert listed["per_run"]["micros"] == 60_000


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"cron": "nonsense"}, 422, "cron"),
        ({"cron": "* * * * * *"}, 422, "cron"),
        ({"cron": "0 0 30 2 *"}, 422, "cron"),
        ({"cron": "x" * 300}, 422, "cron"),
        ({"time_zone": "Mars"}, 422, "time_zone"),
        ({"time_zone": "../x"}, 422, "time_zone"),
        ({"compute": "nope"}, 422, "compute"),
        ({"compute": "giant"}, 400, "compute"),
        ({"lifetime_s": 10**6}, 422, "lifetime_s"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_everywhere(
    ada: Caller,
    digest: str,
    changes: dict[str, Any],
    status: int,
    field: str,
):
    made = ada.post("/schedules", json=wish(digest, **changes))
    assert (made.status_code, made.json()["field"]) == (status, field)
    asked = {"cron": "0 0 * * *", **changes}
    shown = ada.post("/schedules/preview", json=asked)
    assert (shown.status_code, shown.json()["field"]) == (status, field)
    assert ada.get("/schedules").json() == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"source": "0" * 64}, 404),
        ({"notebook": "other.ipynb"}, 404),
        ({"parameters": {"lr": "x"}}, 422),
        ({"missed": "twice"}, 422),
        ({"overlap": "never"}, 422),
        ({"grace_s": 0}, 422),
        ({"paused": True}, 422),
    ],
)
def test_what_cannot_run_cannot_be_scheduled(
    ada: Caller, digest: str, changes: dict[str, Any], status: int
):
    assert ada.post("/schedules", json=wish(digest, **changes)).status_code == status


def test_a_schedule_is_shown_as_it_was_made(ada: Caller, schedule: dict[str, Any]):
    assert schedule["text"] == "At 02:30, Monday through Friday"
    assert (schedule["name"], schedule["missed"]) == ("train", "once")
    assert (schedule["compute"], schedule["lifetime_s"]) == ("small", 3600)
    assert (schedule["paused"], schedule["last_run_id"]) == (False, None)
    fire = datetime.fromisoformat(schedule["next_fire"])
    assert fire > now()
    shown = ada.get(f"/schedules/{schedule['id']}").json()
    assert schedule == {**shown, "secret": None, "curl": None}
    assert ada.get("/schedules").json() == [shown]


def test_run_now_does_not_move_the_next_fire(ada: Caller, schedule: dict[str, Any]):
    run = ada.post(f"/schedules/{schedule['id']}/run")
    assert run.status_code == 201
    assert (run.json()["schedule_id"], run.json()["fire_at"]) == (schedule["id"], None)
    ada.post(f"/schedules/{schedule['id']}/run")
    shown = ada.get(f"/schedules/{schedule['id']}").json()
    assert shown["next_fire"] == schedule["next_fire"]
    newest = ada.get(f"/runs?schedule={schedule['id']}").json()[0]
    assert shown["last_status"] == "pending"
    assert shown["last_run_id"] in {newest["id"], run.json()["id"]}
    assert ada.get("/runs?schedule=other").json() == []


def test_a_fire_shows_its_due_time(ada: Caller, parts: Parts, schedule: dict[str, Any]):
    due = datetime.fromisoformat(schedule["next_fire"])
    assert fire_due(parts.store, due) == 1
    (run,) = ada.get(f"/runs?schedule={schedule['id']}").json()
    assert run["fire_at"] == schedule["next_fire"]
    shown = ada.get(f"/schedules/{schedule['id']}").json()
    assert shown["last_run_id"] == run["id"]
    assert shown["next_fire"] > schedule["next_fire"]


def test_pause_and_go_on_without_making_up_for_it(
    ada: Caller, parts: Parts, schedule: dict[str, Any]
):
    path = f"/schedules/{schedule['id']}"
    paused = ada("PATCH", path, json={"paused": True}).json()
    assert (paused["paused"], paused["next_fire"]) == (True, schedule["next_fire"])
    with parts.store.write() as connection:
        past = now() - timedelta(days=9)
        connection.execute(update(schedules).values(next_fire=past))
    assert fire_due(parts.store, now()) == 0
    assert ada("PATCH", path, json={}).json()["paused"] is True
    on = ada("PATCH", path, json={"paused": False}).json()
    assert datetime.fromisoformat(on["next_fire"]) > now()
    assert fire_due(parts.store, now()) == 0


def test_it_moves_to_another_cron_zone_and_source(
    ada: Caller, digest: str, schedule: dict[str, Any]
):
    path = f"/schedules/{schedule['id']}"
    moved = ada("PATCH", path, json={"cron": "0 * * * *"}).json()
    assert moved["text"] == "Every hour"
    assert moved["next_fire"] != schedule["next_fire"]
    assert moved["time_zone"] == "Europe/Berlin"
    zone = ada("PATCH", path, json={"time_zone": "UTC"}).json()
    assert (zone["cron"], zone["time_zone"]) == ("0 * * * *", "UTC")
    from support.platform import code_cell, notebook

    newer = upload(ada, {"train.ipynb": notebook(code_cell("lr = 2.0", "parameters"))})
    assert ada("PATCH", path, json={"source": newer}).json()["source"] == newer
    for bad, status in (
        ({"cron": "nonsense"}, 422),
        ({"cron": "* * * * x"}, 422),
        ({"time_zone": "Mars"}, 422),
        ({"source": "0" * 64}, 404),
        ({"name": "x"}, 422),
    ):
        assert ada("PATCH", path, json=bad).status_code == status


def test_its_owner_may_wish_for_another_policy(ada: Caller, schedule: dict[str, Any]):
    chosen = ("missed", "overlap", "grace_s")
    assert [schedule[name] for name in chosen] == ["once", "skip", 3600]
    asked = {"missed": "all", "overlap": "queue", "grace_s": 60}
    changed = ada("PATCH", f"/schedules/{schedule['id']}", json=asked).json()
    assert {name: changed[name] for name in chosen} == asked
    assert changed["next_fire"] == schedule["next_fire"]


def test_fires_that_were_dropped_are_shown_with_their_reason(
    ada: Caller, parts: Parts, schedule: dict[str, Any]
):
    path = f"/schedules/{schedule['id']}"
    ada("PATCH", path, json={"cron": "0 * * * *"})
    due = now().replace(minute=0, second=0, microsecond=0)
    set_next_fire(parts, due - timedelta(hours=3))
    assert fire_due(parts.store, due) == 1
    missed = {
        "why": "missed",
        "first_at": written(due - timedelta(hours=3)),
        "last_at": written(due - timedelta(hours=1)),
        "count": 3,
        "text": "3",
    }
    assert ada.get(path).json()["dropped"] == [missed]
    for hour in (1, 2):
        assert fire_due(parts.store, due + timedelta(hours=hour)) == 0
    crowded_out = {
        "why": "overlap",
        "first_at": written(due + timedelta(hours=1)),
        "last_at": written(due + timedelta(hours=2)),
        "count": 2,
        "text": "2",
    }
    assert ada.get(path).json()["dropped"] == [crowded_out, missed]


def test_of_many_drops_the_newest_five_are_shown_and_a_hundred_kept(
    ada: Caller, parts: Parts, schedule: dict[str, Any]
):
    path = f"/schedules/{schedule['id']}"
    ada("PATCH", path, json={"cron": "0 * * * *", "overlap": "allow"})
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for day in range(110):
        due = start + timedelta(days=day)
        set_next_fire(parts, due)
        fire_due(parts.store, due + timedelta(hours=2))
    shown = ada.get(path).json()["dropped"]
    assert [span["count"] for span in shown] == [2] * 5
    assert shown[0]["first_at"] == written(start + timedelta(days=109))
    with parts.store.read() as connection:
        assert len(connection.execute(select(drops)).all()) == 100


def written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def set_next_fire(parts: Parts, moment: datetime) -> None:
    with parts.store.write() as connection:
        connection.execute(update(schedules).values(next_fire=moment))


def test_a_schedule_that_goes_on_after_its_clock_was_set_back_fires_nothing_again(
    ada: Caller, parts: Parts, schedule: dict[str, Any]
):
    later = now() + timedelta(days=30)
    set_next_fire(parts, later)
    path = f"/schedules/{schedule['id']}"
    ada("PATCH", path, json={"paused": True})
    on = ada("PATCH", path, json={"paused": False}).json()
    assert on["next_fire"] == written(later)


@pytest.fixture
def hourly(ada: Caller, schedule: dict[str, Any]) -> str:
    path = f"/schedules/{schedule['id']}"
    ada("PATCH", path, json={"cron": "0 * * * *", "time_zone": "UTC"})
    return path


def test_a_backfill_starts_a_run_for_each_due_time_that_has_none(
    ada: Caller, parts: Parts, hourly: str
):
    hour = now().replace(minute=0, second=0, microsecond=0)
    set_next_fire(parts, hour - timedelta(hours=1))
    assert fire_due(parts.store, hour - timedelta(minutes=50)) == 1
    span = {"since": written(hour - timedelta(hours=4)), "until": written(hour)}
    would = ada.post(f"{hourly}/backfill", json={**span, "dry_run": True}).json()
    assert (would["due"], would["runs"]) == (5, 4)
    assert would["cost"]["micros"] == 4 * 360_000
    assert len(ada.get("/runs").json()) == 1
    assert ada.post(f"{hourly}/backfill", json=span).json() == would
    again = ada.post(f"{hourly}/backfill", json=span).json()
    assert (again["due"], again["runs"], again["cost"]["micros"]) == (5, 0, 0)
    fires = {run["fire_at"] for run in ada.get("/runs").json()}
    assert fires == {written(hour - timedelta(hours=h)) for h in range(5)}


@pytest.mark.parametrize(
    ("since", "until", "status"),
    [
        (-1, -2, 422),
        (-2, 1, 422),
        (-24 * 60, 0, 422),
        (-2, None, 422),
    ],
)
def test_a_span_that_cannot_be_filled_is_refused(
    ada: Caller, hourly: str, since: int, until: int | None, status: int
):
    moments = {
        name: None if hours is None else written(now() + timedelta(hours=hours))
        for name, hours in {"since": since, "until": until}.items()
    }
    answer = ada.post(f"{hourly}/backfill", json=moments)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert ada.get("/runs").json() == []


@pytest.mark.parametrize("first", ["0001-01-01T00:00:00Z", "1969-12-31T00:00:00Z"])
def test_a_span_without_due_times_has_nothing_to_fill(
    ada: Caller, hourly: str, first: str
):
    span = {"since": first, "until": "1970-01-01T00:00:00Z"}
    filled = ada.post(f"{hourly}/backfill", json=span).json()
    assert (filled["due"], filled["runs"]) == (0, 0)


def test_a_backfill_is_its_owners(ada: Caller, bob: Caller, hourly: str):
    span = {"since": written(now() - timedelta(hours=4)), "until": written(now())}
    assert bob.post(f"{hourly}/backfill", json=span).status_code == 404
    assert ada.get("/runs").json() == []


def test_striking_it_out_keeps_its_runs_and_those_that_wait_never_begin(
    ada: Caller, parts: Parts, schedule: dict[str, Any]
):
    ada.post(f"/schedules/{schedule['id']}/run")
    assert ada.get("/runs").json()[0]["target"] == "running"
    assert ada("DELETE", f"/schedules/{schedule['id']}").status_code == 204
    assert ada.get(f"/schedules/{schedule['id']}").status_code == 404
    assert ada("DELETE", f"/schedules/{schedule['id']}").status_code == 404
    (kept_run,) = ada.get("/runs").json()
    assert kept_run["target"] == "stopped"
    with parts.store.read() as connection:
        kept = connection.execute(select(runs.c.schedule_id)).scalar_one()
    assert kept == schedule["id"]


def test_compute_that_is_no_longer_offered_is_said_so(
    ada: Caller, parts: Parts, schedule: dict[str, Any]
):
    with parts.store.write() as connection:
        connection.execute(update(schedules).values(compute="gone"))
    shown = ada.get("/schedules").json()[0]
    assert shown["per_run"]["micros"] == 0
