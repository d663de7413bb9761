"""The estimate: price x time, before. One function, whatever surface asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.contract import money
from hubyard.contract.compute import Estimate

if TYPE_CHECKING:
    from hubyard_spawner.catalogue import Catalogue, Profile


def cost(catalogue: Catalogue, profile: Profile, seconds: int) -> money.Money:
    """What so many seconds of a profile, Ray workers included, cost."""
    micros = money.cost_of(catalogue.price_of(profile), seconds * 1000)
    return money.cost(micros, catalogue.currency)


def price(catalogue: Catalogue, profile: Profile) -> money.Money:
    """The price per hour of a profile, Ray workers included."""
    return money.price(catalogue.price_of(profile), catalogue.currency)


def estimate(catalogue: Catalogue, profile: Profile, lifetime_s: int) -> Estimate:
    """What a lifetime of a profile costs at most; budgets are not looked at."""
    return Estimate(
        compute=profile.name,
        price=price(catalogue, profile),
        lifetime_s=lifetime_s,
        total=cost(catalogue, profile, lifetime_s),
        most=cost(catalogue, profile, profile.longest_lifetime),
    )
