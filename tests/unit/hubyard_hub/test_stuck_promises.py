"""The judge of `chaos-stuck`: what was answered and then forgotten counts as lost."""

from datetime import timedelta

import pytest

from chaos.stuck_promises import Found, Promise, What, is_kept
from hubyard.contract.entry import EndReason, Settlement
from hubyard.contract.workload import Status
from support.lines import START, entry

ENTRY = entry()
END = Settlement(
    entry_id=ENTRY.id,
    ended_at=START + timedelta(minutes=1),
    exact=True,
    reason=EndReason.STOPPED,
)
LIVES = Found(entry=ENTRY, active=True, processes=2)
GONE = Found(entry=ENTRY, end=END)


def kept(what, server, found, *, stopped=False, brief=False):
    return is_kept(Promise(what, "ana", server, brief=brief), found, stopped=stopped)


@pytest.mark.parametrize(
    ("found", "is_true"),
    [
        (LIVES, True),
        (GONE, True),
        (Found(), False),
        (Found(refusal="no"), True),
        (Found(entry=ENTRY, active=True, processes=0), False),
        (Found(entry=ENTRY, active=False, processes=2), False),
        (Found(entry=ENTRY), False),
        (Found(entry=ENTRY, end=END, active=True), False),
    ],
)
def test_a_workspace_that_was_started_is_there_or_its_owner_knows_why_not(
    found, is_true
):
    assert kept(What.START, "workspace-1", found) is is_true


@pytest.mark.parametrize(
    ("found", "is_true"),
    [
        (GONE, True),
        (Found(), True),
        (LIVES, False),
        (Found(entry=ENTRY, end=END, processes=1), False),
        (Found(entry=ENTRY, end=END, active=True), False),
        (Found(entry=ENTRY), False),
        (Found(entry=ENTRY, end=END, run=Status.RUNNING), False),
        (Found(entry=ENTRY, end=END, run=Status.STOPPED), True),
    ],
)
def test_what_was_stopped_is_gone_and_on_record(found, is_true):
    assert kept(What.STOP, "run-1", found) is is_true


@pytest.mark.parametrize(
    ("status", "end", "brief", "stopped", "is_true"),
    [
        (Status.SUCCEEDED, END, True, False, True),
        (Status.FAILED, END, True, False, False),
        (Status.PENDING, None, True, False, False),
        (Status.STOPPED, END, False, True, True),
        (Status.RUNNING, None, False, True, False),
    ],
)
def test_a_run_that_was_started_succeeds_or_is_stopped(
    status, end, brief, stopped, is_true
):
    found = Found(entry=ENTRY, end=end, run=status)
    assert kept(What.START, "run-1", found, brief=brief, stopped=stopped) is is_true
    none = Found()
    assert kept(What.START, "run-1", none, brief=brief, stopped=stopped) is False


@pytest.mark.parametrize(
    ("failure", "may_fail", "is_true"),
    [
        ("No space is left on the disk: free some.", True, True),
        ("", True, False),
        ("No space is left on the disk: free some.", False, False),
    ],
)
def test_a_run_may_fail_of_a_full_disk_if_it_says_so(failure, may_fail, is_true):
    found = Found(entry=ENTRY, end=END, run=Status.FAILED, failure=failure)
    promise = Promise(What.START, "ana", "run-1", brief=True)
    assert is_kept(promise, found, stopped=False, may_fail=may_fail) is is_true
