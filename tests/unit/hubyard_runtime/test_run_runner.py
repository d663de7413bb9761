"""A run that never gets as far as its kernel: it ends with the truth all the same."""

from __future__ import annotations

import errno
import json
import logging
import threading
import time
from multiprocessing import forkserver, resource_tracker

import pytest

from hubyard.contract.entry import EndReason
from hubyard.contract.errors import Forbidden, Invalid, NotFound, Unavailable
from hubyard.contract.pipeline import StepPlan
from hubyard.contract.run import FailureReason, RunJob, StepRecord
from hubyard.contract.workload import Status
from hubyard_runtime.run import handin
from hubyard_runtime.run import runner as module
from hubyard_runtime.run.folder import Folder
from hubyard_runtime.run.patience import Patience
from hubyard_runtime.run.runner import Runner
from hubyard_runtime.run.system import tree
from support.patience import PATIENCE_S, SOON_S

JOB = RunJob(
    run_id="r1",
    name="n",
    notebook="a.ipynb",
    source="0" * 64,
    parameters={},
    steps=(StepPlan(name="a", file="a.ipynb"),),
)
NOTEBOOK = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


class Platform:
    """Takes every record; what a test needs of it goes wrong."""

    def __init__(self):
        self.records = []

    def job(self, shape):
        return JOB

    def job_source(self, into):
        (into / "a.ipynb").write_text(NOTEBOOK)

    def put_record(self, record):
        self.records.append(record)

    def put_file(self, kind, key, file):
        raise AssertionError("there is nothing to hand in")


class KnowsNoJob(Platform):
    def job(self, shape):
        raise NotFound("There is no such run, or it is not yours.")


class SendsNonsense(Platform):
    def job(self, shape):
        raise KeyError("run_id")


class SendsHalf(Platform):
    def job_source(self, into):
        (into / "a.ipynb").write_text("{")


class FillsTheDisk(Platform):
    def job_source(self, into):
        raise OSError(errno.ENOSPC, "No space left on device")


class FillsTheDiskAsTheClientTellsIt(FillsTheDisk):
    def job_source(self, into):
        try:
            super().job_source(into)
        except OSError:
            raise Invalid("This source cannot be unpacked.") from None


class IsDown(Platform):
    def __init__(self):
        super().__init__()
        self.asked = threading.Event()

    def job(self, shape):
        self.asked.set()
        raise Unavailable("The platform does not answer.")

    def put_record(self, record):
        raise Unavailable("The platform does not answer.")


@pytest.fixture(autouse=True)
def others_orphans(monkeypatch):
    """The tests' own process adopts nobody, and ends nobody."""
    monkeypatch.setattr(tree, "adopt_orphans", lambda: None)
    monkeypatch.setattr(tree, "end_adopted", lambda _: None)


@pytest.fixture(autouse=True, scope="module")
def no_fork_server():
    """A run's own process takes it along when it ends; the tests' goes on."""
    yield
    forkserver._forkserver._stop()
    resource_tracker._resource_tracker._stop()


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def ended(platform, scratch):
    runner = Runner(platform, scratch)
    runner.run()
    assert platform.records[-1] == runner.record
    return runner


