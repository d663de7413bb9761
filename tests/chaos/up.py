"""kill -9 of all that `hubyard up` runs, one after the other, while it is in use.

Ana has an endpoint, which is asked thirty times a second through the proxy, and a run,
which is half-way at every kill. First the hub is killed while it starts a second run;
then each of the four processes in turn, and once more in the reverse order; then the
supervisor, which is started again on the same state; then, of two runs of their own,
the process and the shim. In the end every cell of the first two runs must have run
once, every run and every entry of the ledger must have its end, and no process may be
left.

A request may fail only while the proxy is away: from its kill to the first answer after
it, which is at most twice what a proxy takes to start alone, measured right before each
kill. A supervisor that is killed costs no request: what it has left serves on, and its
second start adopts it. Of all requests at most 4 % may fail.

kills        processes that were killed
requests     what was asked of the endpoint
failed       requests that were not answered with 200
runs_lost    runs whose record is not what happened to them
ledger_open  entries of the ledger without an end, once Hubyard has stopped

Each promise that was broken has a line, and any is an exit code of 1. The last line:

    chaos-up kills=<n> requests=<n> failed=<n> runs_lost=<n> ledger_open=<n>

`--rounds N` kills each of the four N times before the reverse order.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from chaos.aftermath import (
    check_ledger,
    check_processes,
    check_tracking,
    count_requests,
    finish_runs,
    stop_endpoint,
)
from chaos.scene import FOUR, STEADY_S, Scene, Toll
from support.running import running

if TYPE_CHECKING:
    from collections.abc import Sequence


def chaos(
    processes: Sequence[str], *, supervisor: bool = True, pace_s: float = 2.0
) -> Toll:
    """Start a Hubyard, use it, kill it in parts; what came of it.

    Args:
        processes: which of the four to kill, in turn.
        supervisor: whether to kill that too.
        pace_s: how long a cell of the run takes.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder) as hubyard:
            scene = Scene(hubyard, folder, pace_s)
            with scene.load:
                time.sleep(STEADY_S)
                scene.kill_at_birth(folder)
                for process in processes:
                    scene.kill(process)
                if supervisor:
                    scene.kill_supervisor()
                for what in ("process", "shim"):
                    scene.kill_run(what)
                finish_runs(scene)
                check_tracking(scene)
            stop_endpoint(scene)
        count_requests(scene)
        check_ledger(scene)
        check_processes(scene)
    return scene.toll


def main() -> int:
    """Do it, and print the last line."""
    parser = argparse.ArgumentParser(description="Kill everything; lose nothing.")
    parser.add_argument(
        "--rounds", type=int, default=1, help="how often to kill each of the four"
    )
    rounds = parser.parse_args().rounds
    toll = chaos([*FOUR * rounds, *reversed(FOUR)])
    for promise in toll.broken:
        print(f"broken: {promise}")
    print(toll.line())
    return 1 if toll.broken else 0


if __name__ == "__main__":
    sys.exit(main())
