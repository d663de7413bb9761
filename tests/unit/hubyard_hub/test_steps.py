from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubyard.contract.entry import EndReason
from hubyard.contract.workload import Kind, Status, Target
from hubyard_hub.reconcile.steps import (
    ATTEMPTS,
    RESTED_S,
    Act,
    Facts,
    Step,
    next_step,
)
from hubyard_hub.workloads.hub_client import Server

KINDS = [Kind.RUN, Kind.ENDPOINT, Kind.APP]
ACTIVE = [Status.PENDING, Status.STARTING, Status.RUNNING, Status.READY]
FINAL = [Status.SUCCEEDED, Status.FAILED, Status.STOPPED]
NOTHING = Step()


def facts(
    kind: Kind = Kind.RUN,
    status: Status = Status.PENDING,
    server: Server = Server.ABSENT,
    **more: object,
) -> Facts:
    base = Facts(kind=kind, status=status, target=Target.RUNNING, server=server)
    return replace(base, **more)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_wish_is_started(kind: Kind):
    assert next_step(facts(kind)) == Step(Act.START)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [Status.PENDING, Status.STARTING])
def test_it_is_given_up_after_so_many_attempts(kind: Kind, status: Status):
    step = next_step(facts(kind, status, attempts=ATTEMPTS))
    assert step == Step(status=Status.FAILED, end=EndReason.START_FAILED)


@pytest.mark.parametrize(
    ("kind", "up"),
    [
        (Kind.RUN, Status.RUNNING),
        (Kind.ENDPOINT, Status.READY),
        (Kind.APP, Status.READY),
    ],
)
def test_a_ready_server_is_up(kind: Kind, up: Status):
    for status in (Status.PENDING, Status.STARTING):
        step = next_step(facts(kind, status, Server.READY, billed=True))
        assert step == Step(status=up)
    assert next_step(facts(kind, up, Server.READY, billed=True)) == NOTHING


@pytest.mark.parametrize("kind", KINDS)
def test_a_starting_server_is_starting(kind: Kind):
    assert next_step(facts(kind, server=Server.STARTING)) == Step(
        status=Status.STARTING
    )
    already = facts(kind, Status.STARTING, Server.STARTING, billed=True)
    assert next_step(already) == NOTHING


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [*ACTIVE, *FINAL])
@pytest.mark.parametrize("target", Target)
def test_a_busy_server_is_waited_for(kind: Kind, status: Status, target: Target):
    seen = facts(kind, status, Server.BUSY, target=target, unchanged_s=RESTED_S)
    assert next_step(seen) == NOTHING


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", ACTIVE)
def test_a_dead_process_that_the_hub_has_not_noticed_is_pointed_out(
    kind: Kind, status: Status
):
    seen = facts(kind, status, Server.READY, billed=True, process_gone=True)
    assert next_step(seen) == Step(Act.STOP)


@pytest.mark.parametrize("status", ACTIVE)
def test_a_run_that_was_billed_is_never_started_again_before_its_end_is_known(
    status: Status,
):
    for gone in (False, True):
        seen = facts(Kind.RUN, status, billed=True, process_gone=gone)
        assert next_step(seen) == NOTHING


@pytest.mark.parametrize("kind", [Kind.ENDPOINT, Kind.APP])
def test_a_server_that_the_hub_has_forgotten_is_started_again(kind: Kind):
    assert next_step(facts(kind, Status.READY, billed=True)) == Step(Act.START)
    gone = facts(kind, Status.READY, billed=True, process_gone=True)
    assert next_step(gone) == NOTHING


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (EndReason.STOPPED, Status.STOPPED),
        (EndReason.LIFETIME, Status.FAILED),
        (EndReason.EXITED, Status.FAILED),
        (EndReason.KILLED, Status.FAILED),
        (EndReason.OUT_OF_MEMORY, Status.FAILED),
        (EndReason.START_FAILED, Status.FAILED),
    ],
)
@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("server", [Server.ABSENT, Server.READY])
def test_a_run_without_a_last_word_ends_as_the_ledger_says(
    end: EndReason,
    status: Status,
    recorded: bool,  # noqa: FBT001  a parameter of the test
    server: Server,
):
    seen = facts(
        Kind.RUN, Status.RUNNING, server, billed=True, end=end, recorded=recorded
    )
    assert next_step(seen) == Step(status=status, end=end)


