"""kill -9 of workloads, shims, hub and platform; then the ledger beside the truth.

More than a hundred workloads of all four kinds are started, live side by side, and end
in every way there is (see `ledger_lives`), while hub and platform are killed and
started again, Hubyard itself is killed and started on the same state, the wall clock
is set back by an hour and then half an hour ahead, and a stranger gets the process id
of a shim that was killed. How long each workload had a process is seen by an observer
of its own, which asks the kernel alone (see `ledger_observer`).

workloads  that had a process
kills      kill -9 of a workload, a shim, the hub, the platform or the supervisor
lost, duplicated, open, error_ppm   see `ledger_verdict`

Each promise that was broken has a line, and any is an exit code of 1. The last line:

    ledger workloads=<n> kills=<n> lost=<n> duplicated=<n> open=<n> error_ppm=<n>

`--workloads N` and `--seed N` choose other lives; the seed is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from chaos.ledger_lives import Lives, plan
from chaos.ledger_observer import Observer
from chaos.ledger_verdict import Verdict, judge
from chaos.ledger_world import OWNER, world_in
from hubyard.contract.entry import EndReason
from hubyard.contract.workload import Kind
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from support.wall_clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chaos.ledger_world import World
    from hubyard.contract.entry import Settlement
    from support.running import Running

PATIENCE_S = 120.0
PAUSE_S = (4.0, 10.0)
"""Between one kill of hub or platform and the next, with everything well."""
BACK_S, AHEAD_S = -3600, 1800
_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


@dataclass
class Killer:
    """What is done to hub, platform and clock while workloads come and go."""

    hubyard: Running
    rng: random.Random
    clock: WallClock | None
    kills: int = 0
    broken: list[str] = field(default_factory=list)

    def once(self) -> None:
        """Do one of it, and wait until all is well again."""
        name = self.rng.choice(["hub", "hub", "platform", "platform", "stop hub"])
        began = time.monotonic()
        if name == "stop hub":
            self._end("hub", signal.SIGTERM)
        else:
            self.kills += 1
            self._end(name, signal.SIGKILL)
        print(f"{name}: well after {time.monotonic() - began:.1f} s", flush=True)

    def supervisor(self) -> None:
        """kill -9 of `hubyard up`, and a second start on the same state."""
        self.kills += 1
        before = self.hubyard.settings
        self.hubyard.signal(signal.SIGKILL)
        self.hubyard.wait()
        self.hubyard.start()
        wait("all is well after a second start", self._is_well)
        print("supervisor: killed and started again", flush=True)
        after = self.hubyard.settings
        if after != before:
            self.broken.append(f"the second start made {before} into {after}")

    def kill_hub(self) -> None:
        """kill -9 of the hub."""
        self.kills += 1
        self._end("hub", signal.SIGKILL)

    def set_clock(self, offset_s: int) -> None:
        """Let Hubyard's wall clock jump, where there is one that can."""
        if self.clock is not None:
            self.clock.set(offset_s)
            print(f"clock: {offset_s:+} s from the truth", flush=True)

    def _end(self, name: str, how: signal.Signals) -> None:
        before = self.hubyard.pids()[name]
        os.kill(before, how)
        wait(
            f"{name} is well again",
            lambda: self.hubyard.pids().get(name) != before and self._is_well(),
        )

    def _is_well(self) -> bool:
        report = self.hubyard.report()
        return all(each["healthy"] and each["running"] for each in report)


def wait(what: str, holds: Callable[[], object]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"not within {PATIENCE_S:.0f} s: {what}")
        time.sleep(0.05)


