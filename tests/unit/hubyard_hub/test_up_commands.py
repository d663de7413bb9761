"""`hubyard up`, `status` and `down` where something is not as it should be."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hubyard.cli import main
from hubyard.contract.base import now
from hubyard_hub.up import commands
from hubyard_hub.up.report import ProcessReport, Report, Running
from support.patience import PATIENCE_S, SOON_S

# Says which signal it got, and ends by it only where it is told to.
SUPERVISOR = """
import signal, sys, time
def got(number, _):
    print(signal.Signals(number).name, flush=True)
    if sys.argv[1] == "ends": sys.exit()
for number in (signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, got)
print("up", flush=True)
while True: time.sleep(60)
"""


@pytest.fixture
def supervisor(tmp_path):
    """A process that stands for the supervisor of `tmp_path`."""
    started = []

    def start(how):
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, how], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "up\n"
        write_report(tmp_path, Running.of(process.pid))
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def write_report(state, supervisor, *processes):
    Report(
        supervisor=supervisor,
        url="http://127.0.0.1:8000",
        started_at=now(),
        processes=processes,
    ).save(state)


def test_status_shows_what_is_not_well_and_is_no_success(tmp_path, capsys):
    me = Running.of(os.getpid())
    hub = ProcessReport(name="hub", running=me, healthy=True, restarts=0)
    proxy = ProcessReport(name="proxy", running=None, healthy=False, restarts=4)
    write_report(tmp_path, me, hub, proxy)
    assert main(["status", "--state", str(tmp_path)]) == 3
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("Hubyard runs at http://127.0.0.1:8000 since ")
    assert lines == [
        f"  hub       well      process {me.pid}, restarted 0 times",
        "  proxy     not well  process -, restarted 4 times",
    ]
    assert main(["status", "--json", "--state", str(tmp_path)]) == 3


@pytest.mark.parametrize(
    ("options", "said"), [([], "SIGTERM\n"), (["--keep-workloads"], "SIGUSR1\n")]
)
def test_down_asks_the_supervisor_and_waits_for_its_end(
    tmp_path, supervisor, capsys, options, said
):
    process = supervisor("ends")
    assert main(["down", "--state", str(tmp_path), *options]) == 0
    assert capsys.readouterr().out == "Hubyard has stopped.\n"
    assert process.wait(0) == 0
    assert process.stdout.read() == said
    assert main(["down", "--state", str(tmp_path)]) == 0
    assert "nothing to stop" in capsys.readouterr().out


def test_down_does_not_wait_for_ever(tmp_path, supervisor, capsys, monkeypatch):
    monkeypatch.setattr(commands, "_PATIENCE_S", 0.3)
    process = supervisor("stays")
    began = time.monotonic()
    assert main(["down", "--state", str(tmp_path)]) == 1
    assert time.monotonic() - began < SOON_S
    said = capsys.readouterr().err
    assert said == f"hubyard: Process {process.pid} does not end: see logs.\n"
    assert process.poll() is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "config.json cannot be read"),
        ("[]", "config.json cannot be read"),
        ('{"port": 8000}', "config.json cannot be read ('catalogue')"),
    ],
)
def test_up_does_not_write_over_a_state_that_it_cannot_read(
    tmp_path, capsys, content, words
):
    kept = tmp_path / "config.json"
    kept.write_text(content)
    assert main(["up", "--state", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert said.endswith("mend or remove it.\n")
    assert said.count("\n") == 1
    assert kept.read_text() == content


def test_a_command_whose_reader_has_gone_still_does_its_work(tmp_path, supervisor):
    process = supervisor("ends")
    command = [sys.executable, "-m", "hubyard.cli", "down", "--state", str(tmp_path)]
    shut = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    shut.stdout.close()
    process.wait(PATIENCE_S)
    _, said = shut.communicate(timeout=PATIENCE_S)
    assert b"Traceback" not in said
    assert shut.returncode in {0, 128 + signal.SIGPIPE}