def test_a_run_that_was_lost_before_it_began_begins_anew():
    seen = facts(Kind.RUN, Status.STARTING, billed=True, end=EndReason.LOST)
    assert next_step(seen) == Step(status=Status.PENDING, again=True)
    ended = Step(status=Status.FAILED, end=EndReason.LOST)
    assert next_step(replace(seen, recorded=True)) == ended
    assert next_step(replace(seen, attempts=ATTEMPTS)) == ended


@pytest.mark.parametrize("kind", [Kind.ENDPOINT, Kind.APP])
@pytest.mark.parametrize("end", EndReason)
def test_what_serves_ends_as_the_ledger_says(kind: Kind, end: EndReason):
    foreseen = {EndReason.LIFETIME, EndReason.IDLE, EndReason.BUDGET}
    gentle = end in {EndReason.STOPPED, *foreseen}
    step = next_step(facts(kind, Status.READY, billed=True, end=end))
    assert step == Step(status=Status.STOPPED if gentle else Status.FAILED, end=end)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", ACTIVE)
@pytest.mark.parametrize("server", [Server.STARTING, Server.READY])
def test_what_shall_stop_is_stopped(kind: Kind, status: Status, server: Server):
    seen = facts(kind, status, server, target=Target.STOPPED)
    assert next_step(seen) == Step(Act.STOP)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", ACTIVE)
@pytest.mark.parametrize("end", [None, *EndReason])
def test_what_shall_stop_and_is_gone_has_stopped(
    kind: Kind, status: Status, end: EndReason | None
):
    seen = facts(kind, status, target=Target.STOPPED, end=end)
    assert next_step(seen) == Step(status=Status.STOPPED, end=EndReason.STOPPED)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", FINAL)
def test_what_is_final_and_gone_is_forgotten(kind: Kind, status: Status):
    assert next_step(facts(kind, status)) == Step(Act.FORGET)


@pytest.mark.parametrize("server", [Server.STARTING, Server.READY])
def test_a_run_gets_a_moment_to_end_by_itself(server: Server):
    said = facts(Kind.RUN, Status.SUCCEEDED, server, billed=True)
    assert next_step(said) == NOTHING
    assert next_step(replace(said, unchanged_s=RESTED_S)) == Step(Act.STOP)
    assert next_step(replace(said, process_gone=True)) == Step(Act.STOP)
    serving = replace(said, kind=Kind.APP, status=Status.FAILED)
    assert next_step(serving) == Step(Act.STOP)


EVERYTHING = st.builds(
    Facts,
    kind=st.sampled_from(KINDS),
    status=st.sampled_from(list(Status)),
    target=st.sampled_from(list(Target)),
    server=st.sampled_from(list(Server)),
    billed=st.booleans(),
    end=st.none() | st.sampled_from(list(EndReason)),
    process_gone=st.booleans(),
    attempts=st.integers(0, ATTEMPTS + 1),
    recorded=st.booleans(),
    unchanged_s=st.sampled_from([0, 5, RESTED_S]),
)


@settings(max_examples=1000)
@given(EVERYTHING)
def test_what_must_hold_of_every_step(seen: Facts):
    step = next_step(seen)
    if step.act is Act.START:
        assert seen.target is Target.RUNNING
        assert seen.status.is_active
        assert seen.server is Server.ABSENT
        assert seen.end is None
        assert not (seen.kind is Kind.RUN and seen.billed), "a run starts once"
    if not seen.status.is_active:
        assert step.status is None, "what is final stays as it is"
    assert step.status is not seen.status or step.again
    if step.status is not None:
        assert step.act is Act.NOTHING


@pytest.mark.parametrize(("kind", "target"), list(product(KINDS, Target)))
@pytest.mark.parametrize("status", ACTIVE)
def test_every_wish_arrives(kind: Kind, target: Target, status: Status):
    """From any state, an obedient hub is led to the target and then left alone."""
    seen = facts(kind, status, target=target, unchanged_s=RESTED_S)
    for _ in range(10):
        step = next_step(seen)
        if step.act is Act.START:
            seen = replace(
                seen, server=Server.READY, billed=True, status=Status.STARTING
            )
        elif step.act is Act.STOP:
            seen = replace(seen, server=Server.ABSENT)
        elif step.status is not None:
            seen = replace(seen, status=step.status)
    if target is Target.STOPPED:
        assert (seen.status, step.act) == (Status.STOPPED, Act.FORGET)
    else:
        up = Status.RUNNING if kind is Kind.RUN else Status.READY
        assert (seen.status, step) == (up, NOTHING)
