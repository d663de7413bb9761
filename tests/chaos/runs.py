"""Twelve ways in which a run goes wrong, several times each; is what is told true?

Nine concern the run alone, and are tried on a run process before the platform: its
kernel killed, an endless cell, a cell that ignores every signal and forks,
`sys.exit(0)`, a full disk, no kernelspec, a malformed notebook, ten thousand outputs, a
hundred megabytes of output. The others are tried in a whole Hubyard: memory that runs
out, the run's process or its shim killed, and hub and platform killed at once while
one run is half-way and another one was just asked for.

Each trial knows what has happened and holds status, reason, failing cell, the cells
that did not run and the kept notebook against it, and looks for processes that the run
has left. A notebook that cannot run must be refused before anything starts; and where
its source is replaced after that, the run must fail in words.

right              trials in which all of it is true
invalid_notebooks  kept notebooks that are missing or that nbformat refuses
processes_left     processes that live on after their run

Each trial has a line, and anything that is not right is an exit code of 1. The last
line:

    runs kinds=12 trials=<n> right=<n> invalid_notebooks=<n> processes_left=<n>

`--trials N` tries each kind so often; a release takes 20. `--only TEXT` tries the kinds
whose name holds that.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from chaos.run_cases import Kind
from chaos.run_trials import Alone, Trials, Whole
from support.cheap import profile
from support.memory_hub import MemoryHub
from support.running import running
from support.runs import served_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chaos.run_verdict import Verdict


@dataclass
class Toll:
    """What came of all trials."""

    kinds: int
    trials: int = 0
    right: int = 0
    invalid_notebooks: int = 0
    processes_left: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count one trial."""
        self.trials += 1
        self.right += verdict.is_right
        self.invalid_notebooks += verdict.invalid_notebooks
        self.processes_left += verdict.processes_left

    def line(self) -> str:
        """The last line."""
        return (
            f"runs kinds={self.kinds} trials={self.trials} right={self.right} "
            f"invalid_notebooks={self.invalid_notebooks} "
            f"processes_left={self.processes_left}"
        )


@contextlib.contextmanager
def places() -> Iterator[Trials]:
    """Both places, gone at the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone, whole = folder / "alone", folder / "whole"
        alone.mkdir()
        whole.mkdir()
        catalogue = folder / "compute.toml"
        catalogue.write_text('currency = "USD"\n' + profile("small", memory="1 GiB"))
        with (
            served_in(alone, MemoryHub()) as platform,
            running(folder, "--catalogue", str(catalogue)) as hubyard,
        ):
            yield Trials(Alone(alone, platform), Whole(whole, hubyard))


def chaos(kinds: Sequence[Kind], times: int) -> Toll:
    """Let each kind go wrong so often, in turn; what came of it."""
    toll = Toll(len(kinds))
    with places() as trials:
        for number in range(times):
            for kind in kinds:
                began = time.monotonic()
                verdict = trials.once(kind, number)
                toll.add(verdict)
                took_s = time.monotonic() - began
                said = "; ".join(verdict.faults) or "right"
                print(f"{kind}, {number + 1} of {times}, {took_s:.1f} s: {said}")
                sys.stdout.flush()
    return toll


def main() -> int:
    """Do it, and print the last line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=3, help="how often to try each")
    parser.add_argument("--only", default="", help="of the kinds whose name holds this")
    wishes = parser.parse_args()
    toll = chaos([kind for kind in Kind if wishes.only in kind], wishes.trials)
    print(toll.line())
    return 0 if toll.right == toll.trials else 1


if __name__ == "__main__":
    sys.exit(main())
