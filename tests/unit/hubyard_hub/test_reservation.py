"""Reservation: what a month is charged adds up, whatever starts, runs on and ends."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from hubyard.contract.money import cost_of, duration_for
from hubyard_hub.money.reservation import (
    HORIZON,
    Charge,
    Month,
    reserved,
    spent,
    standing,
)

MAY = Month.of(datetime(2026, 5, 9, tzinfo=UTC))
PRICE = 3_600_000
"""A micro-unit each millisecond."""

prices = st.integers(0, 10**12)
moments = st.integers(0, 364 * 86_400_000).map(
    lambda ms: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
spans = st.timedeltas(timedelta(), timedelta(days=60))


def charge(start, *, hours=2.0, ended=None, price=PRICE):
    over = start + timedelta(hours=hours)
    return Charge(price, start, ended, over)


@pytest.mark.parametrize(
    ("day", "since", "until"),
    [
        ("2026-05-09", "2026-05-01", "2026-06-01"),
        ("2026-12-31", "2026-12-01", "2027-01-01"),
        ("2028-02-29", "2028-02-01", "2028-03-01"),
        ("2026-01-01", "2026-01-01", "2026-02-01"),
    ],
)
def test_a_month_is_that_of_the_calendar(day, since, until):
    def at(text):
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert Month.of(at(day)) == Month(at(since), at(until))


def test_a_running_workload_is_charged_what_it_has_cost_and_may_yet_cost():
    start = datetime(2026, 5, 4, 10, tzinfo=UTC)
    line, moment = charge(start, hours=2), start + timedelta(hours=0.5)
    assert spent(line, MAY, moment) == PRICE // 2
    assert reserved(line, MAY, moment) == PRICE * 3 // 2


def test_what_has_ended_reserves_nothing():
    start = datetime(2026, 5, 4, 10, tzinfo=UTC)
    line = charge(start, ended=start + timedelta(hours=1))
    assert spent(line, MAY, start + timedelta(days=9)) == PRICE
    assert reserved(line, MAY, start + timedelta(minutes=1)) == 0


def test_a_long_lifetime_reserves_a_day_and_never_the_next_month():
    start = datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert reserved(charge(start, hours=24 * 7), MAY, start) == 24 * PRICE
    late = datetime(2026, 5, 31, 22, tzinfo=UTC)
    assert reserved(charge(late, hours=24), MAY, late) == 2 * PRICE


def test_what_is_past_its_lifetime_and_still_ends_reserves_nothing_more():
    start = datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert reserved(charge(start, hours=1), MAY, start + timedelta(hours=2)) == 0


def test_a_line_of_two_months_is_split_between_them():
    start = datetime(2026, 4, 30, 23, tzinfo=UTC)
    line = charge(start, ended=start + timedelta(hours=3))
    end = start + timedelta(days=20)
    assert spent(line, Month.of(start), end) == PRICE
    assert spent(line, MAY, end) == 2 * PRICE


@pytest.mark.parametrize(
    ("have", "percent", "level"),
    [(0, 0, 0), (79, 79, 0), (80, 80, 80), (94, 94, 80), (95, 95, 95), (120, 120, 100)],
)
def test_the_last_warning_that_was_reached(have, percent, level):
    start = MAY.since
    line = charge(start, ended=start + timedelta(milliseconds=have))
    stands = standing(100, [line], MAY, MAY.until)
    assert (stands.percent, stands.level) == (percent, level)
    assert stands.is_spent is (have >= 100)
    assert stands.left == max(100 - have, 0)


def test_a_budget_of_nothing_is_spent():
    assert standing(0, [], MAY, MAY.since).is_spent
    assert standing(0, [], MAY, MAY.since).percent == 100


@given(prices, moments, spans, st.lists(moments, min_size=1, max_size=5))
def test_the_parts_of_a_line_add_up_to_its_cost(price, start, lived, cuts):
    line = Charge(price, start, start + lived, start + lived)
    edges = [min([start, *cuts]), *sorted(cuts), max([start + lived, *cuts])]
    parts = [line.cost_between(a, b) for a, b in pairwise(edges)]
    assert all(part >= 0 for part in parts)
    milliseconds = round(lived / timedelta(milliseconds=1))
    assert sum(parts) == cost_of(price, milliseconds)


@given(prices, st.integers(0, 10**10), st.integers(0, 10**10))
def test_more_time_never_costs_less(price, first, more):
    assert cost_of(price, first) <= cost_of(price, first + more)
    assert abs(cost_of(price, first) * 3_600_000 - price * first) <= 1_800_000


@given(prices, st.integers(0, 10**15))
def test_the_longest_time_that_an_amount_pays_for(price, micros):
    longest = duration_for(price, micros)
    if longest is None:
        assert price == 0
        return
    assert cost_of(price, longest) <= micros < cost_of(price, longest + 1)


class Budgeted(RuleBasedStateMachine):
    """Starts are admitted while they fit; time passes; some end early, some late."""

    AMOUNT = 40 * PRICE

    def __init__(self):
        super().__init__()
        self.moment = datetime(2026, 5, 1, tzinfo=UTC)
        self.lines = []
        self.refused = 0

    @property
    def month(self):
        return Month.of(self.moment)

    @property
    def stands(self):
        return standing(self.AMOUNT, self.lines, self.month, self.moment)

    @rule(hours=st.floats(0.1, 60), price=st.integers(0, 4 * PRICE))
    def start(self, hours, price):
        fresh = charge(self.moment, hours=hours, price=price)
        needed = reserved(fresh, self.month, self.moment)
        if needed <= self.stands.left:
            before = self.stands
            self.lines.append(fresh)
            assert self.stands.left == before.left - needed
        else:
            self.refused += 1

    @precondition(lambda self: any(line.ended_at is None for line in self.lines))
    @rule(data=st.data())
    def end(self, data):
        living = [n for n, line in enumerate(self.lines) if line.ended_at is None]
        n = data.draw(st.sampled_from(living))
        before = self.stands
        at = min(self.moment, self.lines[n].lifetime_at)
        self.lines[n] = self.lines[n]._replace(ended_at=at)
        assert self.stands.left >= before.left, "an end gives back what it reserved"
        assert self.stands.spent == before.spent or at < self.moment

    @rule(hours=st.floats(0.01, 30))
    def wait(self, hours):
        until = self.moment + timedelta(hours=hours)
        self.lines = [
            line._replace(ended_at=line.lifetime_at)
            if line.ended_at is None and line.lifetime_at <= until
            else line
            for line in self.lines
        ]
        self.moment = until

    @invariant()
    def what_was_admitted_is_what_is_spent(self):
        """Nothing that lives a day at most can take a month above its budget."""
        short = [
            line for line in self.lines if line.lifetime_at - line.started_at <= HORIZON
        ]
        within = all(line in short for line in self.lines)
        stands = self.stands
        since_may = self.month == MAY
        if within and since_may:
            assert stands.spent + stands.reserved <= self.AMOUNT
        assert stands.spent >= 0
        assert stands.reserved >= 0
        assert 0 <= stands.left <= self.AMOUNT


TestBudgeted = Budgeted.TestCase
