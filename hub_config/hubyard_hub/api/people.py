"""Routes of offboarding, for administrators."""

from typing import Annotated

from fastapi import Path

from hubyard.contract.base import Title
from hubyard.contract.errors import Conflict, Invalid, NotFound
from hubyard.contract.people import Departure, Holdings, OffboardRequest
from hubyard_hub.api.access import Admin, people
from hubyard_hub.api.nouns import Asked, Nouns

router = people("people")

Name = Annotated[Title, Path()]


@router.get("/people/departures")
def list_departures(asking: Admin, nouns: Asked) -> list[Departure]:
    """Whose access has ended, and how far that has come; newest first."""
    del asking
    return nouns.departures.list()


@router.get("/people/{name}")
def read_holdings(asking: Admin, nouns: Asked, name: Name) -> Holdings:
    """What offboarding somebody would end or move."""
    del asking
    _check_known(nouns, name)
    return nouns.departures.holdings(name)


@router.post("/people/{name}/offboard", status_code=202)
def offboard_person(
    asking: Admin, nouns: Asked, name: Name, wish: OffboardRequest
) -> Departure:
    """End somebody's access for good; once more, to name a deputy."""
    if name == asking.name:
        raise Conflict("Another administrator must offboard you.")
    _check_known(nouns, name)
    if wish.deputy is not None and not nouns.parts.hub.knows(wish.deputy):
        raise Invalid(f"The hub knows no user {wish.deputy}.", field="deputy")
    made = nouns.departures.offboard(name, wish, asking.name)
    nouns.parts.wake.set()
    return made


@router.post("/people/{name}/readmit", status_code=204)
def readmit_person(asking: Admin, nouns: Asked, name: Name) -> None:
    """Let a name be used again; who then has it begins with nothing."""
    del asking
    nouns.departures.release(name)


def _check_known(nouns: Nouns, name: str) -> None:
    if not nouns.departures.is_known(name) and not nouns.parts.hub.knows(name):
        raise NotFound(f"The hub knows no user {name}.")
