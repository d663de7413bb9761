"""The book of notices: shown to their owners, who say which they have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from hubyard.contract.base import now
from hubyard.contract.notice import Notice, Notices, Why
from hubyard_hub.notices.disk import ADMINISTRATORS
from hubyard_hub.store.tables import notices
from hubyard_hub.workloads.wishes import all_rows

if TYPE_CHECKING:
    from hubyard.contract.identity import Identity
    from hubyard.contract.notice import SeenRequest
    from hubyard_hub.parts import Parts
    from hubyard_hub.settings import Settings
    from hubyard_hub.workloads.wishes import Row

_SHOWN = 100


class Bell:
    """The notices of everyone; every question names its owner."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def list(self, asking: Identity) -> Notices:
        """Somebody's newest notices, and how many are unseen."""
        mine = notices.c.owner.in_(_names(asking))
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
        shown = [Notice(**row, link=link_of(settings, row)) for row in rows]
        return Notices(owner=asking.name, unseen=count, notices=tuple(shown))

    def see(self, asking: Identity, wish: SeenRequest) -> Notices:
        """Note which of somebody's notices were seen; another's are passed over."""
        mine = update(notices).where(
            notices.c.owner.in_(_names(asking)), notices.c.seen_at.is_(None)
        )
        if wish.ids is not None:
            mine = mine.where(notices.c.id.in_(wish.ids))
        seen = mine.values(seen_at=now())
        self._parts.store.atomically(lambda c: c.execute(seen) and None)
        return self.list(asking)


def _names(asking: Identity) -> list[str]:
    """Whose notices somebody sees; administrators share theirs."""
    return [asking.name, *([ADMINISTRATORS] if asking.admin else [])]


def link_of(settings: Settings, notice: Row) -> str:
    """Where a person is led who wants to see what broke."""
    if notice["why"] is Why.DISK:
        return f"{settings.public_url}/hub/home"
    run_id = notice["run_id"]
    return f"{settings.public_url}/services/hubyard/api/runs/{run_id}/failure"
