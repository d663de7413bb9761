"""The record: one line of the ledger as it leaves Hubyard, with nothing left out."""

from __future__ import annotations

from pydantic import Field

from hubyard.contract.base import Moment, Read
from hubyard.contract.entry import EndReason
from hubyard.contract.workload import Kind, Limits


class LedgerRecord(Read):
    """A workload's start and end, and all that its cost follows from."""

    number: int = Field(description="counted by the ledger, without a gap")
    id: str
    owner: str
    groups: tuple[str, ...]
    project: str | None
    kind: Kind
    server_name: str
    name: str | None
    model: str | None
    schedule_id: str | None
    compute: str
    limits: Limits
    price_micros: int = Field(description="per hour, frozen at the start")
    currency: str
    started_at: Moment
    ended_at: Moment | None
    exact: bool | None = Field(description="False: see latest_at")
    latest_at: Moment | None = Field(description="it had ended by this moment")
    reason: EndReason | None
    cost_micros: int | None = Field(description="None: it still runs")
