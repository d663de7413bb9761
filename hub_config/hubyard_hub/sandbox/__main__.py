"""A worker's own process: answers calls one after the other, within its limits.

python -m hubyard_hub.sandbox DESCRIPTOR CPU_S MEMORY_BYTES    serve one parent
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import pickle
import resource
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hubyard.contract.errors import HubyardError
from hubyard_hub.sandbox.call import Answer, Limits, too_much

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG = logging.getLogger(__name__)

_READERS = ("hubyard_hub.sources.comparison", "hubyard_hub.sources.definition")
_SPARE_BYTES = 64 * 2**20
"""A worker that has needed so much more than at its start is replaced."""


def serve(link: Connection, limits: Limits) -> None:
    """Answer calls until the parent is gone."""
    base = _peak_bytes()
    _limit_memory(limits)
    with contextlib.suppress(EOFError, OSError):
        while True:
            call = link.recv_bytes()
            _limit_cpu(limits)
            answer = _answer(call, limits)
            is_spent = _peak_bytes() - base > _SPARE_BYTES
            link.send_bytes(pickle.dumps(answer._replace(is_spent=is_spent)))


def _answer(call: bytes, limits: Limits) -> Answer:
    try:
        function, arguments = cast(
            "tuple[Callable[..., object], tuple[object, ...]]",
            pickle.loads(call),  # noqa: S301  the parent wrote it
        )
        return Answer(pickle.dumps(function(*arguments)))
    except HubyardError as error:
        return Answer.refused(error)
    except (MemoryError, RecursionError):
        return Answer.refused(too_much(limits))
    except Exception:  # noqa: BLE001  the loop's edge: the next call is another's
        _LOG.exception("A call in the sandbox failed")
        return Answer.refused(HubyardError())


def _limit_memory(limits: Limits) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + limits.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        # Where memory runs out, this ends before anybody's work.
        Path("/proc/self/oom_score_adj").write_text("900")


def _limit_cpu(limits: Limits) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_s
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


def _peak_bytes() -> int:
    """The most memory that this program held; `ru_maxrss` begins with its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main() -> None:
    """Serve the parent that holds the other end of a descriptor."""
    descriptor, cpu_s, memory_bytes = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl+C is for the parent
    for name in _READERS:
        importlib.import_module(name)  # before the first call waits for it
    limits = Limits(cpu_s=cpu_s, memory_bytes=memory_bytes)
    with Connection(descriptor) as link:
        serve(link, limits)


if __name__ == "__main__":
    main()
