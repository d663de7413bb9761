"""Usage: measured of real processes, each for the workload that it belongs to."""

import os
import subprocess
import sys
import time

import pytest

from hubyard_spawner.local.usage import Sampler, folder_bytes
from support.patience import until

SPIN = "import time; end = time.monotonic() + 60\nwhile time.monotonic() < end: pass"
SLEEP = "import time; x = bytearray(60_000_000); time.sleep(60)"
NEST = (
    "import subprocess, sys, time; child = subprocess.Popen("
    f"[sys.executable, '-c', {SPIN!r}]); time.sleep(60)"
)


@pytest.fixture
def start():
    started = []

    def begin(code):
        # In a session of its own, so that what it starts ends with it.
        process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        started.append(process)
        return process.pid

    yield begin
    for process in started:
        os.killpg(process.pid, 9)
        process.wait()


def test_each_workload_is_measured_with_what_it_has_started(start):
    shims = {"busy": start(NEST), "idle": start(SLEEP)}
    sampler = Sampler()
    time.sleep(1)
    assert sampler.measure(shims, {}) == {}, "one look tells nothing"

    def busy():
        time.sleep(1.5)
        found = sampler.measure(shims, {"idle": 12})
        return found["busy"].cores > 0.2 and found

    found = until(busy)
    assert found["idle"].cores < found["busy"].cores / 2
    assert found["idle"].memory_bytes > 50_000_000
    assert (found["idle"].disk_bytes, found["busy"].disk_bytes) == (12, None)
    assert 1 < found["busy"].since_s < 60


def test_what_has_ended_is_forgotten(start):
    shims = {"gone": start(SLEEP)}
    sampler = Sampler()
    sampler.measure(shims, {})
    assert sampler.measure({}, {}) == {}
    assert sampler.measure(shims, {}) == {}


def test_a_folder_is_as_large_as_its_files_and_follows_no_link(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "link").symlink_to("/")
    assert 100_000 <= folder_bytes(tmp_path) < 200_000
    assert folder_bytes(tmp_path / "none") == 0
    monkeypatch.setattr("hubyard_spawner.local.usage._MOST_FILES", 1)
    assert folder_bytes(tmp_path) is None
