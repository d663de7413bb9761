"""Routes of apps, for the people who own them."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from hubyard.contract.app import App, AppRequest, Share
from hubyard.contract.errors import Invalid
from hubyard_hub.api.access import Person, Token, people
from hubyard_hub.api.nouns import Asked
from hubyard_hub.workloads.logs import log_answer

router = people("apps")

_Name = Annotated[str | None, Query(min_length=1, max_length=255)]


@router.post("/apps", status_code=201)
def create_app(asking: Person, nouns: Asked, wish: AppRequest) -> App:
    """Publish a notebook or file as an app."""
    return nouns.apps.create(asking, wish)


@router.get("/apps")
def list_apps(asking: Person, nouns: Asked) -> list[App]:
    """The caller's apps, newest first."""
    return nouns.apps.list(asking.name)


@router.get("/apps/{app_id}")
def read_app(asking: Person, nouns: Asked, app_id: str) -> App:
    """One app."""
    return nouns.apps.get(asking.name, app_id)


@router.post("/apps/{app_id}/start")
def start_app(asking: Person, nouns: Asked, app_id: str) -> App:
    """Show it again."""
    return nouns.apps.start(asking.name, app_id)


@router.post("/apps/{app_id}/stop")
def stop_app(asking: Person, nouns: Asked, app_id: str) -> App:
    """End its workload."""
    return nouns.apps.stop(asking.name, app_id)


@router.delete("/apps/{app_id}", status_code=204)
def delete_app(asking: Person, nouns: Asked, app_id: str) -> None:
    """Forget an app that has ended."""
    nouns.apps.remove(asking.name, app_id)


@router.post("/apps/{app_id}/shares")
def share_app(
    asking: Person, nouns: Asked, token: Token, app_id: str, wish: Share
) -> App:
    """Let a user or a group open it."""
    return nouns.apps.share(asking.name, token, app_id, wish)


@router.delete("/apps/{app_id}/shares")
def unshare_app(
    asking: Person,
    nouns: Asked,
    token: Token,
    app_id: str,
    user: _Name = None,
    group: _Name = None,
) -> App:
    """Let a user or a group open it no longer."""
    if (user is None) == (group is None):
        raise Invalid("Say exactly one of user or group.", field="user")
    share = Share(user=user, group=group)
    return nouns.apps.unshare(asking.name, token, app_id, share)


@router.get("/apps/{app_id}/log", response_class=Response)
def read_app_log(asking: Person, nouns: Asked, app_id: str) -> Response:
    """What its newest workload has printed."""
    return log_answer(nouns.parts, nouns.apps.row(asking.name, app_id))
