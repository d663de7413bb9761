"""Every route of everything that answers HTTP, asked as nobody and as somebody else.

Starts a whole Hubyard in which ana has one of each thing, reads the routes from the
routers themselves, and asks each by five methods and as a WebSocket: without
credentials, as bo with a session in a browser, as bo with a token, and as ana's own
browser, led by a page that is not hers.

answered  a request that was let through, or got no answer at all; a change to what is
          ana's; a door in the list that nobody found open; a route without a rule
leaked    an answer that tells of what is ana's

`--short` asks each route by its own methods alone, as nobody and as bo with a token:
what a new route gets wrong first, in less than three minutes. It is part of the check
of each change; the whole is for new routes and before a release.

The last line: `attack routes=<n> requests=<n> answered=<n> leaked=<n>`. Any of the last
two above zero is an exit code of 1, and so is a control that fails (see `controls`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from security.attackers import Attacker, everybody, first_pages, two_of_them
from security.controls import TELLING, blind_spots
from security.doors import DOORS, SILENT
from security.group_share import comes_and_goes
from security.judge import Answer, Judge, Question, Somebody
from security.mlflow_objects import Own
from security.questions import questions
from security.routes import PLACES, enumerate_routes
from security.scopes import too_much
from security.sign_in import guessed
from security.victim import SECRET, Victim, furnish
from support.running import running

if TYPE_CHECKING:
    from collections.abc import Iterable

    from security.routes import Route

ASKERS = 4
"""Requests at a time: enough to keep two cores busy."""
FEWEST_ROUTES = 700
"""Of all places; fewer have not all been read."""


@dataclass
class Tally:
    """What was asked and what came back."""

    judge: Judge
    routes: set[tuple[str, str]] = field(default_factory=set)
    requests: int = 0
    answered: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)
    """What this attack could not have seen (see `controls`)."""
    seen_by_ana: set[str] = field(default_factory=set)
    """Places at which ana's own browser was told of what is hers."""
    statuses: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    def add(self, asked: Question, answer: Answer | None) -> None:
        """Judge one answer; None: none came."""
        self.requests += 1
        self.routes.add((asked.place, asked.route.path))
        if answer is None:
            if asked.route.path not in SILENT.get(asked.place, {}):
                self.answered.append(f"{asked} -> no answer")
            return
        self.statuses[asked.who.name, asked.place, answer.status] += 1
        told = list(self.judge.leaks(asked, answer))
        if asked.who.kind == "lured":
            self.seen_by_ana |= {asked.place} if told else set()
        else:
            self.leaked += [f"{asked} -> {answer.status} {each}" for each in told]
        wrong = self.judge.opens(asked, answer)
        if wrong is not None:
            said = " ".join(answer.text[:120].split())
            self.answered.append(f"{asked} -> {answer.status} {wrong}: {said}")

    @property
    def found(self) -> list[str]:
        """All that must not be."""
        blind = [f"the attack is blind: {each}" for each in self.blind]
        return [*self.answered, *self.leaked, *blind]

    def table(self, who: Somebody) -> str:
        """What each place has answered to one of them: statuses and how often."""
        lines: dict[str, list[str]] = {}
        for (name, place, status), count in sorted(self.statuses.items()):
            if name == who.name:
                lines.setdefault(place, []).append(f"{status}x{count}")
        return "\n".join(f"  {k:10}{' '.join(v)}" for k, v in lines.items())

    def line(self) -> str:
        """The last line."""
        return (
            f"attack routes={len(self.routes)} requests={self.requests} "
            f"answered={len(self.answered)} leaked={len(self.leaked)}"
        )


def attack(
    folder: Path, places: Iterable[str] = PLACES, *, short: bool = False
) -> Tally:
    """Start a Hubyard, attack it, and tell what was found."""
    with running(folder) as hubyard, ThreadPoolExecutor(1) as aside:
        print("A Hubyard runs; giving ana one of each thing.", flush=True)
        read = {place: aside.submit(enumerate_routes, place) for place in places}
        ana = hubyard.administrator("ana")
        bo = hubyard.person("bo", admits=ana)
        victim = furnish(hubyard, ana)
        victim.beside = Own.made(hubyard.url, bo)
        routes = {place: found.result() for place, found in read.items()}
        tally = Tally(Judge(DOORS, frozenset(victim.names), frozenset({SECRET})))
        tally.answered += _without_rule(routes)
        if "app" in routes:
            tally.answered += comes_and_goes(victim, bo)
        for page in first_pages(victim):
            ana.http.get(page)
        for attacker in two_of_them(victim, bo) if short else everybody(victim, bo):
            _attack_as(attacker, victim, routes, tally)
        tally.answered += [*tally.judge.told_apart(), *too_much(victim)]
        tally.blind += blind_spots(victim, set(routes))
        if not short:
            tally.answered += _not_open(tally.judge, routes)
            tally.answered += guessed(hubyard, ana)
            blind = (routes.keys() & TELLING) - tally.seen_by_ana
            tally.blind += [f"{place} tells ana nothing of hers" for place in blind]
        if {*routes} == {*PLACES} and len(tally.routes) < FEWEST_ROUTES:
            tally.blind.append(f"of {FEWEST_ROUTES} routes it saw {len(tally.routes)}")
    return tally


def _without_rule(routes: dict[str, list[Route]]) -> list[str]:
    """Routes of which their router does not say who may come."""
    return [
        f"{place} {route.path} has no rule"
        for place, found in routes.items()
        for route in found
        if not route.rule
    ]


def _not_open(judge: Judge, routes: dict[str, list[Route]]) -> list[str]:
    """Doors of the list that were shut: a list that says too much hides one."""
    unused = [door for door in judge.doors if door not in judge.used]
    return [
        f"{door.methods} {door.path} is listed as open ({door.reason}), and was shut"
        for door in unused
        if routes.keys() & set(door.places)
    ]


def _attack_as(
    attacker: Attacker, victim: Victim, routes: dict[str, list[Route]], tally: Tally
) -> None:
    """Ask all that this attacker would, and look whether anything has changed."""
    before, began = victim.state(), time.monotonic()
    tally.blind += [f"{k}: {v}" for k, v in before.items() if isinstance(v, int)]
    every = list(questions(attacker, victim, routes))
    tally.blind += attacker.unknown()
    with ThreadPoolExecutor(ASKERS) as pool:
        for asked, answer in zip(every, pool.map(attacker.ask, every), strict=True):
            tally.add(asked, answer)
    # Whoever is not believed any more was refused for another reason than ours.
    tally.blind += attacker.unknown()
    for thing, now in victim.state().items():
        if now != before[thing]:
            told = f"{attacker.who.name} changed ana's {thing}"
            tally.answered.append(f"{told}: {before[thing]!s:.300} -> {now!s:.300}")
    seconds = time.monotonic() - began
    print(f"{attacker.who.name}: {len(every)} requests in {seconds:.0f} s", flush=True)
    print(tally.table(attacker.who), flush=True)


def main(arguments: list[str]) -> int:
    """Attack, and print the last line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("places", nargs="*", metavar="place", help=", ".join(PLACES))
    parser.add_argument("--short", action="store_true", help="own methods, two askers")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        tally = attack(Path(folder), chosen.places or PLACES, short=chosen.short)
    for found in tally.found:
        print(found)
    print(tally.line())
    return 1 if tally.found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
