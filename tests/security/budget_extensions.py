"""More time than the budget has: everybody at once, other people's, and nonsense.

Each attack is judged by the deadlines that have moved and by nothing that was answered.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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


def attack_extensions(place: Place) -> list[str]:
    """bo's budget has half a start left; what is wrong once everybody has asked."""
    bo, eve = (Asker(each, each.token()) for each in (place.bo, place.eve))
    mine = [line.entry.id for line in place.running("bo")]
    return [
        *_race(place, bo, mine),
        *_nonsense(place, bo, mine[0]),
        *_of_others(place, eve, mine[0]),
        *_within(place),
    ]


def _deadlines(place: Place) -> dict[str, datetime]:
    return {line.entry.id: line.deadline.at for line in place.running("bo")}


def _moved(before: dict[str, datetime], after: dict[str, datetime]) -> list[str]:
    return [id_ for id_, at in after.items() if at != before.get(id_)]


def _race(place: Place, bo: Asker, mine: list[str]) -> list[str]:
    """One of them fits; all ask twice, by both ways, at the same time."""
    before = _deadlines(place)
    with ThreadPoolExecutor(2 * len(mine)) as pool:
        for id_ in mine:
            pool.submit(bo.by_api, id_, {"seconds": ONE_FITS_S})
            pool.submit(bo.by_form, id_, str(ONE_FITS_S))
    after = _deadlines(place)
    moved = _moved(before, after)
    more = sum((after[id_] - before[id_]).total_seconds() for id_ in moved)
    if len(moved) == 1 and more == ONE_FITS_S:
        return []
    return [f"{len(moved)} were extended by {more} s in all; {ONE_FITS_S} s fitted"]


def _nonsense(place: Place, bo: Asker, entry_id: str) -> list[str]:
    before = _deadlines(place)
    asked = {
        **{f"extend {body}": bo.by_api(entry_id, body) for body in NONSENSE},
        **{f"extend by form {s}": bo.by_form(entry_id, s) for s in FORM_NONSENSE},
    }
    found = [f"{what} -> {a.status_code}" for what, a in asked.items() if not _no(a)]
    moved = _moved(before, _deadlines(place))
    return [*found, *(f"nonsense has extended {id_}" for id_ in moved)]


def _of_others(place: Place, eve: Asker, entry_id: str) -> list[str]:
    before = _deadlines(place)
    paths = (entry_id, f"{entry_id}/../{entry_id}", entry_id.upper(), f"{entry_id}%00")
    answers = [eve.by_api(path, {"seconds": 60}) for path in paths]
    answers.append(eve.by_form(entry_id, "60"))
    found = [f"eve extends bo's -> {a.status_code}" for a in answers if not _no(a)]
    moved = _moved(before, _deadlines(place))
    return [*found, *(f"eve has extended bo's {id_}" for id_ in moved)]


def _within(place: Place) -> list[str]:
    """All that bo may yet cost is within his budget still."""
    (budget,) = place.hubyard.client(place.bo).budgets.list()
    committed = budget.spent.micros + budget.reserved.micros
    if committed <= budget.amount.micros and budget.left.micros < START_MICROS:
        return []
    return [f"bo's budget is overdrawn: {budget}"]


def _no(answer: httpx.Response) -> bool:
    """Whether this is a clean refusal: neither a yes nor a breakdown."""
    return 400 <= answer.status_code < 500
