"""Many starts at once against a budget that has room for a few of them.

A third by the spawn page's form, a third by the hub's API, and a third by options that
are put on a server which does not run, before it is started without any. Who is told
that too much starts at once comes again when told to.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from security.budget_place import COMPUTE, HOURS, LIFETIME_S
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from security.budget_place import Place
    from support.running import Person

_BUSY, _REFUSED = 429, 409
OPTIONS = {"kind": "workspace", "compute": COMPUTE, "lifetime_s": LIFETIME_S}


@dataclass
class Stampede:
    """What came of all the starts."""

    started: int = 0
    waited: int = 0
    """How often somebody was told to come again."""
    broken: list[str] = field(default_factory=list)


def stampede(place: Place, count: int, room: int) -> Stampede:
    """So many starts of bo's at once; his budget has room for a few."""
    ways = (_by_form, _by_api, _by_patch)
    names = [f"workspace-{n:02}" for n in range(count)]
    seen = Stampede()
    with ThreadPoolExecutor(count) as pool:
        asked = [
            pool.submit(_insist, ways[n % len(ways)], place.bo, name)
            for n, name in enumerate(names)
        ]
        answers = {n: each.result() for n, each in zip(names, asked, strict=True)}
    servers = settled(place.bo)
    ready = {name for name, server in servers.items() if server["ready"]}
    seen.started = len(place.entries("bo"))
    seen.waited = sum(times for _, times in answers.values())
    lines = place.running("bo")
    seen.broken += _faults(room, seen.started, ready, {_name(line) for line in lines})
    for name, (answer, _) in answers.items():
        if name not in ready and not _is_told(answer):
            told = f"{answer.status_code} {' '.join(answer.text.split())[:200]}"
            seen.broken.append(f"{name} was refused, and was told: {told}")
    return seen


def _name(line: object) -> str:
    return line.entry.server_name


def _faults(room: int, started: int, ready: set[str], billed: set[str]) -> list[str]:
    found = []
    if started != room:
        found.append(
            f"{started} starts are in the ledger, and there was room for {room}"
        )
    if ready != billed:
        found.append(f"the hub runs {sorted(ready)}, the ledger bills {sorted(billed)}")
    return found


def _is_told(answer: httpx.Response) -> bool:
    """Whether a refusal says what is left, and who can raise it.

    A browser that was sent on to wait is told on the page where it waits.
    """
    if answer.has_redirect_location:
        return "spawn-pending" in answer.headers["location"]
    words = ("budget of bo has", "left of", "ask ana")
    return answer.status_code == _REFUSED and all(w in answer.text for w in words)


def _insist(
    way: Callable[[Person, str], httpx.Response], person: Person, name: str
) -> tuple[httpx.Response, int]:
    """Ask, and again when told to come again; the last answer, and how often."""
    end = time.monotonic() + PATIENCE_S
    for again in range(1000):
        answer = way(person, name)
        if answer.status_code != _BUSY or time.monotonic() > end:
            return answer, again
        time.sleep(float(answer.headers["Retry-After"]))
    raise AssertionError("unreachable")


def _by_form(person: Person, name: str) -> httpx.Response:
    return person.http.post(
        f"/hub/spawn/{person.name}/{name}",
        data={"_xsrf": person.xsrf, "compute": COMPUTE, "hours": HOURS},
        follow_redirects=False,
    )


def _by_api(person: Person, name: str) -> httpx.Response:
    path = f"/users/{person.name}/servers/{name}"
    return person.hub("POST", path, user_options=OPTIONS)


def _by_patch(person: Person, name: str) -> httpx.Response:
    path = f"/users/{person.name}/servers/{name}"
    person.hub("PUT", path)
    person.hub("PATCH", path, user_options=OPTIONS)
    return person.hub("POST", path)


def settled(person: Person) -> dict[str, dict]:
    """Somebody's servers, once the hub is at work on none of them."""
    end = time.monotonic() + PATIENCE_S
    while True:
        servers = person.servers()
        if not any(server["pending"] for server in servers.values()):
            return servers
        assert time.monotonic() < end, servers
        time.sleep(0.2)
