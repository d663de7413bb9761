"""The book of notices: shown to their owners, who say which they have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from hubyard.contract.base import now
from hubyard.contract.notice import Notice, Notices
from hubyard_hub.store.tables import notices
from hubyard_hub.wishes import all_rows

if TYPE_CHECKING:
    from hubyard.contract.notice import SeenRequest
    from hubyard_hub.parts import Parts
    from hubyard_hub.settings import Settings

_SHOWN = 100


class Bell:
    """The notices of everyone; every question names its owner."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def list(self, owner: str) -> Notices:
        """An owner's newest notices, and how many are unseen."""
        mine = notices.c.owner == owner
        unseen = select(func.count()).where(mine, notices.c.seen_at.is_(None))
        newest = (
            select(notices)
            .where(mine)
            .order_by(notices.c.created_at.desc(), notices.c.id.desc())
            .limit(_SHOWN)
        )
        with self._parts.store.read() as connection:
            rows = all_rows(connection, newest)
            count = connection.execute(unseen).scalar_one()
        settings = self._parts.settings
        shown = [Notice(**row, link=link_of(settings, row["run_id"])) for row in rows]
        return Notices(owner=owner, unseen=count, notices=tuple(shown))

    def see(self, owner: str, wish: SeenRequest) -> Notices:
        """Note which of an owner's notices were seen; another's are passed over."""
        mine = update(notices).where(
            notices.c.owner == owner, notices.c.seen_at.is_(None)
        )
        if wish.ids is not None:
            mine = mine.where(notices.c.id.in_(wish.ids))
        seen = mine.values(seen_at=now())
        self._parts.store.atomically(lambda c: c.execute(seen) and None)
        return self.list(owner)


def link_of(settings: Settings, run_id: str) -> str:
    """Where a person is led who wants to see what broke."""
    return f"{settings.public_url}/services/hubyard/api/runs/{run_id}/failure"
