"""Lists of runs: what a list costs where the runs are large, and where they are small.

Two platforms, each with so many runs of one owner, half of which have not ended. At the
first each run has twenty steps of a thousand cells, at the second one step of one cell.
Each list is asked over HTTP, in turn, and so is the look that the reconciler takes each
second. Figures are medians. It asserts no time. Last line:

    lists runs=<n> cells=<of a run> list_ms=<the large ones' list>
        ratio=<large / small> bytes_ratio=<of the answers>
        look_ms=<of the reconciler> look_ratio=<large / small>

`--runs N`, `--steps N`, `--cells N` and `--rounds N` say how many.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from hubyard.contract.base import now
from hubyard.contract.run import (
    CellRecord,
    CellStatus,
    RunRecord,
    StepRecord,
    StepStatus,
)
from hubyard.contract.workload import Status
from hubyard_hub.reconcile.loop import Reconciler
from hubyard_hub.runs.record import keep_record
from support.memory_hub import MemoryHub
from support.runs import notebook_of, served_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.runs import ServedPlatform

OWNER = "ada"


@dataclass
class Place:
    """One platform and how long its answers take."""

    platform: ServedPlatform
    client: httpx.Client
    loop: Reconciler
    size_bytes: int = 0
    list_ms: list[float] = field(default_factory=list)
    look_ms: list[float] = field(default_factory=list)

    def once(self) -> None:
        """Ask for the list, and take a look."""
        self.list_ms.append(_took_ms(self._list))
        self.look_ms.append(_took_ms(self.loop.look_once))

    def _list(self) -> None:
        answer = self.client.get("/api/runs")
        assert answer.status_code == 200, answer.text
        self.size_bytes = len(answer.content)


def _took_ms(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


@contextlib.contextmanager
def place(folder: Path, runs: int, record: RunRecord) -> Iterator[Place]:
    """A platform with so many runs that have all said this of themselves."""
    folder.mkdir()
    with served_in(folder, MemoryHub()) as platform:
        first = platform.create(notebook_of("1"))
        detail = platform.detail(first)
        wish = {"source": detail.source, "notebook": detail.notebook}
        ids = [first]
        while len(ids) < runs:
            ids.append(platform.owner.post("/runs", json=wish).json()["id"])
        for number, id_ in enumerate(ids):
            said = record if number % 2 else _ended(record)
            platform.parts.store.atomically(
                lambda c, id_=id_, said=said: keep_record(c, id_, said)
            )
        bearer = {"Authorization": f"Bearer {OWNER}/"}
        with httpx.Client(base_url=platform.url, headers=bearer) as client:
            yield Place(platform, client, Reconciler(platform.parts))


def record_of(steps: int, cells: int) -> RunRecord:
    """The record of a run in its last cell."""
    done = {"status": CellStatus.SUCCEEDED, "started_at": now(), "ended_at": now()}
    its = tuple(CellRecord(index=number, **done) for number in range(cells))
    each = {"file": "train.ipynb", "status": StepStatus.RUNNING, "cells": its}
    names = (f"step-{number}" for number in range(steps))
    made = tuple(StepRecord(key=name, step=name, **each) for name in names)
    return RunRecord(revision=1, status=Status.RUNNING, started_at=now(), steps=made)


def _ended(record: RunRecord) -> RunRecord:
    ends = {"status": Status.SUCCEEDED, "ended_at": now()}
    return record.model_copy(update=ends)


def report(large: Place, small: Place, wishes: argparse.Namespace) -> None:
    """Print what was measured, and the last line."""
    median = statistics.median
    for name, each in (("large", large), ("small", small)):
        print(
            f"{name}: list {median(each.list_ms):.1f} ms, {each.size_bytes:,} bytes; "
            f"look {median(each.look_ms):.1f} ms"
        )
    print(
        f"cores={os.cpu_count()} load={os.getloadavg()[0]:.2f} rounds={wishes.rounds}"
    )
    print(
        f"lists runs={wishes.runs} cells={wishes.steps * wishes.cells} "
        f"list_ms={median(large.list_ms):.0f} "
        f"ratio={median(large.list_ms) / median(small.list_ms):.2f} "
        f"bytes_ratio={large.size_bytes / small.size_bytes:.2f} "
        f"look_ms={median(large.look_ms):.0f} "
        f"look_ratio={median(large.look_ms) / median(small.look_ms):.2f}"
    )


def main() -> None:
    """Measure, and say so."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--steps", type=int, default=20, help="of each large run")
    parser.add_argument("--cells", type=int, default=1000, help="of each step")
    parser.add_argument("--rounds", type=int, default=20)
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, tall = Path(name), record_of(wishes.steps, wishes.cells)
        with (
            place(folder / "large", wishes.runs, tall) as large,
            place(folder / "small", wishes.runs, record_of(1, 1)) as small,
        ):
            for each in (large, small):
                each.once()
                each.list_ms.clear()
                each.look_ms.clear()
            for _ in range(wishes.rounds):
                for each in (large, small):
                    each.once()
    report(large, small, wishes)


if __name__ == "__main__":
    main()
