"""A short `make chaos-up`: each process killed once while Hubyard is in use."""

from __future__ import annotations

import pytest

from chaos.scene import FOUR
from chaos.up import chaos

pytestmark = pytest.mark.hub


def test_whatever_is_killed_no_request_run_or_cost_is_lost(capsys):
    toll = chaos(FOUR, supervisor=False, pace_s=1.0)
    assert toll.broken == [], capsys.readouterr().out
    assert (toll.kills, toll.runs_lost, toll.ledger_open) == (7, 0, 0)
    assert toll.requests > 10 * toll.failed
