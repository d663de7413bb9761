"""The attack of `make attack`, as a test: no door is open."""

import pytest

from security.attack import attack

pytestmark = pytest.mark.hub


def test_no_door_is_open(tmp_path):
    tally = attack(tmp_path)
    assert tally.found == []
    assert len(tally.routes) > 700
    assert tally.requests > 20_000
