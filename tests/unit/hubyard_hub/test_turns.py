from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.workload import Status, Target
from hubyard_hub.reconcile.turns import MOST_PASSES, Room, Turns, Waits, waits
from hubyard_hub.reconcile.turns import turns as decide

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


def turns(*given: Any) -> set[str]:
    """Who begins now."""
    return set(decide(*given).begin)


def ids(*rows: dict[str, Any]) -> set[str]:
    return {row["id"] for row in rows}


def test_what_is_alone_begins_however_large_it_is():
    run = a_run(needs=5000)
    assert turns([run], [], room()) == ids(run)


def test_what_has_begun_or_shall_not_begin_has_no_turn():
    begun = a_run(status=Status.RUNNING)
    unwanted = a_run(target=Target.STOPPED)
    assert turns([begun, unwanted], [], room()) == set()


def test_one_that_does_not_fit_lets_others_pass():
    at_work = a_run(needs=600, status=Status.RUNNING)
    large, small, other = a_run(needs=500), a_run(needs=10), a_run("bo", needs=390)
    found = decide([at_work, small, large, other], [], room())
    assert found.begin == ids(small, other)
    assert found.counted == large["id"]
    assert found.why == {large["id"]: Waits.MEMORY}
    assert turns([small, large], [], room()) == ids(small, large)


def passed(row: dict[str, Any], count: int, **more: Any) -> Room:
    return Room(1000, lambda row: row["needs"], (), passes={row["id"]: count}, **more)


def test_room_is_kept_for_one_that_enough_others_have_passed():
    at_work = a_run(needs=600, status=Status.RUNNING)
    large = a_run(needs=500)
    small = [a_run("bo", needs=1) for _ in range(3)]
    rows = [at_work, *small, large]
    assert turns(rows, [], passed(large, MOST_PASSES - 2, starts=8)) == ids(*small[:2])
    kept = decide(rows, [], passed(large, MOST_PASSES, starts=8))
    assert kept == Turns(
        frozenset(),
        large["id"],
        {large["id"]: Waits.MEMORY, **{row["id"]: Waits.LARGER for row in small}},
    )
    begun = decide(rows[1:], [], passed(large, MOST_PASSES, starts=1))
    assert begun.begin == ids(large), "once there is room it goes first"


def test_starts_that_are_not_billed_yet_have_passed_as_well():
    at_work = a_run(needs=600, status=Status.RUNNING)
    large, in_hand, small = a_run(needs=500), a_run(needs=1), a_run(needs=1)
    rows = [at_work, large, in_hand, small]
    room = passed(large, MOST_PASSES - 1, starts=8)
    assert turns(rows, ids(in_hand), room) == set()
    assert turns(rows, [], room) == ids(in_hand)


def test_only_the_oldest_that_does_not_fit_is_counted():
    """Or an owner with many large runs would have the machine for all of them."""
    at_work = a_run(needs=600, status=Status.RUNNING)
    large = [a_run(needs=500) for _ in range(3)]
    small = a_run("bo", needs=1)
    found = decide([at_work, *reversed(large), small], [], room())
    assert (found.counted, found.begin) == (large[0]["id"], ids(small))
    assert set(found.why.values()) == {Waits.MEMORY}


def test_one_that_waits_for_its_schedule_has_no_room_kept():
    at_work = a_run(schedule_id="s", needs=600, status=Status.RUNNING)
    large, small = a_run(schedule_id="s", needs=500), a_run(needs=1)
    found = decide([at_work, large, small], [], passed(large, MOST_PASSES, starts=8))
    assert found.begin == ids(small)
    assert (found.counted, found.why) == (None, {large["id"]: Waits.SCHEDULE})


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


class Machine:
    """A machine on which runs come, begin and end, one look after the other."""

    def __init__(self, memory: int, starts: int) -> None:
        self.memory, self.starts = memory, starts
        self.waiting: list[dict[str, Any]] = []
        self.at_work: list[dict[str, Any]] = []
        self.begun: list[str] = []
        self.since: dict[str, int] = {}
        """How many had begun when some run was counted first."""

    def look(self) -> None:
        for row in self.at_work:
            row["left"] -= 1
        self.at_work = [row for row in self.at_work if row["left"] > 0]
        passes = {id_: len(self.begun) - at for id_, at in self.since.items()}
        room = Room(self.memory, lambda r: r["needs"], (), self.starts, passes=passes)
        found = decide([*self.waiting, *self.at_work], [], room)
        if found.counted is not None:
            self.since.setdefault(found.counted, len(self.begun))
        for row in [row for row in self.waiting if row["id"] in found.begin]:
            self.waiting.remove(row)
            self.at_work.append({**row, "status": Status.RUNNING})
            self.begun.append(row["id"])


COMING = st.lists(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 60), st.integers(1, 9)),
        max_size=4,
    ),
    min_size=1,
    max_size=12,
)
OLDER = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(1, 120), st.integers(1, 9)),
    max_size=6,
)


@given(
    older=OLDER,
    coming=COMING,
    owner=st.sampled_from("az"),
    needs=st.integers(50, 120),
    starts=st.integers(1, 9),
)
def test_whatever_comes_later_a_large_run_begins_after_so_many_starts(
    older: list[tuple[str, int, int]],
    coming: list[list[tuple[str, int, int]]],
    owner: str,
    needs: int,
    starts: int,
):
    """What comes later goes on coming for ever, in any size and from anybody."""
    machine = Machine(100, starts)
    for whose, size, left in older:
        machine.waiting.append(a_run(whose, needs=size, left=left))
    large = a_run(owner, needs=needs, left=3)
    machine.waiting.append(large)
    before = {row["id"] for row in machine.waiting}
    for number in count():
        for whose, size, left in coming[number % len(coming)]:
            machine.waiting.append(a_run(whose, needs=size, left=left))
        machine.look()
        if large["id"] in machine.begun:
            break
        assert number < 2000, "it never begins"
    place = machine.begun.index(large["id"])
    later = [id_ for id_ in machine.begun[:place] if id_ not in before]
    # Those that are older may each have room kept for them first. An owner who has
    # other runs at work waits for those with fewer as well, and not only for memory.
    assert owner == "a" or len(later) <= (len(older) + 1) * MOST_PASSES
