"""After every module of tests: nothing that it started may still run."""

import os
import time

import psutil
import pytest

_PATIENCE_S = 10


def _descendants():
    return {child.pid: child for child in psutil.Process().children(recursive=True)}


def _marked():
    """Workloads that have left our tree: they still carry their ledger entry."""
    found = {}
    for process in psutil.process_iter():
        try:
            environ = process.environ()
        except (psutil.Error, OSError):
            continue
        if environ.get("HUBYARD_ENTRY") and process.pid != os.getpid():
            found[process.pid] = process
    return found


@pytest.fixture(autouse=True, scope="module")
def nothing_left_running():
    before = {**_descendants(), **_marked()}
    yield
    end = time.monotonic() + _PATIENCE_S
    while left := {**_descendants(), **_marked()}.keys() - before.keys():
        if time.monotonic() > end:
            names = [psutil.Process(pid).cmdline() for pid in left]
            pytest.fail(f"still running: {names}")
        time.sleep(0.1)
