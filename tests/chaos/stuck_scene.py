"""A Hubyard in use by five people, one fault after the other, and what came of each."""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

from chaos.stuck_people import Someone
from chaos.stuck_promises import Found, What, is_kept
from hubyard.contract.errors import HubyardError
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from support.running import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chaos.stuck_faults import Fault
    from chaos.stuck_promises import Promise
    from support.running import Running

NAMES = ("ana", "bo", "cy", "di", "eve")
RECOVERED_S = 120.0
"""What it may take, after a fault, until all goes on and all is on record."""
_PROBE = Path(__file__).with_name("stuck_probe.py")
_PROBES_PER_S = 5
_POLL_S = 0.5
_CALM_S = 6.0
"""How long everybody is at work before a fault, to see what the machine can do."""
_APART_S = 3.0
"""Runs execute: started all at once they would take the hub's processor."""


@dataclass
class Toll:
    """What was done, and what came of it."""

    faults: int = 0
    recovered: int = 0
    lost: Counter[What] = field(default_factory=Counter)
    p95_ms: dict[str, int] = field(default_factory=dict)
    """Of the hub's answers, by the fault."""
    apart_ms: dict[str, int] = field(default_factory=dict)
    """The same of faults that do not spare the hub."""
    broken: list[str] = field(default_factory=list)
    """In words."""

    def lines(self) -> list[str]:
        """The last lines."""
        apart = [f"{name} hub_p95_ms={p95}" for name, p95 in self.apart_ms.items()]
        last = (
            f"stuck faults={self.faults} hub_p95_ms={self._worst()} "
            f"starts_lost={self.lost[What.START]} stops_lost={self.lost[What.STOP]} "
            f"recovered={self.recovered}"
        )
        return [*apart, last]

    def _worst(self) -> int:
        return max(self.p95_ms.values(), default=0)

    def is_good(self, limit_ms: int) -> bool:
        """Whether all that is promised was kept."""
        kept = self.lost.total() == 0 and self.recovered == self.faults > 0
        return kept and self._worst() < limit_ms and not self.broken


@dataclass(frozen=True)
class Answer:
    """One of the hub's, to the probe."""

    began: float
    ended: float
    said: str
    path: str


