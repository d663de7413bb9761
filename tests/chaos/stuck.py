"""Parts of a Hubyard that hang while five people sign in, start, stop and ask.

Each fault lasts for 20 or 30 s and is then over: see `stuck_faults`. A hub's own
requests are asked all the while at a steady rate, by a process that does nothing else.
When the fault is over, nobody but the people themselves does anything about it.

faults       how many there were
hub_p95_ms   of the requests to the hub that were asked during a fault, those of the
             worst fault; the hub's own database is told on a line of its own
starts_lost  starts that were answered 2xx and then forgotten: see `stuck_promises`
stops_lost   the same of stops
recovered    faults after which people sign in, start, stop and see their month again

Each promise that was broken has a line. The exit code is 1 where a start or a stop was
lost, a fault was not recovered from, or the hub's p95 is a second or more. The last
lines:

    hub-database hub_p95_ms=<n>
    stuck faults=<n> hub_p95_ms=<n> starts_lost=<n> stops_lost=<n> recovered=<n>

`--only NAME` is one fault. It takes root: the faults mount a disk and make a network.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from chaos.stuck_faults import Net, disk_in, far_cluster, faults
from chaos.stuck_people import PLAIN, REAL
from chaos.stuck_scene import Scene, Toll
from support.cheap import cheap, profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaos.stuck_faults import Fault

_PROGRAM = Path(__file__).with_name("ledger_program.py")
_PROFILES = [profile(PLAIN), profile(REAL, memory="1 GiB")]
P95_LIMIT_MS = 1000


def chaos(only: str | None) -> Toll:
    """Let all of it happen; what came of it."""
    toll = Toll()
    with Net() as net:
        on_postgres, on_sqlite = (
            [fault for fault in some if only in {None, fault.name}]
            for some in faults(net)
        )
        if on_postgres:
            with far_cluster(net) as server:
                _suffer(on_postgres, toll, "--database", server.url("hubyard"))
        if on_sqlite:
            _suffer(on_sqlite, toll)
    return toll


def _suffer(some: Sequence[Fault], toll: Toll, *arguments: str) -> None:
    """Start a Hubyard whose state has a disk of its own, and do this to it."""
    with (
        tempfile.TemporaryDirectory() as name,
        disk_in(Path(name) / "state"),
        cheap(Path(name), _PROFILES, str(_PROGRAM), arguments=arguments) as hubyard,
        contextlib.closing(Scene(hubyard, toll)) as scene,
    ):
        for fault in some:
            scene.suffer(fault)


def main() -> int:
    """Do it, and print the last line."""
    parser = argparse.ArgumentParser(description="Let parts hang; lose nothing.")
    parser.add_argument("--only", help="the name of one fault")
    toll = chaos(parser.parse_args().only)
    for promise in toll.broken:
        print(f"broken: {promise}")
    for line in toll.lines():
        print(line)
    return 0 if toll.is_good(P95_LIMIT_MS) else 1


if __name__ == "__main__":
    sys.exit(main())
