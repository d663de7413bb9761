"""What money costs in time: the home page, and what the Lab's spend section asks.

Ana has two hundred named servers, ten of which run, and two hundred workloads in this
month's ledger. Both are asked through the proxy by one client: the home page by her
browser, the spend by her token. In turn with them stands a peer: the stock JupyterHub's
home page with the same named servers, the same ten running. It asserts no time.

    money home_p95_ms=<n> spend_p95_ms=<n> servers=<n> workloads=<n> home_ratio=<x>

The ratio is of the medians: ours by the peer's. `--running N` lets N of them run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from hubyard.contract.base import now
from hubyard.contract.budget import BudgetRequest, Scope
from hubyard.contract.entry import EndReason, Settlement
from hubyard.contract.workload import Kind
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.money.reservation import Month
from hubyard_hub.store import Store
from support.cheap import cheap, profile
from support.hub import running_hub
from support.lines import entry
from support.months import NOON
from support.priced import priced_lines
from support.wall_clock import go_by_our_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from support.running import Running

SERVERS = WORKLOADS = 200
RUNNING = 10
ROUNDS, WARM = 120, 5
OWNER = "ana"
_USER = f"/users/{OWNER}"
_OPTIONS = {"kind": "workspace", "compute": "plain", "lifetime_s": 3600}
_THROTTLED, _LATE = 429, 202


@dataclass
class Asked:
    """One address, and how long each answer has taken."""

    name: str
    ask: Callable[[], httpx.Response]
    telling: str
    """What its answer holds, unless it is another page."""
    times_ms: list[float] = field(default_factory=list)

    def once(self) -> None:
        """Ask; the time counts until the last byte."""
        began = time.perf_counter()
        answer = self.ask()
        self.times_ms.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, f"{self.name}: {answer.status_code}"
        assert self.telling in answer.text, f"{self.name}: {answer.text[:500]}"

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.times_ms)

    @property
    def p95_ms(self) -> float:
        return sorted(self.times_ms)[int(len(self.times_ms) * 0.95)]


def name_of(number: int) -> str:
    """The name of a server, at ours and at the peer's."""
    return f"workspace-{number:03}"


def fill(call: Callable[..., httpx.Response], running: int) -> None:
    """Make the named servers through the hub's API, and start some of them."""
    path = f"/users/{OWNER}/servers/"
    for number in range(SERVERS):
        answer = call("PUT", path + name_of(number))
        assert answer.status_code == 201, answer.text

    def start(number: int) -> None:
        body = {"user_options": _OPTIONS}
        while (answer := call("POST", path + name_of(number), **body)).status_code in {
            _THROTTLED,
            _LATE,
        }:
            time.sleep(1)
        # Asked again after it was late, it is there already.
        assert answer.status_code == 201 or "already running" in answer.text

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(start, range(running)))


def seed(hubyard: Running, count: int) -> None:
    """So many workloads that have ended, all over the month until now."""
    store = Store(hubyard.settings.database_url)
    ledger = Ledger(store)
    moment = now()
    since = Month.of(moment).since
    step = (moment - since) / count
    kinds = list(Kind)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        written = entry(
            kind=kind,
            owner=OWNER,
            server_name=f"{kind}-seeded-{number:03}",
            project=f"project-{number % 7}" if kind is Kind.RUN else None,
            started_at=since + step * number,
        )
        ledger.open(written)
        end = min(written.started_at + timedelta(hours=2), moment)
        reason = EndReason.EXITED
        ledger.settle(
            Settlement(entry_id=written.id, ended_at=end, exact=True, reason=reason)
        )
    store.close()


@contextlib.contextmanager
def ours(folder: Path, running: int) -> Iterator[list[Asked]]:
    """Our home page and our spend."""
    folder.mkdir()
    with cheap(folder, [profile("plain")]) as hubyard:
        ana = hubyard.administrator(OWNER)
        fill(ana.hub, running)
        seed(hubyard, WORKLOADS - running)
        client = hubyard.client(ana)
        client.budgets.set(Scope.USER, OWNER, BudgetRequest(amount="1000000"))
        assert len(client.workloads()) == running
        bearer = {"Authorization": f"Bearer {ana.token()}"}
        spend = "/services/hubyard/api/spend"
        yield [
            Asked("home", lambda: ana.http.get("/hub/home"), "hy-month"),
            Asked("spend", lambda: ana.http.get(spend, headers=bearer), '"forecast"'),
        ]


@contextlib.contextmanager
def peer(folder: Path, running: int) -> Iterator[Asked]:
    """The stock home page of the same user."""
    state = folder / "state"
    state.mkdir(parents=True)
    catalogue = 'currency = "USD"\n' + profile("plain")
    (state / "compute.toml").write_text(catalogue)
    with running_hub(folder / "hub", lines=priced_lines(state)) as hub:
        hub.add_user(OWNER)

        def call(method: str, path: str, **body: Any) -> httpx.Response:
            return hub.api(method, path, json=body)

        fill(call, running)
        browser = hub.browser(OWNER)
        last = name_of(SERVERS - 1)
        yield Asked("stock home", lambda: browser.get("/hub/home"), last)
        for number in range(running):
            call("DELETE", f"/users/{OWNER}/servers/{name_of(number)}")
        while any(s["ready"] for s in call("GET", _USER).json()["servers"].values()):
            time.sleep(0.2)


def main() -> None:
    """Measure in the middle of a month, and print the last line."""
    go_by_our_own(NOON)
    parser = argparse.ArgumentParser(description="How fast money is told.")
    parser.add_argument("--running", type=int, default=RUNNING)
    running = parser.parse_args().running
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ours(folder / "ours", running) as asked, peer(folder, running) as stock:
            everything = [*asked, stock]
            for _ in range(WARM + ROUNDS):
                for each in everything:
                    each.once()
            load = os.getloadavg()[0]
    for each in everything:
        del each.times_ms[:WARM]
        print(f"{each.name}: p50 {each.p50_ms:.0f} ms, p95 {each.p95_ms:.0f} ms")
    print(f"cores={os.cpu_count()} load={load:.2f} rounds={ROUNDS} running={running}")
    home, spend = asked
    print(
        f"money home_p95_ms={home.p95_ms:.0f} spend_p95_ms={spend.p95_ms:.0f} "
        f"servers={SERVERS} workloads={WORKLOADS} "
        f"home_ratio={home.p50_ms / stock.p50_ms:.2f}"
    )


if __name__ == "__main__":
    main()
