"""Small notebooks: our runner beside papermill, in turn, in one run.

A batch is twenty notebooks of five cells each, trivial ones or ones that import numpy,
pandas and scikit-learn. It is executed by us, as the steps of one run, from the start
of its process to its end and with all that is handed in; by the `papermill` command,
twenty times in sequence; and by papermill in a process that has imported it and has
executed one already. Figures are the medians of all rounds; of both kinds of notebook,
the worse one. Last line:

    runs papermill_cli_ratio=<the command / ours>
        papermill_inprocess_ratio=<the warm process / ours>
        step_overhead_ms=<of our time on all cores, what no cell took, by notebook>

`--rounds N` and `--notebooks N` say how many.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from hubyard.contract.workload import Status
from support.memory_hub import MemoryHub
from support.runs import RunProcess, notebook_of, served_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hubyard.contract.run import CellRecord
    from support.runs import ServedPlatform

PARALLEL = os.cpu_count() or 1
LONGEST_S = 1800.0
_PIPELINE = "pipelines/batch.yml"
PEERS = COMMAND, WARM = "command", "warm process"
_TRIVIAL = ("total = sum(range(10))", "total += 1", "print(total)", "total")
KINDS = {
    "trivial": notebook_of("import os", *_TRIVIAL),
    "imports": notebook_of(
        "import numpy, pandas\nfrom sklearn.linear_model import LinearRegression",
        *_TRIVIAL,
    ),
}
_WARM = """
import sys, time
import papermill

def execute(notebook):
    papermill.execute_notebook(
        notebook, notebook + ".out", kernel_name="python3", progress_bar=False
    )

execute(sys.argv[1])
began = time.perf_counter()
for notebook in sys.argv[1:]:
    execute(notebook)
print(time.perf_counter() - began)
"""


@dataclass
class Batch:
    """The same notebook so many times, and what each way of executing them took."""

    kind: str
    count: int
    folder: Path
    platform: ServedPlatform
    seconds: dict[str, list[float]] = field(default_factory=dict)
    overheads_ms: list[float] = field(default_factory=list)

    def round(self) -> None:
        """Execute them in every way."""
        ways: dict[str, Callable[[], float]] = {
            "ours": self._by_us,
            COMMAND: self._by_command,
            WARM: self._in_warm_process,
        }
        for name, way in ways.items():
            took_s = way()
            self.seconds.setdefault(name, []).append(took_s)
            print(f"{self.kind}: {name} {took_s:.2f} s", flush=True)

    def ratio(self, peer: str) -> float:
        """The peer's time by ours."""
        median = statistics.median
        return median(self.seconds[peer]) / median(self.seconds["ours"])

    @property
    def overhead_ms(self) -> float:
        """What a notebook costs beyond its cells."""
        return statistics.median(self.overheads_ms)

    def _by_us(self) -> float:
        began = time.perf_counter()
        notebook = KINDS[self.kind]
        in_cells_s = execute(self.platform, self.folder, notebook, self.count)
        took_s = time.perf_counter() - began
        beyond_s = took_s * PARALLEL - in_cells_s
        self.overheads_ms.append(1000 * beyond_s / self.count)
        return took_s

    def _by_command(self) -> float:
        command = str(Path(sys.executable).with_name("papermill"))
        notebooks = self._files()
        began = time.perf_counter()
        for notebook in notebooks:
            _call(command, notebook, f"{notebook}.out", "--kernel", "python3")
        return time.perf_counter() - began

    def _in_warm_process(self) -> float:
        return float(_call(sys.executable, "-c", _WARM, *self._files()))

    def _files(self) -> list[str]:
        files = [self.folder / f"{number}.ipynb" for number in range(self.count)]
        for file in files:
            file.write_bytes(KINDS[self.kind])
        return list(map(str, files))


def execute(
    platform: ServedPlatform, folder: Path, notebook: bytes, count: int
) -> float:
    """How we start a batch: the steps of one run. Gives the seconds in their cells."""
    names = [f"n{number}" for number in range(count)]
    steps = {name: {"notebook": f"{name}.ipynb"} for name in names}
    files = {f"{name}.ipynb": notebook for name in names}
    files[_PIPELINE] = json.dumps({"steps": steps}).encode()
    id_ = platform.create(notebook, files=files, notebook=_PIPELINE)
    process = RunProcess(id_, folder / id_, platform, {"CPU_LIMIT": str(PARALLEL)})
    process.start()
    try:
        process.wait(LONGEST_S)
    finally:
        process.end()
    ended = platform.detail(id_)
    assert ended.status is Status.SUCCEEDED, f"{ended.failure}\n{process.log()}"
    return sum(map(_took_s, ended.cells))


def _took_s(cell: CellRecord) -> float:
    assert cell.started_at
    assert cell.ended_at
    return (cell.ended_at - cell.started_at).total_seconds()


def _call(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def report(batches: Sequence[Batch], rounds: int) -> None:
    """Print what was measured, and the last line."""
    print(
        f"cores={PARALLEL} load={os.getloadavg()[0]:.2f} rounds={rounds} "
        f"papermill={version('papermill')} ipykernel={version('ipykernel')}"
    )
    for batch in batches:
        for peer in PEERS:
            print(f"{batch.kind}: {batch.ratio(peer):.2f} x as fast as {peer}")
        print(f"{batch.kind}: {batch.overhead_ms:.0f} ms a notebook beyond its cells")
    command, warm = (min(b.ratio(peer) for b in batches) for peer in PEERS)
    overhead_ms = max(batch.overhead_ms for batch in batches)
    print(
        f"runs papermill_cli_ratio={command:.2f} papermill_inprocess_ratio={warm:.2f} "
        f"step_overhead_ms={overhead_ms:.0f}"
    )


def main() -> None:
    """Measure, and say so."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--notebooks", type=int, default=20, help="of each kind")
    wishes = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served_in(folder, MemoryHub()) as platform:
            batches = [
                Batch(kind, wishes.notebooks, folder, platform) for kind in KINDS
            ]
            for _ in range(wishes.rounds):
                for batch in batches:
                    batch.round()
    report(batches, wishes.rounds)


if __name__ == "__main__":
    main()
