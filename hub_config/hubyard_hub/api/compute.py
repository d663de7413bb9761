"""Who asks, what compute there is, what runs now and what it all costs."""

from fastapi.responses import RedirectResponse

from hubyard.contract.compute import Catalogue, Estimate, EstimateRequest
from hubyard.contract.entry import Spend
from hubyard.contract.errors import NotFound
from hubyard.contract.identity import Identity
from hubyard.contract.workload import Workload
from hubyard_hub.api.access import Person, people, public
from hubyard_hub.api.nouns import Asked
from hubyard_hub.ledger import workload

health = public("health")
home = people("home", prefix="")
router = people("compute")


@health.get("/health")
def read_health() -> dict[str, str]:
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
    return parts.catalogue.describe(asking.groups, parts.ladder.limits)


@router.post("/estimate")
def estimate(asking: Person, nouns: Asked, wish: EstimateRequest) -> Estimate:
    """What a workload would cost at most."""
    catalogue = nouns.parts.catalogue
    profile = catalogue.choose(wish.compute, asking.groups)
    return catalogue.estimate(profile, profile.lifetime(wish.lifetime_s))


@router.get("/workloads")
def list_workloads(asking: Person, nouns: Asked) -> list[Workload]:
    """What is running and costing now."""
    return nouns.parts.ledger.active(asking.name, nouns.parts.settings.public_url)


@router.get("/workloads/self")
def read_own_workload(asking: Person, nouns: Asked) -> Workload:
    """The workload whose token asks."""
    if asking.server is not None:
        found = nouns.parts.ledger.open_entries(asking.name, asking.server)
        if found:
            return workload(found[-1], None, nouns.parts.settings.public_url)
    raise NotFound("This token is not a workload's.")


@router.get("/spend")
def read_spend(asking: Person, nouns: Asked) -> Spend:
    """What the caller has spent since the first of the month."""
    return nouns.parts.ledger.spend(asking.name, nouns.parts.catalogue.currency)