def give_away_pid(world: World, observer: Observer, killer: Killer) -> list[str]:
    """kill -9 of a shim whose process id a stranger gets; what is wrong then.

    The hub that had started it is killed before, for it would keep the id in use; the
    one that found it again is held still until the id is given away.
    """
    server = world.start(Kind.WORKSPACE, "reused", "plain", 3600)
    wait("it has a shim", lambda: observer.of_server(server))
    (sight,) = observer.of_server(server)
    killer.kill_hub()
    with _held_still(killer.hubyard.pids()["hub"]):
        os.kill(sight.shims[0], signal.SIGKILL)
        killer.kills += 1
        stranger = _stranger(sight.shims[0])
    if stranger is None:
        print("process ids cannot be chosen here: their reuse is left out")
        return []
    store = Store(killer.hubyard.settings.database_url)
    try:
        wait("its end is known", lambda: _end(store, server))
        told, lives_on = _end(store, server), stranger.poll() is None
    finally:
        store.close()
        stranger.kill()
        stranger.wait()
    print(f"a stranger got the process id of a shim: {told and told.reason}")
    faults = [] if lives_on else ["a stranger with a shim's process id was killed"]
    if told is None or told.reason is not EndReason.KILLED or told.exact:
        faults.append(f"a killed shim whose process id was given away: {told}")
    return faults


@contextlib.contextmanager
def _held_still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _end(store: Store, server: str) -> Settlement | None:
    line = Ledger(store).newest(OWNER, server)
    return line.end if line else None


def _stranger(pid: int) -> subprocess.Popen[bytes] | None:
    """A process with an id that has just been let go; None: it cannot be had."""
    wait("the process id is free", lambda: not psutil.pid_exists(pid))
    for _ in range(100):
        try:
            _LAST_PID.write_text(str(pid - 1))
        except OSError:
            return None
        process = subprocess.Popen(["sleep", "600"])
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    return None


def chaos(
    seed: int, count: int, *, real: bool = True, supervisor: bool = True
) -> Verdict:
    """Live so many lives in a Hubyard that is killed in parts; the verdict.

    Args:
        seed: of all that is drawn by lot.
        count: how many lives.
        real: whether one of each kind is the real runtime.
        supervisor: whether to kill that too.
    """
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clock = WallClock.build(folder)
        with (
            world_in(folder, clock) as world,
            Observer(world.hubyard.state, folder / "seen") as observer,
        ):
            hubyard = world.hubyard
            killer = Killer(hubyard, rng, clock)
            lives = Lives(world, observer, plan(rng, count, real=real))
            _live(lives, killer, supervisor=supervisor)
            lives.broken += give_away_pid(world, observer, killer)
            hubyard.stop()
            wait("nothing runs any more", observer.all_over)
            offset_s = clock.offset_s if clock else 0
            verdict = judge(hubyard, lives.lives, observer.sights(), offset_s)
    verdict.kills = killer.kills + lives.kills
    verdict.broken += [*lives.broken, *killer.broken]
    return verdict


def _live(lives: Lives, killer: Killer, *, supervisor: bool) -> None:
    """Kill what keeps the lives, and set its clock, while they come and go."""
    count = len(lives.lives)
    turns = [
        (count * 3 // 4, lambda: killer.set_clock(BACK_S)),
        (count // 2, killer.supervisor if supervisor else lambda: None),
        (count // 3, lambda: killer.set_clock(AHEAD_S)),
    ]
    due = time.monotonic() + PAUSE_S[1]
    for left in lives.run():
        if turns and left <= turns[0][0]:
            turns.pop(0)[1]()
        elif time.monotonic() > due:
            killer.once()
            print(f"  {left} of {count} lives to come or under way", flush=True)
            due = time.monotonic() + killer.rng.uniform(*PAUSE_S)
        time.sleep(0.1)
    for _, turn in turns:
        turn()


def main() -> int:
    """Do it, and print the last line."""
    parser = argparse.ArgumentParser(description="Kill everything; bill it right.")
    parser.add_argument("--workloads", type=int, default=120, help="how many lives")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    wishes = parser.parse_args()
    print(f"seed={wishes.seed} lives={wishes.workloads}", flush=True)
    verdict = chaos(wishes.seed, wishes.workloads)
    for promise in verdict.broken:
        print(f"broken: {promise}")
    print(verdict.line())
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
