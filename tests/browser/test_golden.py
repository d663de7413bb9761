"""The golden path, held: what a newcomer does, and what it takes them at most."""

import pytest

from browser.golden import walk

pytestmark = pytest.mark.browser

MILESTONES = ["login", "workspace", "tracked", "registered", "endpoint", "scheduled"]
MOST_ACTS = 12
MOST_SECONDS = 300


def test_a_newcomer_walks_the_golden_path(tmp_path):
    journey = walk(tmp_path)
    assert [*journey.seconds] == [*MILESTONES, "app"]
    assert journey.acts <= MOST_ACTS
    assert journey.lines == 0
    assert sum(journey.seconds.values()) < MOST_SECONDS
