"""Rows of schedules, for tests of what fires them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hubyard.contract.schedule import Missed, Overlap
from hubyard.contract.workload import new_id

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def schedule_row(**changes: Any) -> dict[str, Any]:
    """A schedule of every minute that comes due at noon, save for what is changed."""
    row = {
        "id": new_id(),
        "owner": "ada",
        "name": "train",
        "notebook": "train.ipynb",
        "source": "0" * 64,
        "cron": "* * * * *",
        "time_zone": "UTC",
        "parameters": {"a": 1},
        "compute": "small",
        "lifetime_s": 60,
        "cell_timeout_s": 5,
        "missed": Missed.ONCE,
        "overlap": Overlap.ALLOW,
        "grace_s": 60,
        "paused": False,
        "next_fire": NOON,
        "created_at": NOON,
        "trigger": None,
        "seen": None,
        "project": None,
        "notify": None,
        "notify_on": ["failed"],
    }
    return {**row, **changes}
