"""Lives: what happens to each workload of `chaos-ledger`, drawn from one seed.

stop      its owner stops it
natural   it ends by itself
lifetime  its lifetime is over
process   kill -9 of its process
shim      kill -9 of its shim
stay      it still runs when Hubyard is told to end
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import psutil

from hubyard.contract.entry import EndReason
from hubyard.contract.workload import Kind

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from chaos.ledger_observer import Observer, Sight
    from chaos.ledger_world import World

AT_ONCE = 24
"""How many live at a time, at most; a fifth of them where that is fewer."""
PATIENCE_S = 600.0
"""A start waits for a hub that may be away for most of the time."""
_HOLD_S = (8.0, 32.0)
_LIFETIME_S = (15, 40)
_LONG_S = 3600
_POLL_S = 0.2


class Fate(StrEnum):
    """How a life shall end."""

    STOP = "stop"
    NATURAL = "natural"
    LIFETIME = "lifetime"
    PROCESS = "process"
    SHIM = "shim"
    STAY = "stay"


ENDS = {
    Fate.STOP: EndReason.STOPPED,
    Fate.NATURAL: EndReason.EXITED,
    Fate.LIFETIME: EndReason.LIFETIME,
    Fate.PROCESS: EndReason.KILLED,
    Fate.SHIM: EndReason.KILLED,
    Fate.STAY: EndReason.STOPPED,
}
"""What the ledger shall say of it."""
_FATES = {
    Fate.STOP: 5,
    Fate.NATURAL: 4,
    Fate.LIFETIME: 4,
    Fate.PROCESS: 5,
    Fate.SHIM: 4,
    Fate.STAY: 1,
}
_KINDS = {Kind.WORKSPACE: 4, Kind.RUN: 3, Kind.ENDPOINT: 2, Kind.APP: 2}


@dataclass
class Life:
    """One workload: what it shall be, and what became of it."""

    name: str
    kind: Kind
    compute: str
    fate: Fate
    hold_s: float
    """Between its start and its end, where that is ours to bring about."""
    lifetime_s: int
    server: str = ""
    sight: Sight | None = None
    killed: bool = False


def plan(rng: random.Random, count: int, *, real: bool) -> list[Life]:
    """So many lives; of each kind one is the real runtime, unless all shall be cheap.

    Every kind and every fate occurs, however few there are.
    """
    kinds = _drawn(rng, _KINDS, count)
    fates = _drawn(rng, _FATES, count)
    lives = [
        _life(rng, number, kind, fate)
        for number, (kind, fate) in enumerate(zip(kinds, fates, strict=True))
    ]
    if real:
        for kind in Kind:
            mine = [life for life in lives if life.kind is kind]
            fit = [life for life in mine if life.fate is not Fate.NATURAL]
            for life in fit[:1]:
                life.compute, life.lifetime_s = "real", max(life.lifetime_s, 60)
        lives.sort(key=lambda life: life.compute != "real")
    return lives


def _drawn(rng: random.Random, weights: dict, count: int) -> list:
    """Each at least once, the others by their weights; in no order."""
    certain = list(weights)[:count]
    more = rng.choices(list(weights), list(weights.values()), k=count - len(certain))
    drawn = [*certain, *more]
    rng.shuffle(drawn)
    return drawn


def _life(rng: random.Random, number: int, kind: Kind, fate: Fate) -> Life:
    ends_itself = fate is Fate.NATURAL
    short = fate is Fate.LIFETIME
    return Life(
        name=f"life-{number:03}",
        kind=kind,
        compute=rng.choice(["brief", "messy"]) if ends_itself else "plain",
        fate=fate,
        hold_s=rng.uniform(*_HOLD_S),
        lifetime_s=rng.randint(*_LIFETIME_S) if short else _LONG_S,
    )


@dataclass
class Lives:
    """Sees every life through, some at a time."""

    world: World
    observer: Observer
    lives: list[Life]
    broken: list[str] = field(default_factory=list)
    """Promises that were not kept, in words."""

    def run(self) -> Iterator[int]:
        """Live them; gives how many are still to come, again and again."""
        at_once = min(AT_ONCE, max(len(self.lives) // 5, 4))
        with ThreadPoolExecutor(at_once) as pool:
            done = [pool.submit(self._live, life) for life in self.lives]
            while left := [each for each in done if not each.done()]:
                yield len(left)
            for each in done:
                each.result()

    @property
    def kills(self) -> int:
        """How many have been killed."""
        return sum(life.killed for life in self.lives)

    def _live(self, life: Life) -> None:
        life.server = self.world.start(
            life.kind, life.name, life.compute, life.lifetime_s
        )
        life.sight = self._begin(life)
        if life.sight is None:
            return  # it is lost, which the verdict will tell
        if life.fate in {Fate.STOP, Fate.PROCESS, Fate.SHIM}:
            time.sleep(life.hold_s)
            self._end(life, life.sight)
        if life.fate is not Fate.STAY and not self._wait_for_end(life.sight):
            self.broken.append(f"{life.server} ({life.fate}) does not end")

    def _begin(self, life: Life) -> Sight | None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if found := self.observer.of_server(life.server):
                return found[-1]
            time.sleep(_POLL_S)
        return None

    def _end(self, life: Life, sight: Sight) -> None:
        if life.fate is Fate.STOP:
            self.world.stop(life.server)
            return
        try:
            shim = psutil.Process(sight.shims[0])
            victim = shim if life.fate is Fate.SHIM else shim.children()[0]
            victim.kill()
        except (psutil.NoSuchProcess, IndexError):
            print(f"{life.server} was gone before it was killed", flush=True)
        else:
            life.killed = True

    def _wait_for_end(self, sight: Sight) -> bool:
        end = time.monotonic() + PATIENCE_S
        while not self.observer.is_over(sight.entry_id):
            if time.monotonic() > end:
                return False
            time.sleep(_POLL_S)
        return True
