"""How much of each room the tests have run; says what is below the bar, and fails.

Reads what `make test` has measured: statements and branches, of every process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from fnmatch import fnmatch

ENOUGH = 90
"""Percent of a room."""

ROOMS = (
    "kernels/hubyard",
    "kernels/hubyard_runtime",
    "spawner/hubyard_spawner",
    "hub_config/hubyard_hub",
    "lab_extension/hubyard_lab",
)
WHOLE = (
    "kernels/hubyard/contract/*.py",
    "spawner/hubyard_spawner/catalogue.py",
    "spawner/hubyard_spawner/estimate.py",
    "spawner/hubyard_spawner/lifetime.py",
    "spawner/hubyard_spawner/meter.py",
    "spawner/hubyard_spawner/options.py",
    "hub_config/hubyard_hub/money/ledger.py",
    "hub_config/hubyard_hub/money/prices.py",
    "hub_config/hubyard_hub/money/reservation.py",
    "hub_config/hubyard_hub/money/spending.py",
    "hub_config/hubyard_hub/schedules/core.py",
    "hub_config/hubyard_hub/schedules/cron.py",
    "hub_config/hubyard_hub/schedules/files.py",
    "hub_config/hubyard_hub/schedules/triggers.py",
)
"""The contract, and the arithmetic of prices, budgets, the ledger and schedules."""


def measured() -> dict[str, dict]:
    """What coverage.py knows of each file, by its path."""
    # Not imported: this file would be found under that name.
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("Nothing was measured: run `make test` first.")
    return json.loads(done.stdout)["files"]


def percent(files: list[dict]) -> float:
    """How much of some files was run, branches counted like statements."""
    every = [file["summary"] for file in files]
    can = sum(each["num_statements"] + each["num_branches"] for each in every)
    did = sum(each["covered_lines"] + each["covered_branches"] for each in every)
    return 100 * did / can if can else 0


def missing(file: dict) -> str:
    """Which lines and branches of a file were not run."""
    lines = [str(number) for number in file["missing_lines"]]
    branches = [f"{a}->{b if b > 0 else 'exit'}" for a, b in file["missing_branches"]]
    return ", ".join([*lines, *branches])


def main() -> None:
    """Print a line for each room, and one for each breach."""
    files, breaches = measured(), []
    for room in ROOMS:
        reached = percent(
            [f for path, f in files.items() if path.startswith(f"{room}/")]
        )
        print(f"{room.rpartition('/')[2]:<16} {reached:5.1f} %")
        if reached < ENOUGH:
            breaches.append(f"{room}: {reached:.1f} %, and {ENOUGH} % are asked for")
    for pattern in WHOLE:
        found = {path: f for path, f in files.items() if fnmatch(path, pattern)}
        if not found:
            breaches.append(f"{pattern}: no test runs it")
        for path, file in found.items():
            if left_out := missing(file):
                breaches.append(f"{path}: no test runs {left_out}")
    sys.exit("\n".join(breaches) or None)


if __name__ == "__main__":
    main()
