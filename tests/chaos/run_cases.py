"""Cases: what goes wrong in a run, and what must be told of it.

kind  one of the twelve; a trial tries it once
case  one way in which a kind comes about; trials take them in turn
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hubyard.contract.run import CellStatus, FailureReason
from support.runs import notebook_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbformat import NotebookNode

S, F, N = CellStatus.SUCCEEDED, CellStatus.FAILED, CellStatus.NOT_RUN
BEFORE, LATER = "print('before')", "print('later')"
_MOST_OUTPUTS = 1002
_MOST_BYTES = 11 * 10**6


class Kind(StrEnum):
    """What goes wrong."""

    KERNEL_KILLED = "kernel killed"
    OUT_OF_MEMORY = "out of memory"
    ENDLESS = "endless cell"
    STUBBORN = "cell that ignores signals and forks"
    EXIT = "sys.exit(0)"
    DISK_FULL = "disk full"
    NO_KERNELSPEC = "no kernelspec"
    MALFORMED = "malformed notebook"
    MANY_OUTPUTS = "10,000 outputs"
    LARGE_OUTPUT = "100 MB output"
    RUN_KILLED = "run process killed"
    HUB_AND_PLATFORM_KILLED = "hub and platform killed"


@dataclass(frozen=True)
class Case:
    """A notebook whose second cell goes wrong, and the truth about its run."""

    second: str
    reason: FailureReason | None
    """None: it succeeds all the same."""
    cells: tuple[CellStatus, ...] = (S, F, N)
    cell: int | None = 1
    cell_timeout_s: int | None = None
    is_saved: bool = True
    """Whether the kept notebook says of each cell how it ended."""
    faults: Callable[[NotebookNode], list[str]] = lambda _: []
    """What else is wrong with the kept notebook."""

    @property
    def sources(self) -> list[str]:
        """The notebook's cells."""
        return [BEFORE, self.second, LATER]


# What a kernel sends just before it dies may never leave it: give it a moment.
_DYING = "import ctypes, os, time; time.sleep(0.2)\n"


def _dies(how: str) -> Case:
    return Case(_DYING + how, FailureReason.KERNEL_DIED)


def _exits(how: str) -> Case:
    return Case(how, FailureReason.CELL_EXIT)


def _endless(cell: str) -> Case:
    return Case(cell, FailureReason.CELL_TIMEOUT, cell_timeout_s=2)


_STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
daemon = "import os, time\\nif os.fork(): os._exit(0)\\nos.setsid()\\ntime.sleep(600)"
for _ in range(2):
    subprocess.Popen([sys.executable, "-c", daemon]).wait()
while True:
    try: time.sleep(600)
    except BaseException: pass
"""

# The first cell's output is saved while the second one waits.
_FILLS = """
import time; time.sleep(2.5)
with open("/dev/zero", "rb") as zero, open("big", "wb", 0) as big:
    while True: big.write(zero.read(4096))
"""
_FILLS_SILENTLY = f"""
try:
    {_FILLS.strip().replace(chr(10), chr(10) + "    ")}
except OSError: pass
print("z" * 100_000)
"""


def _show_many(notebook: NotebookNode) -> list[str]:
    outputs = notebook.cells[1].outputs
    wrong = []
    if len(outputs) > _MOST_OUTPUTS:
        wrong.append(f"{len(outputs)} outputs are kept")
    if not any("truncated" in str(output) for output in outputs):
        wrong.append("no note says that outputs were left out")
    return wrong


def _show_all_lines(notebook: NotebookNode) -> list[str]:
    text = "".join(output.get("text", "") for output in notebook.cells[1].outputs)
    return [] if text.split()[-1:] == ["9999"] else ["the last line is not kept"]


def _show_much(notebook: NotebookNode) -> list[str]:
    text = "".join(output.get("text", "") for output in notebook.cells[1].outputs)
    if len(text) <= _MOST_BYTES and "truncated" in text[-200:]:
        return []
    return [f"{len(text)} bytes are kept, and end with {text[-80:]!r}"]


def _succeeds(second: str, faults: Callable[[NotebookNode], list[str]]) -> Case:
    return Case(second, None, (S, S, S), None, faults=faults)


ALONE: dict[Kind, tuple[Case, ...]] = {
    Kind.KERNEL_KILLED: (
        _dies("os.kill(os.getpid(), 9)"),
        _dies("os._exit(0)"),
        _dies("ctypes.string_at(0)"),
    ),
    Kind.ENDLESS: (
        _endless("while True: pass"),
        _endless("import time; time.sleep(600)"),
        _endless("import subprocess; subprocess.run(['sleep', '600'])"),
    ),
    Kind.STUBBORN: (Case(_STUBBORN, FailureReason.CELL_TIMEOUT, cell_timeout_s=3),),
    Kind.EXIT: (
        _exits("import sys; sys.exit(0)"),
        _exits("exit()"),
        _exits("raise SystemExit"),
    ),
    Kind.DISK_FULL: (
        Case(_FILLS, FailureReason.NO_SPACE, is_saved=False),
        Case(_FILLS_SILENTLY, FailureReason.NO_SPACE, (S, S, S), None, is_saved=False),
    ),
    Kind.MANY_OUTPUTS: (
        _succeeds(
            "from IPython.display import display\nfor i in range(10_000): display(i)",
            _show_many,
        ),
        _succeeds(
            "for i in range(10_000): print(i, flush=True)",
            _show_all_lines,
        ),
    ),
    Kind.LARGE_OUTPUT: (
        _succeeds("for _ in range(100): print('x' * 1_000_000)", _show_much),
        _succeeds("print('x' * 100_000_000)", _show_much),
    ),
}
"""What concerns the run's own process alone."""

OUT_OF_MEMORY = Case(
    "import time; time.sleep(3)\n"
    "kept = []\nwhile True: kept.append(bytearray(b'x' * 10**7))",
    FailureReason.OUT_OF_MEMORY,
    is_saved=False,  # where limits are soft, the run goes with its kernel
)
RUN_KILLED = Case("while True: pass", FailureReason.KILLED, is_saved=False)


@dataclass(frozen=True)
class Refused:
    """A file that is refused before anything starts; past that, its run fails."""

    content: bytes
    reasons: tuple[FailureReason, ...]
    """The door's reason and the runner's own."""


def _malformed(content: bytes) -> Refused:
    return Refused(content, (FailureReason.START_FAILED, FailureReason.BAD_NOTEBOOK))


def _written_in(language: str) -> Refused:
    content = notebook_of("1", language=language)
    return Refused(content, (FailureReason.START_FAILED, FailureReason.NO_KERNEL))


REFUSED: dict[Kind, tuple[Refused, ...]] = {
    Kind.NO_KERNELSPEC: tuple(map(_written_in, ("R", "julia", "no such language"))),
    Kind.MALFORMED: (
        _malformed(b'{"cells": ['),
        _malformed('{"cells": [], "title": "Größe"}'.encode("latin-1")),
        _malformed(b'{"cells": [], "metadata": {}, "nbformat": 3}'),
        _malformed(b'{"cells": [{}], "metadata": {}, "nbformat": 4}'),
        _malformed(b""),
    ),
}
