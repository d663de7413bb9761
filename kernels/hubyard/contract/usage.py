"""Usage: what a workload does with the compute that it is paid for.

sample   cores, memory and disk at one moment
unused   paid for while next to no core was used
idle     nobody and nothing has been at work in it, as it says itself
"""

from __future__ import annotations

from pydantic import Field

from hubyard.contract.base import LONGEST_S, Moment, Read, Written
from hubyard.contract.money import Money


class ActivityReport(Written):
    """What a workload says of itself."""

    idle_s: int = Field(
        ge=0,
        le=LONGEST_S,
        strict=True,
        description="for how many seconds nothing has happened; 0: something does",
    )
    requests: int | None = Field(
        default=None,
        ge=0,
        le=2**53,
        strict=True,
        description="how many an endpoint or app has answered since it started",
    )


class Sample(Read):
    """What a workload used at one moment."""

    at: Moment
    cores: float = Field(description="on average since the sample before")
    memory_bytes: int
    disk_bytes: int | None = Field(description="None: not counted this time")


class Usage(Read):
    """What a workload has used, and what it might have."""

    entry_id: str
    cpu: float = Field(description="cores that it may use")
    memory_bytes: int = Field(description="memory that it may use")
    cpu_seconds: float
    peak_memory_bytes: int
    unused_s: int
    unused: Money = Field(description="the part of its cost in which it did nothing")
    samples: tuple[Sample, ...] = Field(description="oldest first, at most 300")
