"""The verdict of `chaos-ledger`: the ledger beside what was seen from outside.

lost        workloads that the ledger does not know, and starts that came to nothing
duplicated  workloads that are paid for twice
open        entries that have no end once Hubyard has stopped
error_ppm   by how much the ledger's seconds are off, of all true seconds
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import psutil
from sqlalchemy import select

from chaos.ledger_lives import ENDS
from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard_hub.money.audit import audit
from hubyard_hub.money.lines import LINES, OLDEST_FIRST, read_lines
from hubyard_hub.store import Store
from hubyard_hub.store.tables import settlements
from hubyard_spawner.local.folder import Folder

if TYPE_CHECKING:
    from pathlib import Path

    from chaos.ledger_lives import Life
    from chaos.ledger_observer import Sight
    from hubyard_hub.money.lines import Line
    from support.running import Running

MOST_PPM = 10_000
EXACT_S = 1.0
"""How far an end that calls itself exact may be from the truth."""
EARLY_S = 0.1
"""How far the truth itself may be off, which an end may not come after."""
STARTING_S = 0.5
"""From an entry to its first process, on a busy machine: it is paid, and counts in
`error_ppm`, but says nothing of the end."""


@dataclass
class Verdict:
    """What was found."""

    workloads: int = 0
    kills: int = 0
    lost: int = 0
    duplicated: int = 0
    open: int = 0
    error_s: float = 0
    true_s: float = 0
    broken: list[str] = field(default_factory=list)

    @property
    def error_ppm(self) -> int:
        """The absolute errors of all workloads, of all their true seconds."""
        return round(1e6 * self.error_s / self.true_s) if self.true_s else 0

    def line(self) -> str:
        """The last line."""
        return (
            f"ledger workloads={self.workloads} kills={self.kills} lost={self.lost} "
            f"duplicated={self.duplicated} open={self.open} error_ppm={self.error_ppm}"
        )

    def close(self) -> None:
        """Name every bar that is broken."""
        bars = {"lost": self.lost, "duplicated": self.duplicated, "open": self.open}
        self.broken += [f"{count} {bar}" for bar, count in bars.items() if count]
        if self.error_ppm > MOST_PPM:
            self.broken.append(f"{self.error_ppm} ppm is above {MOST_PPM}")


def judge(
    hubyard: Running, lives: list[Life], sights: list[Sight], offset_s: int
) -> Verdict:
    """Hubyard has stopped: is all that was seen in its ledger, once, and right?

    Args:
        hubyard: what was under test.
        lives: what was asked for.
        sights: what was seen.
        offset_s: by how much its wall clock is off in the end.
    """
    verdict = Verdict(workloads=len(sights))
    store = Store(hubyard.settings.database_url)
    with store.read() as connection:
        lines = read_lines(connection, LINES.order_by(OLDEST_FIRST))
        costs = dict(connection.execute(select(*_COSTS)).all())
    moment = now() + timedelta(seconds=offset_s)
    faults = audit(store, hubyard.settings.workloads, moment).faults
    store.close()
    verdict.broken += [f"audit: {fault}" for fault in faults]
    verdict.broken += [f"{id_} costs {cost}" for id_, cost in costs.items() if cost < 0]
    verdict.broken += [f"still running: {p}" for p in left_of(hubyard)]
    _count(verdict, lives, sights, lines)
    by_id = {sight.entry_id: sight for sight in sights}
    for line in lines:
        _compare(verdict, line, by_id.get(line.entry.id))
    _check_reasons(verdict, lives, lines, hubyard.settings.workloads)
    _tell_errors(lines, by_id)
    verdict.close()
    return verdict


_COSTS = (settlements.c.entry_id, settlements.c.cost_micros)


def left_of(hubyard: Running) -> list[psutil.Process]:
    """Every process whose environment names this Hubyard's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            values = process.environ().values()
        except (psutil.Error, OSError):
            continue
        if any(str(hubyard.state) in value for value in values):
            found.append(process)
    return found


