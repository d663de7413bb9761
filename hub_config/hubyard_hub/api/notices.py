"""Routes of notices, for whom they tell, and of the channels that carry them."""

from typing import Annotated

from fastapi import Path

from hubyard.contract.base import Slug
from hubyard.contract.notice import (
    Channel,
    ChannelRequest,
    Delivery,
    Notices,
    SeenRequest,
    Trial,
)
from hubyard_hub.api.access import Admin, Person, people
from hubyard_hub.api.nouns import Asked

router = people("notices")

ChannelName = Annotated[Slug, Path()]


@router.get("/notices")
def list_notices(asking: Person, nouns: Asked) -> Notices:
    """What the caller was told, newest first."""
    return nouns.bell.list(asking)


@router.post("/notices/seen")
def see_notices(asking: Person, nouns: Asked, wish: SeenRequest) -> Notices:
    """Say which of them were seen, or that all were."""
    return nouns.bell.see(asking, wish)


@router.get("/channels")
def list_channels(asking: Person, nouns: Asked) -> list[Channel]:
    """The channels that there are; where they lead is for administrators."""
    return nouns.channels.list(asking)


@router.get("/channels/deliveries")
def list_deliveries(asking: Admin, nouns: Asked) -> list[Delivery]:
    """What became of the newest notices in their channels."""
    del asking
    return nouns.channels.deliveries()


@router.put("/channels/{name}")
def put_channel(
    asking: Admin, nouns: Asked, name: ChannelName, wish: ChannelRequest
) -> Channel:
    """Define a channel, or define it anew."""
    return nouns.channels.put(asking, name, wish)


@router.post("/channels/{name}/trial")
def try_channel(asking: Admin, nouns: Asked, name: ChannelName) -> Trial:
    """Send a message that only tries a channel."""
    return nouns.channels.try_out(asking, name)


@router.delete("/channels/{name}", status_code=204)
def delete_channel(asking: Admin, nouns: Asked, name: ChannelName) -> None:
    """Take a channel away."""
    del asking
    nouns.channels.remove(name)
