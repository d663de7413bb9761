"""The outlook of a schedule: what its runs are expected to cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING

from hubyard.contract import money
from hubyard.contract.base import now
from hubyard.contract.duration import duration_text
from hubyard_hub.runs.history import mean_duration_s
from hubyard_hub.workloads.wishes import price_before

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hubyard_hub.parts import Parts
    from hubyard_hub.schedules.cron import Cron


@dataclass(frozen=True)
class Outlook:
    """What a schedule is expected to cost."""

    per_run: money.Money
    per_month: money.Money | None
    """None: a trigger wakes it, and nobody knows how often."""
    basis: str
    """What the estimate rests on, in words."""


def outlook(
    parts: Parts,
    connection: Connection,
    *,
    owner: str,
    notebook: str | None,
    compute: str,
    lifetime_s: int,
    cron: Cron | None,
) -> Outlook:
    """Estimate by the mean of past runs, or else by the whole lifetime."""
    seconds, basis = _expected(connection, owner, notebook, lifetime_s)
    price, currency = price_before(parts, compute), parts.catalogue.currency
    per_run = money.cost_of(price.micros, seconds * 1000)
    fires = per_month(cron)
    return Outlook(
        per_run=money.cost(per_run, currency),
        per_month=None if fires is None else money.cost(per_run * fires, currency),
        basis=basis,
    )


def per_month(cron: Cron | None) -> int | None:
    """How often it fires in the month that begins today; None: a trigger wakes it."""
    return _per_month(cron, now().date()) if cron else None


@lru_cache(maxsize=1000)
def _per_month(cron: Cron, day: date) -> int:
    """Counted once a day: a minutely cron has forty thousand."""
    return cron.per_month(datetime.combine(day, time(), UTC))


def _expected(
    connection: Connection, owner: str, notebook: str | None, lifetime_s: int
) -> tuple[int, str]:
    """How many seconds a run takes, and where that comes from."""
    past = mean_duration_s(connection, owner, notebook) if notebook else None
    if not past:
        return lifetime_s, f"the whole lifetime of {duration_text(lifetime_s)}"
    count, mean = past
    seconds = max(round(mean), 1)
    of = "the last run" if count == 1 else f"the mean of the last {count} runs"
    return seconds, f"{of}: {duration_text(seconds)}"
