"""Entries and ends for tests of what the ledger is asked, and folders for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hubyard.contract.base import now
from hubyard.contract.entry import Deadline, EndReason, Entry, Settlement
from hubyard.contract.workload import Kind, Limits, new_id
from hubyard_spawner.local.folder import Clock

if TYPE_CHECKING:
    from hubyard_spawner.local.folder import Folder
    from hubyard_spawner.meter import Meter

START = datetime(2026, 5, 4, 10, tzinfo=UTC)


def entry(**changes: Any) -> Entry:
    """A workspace of Ana's at a micro-unit a millisecond, begun on 4 May 2026."""
    kind = changes.get("kind", Kind.WORKSPACE)
    values: dict[str, Any] = {
        "id": new_id(),
        "owner": "ana",
        "server_name": "" if kind is Kind.WORKSPACE else f"{kind}-x",
        "kind": kind,
        "compute": "small",
        "price_micros": 3_600_000,
        "currency": "USD",
        "lifetime_s": 7200,
        "limits": Limits.SOFT,
        "started_at": START,
    }
    return Entry(**{**values, **changes})


def opened(meter: Meter, started_at: datetime | None = None, **changes: Any) -> Entry:
    """An entry that is in the ledger; it starts now where nothing else is said."""
    written = entry(started_at=started_at or now(), **changes)
    meter.open(written)
    return written


def ended(
    meter: Meter,
    of: Entry,
    at: datetime | timedelta,
    reason: EndReason = EndReason.EXITED,
    **changes: Any,
) -> Settlement:
    """The end of an entry, at a moment or after a time."""
    moment = of.started_at + at if isinstance(at, timedelta) else at
    values = {"entry_id": of.id, "ended_at": moment, "exact": True, "reason": reason}
    settlement = Settlement(**{**values, **changes})
    meter.settle(settlement)
    return settlement


def made(
    folder: Folder, lifetime_s: float = 3600, began: datetime | None = None
) -> None:
    """Make a workload's folder, as its start does."""
    moment = began or now()
    over = moment + timedelta(seconds=lifetime_s)
    folder.make(Deadline(at=over, reason=EndReason.LIFETIME), Clock.at(moment))
