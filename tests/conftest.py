"""What holds for all tests: what properties try, what is measured, what may be left.

After every module of tests nothing that it started may still run.
"""

import os
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from hubyard_hub.sandbox import LANES
from support import COVERAGE, needs

_PATIENCE_S = 30

# The check of a change answers the same twice; what breaks a property is looked for
# apart, and for longer: `make properties`.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("deep", max_examples=2000, deadline=None)
settings.load_profile("same")


def pytest_configure():
    """Measure workloads too, which are started with an environment of their own."""
    if COVERAGE in os.environ:
        measured = Path(__file__).parent / "support" / "measured.py"
        os.environ["HUBYARD_HUB_CONFIG"] = str(measured)


def pytest_sessionfinish(session, exitstatus):
    """Where `CI` is set, no test may be skipped for what could have been installed."""
    skipped = needs.INSTALLED & _not_run(session.config).keys()
    if "CI" in os.environ and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config):
    """The last lines: what could not be had, and what was therefore not run."""
    for need, count in _not_run(config).items():
        print(f"The machine lacks {need}: {count} skipped.")


def _not_run(config):
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    # A process of xdist's has none: what it skips is counted where all is counted.
    return needs.not_run(terminal.stats.get("skipped", ())) if terminal else {}


@pytest.fixture(autouse=True, scope="module")
def measured_or_not(request):
    """Journeys take long, and what they run is measured by other tests already."""
    before = os.environ.get(COVERAGE)
    journey = request.path.parent.name in {"browser", "security", "guides", "journeys"}
    if before is None or not journey:
        yield
        return
    del os.environ[COVERAGE]
    yield
    os.environ[COVERAGE] = before


def _descendants():
    return {child.pid: child for child in psutil.Process().children(recursive=True)}


def _workloads(folder):
    """Who has left our tree: workloads, and what a killed supervisor has left.

    They still work below our own folder.
    """
    found = {}
    for process in psutil.process_iter():
        try:
            told = process.environ()
        except (psutil.Error, OSError):
            continue
        places = (told.get("HUBYARD_SCRATCH", ""), told.get("HUBYARD_STATE", ""))
        below = any(place.startswith(str(folder)) for place in places)
        if below and process.pid != os.getpid():
            found[process.pid] = process
    return found


def _all_of(folder):
    return {**_descendants(), **_workloads(folder)}


@pytest.fixture(autouse=True, scope="module")
def nothing_left_running(tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    before = _all_of(folder)
    yield
    for lane in LANES:
        lane.close()
    end = time.monotonic() + _PATIENCE_S
    while left := (found := _all_of(folder)).keys() - before.keys():
        if time.monotonic() > end:
            pytest.fail(f"still running: {[found[pid] for pid in left]}")
        time.sleep(0.1)
