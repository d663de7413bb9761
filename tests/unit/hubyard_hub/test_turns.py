from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.workload import Status, Target
from hubyard_hub.reconcile.turns import Room, turns, waits

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_numbers = count()


def a_run(owner: str = "ada", **changes: Any) -> dict[str, Any]:
    """A run that waits, younger than all before it."""
    number = next(_numbers)
    row = {
        "id": f"r{number:06}",
        "owner": owner,
        "schedule_id": None,
        "fire_at": None,
        "compute": "small",
        "status": Status.PENDING,
        "target": Target.RUNNING,
        "created_at": NOON + timedelta(seconds=number),
    }
    return {**row, **changes}


def room(memory: int = 1000, starts: int = 8, *overlapping: str) -> Room:
    return Room(memory, lambda row: int(row.get("needs", 1)), set(overlapping), starts)


def ids(*rows: dict[str, Any]) -> set[str]:
    return {row["id"] for row in rows}


def test_what_is_alone_begins_however_large_it_is():
    run = a_run(needs=5000)
    assert turns([run], [], room()) == ids(run)


def test_what_has_begun_or_shall_not_begin_has_no_turn():
    begun = a_run(status=Status.RUNNING)
    unwanted = a_run(target=Target.STOPPED)
    assert turns([begun, unwanted], [], room()) == set()


def test_runs_wait_for_memory_in_the_order_in_which_they_came():
    at_work = a_run(needs=600, status=Status.RUNNING)
    large, small = a_run(needs=500), a_run(needs=10)
    assert turns([at_work, small, large], [], room()) == set()
    assert turns([small, large], [], room()) == ids(small, large)


def test_only_so_many_starts_are_under_way():
    in_hand, starting = a_run(), a_run(status=Status.STARTING)
    waiting = [a_run() for _ in range(5)]
    chosen = turns([in_hand, starting, *waiting], ids(in_hand), room(starts=4))
    assert chosen == ids(*waiting[:2])


def test_runs_of_one_schedule_take_turns_the_oldest_due_first():
    later = a_run(schedule_id="s", fire_at=NOON + timedelta(hours=2))
    sooner = a_run(schedule_id="s", fire_at=NOON + timedelta(hours=1))
    sooner["created_at"] = later["created_at"]
    other = a_run(schedule_id="t")
    assert turns([later, sooner, other], [], room()) == ids(sooner, other)
    sooner["status"] = Status.RUNNING
    assert turns([later, sooner], [], room()) == set()
    assert turns([later, sooner], [], room(1000, 8, "s")) == ids(later)


def test_runs_of_a_schedule_that_is_gone_take_turns_too():
    first, second = a_run(schedule_id="gone"), a_run(schedule_id="gone")
    assert turns([first, second], [], room()) == ids(first)


def test_nobody_waits_behind_anothers_nine_hundred():
    many = [a_run("ada") for _ in range(900)]
    ours, theirs = a_run("bo"), a_run("cy")
    chosen = turns([*many, ours, theirs], [], room())
    assert ids(ours, theirs) < chosen
    assert len(chosen) == 8


def test_nor_where_there_is_room_for_one_run_alone():
    """Each run ends before the next one begins, and so nobody has any at work."""
    waiting = [a_run(owner) for owner in ["ada"] * 9 + ["bo"] * 2 + ["cy"] * 2]
    last_starts: dict[str, datetime] = {}
    order = ""
    for number in range(len(waiting)):
        one = Room(1, lambda row: 1, (), 1, last_starts)
        (chosen,) = turns(waiting, [], one)
        run = next(row for row in waiting if row["id"] == chosen)
        waiting.remove(run)
        last_starts[run["owner"]] = NOON + timedelta(minutes=number)
        order += run["owner"][0]
    assert order == "abcabc" + "a" * 7


RUNS = st.lists(
    st.builds(
        a_run,
        owner=st.sampled_from("abc"),
        schedule_id=st.sampled_from([None, "s", "t", "u"]),
        status=st.sampled_from([Status.PENDING, Status.STARTING, Status.RUNNING]),
        target=st.sampled_from(Target),
        needs=st.integers(0, 400),
    ),
    max_size=30,
)


@given(runs=RUNS, starts=st.integers(1, 9), hand=st.integers(0, 3))
def test_what_holds_of_every_choice(runs: list[dict[str, Any]], starts: int, hand: int):
    in_hand = ids(*[row for row in runs if waits(row)][:hand])
    chosen = turns(runs, in_hand, room(1000, starts, "u"))
    by_id = {row["id"]: row for row in runs}
    at_work = [r for r in runs if not waits(r) or r["id"] in in_hand]
    begun = [*at_work, *(by_id[id_] for id_ in chosen)]

    assert all(waits(by_id[id_]) for id_ in chosen)
    assert chosen.isdisjoint(in_hand)
    memory = sum(row["needs"] for row in begun)
    assert not chosen or memory <= 1000 or len(begun) == 1
    under_way = [r for r in begun if r["status"] is not Status.RUNNING]
    assert not chosen or len(under_way) <= starts
    busy = Counter(row["schedule_id"] for row in begun)
    for schedule in {by_id[id_]["schedule_id"] for id_ in chosen} - {None, "u"}:
        assert busy[schedule] == 1
    if not at_work and any(map(waits, runs)):
        assert chosen, "where nothing is at work something begins"