def _count(
    verdict: Verdict, lives: list[Life], sights: list[Sight], lines: list[Line]
) -> None:
    known = {line.entry.id for line in lines}
    unknown = [sight for sight in sights if sight.entry_id not in known]
    seen = {sight.server_name for sight in sights}
    unborn = [life.server for life in lives if life.server not in seen]
    verdict.lost = len(unknown) + len(unborn)
    verdict.broken += [f"not in the ledger: {sight}" for sight in unknown]
    verdict.broken += [f"asked for, and never began: {name}" for name in unborn]
    verdict.open = sum(line.end is None for line in lines)
    twice = [sight for sight in sights if len(sight.shims) != 1]
    verdict.broken += [f"not one shim for one entry: {sight}" for sight in twice]
    overlapping = [
        f"{before.server_name} ran twice at a time: {before} {after}"
        for before, after in _successive(sights)
        if before.over is None or before.over > after.started
    ]
    verdict.broken += overlapping
    verdict.duplicated = len(twice) + len(overlapping)


def _successive(sights: list[Sight]) -> list[tuple[Sight, Sight]]:
    ordered = sorted(sights, key=lambda sight: (sight.server_name, sight.started))
    return [
        (one, two)
        for one, two in pairwise(ordered)
        if one.server_name == two.server_name
    ]


def _compare(verdict: Verdict, line: Line, sight: Sight | None) -> None:
    """One entry's seconds with the true ones; one without a process has none."""
    if line.end is None:
        return
    name = f"{line.entry.server_name} ({line.entry.id})"
    said = (line.end.ended_at - line.entry.started_at).total_seconds()
    if sight is None:
        verdict.error_s += said
        if said:
            verdict.duplicated += 1
            verdict.broken.append(f"{name} had no process, and costs {said:.3f} s")
        return
    if sight.over is None:
        verdict.broken.append(f"{name} has an end, and runs: {sight}")
        return
    true, off = sight.seconds, said - sight.seconds
    verdict.true_s += true
    verdict.error_s += abs(off)
    told = f"{name} said {said:.3f} s, was {true:.3f} s, {line.end.reason}"
    if line.end.exact and not -EARLY_S <= off <= EXACT_S:
        verdict.broken.append(f"not exact: {told}")
    if not line.end.exact:
        latest = line.end.latest_at or line.end.ended_at
        bound = (latest - line.entry.started_at).total_seconds()
        if off > EARLY_S + STARTING_S or bound < true - EARLY_S:
            verdict.broken.append(f"out of bounds, at most {bound:.3f} s: {told}")


def _check_reasons(
    verdict: Verdict, lives: list[Life], lines: list[Line], folders: Path
) -> None:
    """The newest entry of each server says why it ended.

    A hub that is told to end during a start takes that start back, and says so.
    """
    newest = {line.entry.server_name: line for line in lines}
    for life in lives:
        line = newest.get(life.server)
        if line is None or line.end is None:
            continue
        wanted, told = ENDS[life.fate], line.end
        if told.reason is EndReason.START_FAILED and not life.killed:
            print(f"{life.server} was taken back while it started")
        elif told.reason is not wanted:
            words = Folder.of(folders, told.entry_id).tail(3)
            verdict.broken.append(f"{life.server} is not {wanted}: {told} {words}")
    counted = Counter(line.end.reason for line in lines if line.end)
    print("ends: " + ", ".join(f"{n} {reason}" for reason, n in counted.items()))


def _tell_errors(lines: list[Line], sights: dict[str, Sight]) -> None:
    """By how much each kind of end is off, for whoever wonders where it comes from."""
    off: dict[str, list[float]] = {}
    for line in lines:
        sight = sights.get(line.entry.id)
        if line.end and sight and sight.over:
            said = (line.end.ended_at - line.entry.started_at).total_seconds()
            word = f"{'' if line.end.exact else 'inexact '}{line.end.reason}"
            off.setdefault(word, []).append(said - sight.seconds)
    for word, each in sorted(off.items()):
        print(
            f"  {word}: {len(each)}, off by {min(each):+.3f} to {max(each):+.3f} s, "
            f"on average {sum(each) / len(each):+.3f} s"
        )
