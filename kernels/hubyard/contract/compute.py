"""Compute: a profile of the catalogue, as every surface shows it."""

from __future__ import annotations

from pydantic import Field

from hubyard.contract.base import ComputeName, Digest, Read, Seconds, Written
from hubyard.contract.money import Money
from hubyard.contract.workload import Kind, Limits


class Compute(Read):
    """One profile: what it gives, what it costs and how long it may live."""

    name: str
    description: str
    cpu: float = Field(description="cores")
    memory_bytes: int
    gpu: int
    price: Money = Field(description="per hour")
    longest_lifetime_s: int
    default_lifetime_s: int
    default_cost: Money = Field(description="the most the default lifetime can cost")
    most: Money = Field(description="the most the longest lifetime can cost")
    available: bool
    reason: str | None = Field(default=None, description="why it is not available")
    ray_workers: int = Field(default=0, description="that the price includes")


class Catalogue(Read):
    """Every compute profile that the caller may use, in the deployment's order."""

    currency: str
    limits: Limits
    compute: tuple[Compute, ...]
    idle: dict[Kind, int | None] = Field(
        default_factory=dict,
        description="seconds without activity that stop a kind; null: never",
    )


class EstimateRequest(Written):
    """What to put a price on."""

    compute: ComputeName
    lifetime_s: Seconds | None = None
    source: Digest | None = Field(
        default=None, description="its project may have a budget of its own"
    )


class Estimate(Read):
    """Price x time, before: the same number on every surface."""

    compute: str
    price: Money
    lifetime_s: int
    total: Money = Field(description="the most this lifetime can cost")
    most: Money = Field(description="the most that the longest lifetime can cost")
    left: Money | None = Field(
        default=None, description="of the tightest budget; None: there is no budget"
    )
    share: int | None = Field(
        default=None, description="percent of what is left that the total would take"
    )
    refusal: str | None = Field(
        default=None, description="why it would not start, and what would fit"
    )
    notice: str | None = Field(
        default=None, description="what became of the compute that was asked for"
    )
