"""A short `make attack-budget`: no more starts than fit, and nothing forged."""

from __future__ import annotations

import pytest

from security.budget import attack

pytestmark = pytest.mark.hub


def test_a_budget_holds_and_nothing_forged_is_believed(tmp_path, capsys):
    tally = attack(tmp_path, starts=15, room=4)
    assert tally.found == [], capsys.readouterr().out
    assert (tally.started, tally.accepted) == (4, [])
    assert tally.forged > 200
