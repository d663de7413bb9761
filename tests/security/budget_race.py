"""Several platforms and hubs on one database, each admitting starts by itself.

As a program, `python budget_race.py <url> <starts>` is one of them: it says that it is
ready, waits for a line, starts from as many threads over two stores, and prints what
came of it as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy.exc import SQLAlchemyError

from hubyard.contract.base import now
from hubyard.contract.budget import Account, Scope
from hubyard.contract.money import parse_micros
from hubyard_hub.money.budgets import Budgets, BudgetSpent
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from security.budget_place import LIFETIME_S, PRICE, budget_for
from support.lines import entry

PROCESSES = 5


@dataclass(frozen=True)
class Race:
    """What came of it."""

    started: int
    refused: int
    errors: tuple[str, ...]

    def faults(self, starts: int, room: int) -> list[str]:
        """What is wrong with it."""
        found = list(self.errors)
        if (self.started, self.refused) != (room, starts - room):
            found.append(f"{self.started} started and {self.refused} were refused")
        return found


def race(url: str, starts: int, room: int) -> Race:
    """So many starts from several processes; the budget has room for a few."""
    store = Store(url)
    store.migrate()
    bo = Account(scope=Scope.USER, name="bo")
    Budgets(store).set(bo, budget_for(room), "USD", "ana")
    shares = [starts // PROCESSES + (n < starts % PROCESSES) for n in range(PROCESSES)]
    racers = [
        subprocess.Popen(
            [sys.executable, __file__, url, str(share)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for share in shares
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [json.loads(racer.communicate()[0]) for racer in racers]
    errors = [error for each in said for error in each["errors"]]
    written = len(Ledger(store).open_lines("bo"))
    store.close()
    started = sum(each["started"] for each in said)
    if written != started:
        errors.append(f"{started} were told yes, {written} are in the ledger")
    return Race(started, sum(each["refused"] for each in said), tuple(errors))


def _take_part(url: str, starts: int) -> dict[str, object]:
    ledgers = [Ledger(Store(url)) for _ in range(2)]
    outcomes: list[str] = []
    together = threading.Barrier(starts + 1)

    def start(number: int) -> None:
        name = f"workspace-{number}-{threading.get_native_id()}"
        wanted = entry(
            owner="bo",
            server_name=name,
            price_micros=parse_micros(PRICE),
            lifetime_s=LIFETIME_S,
            started_at=now(),
        )
        together.wait()
        try:
            ledgers[number % 2].open(wanted)
            outcomes.append("started")
        except BudgetSpent:
            outcomes.append("refused")
        except SQLAlchemyError as error:
            outcomes.append(f"{type(error).__name__}: {str(error)[:300]}")

    threads = [threading.Thread(target=start, args=(n,)) for n in range(starts)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.readline()
    together.wait()
    for thread in threads:
        thread.join()
    counts = {word: outcomes.count(word) for word in ("started", "refused")}
    return {**counts, "errors": [each for each in outcomes if each not in counts]}


if __name__ == "__main__":
    print(json.dumps(_take_part(sys.argv[1], int(sys.argv[2]))))