@pytest.mark.parametrize(
    ("platform", "reason", "words"),
    [
        (KnowsNoJob(), FailureReason.START_FAILED, "There is no such run"),
        (SendsNonsense(), FailureReason.START_FAILED, "mistake of Hubyard (KeyError)"),
        (FillsTheDisk(), FailureReason.NO_SPACE, "No space is left"),
        (FillsTheDiskAsTheClientTellsIt(), FailureReason.NO_SPACE, "No space is left"),
        (SendsHalf(), FailureReason.BAD_NOTEBOOK, "a.ipynb is not JSON (line 1)."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Platform) else "",
)
def test_what_kept_a_run_from_its_first_cell_is_on_record(
    scratch, platform, reason, words
):
    runner = ended(platform, scratch)
    assert runner.record.status is Status.FAILED
    assert runner.record.failure.reason is reason
    assert words in runner.record.failure.message
    assert runner.exit_code == 1


def test_only_a_mistake_of_ours_leaves_its_traceback_in_the_log(scratch, caplog):
    ended(KnowsNoJob(), scratch)
    assert "Traceback" not in caplog.text
    ended(SendsNonsense(), scratch)
    assert "Traceback" in caplog.text
    assert "KeyError: 'run_id'" in caplog.text


def test_a_run_that_is_stopped_while_it_asks_for_its_job_ends_within_seconds(
    scratch, caplog, monkeypatch
):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(module, "_LAST_S", 1.0)
    platform = IsDown()
    runner = Runner(platform, scratch)
    running = threading.Thread(target=runner.run)
    running.start()
    assert platform.asked.wait(PATIENCE_S)
    runner.stop()
    runner.stop()
    running.join(SOON_S)
    assert not running.is_alive()
    assert runner.record.status is Status.STOPPED
    assert runner.record.failure is None
    assert caplog.text.count("is being stopped") == 1
    assert "The last record was not handed in." in caplog.text


@pytest.mark.parametrize(
    ("deadline", "reason"),
    [
        ("0", FailureReason.LIFETIME),
        ("0 budget", FailureReason.BUDGET),
        ("9e9", None),
        ("9e99", None),
        ("soon", None),
        ("0 never", None),
        (None, None),
    ],
)
def test_a_run_whose_lifetime_was_over_says_so(scratch, deadline, reason):
    if deadline is not None:
        (scratch.parent / "deadline").write_text(deadline)
    runner = Runner(Platform(), scratch)
    runner.stop()
    runner.run()
    failure = runner.record.failure
    assert runner.record.status is (Status.FAILED if reason else Status.STOPPED)
    assert (failure and failure.reason) == reason


@pytest.mark.parametrize("set_s", [-86_400, 86_400])
@pytest.mark.parametrize("left_s", [-5, 60])
def test_whoever_sets_the_clock_ends_no_lifetime(scratch, set_s, left_s):
    """The time of day at the entry was another one than today's clock would say."""
    began = time.time() + set_s
    clock = {"began": began, "monotonic": time.monotonic(), "machine": "this"}
    (scratch.parent / "clock.json").write_text(json.dumps(clock))
    (scratch.parent / "deadline").write_text(f"{began + left_s} lifetime")
    runner = Runner(Platform(), scratch)
    runner.stop()
    runner.run()
    over = left_s < 0
    assert (runner.record.failure is not None) is over


@pytest.mark.parametrize("clock", ["", "{}", "[]", '{"began": null, "monotonic": 1}'])
def test_without_a_clock_of_the_entry_the_time_of_day_holds(scratch, clock):
    (scratch.parent / "clock.json").write_text(clock)
    (scratch.parent / "deadline").write_text("0 lifetime")
    assert Folder(scratch).own_end() is EndReason.LIFETIME


class RefusesFiles(Platform):
    def put_file(self, kind, key, file):
        raise Forbidden("This run has ended long ago.")


class LosesFiles(Platform):
    def put_file(self, kind, key, file):
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        (RefusesFiles(), "This run has ended long ago."),
        (LosesFiles(), "Input/output error."),
    ],
)
def test_a_notebook_that_is_not_taken_does_not_keep_the_run(
    tmp_path, caplog, monkeypatch, platform, words
):
    """And where it is large, a stopped run has no time to make its report."""
    monkeypatch.setattr(handin, "_QUICK_BYTES", 0)
    (tmp_path / "notebook.ipynb").write_text(NOTEBOOK)
    patience = Patience(SOON_S)
    patience.stop()
    told = []
    handing = handin.HandIn(
        platform.put_file, patience, lambda *ended: told.append(ended)
    )
    handing.add(StepRecord(key="a", step="a", file="a.ipynb"), tmp_path)
    handing.finish()
    assert [folder for _, folder in told] == [tmp_path]
    assert f"The notebook of a was not handed in: {words}" in caplog.text
    assert not (tmp_path / "report.html").exists()
