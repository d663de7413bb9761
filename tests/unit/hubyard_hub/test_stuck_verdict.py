"""The verdict of `chaos-stuck`: its last lines, and when it fails."""

import pytest

from chaos.stuck import P95_LIMIT_MS
from chaos.stuck_promises import What
from chaos.stuck_scene import Toll


def toll(**changes):
    good = Toll(faults=2, recovered=2, p95_ms={"mlflow": 12, "disk": P95_LIMIT_MS - 1})
    for name, value in changes.items():
        setattr(good, name, value)
    return good


def test_the_last_line_tells_the_worst_fault():
    assert toll().lines() == [
        "stuck faults=2 hub_p95_ms=999 starts_lost=0 stops_lost=0 recovered=2"
    ]
    assert toll().is_good(P95_LIMIT_MS)


def test_the_hubs_own_database_has_a_line_of_its_own_and_no_limit():
    slow = toll(p95_ms={"mlflow": 12}, apart_ms={"hub-database": 9000})
    assert slow.lines() == [
        "hub-database hub_p95_ms=9000",
        "stuck faults=2 hub_p95_ms=12 starts_lost=0 stops_lost=0 recovered=2",
    ]
    assert slow.is_good(P95_LIMIT_MS)


@pytest.mark.parametrize(
    "changes",
    [
        {"p95_ms": {"mlflow": P95_LIMIT_MS}},
        {"recovered": 1},
        {"faults": 0, "recovered": 0},
        {"broken": ["something"]},
    ],
)
def test_whatever_is_missed_fails_it(changes):
    assert not toll(**changes).is_good(P95_LIMIT_MS)


@pytest.mark.parametrize("what", list(What))
def test_what_was_lost_is_counted_and_fails_it(what):
    lossy = toll()
    lossy.lost[what] += 1
    assert f"{what.value}s_lost=1" in lossy.lines()[-1]
    assert not lossy.is_good(P95_LIMIT_MS)
