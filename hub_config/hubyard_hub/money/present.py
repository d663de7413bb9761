"""Present: which entries of the ledger belong to whoever has their owner's name now.

The ledger names owners and never changes. Somebody who gets the name of a person who
has left begins with an empty ledger: what had started before belongs to the other.
"""

from __future__ import annotations

from sqlalchemy import func, select

from hubyard.contract.people import Leaving
from hubyard_hub.store.tables import departures, entries

_LEFT_AT = (
    select(func.max(departures.c.closed_at))
    .where(departures.c.name == entries.c.owner, departures.c.how == Leaving.RETIRED)
    .correlate(entries)
    .scalar_subquery()
)
IS_PRESENT = _LEFT_AT.is_(None) | (entries.c.started_at > _LEFT_AT)
"""Whether an entry's owner is the one who has that name now."""
