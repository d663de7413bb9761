"""When a workload ends by itself: the soonest of lifetime, idleness and budget."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubyard.contract.entry import Deadline, EndReason
from hubyard.contract.workload import Kind
from hubyard_spawner.lifetime import RUN_GRACE, WARNING, Facts, deadline

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EVENING = NOON + timedelta(hours=8)
HOUR = timedelta(hours=1)
LIFETIME = Deadline(at=EVENING, reason=EndReason.LIFETIME)
AT_WORK = Facts(Kind.WORKSPACE, NOON, EVENING, LIFETIME, idle_limit=HOUR)


def test_what_is_at_work_ends_with_its_lifetime():
    assert deadline(AT_WORK) == LIFETIME


def test_nothing_is_idle_for_ever_where_no_limit_is_set():
    facts = replace(AT_WORK, idle_since=NOON - 9 * HOUR, idle_limit=None)
    assert deadline(facts) == LIFETIME


@pytest.mark.parametrize(
    ("idle", "left"),
    [(HOUR - WARNING, WARNING), (3 * HOUR, WARNING)],
)
def test_the_idle_are_warned_however_late_it_is_noticed(idle, left):
    facts = replace(AT_WORK, idle_since=NOON - idle)
    assert deadline(facts) == Deadline(at=NOON + left, reason=EndReason.IDLE)


@pytest.mark.parametrize("idle", [timedelta(), HOUR - WARNING - timedelta(seconds=1)])
def test_a_pause_for_thought_is_no_end(idle):
    told = Deadline(at=NOON + timedelta(minutes=2), reason=EndReason.IDLE)
    for before in (LIFETIME, told):
        facts = replace(AT_WORK, before=before, idle_since=NOON - idle)
        assert deadline(facts) == LIFETIME


def test_a_short_limit_is_its_own_warning():
    facts = replace(AT_WORK, idle_since=NOON - HOUR, idle_limit=timedelta(minutes=5))
    assert deadline(facts).at == NOON + timedelta(minutes=5)


def test_once_told_an_idle_end_comes_later_and_never_sooner():
    told = Deadline(at=NOON + WARNING, reason=EndReason.IDLE)
    facts = replace(AT_WORK, before=told, idle_since=NOON - 2 * HOUR)
    assert deadline(facts) == told
    active_since = replace(facts, idle_since=NOON - 0.8 * HOUR)
    assert deadline(active_since) == told
    assert deadline(replace(facts, idle_since=None)) == LIFETIME


@pytest.mark.parametrize(
    ("kind", "grace"),
    [(Kind.WORKSPACE, WARNING), (Kind.RUN, RUN_GRACE), (Kind.APP, WARNING)],
)
def test_a_spent_budget_ends_it_after_a_grace_that_does_not_start_anew(kind, grace):
    facts = replace(AT_WORK, kind=kind, spent=True)
    told = deadline(facts)
    assert told == Deadline(at=NOON + grace, reason=EndReason.BUDGET)
    later = replace(facts, before=told, moment=NOON + timedelta(minutes=5))
    assert deadline(later) == told
    assert deadline(replace(later, spent=False)) == LIFETIME, "it was raised"


def test_the_grace_of_a_spent_budget_is_not_lengthened_by_idling_within_it():
    told = Deadline(at=NOON + WARNING, reason=EndReason.BUDGET)
    short = replace(AT_WORK, spent=True, before=told, idle_limit=timedelta(minutes=5))
    idle = replace(short, idle_since=NOON - HOUR)
    assert deadline(idle) == told
    back = replace(idle, before=deadline(idle), idle_since=None)
    assert deadline(back) == told


def test_a_budget_may_let_what_serves_go_on():
    facts = replace(AT_WORK, kind=Kind.ENDPOINT, spent=True, kept=True)
    assert deadline(facts) == LIFETIME


@pytest.mark.parametrize("more", [{"spent": True}, {"idle_since": NOON - HOUR}])
def test_what_was_promised_is_kept(more):
    promised = NOON + 2 * HOUR
    facts = replace(AT_WORK, promised=promised, **more)
    assert deadline(facts).at == promised
    assert deadline(replace(facts, lifetime_at=NOON + HOUR)).at == NOON + HOUR


TOLD = Facts(
    Kind.WORKSPACE,
    NOON,
    EVENING,
    Deadline(at=NOON + timedelta(minutes=16), reason=EndReason.BUDGET),
    spent=True,
)

minutes = st.integers(-600, 600).map(lambda n: NOON + timedelta(minutes=n))
facts_of = st.builds(
    Facts,
    kind=st.sampled_from(Kind),
    moment=st.just(NOON),
    lifetime_at=minutes,
    before=st.builds(Deadline, at=minutes, reason=st.sampled_from(EndReason)),
    idle_since=st.none() | minutes,
    idle_limit=st.none() | st.timedeltas(timedelta(minutes=1), timedelta(days=1)),
    spent=st.booleans(),
    kept=st.booleans(),
    promised=st.none() | minutes,
).filter(lambda facts: facts.before.at <= facts.lifetime_at)


@given(facts_of)
def test_no_end_is_later_than_the_lifetime_or_sooner_than_a_warning(facts):
    end = deadline(facts)
    assert end.at <= facts.lifetime_at
    if end.reason is EndReason.LIFETIME:
        return
    if facts.promised is not None:
        assert end.at >= facts.promised
    if facts.before.reason is not end.reason:
        limit = facts.idle_limit if end.reason is EndReason.IDLE else WARNING
        assert end.at - NOON >= min(WARNING, limit)


@given(facts_of)
@example(replace(TOLD, lifetime_at=TOLD.before.at))
@example(
    replace(
        TOLD,
        before=Deadline(at=TOLD.before.at, reason=EndReason.IDLE),
        idle_since=NOON,
        idle_limit=timedelta(minutes=1),
    )
)
def test_a_decision_stands_while_nothing_changes(facts):
    first = deadline(facts)
    again = replace(facts, before=first)
    assert deadline(again) == first
