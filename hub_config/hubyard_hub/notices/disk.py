"""The disk's notice: administrators are told once that it is nearly full.

Its row is of no person: each administrator's bell shows it. It is open, under one key,
until there is room again and it is an hour old, so that a disk at its border does not
tell every minute, however many processes look at it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from hubyard.contract.notice import Why
from hubyard.contract.workload import new_id
from hubyard_hub.notices.tell import to_default_channels
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import notices

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from hubyard_hub.store import Store

ADMINISTRATORS = ""
"""Whose notices these are; nobody has this name."""
_OPEN = "disk"
_AT_LEAST = timedelta(hours=1)


def tell_disk(store: Store, lack: str | None, moment: datetime) -> None:
    """Tell that the disk is nearly full, or note that this is over.

    Args:
        store: of the deployment.
        lack: why nothing starts; None: there is room.
        moment: now.
    """
    told = select(notices.c.created_at).where(
        notices.c.run_id == _OPEN, notices.c.why == Why.DISK
    )
    with store.read() as connection:
        told_at = connection.scalar(told)
    if lack is not None and told_at is None:
        store.atomically(lambda c: _open(c, lack, moment))
    elif lack is None and told_at is not None and told_at < moment - _AT_LEAST:
        ended = update(notices).where(notices.c.run_id == _OPEN)
        values = {"run_id": f"{_OPEN}-{new_id()}"}
        store.atomically(lambda c: c.execute(ended.values(**values)) and None)


def _open(connection: Connection, lack: str, moment: datetime) -> None:
    notice: dict[str, Any] = {
        "id": new_id(),
        "owner": ADMINISTRATORS,
        "name": "The disk",
        "why": Why.DISK,
        "run_id": _OPEN,
        "schedule_id": None,
        "message": lack,
        "cell": None,
        "created_at": moment,
        "seen_at": None,
    }
    if insert_once(connection, notices, notice):
        to_default_channels(connection, notice["id"], moment)
