"""More time than the budget has: everybody at once, other people's, and nonsense.

Each attack is judged by the deadlines that have moved and by nothing that was answered.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from security.budget_place import LIFETIME_S, LONGEST_S, START_MICROS

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from security.budget_place import Place
    from support.running import Person

ONE_FITS_S = LIFETIME_S * 5 // 12
"""What is left of the budget, half a start, is enough for one of these alone."""
_NAN, _INFINITY = float("nan"), float("inf")
NONSENSE: tuple[Any, ...] = (
    {"seconds": 0},
    {"seconds": -3600},
    {"seconds": _NAN},
    {"seconds": _INFINITY},
    {"seconds": -_INFINITY},
    {"seconds": 1e308},
    {"seconds": 10**30},
    {"seconds": 366 * 86_400 + 1},
    {"seconds": LONGEST_S},
    {"seconds": "60"},
    {"seconds": "NaN"},
    {"seconds": True},
    {"seconds": 60.5},
    {"seconds": [60]},
    {"seconds": None},
    {"seconds": 60, "price": 0},
    {"seconds": 60, "granted": True},
    {"seconds": 60, "until": "2030-01-01T00:00:00Z"},
    {"seconds": 60, "given_by": "ana"},
    [60],
    "60",
)
FORM_NONSENSE = (
    "0",
    "-60",
    "NaN",
    "inf",
    "1e9",
    "60.5",
    "0x60",
    "9" * 40,
    str(LONGEST_S),
)


@dataclass(frozen=True)
class Asker:
    """Somebody's two ways to ask for more time."""

    person: Person
    token: str

    def by_api(self, entry_id: str, body: Any) -> httpx.Response:
        return self.person.http.post(
            f"/services/hubyard/api/workloads/{entry_id}/extend",
            content=json.dumps(body),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Sec-Fetch-Mode": "cors",
                "Accept": "application/json",
            },
        )

    def by_form(self, entry_id: str, seconds: str) -> httpx.Response:
        return self.person.http.post(
            "/hub/spend/extend",
            data={"_xsrf": self.person.xsrf, "entry": entry_id, "seconds": seconds},
            follow_redirects=False,
        )


@dataclass
class Extensions:
    """What came of asking for more time."""

    accepted: list[str] = field(default_factory=list)
    """Deadlines that moved, and must not have."""
    broken: list[str] = field(default_factory=list)
    """Other promises that were not kept."""


def attack_extensions(place: Place) -> Extensions:
    """bo's budget has half a start left, and everybody asks for more time."""
    bo, eve = (Asker(each, each.token()) for each in (place.bo, place.eve))
    mine = [line.entry.id for line in place.running("bo")]
    seen = Extensions()
    _race(place, bo, mine, seen)
    _nonsense(place, bo, mine[0], seen)
    _of_others(place, eve, mine[0], seen)
    _within(place, seen)
    return seen


def _deadlines(place: Place) -> dict[str, datetime]:
    return {line.entry.id: line.deadline.at for line in place.running("bo")}


def _moved(before: dict[str, datetime], after: dict[str, datetime]) -> list[str]:
    return [id_ for id_, at in after.items() if at != before.get(id_)]


def _race(place: Place, bo: Asker, mine: list[str], seen: Extensions) -> None:
    """One of them fits; all ask twice, by both ways, at the same time."""
    before = _deadlines(place)
    with ThreadPoolExecutor(2 * len(mine)) as pool:
        for id_ in mine:
            pool.submit(bo.by_api, id_, {"seconds": ONE_FITS_S})
            pool.submit(bo.by_form, id_, str(ONE_FITS_S))
    after = _deadlines(place)
    moved = _moved(before, after)
    more = sum((after[id_] - before[id_]).total_seconds() for id_ in moved)
    if not moved:
        seen.broken.append("nobody was given the time for which there was room")
    if more > ONE_FITS_S:
        seen.accepted.append(f"{len(moved)} were given {more} s, {ONE_FITS_S} s fitted")


def _nonsense(place: Place, bo: Asker, entry_id: str, seen: Extensions) -> None:
    before = _deadlines(place)
    asked = {
        **{f"extend {body}": bo.by_api(entry_id, body) for body in NONSENSE},
        **{f"extend by form {s}": bo.by_form(entry_id, s) for s in FORM_NONSENSE},
    }
    seen.broken += [f"{k} -> {v.status_code}" for k, v in asked.items() if not _no(v)]
    moved = _moved(before, _deadlines(place))
    seen.accepted += [f"nonsense has extended {id_}" for id_ in moved]


def _of_others(place: Place, eve: Asker, entry_id: str, seen: Extensions) -> None:
    before = _deadlines(place)
    paths = (entry_id, f"{entry_id}/../{entry_id}", entry_id.upper(), f"{entry_id}%00")
    answers = [eve.by_api(path, {"seconds": 60}) for path in paths]
    answers.append(eve.by_form(entry_id, "60"))
    told = [answer.status_code for answer in answers if not _no(answer)]
    seen.broken += [f"eve extends bo's -> {status}" for status in told]
    moved = _moved(before, _deadlines(place))
    seen.accepted += [f"eve has extended bo's {id_}" for id_ in moved]


def _within(place: Place, seen: Extensions) -> None:
    """All that bo may yet cost is within his budget still."""
    (budget,) = place.hubyard.client(place.bo).budgets.list()
    committed = budget.spent.micros + budget.reserved.micros
    if committed > budget.amount.micros or budget.left.micros >= START_MICROS:
        seen.accepted.append(f"bo's budget is overdrawn, or never was used: {budget}")


def _no(answer: httpx.Response) -> bool:
    """Whether this is a clean refusal: neither a yes nor a breakdown."""
    return 400 <= answer.status_code < 500
