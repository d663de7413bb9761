"""The supervisor's report: which process it means, and what a killed one has left."""

import json
import os
import subprocess

import psutil
import pytest

from hubyard.contract.base import now
from hubyard_hub.settings import STATE_VARIABLE
from hubyard_hub.up.report import ProcessReport, Report, Running


@pytest.fixture
def sleeper():
    """Starts processes as the supervisor does, each the first of a session."""
    started = []

    def start(state=None, **more):
        told = {STATE_VARIABLE: str(state), **more} if state else more
        process = subprocess.Popen(
            ["sleep", "60"], start_new_session=True, env={"PATH": "/bin", **told}
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def report_of(supervisor, *processes):
    return Report(
        supervisor=supervisor,
        url="http://127.0.0.1:8000",
        started_at=now(),
        processes=[
            ProcessReport(name=f"p{n}", running=each, healthy=True, restarts=0)
            for n, each in enumerate(processes)
        ],
    )


def ended(sleeper):
    process = sleeper()
    running = Running.of(process.pid)
    process.kill()
    process.wait()
    return running


def test_a_process_is_alive_until_it_has_ended(sleeper):
    process = sleeper()
    running = Running.of(process.pid)
    assert running.is_alive
    process.kill()
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert not running.is_alive  # nobody has asked how it ended yet
    process.wait()
    assert not running.is_alive


def test_a_later_process_of_the_same_id_is_another(sleeper):
    running = Running.of(sleeper().pid)
    earlier = Running(pid=running.pid, start_ticks=f"{int(running.start_ticks) - 1}")
    assert not earlier.is_alive


def test_a_report_counts_while_its_supervisor_lives(tmp_path, sleeper):
    assert Report.load(tmp_path) is None
    report_of(Running.of(os.getpid())).save(tmp_path)
    kept = Report.load(tmp_path)
    assert kept
    assert kept.supervisor.pid == os.getpid()
    report_of(ended(sleeper)).save(tmp_path)
    assert Report.load(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"supervisor": 7}', "\0"])
def test_a_report_that_cannot_be_read_is_none(tmp_path, content):
    (tmp_path / "up.json").write_text(content)
    assert Report.load(tmp_path) is None
    assert not Report.end_leftovers(tmp_path)


def test_a_newer_report_may_say_more(tmp_path):
    report_of(Running.of(os.getpid())).save(tmp_path)
    file = tmp_path / "up.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "mood": "fine"}))
    assert Report.load(tmp_path)


def test_what_a_killed_supervisor_has_left_is_ended_and_nothing_else(tmp_path, sleeper):
    ours, others = sleeper(tmp_path), sleeper(tmp_path / "another")
    unnamed, unlisted = sleeper(), sleeper(tmp_path)
    listed = [Running.of(process.pid) for process in (ours, others, unnamed)]
    report_of(ended(sleeper), *listed, None, ended(sleeper)).save(tmp_path)
    assert Report.end_leftovers(tmp_path)
    assert ours.wait(0) == -9
    assert [p.poll() for p in (others, unnamed, unlisted)] == [None] * 3
    assert not Report.end_leftovers(tmp_path)


def test_a_process_is_found_by_name_also_where_its_supervisor_was_killed(
    tmp_path, sleeper
):
    running, gone = Running.of(sleeper().pid), ended(sleeper)
    assert Report.pid(tmp_path, "p0") is None
    report_of(gone, running, gone, None).save(tmp_path)
    assert Report.pid(tmp_path, "p0") == running.pid
    for name in ("p1", "p2", "another"):
        assert Report.pid(tmp_path, name) is None


def test_what_shall_go_on_is_not_ended(tmp_path, sleeper):
    first, second = sleeper(tmp_path), sleeper(tmp_path)
    listed = [Running.of(process.pid) for process in (first, second)]
    report_of(ended(sleeper), *listed, ended(sleeper)).save(tmp_path)
    assert [each.running for each in Report.left(tmp_path)] == listed
    assert Report.end_leftovers(tmp_path, besides={first.pid})
    assert (first.poll(), second.wait(0)) == (None, -9)
    assert [each.running for each in Report.left(tmp_path)] == listed[:1]


def test_what_was_started_and_not_yet_reported_is_ended_too(tmp_path, sleeper):
    unreported = sleeper(tmp_path, HUBYARD_PROCESS="hub")
    report_of(ended(sleeper)).save(tmp_path)
    assert Report.end_leftovers(tmp_path)
    assert unreported.wait(0) == -9
