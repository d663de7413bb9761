"""Who asks, what compute there is, and what a start would cost."""

from fastapi.responses import RedirectResponse

from hubyard.contract.compute import Catalogue, Estimate, EstimateRequest
from hubyard.contract.identity import Identity
from hubyard_hub.api.access import Person, people, public
from hubyard_hub.api.nouns import Asked
from hubyard_spawner.estimate import offer

health = public("health")
home = people("home", prefix="")
router = people("compute")


# In the loop, however busy the threads of all other routes are.
@health.get("/health")
async def read_health() -> dict[str, str]:
    """Whether the platform answers."""
    return {"status": "ok"}


@home.get("/", include_in_schema=False)
def read_home(asking: Person, nouns: Asked) -> RedirectResponse:
    """The platform has no pages of its own: go to the hub's."""
    del asking
    return RedirectResponse(f"{nouns.parts.settings.public_url}/hub/home")


@router.get("/me")
def read_me(asking: Person) -> Identity:
    """Who asks."""
    return asking


@router.get("/compute")
def list_compute(asking: Person, nouns: Asked) -> Catalogue:
    """Every compute profile that the caller may use."""
    parts = nouns.parts
    return offer(parts.catalogue, asking.groups, parts.ladder.limits)


@router.post("/estimate")
def estimate(asking: Person, nouns: Asked, wish: EstimateRequest) -> Estimate:
    """What a workload would cost at most, and what the budgets say to that."""
    parts = nouns.parts
    project = parts.sources.project(asking.name, wish.source)
    return parts.prices.estimate(
        asking.name, asking.groups, wish.compute, wish.lifetime_s, project.name
    )
