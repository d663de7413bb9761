"""The estimate: price x time, before. One function, whatever surface asks.

offer  what somebody is shown of the catalogue, with its prices
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.contract import compute as contract
from hubyard.contract import money
from hubyard.contract.workload import Kind, Limits
from hubyard_spawner.catalogue import why_unavailable

if TYPE_CHECKING:
    from collections.abc import Collection

    from hubyard_spawner.catalogue import Catalogue, Profile


def cost(catalogue: Catalogue, profile: Profile, seconds: int) -> money.Money:
    """What so many seconds of a profile, Ray workers included, cost."""
    micros = money.cost_of(catalogue.price_of(profile), seconds * 1000)
    return money.cost(micros, catalogue.currency)


def price(catalogue: Catalogue, profile: Profile) -> money.Money:
    """The price per hour of a profile, Ray workers included."""
    return money.price(catalogue.price_of(profile), catalogue.currency)


def estimate(
    catalogue: Catalogue, profile: Profile, lifetime_s: int
) -> contract.Estimate:
    """What a lifetime of a profile costs at most; budgets are not looked at."""
    return contract.Estimate(
        compute=profile.name,
        price=price(catalogue, profile),
        lifetime_s=lifetime_s,
        total=cost(catalogue, profile, lifetime_s),
        most=cost(catalogue, profile, profile.longest_lifetime),
    )


def offer(
    catalogue: Catalogue, groups: Collection[str], limits: Limits
) -> contract.Catalogue:
    """What a member of these hub groups is shown."""
    return contract.Catalogue(
        currency=catalogue.currency,
        limits=limits,
        compute=tuple(_offered(catalogue, p) for p in catalogue.allowed(groups)),
        idle={kind: catalogue.idle.limit(kind) for kind in Kind},
    )


def _offered(catalogue: Catalogue, profile: Profile) -> contract.Compute:
    reason = why_unavailable(profile)
    return contract.Compute(
        name=profile.name,
        description=profile.description,
        cpu=profile.cpu,
        memory_bytes=profile.memory,
        gpu=profile.gpu,
        ray_workers=profile.ray_workers,
        price=price(catalogue, profile),
        longest_lifetime_s=profile.longest_lifetime,
        default_lifetime_s=profile.default_lifetime,
        default_cost=cost(catalogue, profile, profile.default_lifetime),
        most=cost(catalogue, profile, profile.longest_lifetime),
        available=reason is None,
        reason=reason,
    )
