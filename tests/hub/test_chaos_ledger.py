"""A short `make chaos-ledger`: whatever is killed, every second is paid for once."""

from __future__ import annotations

import pytest

from chaos.ledger import chaos
from chaos.ledger_lives import Fate

pytestmark = pytest.mark.hub


def test_whatever_is_killed_every_second_is_paid_for_once(capsys):
    verdict = chaos(seed=7, count=14, real=False, supervisor=False)
    assert verdict.broken == [], capsys.readouterr().out
    assert (verdict.lost, verdict.duplicated, verdict.open) == (0, 0, 0)
    assert verdict.workloads >= 14
    assert verdict.kills >= len({Fate.PROCESS, Fate.SHIM}) + 2
    assert verdict.true_s > 14 * 5
