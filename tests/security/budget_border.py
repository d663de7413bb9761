"""The border of a month: what reaches into the next one is charged to that one.

Ten minutes before November ends bo starts what may run for twelve, and asks for more
time. His budget has room for a start and a half.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hubyard.contract.base import now
from hubyard_hub.money.audit import audit
from hubyard_hub.store import Store
from security.budget_extensions import Asker
from security.budget_place import LIFETIME_S, START_MICROS, place_in
from security.budget_starts import stampede
from support.months import BORDER
from support.wall_clock import WallClock

if TYPE_CHECKING:
    from pathlib import Path

    from security.budget_place import Place

_LEFT = timedelta(minutes=10)
_MORE_S = 3600
_ROUNDED_MICROS = 100


def at_the_border(folder: Path) -> list[str]:
    """What was wrong there; nothing where no clock can be set."""
    clock = WallClock.of_environment()
    if clock is None:
        return []
    before = now()
    folder.mkdir()
    clock.set_to(BORDER - _LEFT)
    try:
        with place_in(folder) as place:
            return [f"at the border: {fault}" for fault in _faults(place)]
    finally:
        clock.set_to(before)


def _faults(place: Place) -> list[str]:
    place.give_bo_room(1)
    found = stampede(place, 1, 1).broken
    (line,) = place.running("bo")
    left_s = (BORDER - line.entry.started_at).total_seconds()
    november = round(START_MICROS * left_s / LIFETIME_S)
    found += _charged(place, november)
    asker = Asker(place.bo, place.bo.token())
    answer = asker.by_api(line.entry.id, {"seconds": _MORE_S})
    if answer.is_error:
        found.append(f"time in the next month is refused: {answer.text}")
    found += _charged(place, november)
    settings = place.hubyard.settings
    store = Store(settings.database_url)
    found += map(str, audit(store, settings.workloads, now()).faults)
    store.close()
    return found


def _charged(place: Place, november: int) -> list[str]:
    """Whether November is charged for its last minutes, and for nothing more."""
    (budget,) = place.hubyard.client(place.bo).budgets.list()
    charged = budget.spent.micros + budget.reserved.micros
    if abs(charged - november) <= _ROUNDED_MICROS:
        return []
    return [f"November is charged {charged}, and {november} fall into it"]
