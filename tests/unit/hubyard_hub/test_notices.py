"""Notices: each end that is to be told of is told once, whatever breaks meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, select, update

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard.contract.notice import DeliveryStatus, Why
from hubyard.contract.run import RunRecord
from hubyard.contract.workload import Kind, Status
from hubyard_hub import store as store_module
from hubyard_hub.notices.delivery import PAUSES, keep, outcome, take
from hubyard_hub.notices.disk import tell_disk
from hubyard_hub.notices.tell import KEPT, forget_old, tell_late
from hubyard_hub.reconcile.acts import bring_further
from hubyard_hub.runs.record import keep_record
from hubyard_hub.schedules.core import run_of
from hubyard_hub.store.tables import channels, deliveries, notices, runs, schedules
from support.breaking import BreakingStore
from support.lines import ended, opened
from support.platform import ada, app, bob, hub, parts, upload
from support.schedules import NOON, schedule_row
from support.stores import both_stores, database_url, newest_shape, postgresql, store

if TYPE_CHECKING:
    from pathlib import Path

    from hubyard_hub.parts import Parts
    from hubyard_hub.store import Store
    from support.memory_hub import MemoryHub
    from support.platform import Caller

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures
__all__ += ["both_stores", "database_url", "postgresql", "store"]  # the same

LATE = timedelta(minutes=15)
SECOND = timedelta(seconds=1)
FAILURE = {"reason": "cell-error", "message": "Cell 3 failed: ValueError", "cell": 2}
BREAKS = [["before"], ["after"], ["before", "after", "before"], ["after", "after"]]


def schedule_in(store: Store, **changes: Any) -> dict[str, Any]:
    row = schedule_row(**changes)
    with store.write() as connection:
        connection.execute(insert(schedules).values(**row))
    return row


def run_in(store: Store, schedule: dict[str, Any], **changes: Any) -> dict[str, Any]:
    row = {**run_of(schedule, None), **changes}
    with store.write() as connection:
        connection.execute(insert(runs).values(**row))
    return row


def channel_in(store: Store, name: str, *, is_default: bool = False) -> None:
    row = {
        "name": name,
        "kind": "webhook",
        "place": "https://example.org/…",
        "purpose": None,
        "is_default": is_default,
        "secret": name,
        "made_by": "root",
        "made_at": NOON,
    }
    with store.write() as connection:
        connection.execute(insert(channels).values(**row))


def record(status: Status, revision: int = 1) -> RunRecord:
    failure = FAILURE if status is Status.FAILED else None
    return RunRecord.model_validate(
        {
            "revision": revision,
            "status": status,
            "started_at": now(),
            "ended_at": None if status.is_active else now(),
            "failure": failure,
        }
    )


def end(store: Store, run: dict[str, Any], status: Status, revision: int = 1) -> None:
    said = record(status, revision)
    store.atomically(lambda c: keep_record(c, run["id"], said))


def told(store: Store) -> list[Why]:
    with store.read() as connection:
        return list(
            connection.scalars(select(notices.c.why).order_by(notices.c.created_at))
        )


def waiting(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(connection.scalars(select(deliveries.c.channel)))


# -- what is told ----------------------------------------------------------------------


def test_a_failure_is_told_with_its_cell_and_in_its_words(both_stores: Store):
    run = run_in(both_stores, schedule_in(both_stores))
    end(both_stores, run, Status.FAILED)
    with both_stores.read() as connection:
        (notice,) = connection.execute(select(notices)).mappings().all()
    assert notice["owner"] == "ada"
    assert (notice["why"], notice["message"]) == (Why.FAILED, FAILURE["message"])
    assert (notice["run_id"], notice["cell"]) == (run["id"], 2)
    assert notice["seen_at"] is None


@pytest.mark.parametrize(
    ("ends", "whys"),
    [
        ([Status.SUCCEEDED], []),
        ([Status.STOPPED], []),
        ([Status.FAILED, Status.FAILED], [Why.FAILED, Why.FAILED]),
        ([Status.FAILED, Status.SUCCEEDED], [Why.FAILED, Why.RECOVERED]),
        (
            [Status.FAILED, Status.STOPPED, Status.SUCCEEDED],
            [Why.FAILED, Why.RECOVERED],
        ),
        ([Status.FAILED, *[Status.SUCCEEDED] * 3], [Why.FAILED, Why.RECOVERED]),
        (
            [Status.FAILED, Status.SUCCEEDED] * 2,
            [Why.FAILED, Why.RECOVERED] * 2,
        ),
    ],
)
def test_only_the_first_success_after_a_failure_is_told(
    both_stores: Store, ends: list[Status], whys: list[Why]
):
    schedule = schedule_in(both_stores)
    for status in ends:
        end(both_stores, run_in(both_stores, schedule), status)
    assert told(both_stores) == whys


def test_another_schedules_failure_is_not_made_well(store: Store):
    end(store, run_in(store, schedule_in(store)), Status.FAILED)
    end(store, run_in(store, schedule_in(store)), Status.SUCCEEDED)
    by_hand = run_in(store, schedule_row(), schedule_id=None)
    end(store, by_hand, Status.SUCCEEDED)
    assert told(store) == [Why.FAILED]


MINE = {"schedule_id": None}


@pytest.mark.parametrize(
    ("other", "whys"),
    [
        ({}, [Why.FAILED, Why.RECOVERED]),
        ({"name": "again", "source": "another"}, [Why.FAILED, Why.RECOVERED]),
        ({"owner": "bob"}, [Why.FAILED]),
        ({"notebook": "other.ipynb"}, [Why.FAILED]),
        ({"project": "flights"}, [Why.FAILED]),
    ],
    ids=str,
)
def test_a_run_by_hand_makes_well_only_its_owners_same_notebook(
    both_stores: Store, other: dict[str, Any], whys: list[Why]
):
    end(both_stores, run_in(both_stores, schedule_row(), **MINE), Status.FAILED)
    for _ in range(2):
        run = run_in(both_stores, schedule_row(), **{**MINE, **other})
        end(both_stores, run, Status.SUCCEEDED)
    assert told(both_stores) == whys


@pytest.mark.parametrize("project", [None, "flights"])
def test_a_failure_by_hand_is_not_made_well_by_a_schedule(
    both_stores: Store, project: str | None
):
    by_hand = run_in(both_stores, schedule_row(), project=project, **MINE)
    end(both_stores, by_hand, Status.FAILED)
    scheduled = run_in(both_stores, schedule_in(both_stores), project=project)
    end(both_stores, scheduled, Status.SUCCEEDED)
    assert told(both_stores) == [Why.FAILED]
    end(
        both_stores,
        run_in(both_stores, schedule_row(), project=project, **MINE),
        Status.SUCCEEDED,
    )
    assert told(both_stores) == [Why.FAILED, Why.RECOVERED]


def test_a_last_word_after_all_takes_a_failure_back(store: Store):
    run = run_in(store, schedule_row(), schedule_id=None)
    end(store, run, Status.FAILED)
    end(store, run, Status.SUCCEEDED, revision=2)
    assert told(store) == [Why.FAILED, Why.RECOVERED]


def test_a_last_word_that_comes_twice_is_told_once(both_stores: Store):
    run = run_in(both_stores, schedule_in(both_stores))
    end(both_stores, run, Status.FAILED)
    end(both_stores, run, Status.FAILED)
    end(both_stores, run, Status.FAILED, revision=2)
    assert told(both_stores) == [Why.FAILED]


@pytest.mark.parametrize("breaks", BREAKS, ids=str)
@pytest.mark.parametrize("why", Why)
def test_whatever_breaks_it_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks: list[str], why: Why
):
    monkeypatch.setattr(store_module, "_RETRY_PAUSES_S", (0,) * 6)
    (tmp_path / "db").write_bytes(newest_shape())
    store = BreakingStore(f"sqlite:///{tmp_path / 'db'}")
    channel_in(store, "ops", is_default=True)
    schedule = schedule_in(store, notify_on=[*Why])
    expected = [why]
    if why is Why.RECOVERED:
        end(store, run_in(store, schedule), Status.FAILED)
        expected = [Why.FAILED, why]
    run = run_in(store, schedule, fire_at=now() - 2 * LATE, created_at=now() - 2 * LATE)
    store.breaks = list(breaks)
    if why is Why.LATE:
        tell_late(store, now(), LATE)
    elif why is Why.DISK:
        tell_disk(store, "It is full.", now())
    else:
        end(store, run, Status.FAILED if why is Why.FAILED else Status.SUCCEEDED)
    store.breaks = []
    assert told(store) == expected
    assert waiting(store) == ["ops"] * len(expected)
    store.close()


def test_the_reconciler_tells_of_what_left_no_last_word(
    parts: Parts, hub: MemoryHub, ada: Caller, bob: Caller
):
    asked = {"source": upload(ada), "notebook": "train.ipynb", "name": "nightly"}
    run = ada.post("/runs", json=asked).json()["id"]
    server = f"run-{run}"
    entry = opened(parts.ledger, owner="ada", server_name=server, kind=Kind.RUN)
    hub.servers["ada", server] = "stopped"
    ended(parts.ledger, entry, now(), EndReason.KILLED, exit_code=-9)
    for _ in range(3):
        bring_further(parts, Kind.RUN, run)
    said = ada.get("/notices").json()
    assert (said["owner"], said["unseen"]) == ("ada", 1)
    (notice,) = said["notices"]
    assert (notice["why"], notice["name"], notice["run_id"]) == (
        "failed",
        "nightly",
        run,
    )
    assert notice["message"] == "It was killed from outside (signal 9)."
    assert notice["link"].endswith(f"/services/hubyard/api/runs/{run}/failure")
    assert bob.get("/notices").json() == {"owner": "bob", "unseen": 0, "notices": []}


# -- late ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "is_late"),
    [
        ({}, True),
        ({"status": Status.STARTING}, True),
        ({"status": Status.RUNNING}, False),
        ({"status": Status.FAILED}, False),
        ({"target": "stopped"}, False),
        ({"fire_at": None}, False),
        ({"fire_at": NOON + SECOND}, False),
        ({"created_at": NOON + LATE}, False),
    ],
    ids=str,
)
def test_late_is_what_has_not_begun_so_long_after_its_due_time(
    both_stores: Store, changes: dict[str, Any], *, is_late: bool
):
    on_time = {"fire_at": NOON, "created_at": NOON + SECOND}
    run_in(both_stores, schedule_in(both_stores), **{**on_time, **changes})
    for _ in range(2):
        tell_late(both_stores, NOON + LATE, LATE)
    assert told(both_stores) == [Why.LATE] * is_late
    if is_late:
        with both_stores.read() as connection:
            message = connection.scalar(select(notices.c.message))
        assert message == "It was due on 24 November, 12:00 UTC and has not begun."


# -- by which channels -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("notify", "notify_on", "names"),
    [
        (None, ["failed"], ["usual"]),
        (None, [], []),
        (None, ["late", "recovered"], []),
        ([], ["failed"], []),
        (["ops"], ["failed"], ["ops"]),
        (["ops", "usual", "gone"], ["failed", "late"], ["ops", "usual"]),
    ],
)
def test_a_schedule_says_who_is_told_of_what(
    store: Store, notify: list[str] | None, notify_on: list[str], names: list[str]
):
    channel_in(store, "usual", is_default=True)
    channel_in(store, "ops")
    schedule = schedule_in(store, notify=notify, notify_on=notify_on)
    end(store, run_in(store, schedule), Status.FAILED)
    assert told(store) == [Why.FAILED]
    assert waiting(store) == names


def test_a_run_by_hand_rings_the_bell_alone(store: Store):
    channel_in(store, "usual", is_default=True)
    end(store, run_in(store, schedule_row(), schedule_id=None), Status.FAILED)
    assert (told(store), waiting(store)) == ([Why.FAILED], [])


# -- seen ------------------------------------------------------------------------------


def test_each_sees_their_own_and_nobody_elses(parts: Parts, ada: Caller, bob: Caller):
    store = parts.store
    for owner in ("ada", "ada", "bob"):
        schedule = schedule_in(store, owner=owner)
        end(store, run_in(store, schedule), Status.FAILED)
    first, second = (each["id"] for each in ada.get("/notices").json()["notices"])
    assert bob.post("/notices/seen", json={"ids": [first]}).json()["unseen"] == 1
    assert ada.get("/notices").json()["unseen"] == 2
    left = ada.post("/notices/seen", json={"ids": [second]}).json()
    assert left["unseen"] == 1
    seen = {each["id"]: each["seen_at"] for each in left["notices"]}
    assert seen[first] is None
    assert seen[second] is not None
    again = ada.post("/notices/seen", json={}).json()
    assert again["unseen"] == 0
    assert {e["id"]: e["seen_at"] for e in again["notices"]}[second] == seen[second]
    assert bob.get("/notices").json()["unseen"] == 1
    assert ada.post("/notices/seen", json={"all": True}).status_code == 422


def test_what_was_told_long_ago_is_forgotten(store: Store):
    channel_in(store, "usual", is_default=True)
    for _ in range(2):
        end(store, run_in(store, schedule_in(store)), Status.FAILED)
    old = update(notices).where(
        notices.c.id.in_(select(notices.c.id).limit(1).scalar_subquery())
    )
    with store.write() as connection:
        connection.execute(old.values(created_at=now() - KEPT - SECOND))
        forget_old(connection, now())
    assert told(store) == [Why.FAILED]
    assert waiting(store) == ["usual"]


# -- deliveries ------------------------------------------------------------------------


@pytest.fixture
def due(both_stores: Store) -> Store:
    """A store in which one delivery waits."""
    channel_in(both_stores, "ops", is_default=True)
    end(both_stores, run_in(both_stores, schedule_in(both_stores)), Status.FAILED)
    return both_stores


def state(store: Store) -> tuple[DeliveryStatus, int]:
    with store.read() as connection:
        found = connection.execute(select(deliveries)).mappings().one()
    return found["status"], found["attempts"]


def test_a_delivery_is_taken_by_one(due: Store):
    moment = now()
    taken = due.atomically(lambda c: take(c, "me", moment))
    assert taken is not None
    assert (taken["channel"], taken["why"], taken["attempts"]) == ("ops", Why.FAILED, 1)
    again = due.atomically(lambda c: take(c, "me", moment))
    assert again == taken
    assert due.atomically(lambda c: take(c, "you", moment)) is None
    assert state(due) == (DeliveryStatus.SENDING, 1)


def test_what_was_being_sent_at_a_crash_is_not_sent_again(due: Store):
    taken = due.atomically(lambda c: take(c, "me", now()))
    later = now() + timedelta(minutes=5)
    assert due.atomically(lambda c: take(c, "you", later)) is None
    assert state(due) == (DeliveryStatus.UNSURE, 1)
    sent = outcome(1, {"status": "sent"}, later)
    assert taken is not None
    due.atomically(lambda c: keep(c, taken, sent))
    assert state(due) == (DeliveryStatus.UNSURE, 1)


def test_a_refusal_is_tried_again_later_each_time_and_at_last_no_more(due: Store):
    moment = now()
    for attempt in range(1, len(PAUSES) + 2):
        taken = due.atomically(lambda c, at=moment: take(c, str(at), at))
        assert taken is not None
        assert taken["attempts"] == attempt
        said = outcome(attempt, {"status": "refused", "said": "No."}, moment)
        due.atomically(lambda c, t=taken, s=said: keep(c, t, s))
        if attempt <= len(PAUSES):
            almost = moment + PAUSES[attempt - 1] - SECOND
            assert due.atomically(lambda c, at=almost: take(c, "early", at)) is None
            moment = almost + SECOND
    assert state(due) == (DeliveryStatus.REFUSED, len(PAUSES) + 1)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"status": "sent"}, DeliveryStatus.SENT),
        ({"status": "unsure", "said": "It did not answer."}, DeliveryStatus.UNSURE),
        ({"status": "inside", "said": "10.0.0.1 is inside."}, DeliveryStatus.REFUSED),
        (None, DeliveryStatus.REFUSED),
        ({"status": "refused", "said": "No."}, DeliveryStatus.WAITING),
    ],
)
def test_only_a_refusal_is_worth_another_try(
    said: dict[str, Any] | None, status: DeliveryStatus
):
    assert outcome(1, said, NOON)["status"] is status