class Probe:
    """A process that asks the hub, and what it was answered."""

    def __init__(self, hubyard: Running, someone: Someone) -> None:
        jar = someone.person.http.cookies.jar
        cookies = "; ".join(f"{c.name}={c.value}" for c in jar if c.path == "/hub/")
        wish = {
            "url": hubyard.url,
            "cookies": cookies,
            "token": someone.token,
            "per_s": _PROBES_PER_S,
        }
        self.answers: list[Answer] = []
        self._process = subprocess.Popen(
            [sys.executable, str(_PROBE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def close(self) -> None:
        """Ask no more, and wait for what was asked."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            began, ended, said, path = line.split()
            self.answers.append(Answer(float(began), float(ended), said, path))


class Scene:
    """One Hubyard, and its five."""

    def __init__(self, hubyard: Running, toll: Toll) -> None:
        self._hubyard, self._toll = hubyard, toll
        root = hubyard.administrator("root")
        self._people = [
            Someone(hubyard, hubyard.person(name, admits=root)) for name in NAMES
        ]
        self._store = Store(hubyard.settings.database_url)
        self._ledger = Ledger(self._store)

    def close(self) -> None:
        """Stop what runs."""
        for someone in self._people:
            someone.clear_up()
        self._store.close()

    def suffer(self, fault: Fault) -> None:
        """Let one fault happen, and see to it that all is well again."""
        self._toll.faults += 1
        for someone in self._people:
            someone.prepare()
        with contextlib.closing(Probe(self._hubyard, self._people[0])) as probe:
            _wait_for(lambda: probe.answers)
            with self._at_work():
                calm = time.monotonic()
                time.sleep(_CALM_S)
                began = time.monotonic()
                with fault.hold(self._hubyard):
                    time.sleep(fault.seconds)
                over = time.monotonic()
        before = [a for a in probe.answers if calm <= a.began < began]
        answers = [a for a in probe.answers if began <= a.began < over]
        print(f"{fault.name}: {_p95_ms(before)} ms before it", flush=True)
        self._note_answers(fault, answers)
        self._note_recovery(fault, over)
        self._note_promises(fault)

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        """Everybody is, from before the block until after it."""
        over = threading.Event()
        threads = [
            threading.Thread(target=do, args=args)
            for number, someone in enumerate(self._people)
            for do, args in (
                (someone.browse, (over,)),
                (someone.work, (over, _APART_S * number)),
            )
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _note_answers(self, fault: Fault, answers: list[Answer]) -> None:
        took = sorted(answer.ended - answer.began for answer in answers)
        toll = self._toll
        by_fault = toll.p95_ms if fault.spares_the_hub else toll.apart_ms
        p95_ms = by_fault[fault.name] = _p95_ms(answers)
        said = Counter(answer.said for answer in answers)
        print(
            f"  hub_p95_ms={p95_ms} of {len(took)} requests, "
            f"at most {took[-1] * 1000:.0f} ms, {dict(said)}",
            flush=True,
        )
        for what in ("sign in", "ask", "start a run", "start", "stop"):
            self._tell_outcomes(what)

    def _tell_outcomes(self, what: str) -> None:
        found = [o for s in self._people for o in s.outcomes if o.what == what]
        if found:
            slowest = max(outcome.seconds for outcome in found)
            said = dict(Counter(outcome.said for outcome in found))
            print(f"  {what}: {said}, at most {slowest:.1f} s", flush=True)

    def _note_recovery(self, fault: Fault, over: float) -> None:
        """Whether a new browser signs in, sees its month, starts and stops."""
        someone = self._people[0]
        if not _wait_for(lambda: self._is_well(someone)):
            self._toll.broken.append(f"{fault.name}: all is not well again")
            return
        self._toll.recovered += 1
        print(f"  all well after {time.monotonic() - over:.1f} s", flush=True)

    def _is_well(self, someone: Someone) -> bool:
        person = Person(self._hubyard.url, someone.name)
        page = person.sign_in()
        home = person.http.get("/hub/home")
        person.http.close()
        shows = page.is_success and "hy-month" in home.text
        if not (shows and all(p["healthy"] for p in self._hubyard.report())):
            return False
        someone.start_some()
        someone.stop_some()
        return True

    def _note_promises(self, fault: Fault) -> None:
        """Each must be kept, or come true."""
        for each in self._people:
            stopped = {p.server for p in each.promises if p.what is What.STOP}
            for promise in each.promises:
                is_stopped = promise.server in stopped
                if _wait_for(
                    lambda e=each, p=promise, s=is_stopped: is_kept(
                        p,
                        self._found(e, p),
                        stopped=s,
                        may_fail=not fault.spares_runs,
                    )
                ):
                    continue
                self._toll.lost[promise.what] += 1
                found = self._found(each, promise)
                self._toll.broken.append(f"{fault.name}: {promise} but {found}")

    def _found(self, someone: Someone, promise: Promise) -> Found:
        line = self._ledger.newest(promise.owner, promise.server)
        active = someone.active().get(promise.server, False)
        is_run = promise.server.startswith("run-")
        refusal = "" if line or is_run else someone.refusal(promise.server)
        run = someone.client.runs.get(promise.server[4:]) if is_run else None
        return Found(
            entry=line.entry if line else None,
            end=line.end if line else None,
            active=active,
            processes=_living(line.entry.id) if line else 0,
            run=run.status if run else None,
            failure=run.failure.message if run and run.failure else "",
            refusal=refusal,
        )


def _p95_ms(answers: list[Answer]) -> int:
    took = sorted(answer.ended - answer.began for answer in answers)
    return round(took[math.ceil(0.95 * len(took)) - 1] * 1000)


def _living(entry_id: str) -> int:
    """How many processes of a workload there are."""
    count = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            count += process.environ().get("HUBYARD_ENTRY") == entry_id
    return count


def _wait_for(holds: Callable[[], object]) -> bool:
    """Whether something comes true in time; what fails meanwhile is asked again."""
    end = time.monotonic() + RECOVERED_S
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError, HubyardError):
            if holds():
                return True
        time.sleep(_POLL_S)
    return False
