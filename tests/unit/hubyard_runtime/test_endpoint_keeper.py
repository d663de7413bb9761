"""A keeper over small real processes: what it replaces, when, and what it does not."""

import errno
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from hubyard_runtime.endpoint.keeper import LONGEST_PAUSE_S, Keeper
from support.patience import until

GONE = psutil.STATUS_ZOMBIE

PULSES = "import os, sys; os.write(int(sys.argv[2]), b'3\\n5\\n');"


@pytest.fixture(autouse=True)
def own_signals():
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Pauses(threading.Event):
    """Takes no time, and stops the keeper after some."""

    def __init__(self, most):
        super().__init__()
        self.taken, self._most = [], most

    def wait(self, timeout=None):
        self.taken.append(timeout)
        if len(self.taken) == self._most:
            self.set()
        return self.is_set()


def keeper(code, pauses=1, **more):
    made = Keeper([sys.executable, "-c", code], **more)
    made._stopping = Pauses(pauses)
    return made


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("import sys; sys.exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", 137),
        ("pass", 0),
    ],
)
def test_a_worker_that_has_never_served_ends_the_endpoint_with_its_own_code(
    code, ended
):
    made = keeper(code)
    assert made.run() == ended
    assert made._stopping.taken == []


def test_one_that_has_served_is_replaced_at_once_and_then_after_longer_pauses(capfd):
    made = keeper(f"{PULSES} print(*sys.argv[3:]); sys.exit(1)", pauses=8)
    assert made.run() == 0
    assert made._stopping.taken == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert LONGEST_PAUSE_S == 30.0
    out, err = capfd.readouterr()
    assert out.splitlines()[:2] == [
        "--replaced 0 --requests 0",
        "--replaced 1 --requests 5",
    ]
    assert "The model's worker has ended with exit code 1; another starts.\n" in err
    assert "another starts in 16 s." in err


def test_one_that_cannot_come_up_again_is_tried_again(tmp_path):
    # The first serves and ends; those after it end before they serve.
    been = f"from pathlib import Path; been = Path({str(tmp_path / 'been')!r});"
    code = f"{been} been.exists() and exit(2); been.touch(); {PULSES}"
    made = keeper(code, pauses=3)
    assert made.run() == 0
    assert made._stopping.taken == [0.0, 1.0, 2.0]


def test_a_machine_without_room_for_another_process_ends_no_endpoint(
    monkeypatch, capfd
):
    starts, popen = [], subprocess.Popen

    def has_room_for_one(command, **named):
        starts.append(command)
        if len(starts) > 1:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        return popen(command, **named)

    monkeypatch.setattr(subprocess, "Popen", has_room_for_one)
    made = keeper(f"{PULSES} exit(1)", pauses=3)
    assert made.run() == 0
    assert len(starts) == 3
    said = "The model's worker cannot start (Cannot allocate memory); another starts"
    assert said in capfd.readouterr().err


def test_what_a_worker_has_started_goes_with_it(capfd):
    left = "import subprocess; p = subprocess.Popen(['sleep', '600']); print(p.pid);"
    keeper(f"{PULSES} {left}").run()
    left = int(capfd.readouterr().out)
    until(lambda: not psutil.pid_exists(left) or psutil.Process(left).status() == GONE)


def test_a_pulse_that_stops_ends_the_worker(capfd):
    hold = "import time, faulthandler; faulthandler.enable(); time.sleep(600)"
    made = keeper(f"{PULSES} {hold}", longest_silence_s=0.1)
    assert made.run() == 0
    err = capfd.readouterr().err
    assert "The model's worker was ended by SIGABRT" in err
    assert "most recent call first" in err


def test_a_signal_without_a_name_ends_no_keeper(capfd):
    made = keeper(f"{PULSES} os.kill(os.getpid(), 40)")
    assert made.run() == 0
    assert "The model's worker was ended by signal 40" in capfd.readouterr().err


STOPPED_AT_EACH_LINE = """
import sys
from hubyard_runtime.endpoint.keeper import Keeper

def stop_at(line):
    keeper, passed = Keeper([]), 0

    def trace(frame, *_):
        nonlocal passed
        passed += 1
        if passed == line:
            sys.settrace(None)
            keeper.stop()
        return trace

    sys.settrace(trace)
    keeper._stopping.wait(0.01)
    sys.settrace(None)

for line in range(1, 50):
    stop_at(line)
"""


def test_a_signal_that_interrupts_a_pause_anywhere_ends_it():
    # A handler runs between any two lines of the thread that it interrupts.
    command = [sys.executable, "-c", STOPPED_AT_EACH_LINE]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0
