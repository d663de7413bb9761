"""What strangers send is read in a process that may be killed."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

import support
from hubyard.contract.errors import (
    HubyardError,
    Invalid,
    NotFound,
    TooLarge,
    TooOften,
    Unavailable,
)
from hubyard_hub.sandbox import Lane, Limits
from hubyard_hub.sandbox import lane as lane_module
from support.calls import (
    allocate,
    break_down,
    count,
    environment,
    refuse,
    spin,
    wait_for,
)
from support.patience import until

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = Limits(cpu_s=1, memory_bytes=100 * 2**20)


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lane]:
    monkeypatch.setenv("PYTHONPATH", str(Path(support.__file__).parents[1]))
    made = Lane("reading", SMALL, workers=2, per_person=3)
    yield made
    made.close()


# -- answers ---------------------------------------------------------------------------


def test_a_worker_answers_call_after_call(lane: Lane):
    first, second = lane.call("ada", os.getpid), lane.call("bob", os.getpid)
    assert first == second != os.getpid()


def test_a_public_error_crosses_whole(lane: Lane):
    with pytest.raises(Invalid, match=r"^No\.$") as caught:
        lane.call("ada", refuse, "notebook")
    assert caught.value.field == "notebook"


def test_any_other_error_is_ours_and_the_worker_goes_on(lane: Lane):
    first = lane.call("ada", os.getpid)
    with pytest.raises(HubyardError) as caught:
        lane.call("ada", break_down)
    assert type(caught.value) is HubyardError
    assert lane.call("ada", os.getpid) == first


def test_a_worker_is_given_no_secret(lane: Lane, monkeypatch: pytest.MonkeyPatch):
    for name in ("HUBYARD_STATE", "JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN"):
        monkeypatch.setenv(name, "secret")
    assert "secret" not in lane.call("ada", environment).values()


# -- limits ----------------------------------------------------------------------------


def test_a_call_that_spins_is_killed_and_the_next_one_answered(lane: Lane):
    first = lane.call("ada", os.getpid)
    with pytest.raises(TooLarge, match="more than 1 s or 100 MiB"):
        lane.call("ada", spin)
    assert lane.call("ada", os.getpid) != first
    assert not psutil.pid_exists(first)


def test_a_call_gets_so_much_memory_and_no_more(lane: Lane):
    assert lane.call("ada", allocate, 50 * 2**20) == 50 * 2**20
    with pytest.raises(TooLarge, match="make it smaller"):
        lane.call("ada", allocate, 200 * 2**20)


def test_a_worker_that_has_grown_is_replaced(lane: Lane):
    first = lane.call("ada", os.getpid)
    lane.call("ada", allocate, 90 * 2**20)
    assert lane.call("ada", os.getpid) != first


def test_a_worker_that_somebody_kills_is_replaced(lane: Lane, tmp_path: Path):
    go = tmp_path / "go"
    idle = psutil.Process(lane.call("ada", os.getpid))
    idle.kill()
    until(lambda: idle.status() == psutil.STATUS_ZOMBIE, "it has ended")
    # Nobody's call is too large because a worker that waited for it is gone.
    busy = psutil.Process(lane.call("ada", os.getpid))
    assert busy.pid != idle.pid
    with ThreadPoolExecutor() as threads:
        held = threads.submit(lane.call, "ada", wait_for, go)
        until(go.with_suffix(".begun").exists, "the call began")
        busy.kill()
        with pytest.raises(TooLarge):
            held.result()
    lane.call("ada", os.getpid)


def test_workers_end_with_the_lane(lane: Lane):
    worker = psutil.Process(lane.call("ada", os.getpid))
    lane.close()
    assert not worker.is_running()


# -- turns -----------------------------------------------------------------------------


def test_one_person_never_holds_the_last_worker(lane: Lane, tmp_path: Path):
    go = tmp_path / "go"
    with ThreadPoolExecutor() as threads:
        held = [threads.submit(lane.call, "ada", wait_for, go) for _ in range(3)]
        until(go.with_suffix(".begun").exists, "the first call began")
        assert lane.call("bob", os.getpid)
        with pytest.raises(TooOften, match="reading much already"):
            until_refused(lane)
        go.touch()
        assert [each.result() for each in held] == ["go"] * 3


def until_refused(lane: Lane) -> None:
    """Ada has three calls in hand, once the threads of all have begun."""
    until(lambda: lane._in_hand["ada"] == 3, "three calls are in hand")
    lane.call("ada", os.getpid)


def test_many_people_do_not_take_all_threads(
    lane: Lane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lane_module, "MOST_WAITING", 2)
    go = tmp_path / "go"
    with ThreadPoolExecutor() as threads:
        held = [threads.submit(lane.call, who, wait_for, go) for who in ("ada", "bob")]
        until(lambda: lane._in_hand.total() == 2, "two calls are in hand")
        with pytest.raises(Unavailable, match="try again"):
            lane.call("cy", os.getpid)
        go.touch()
        assert [each.result() for each in held] == ["go"] * 2


# -- what is remembered ----------------------------------------------------------------


def test_of_a_key_a_worker_is_asked_once(lane: Lane, tmp_path: Path):
    path = tmp_path / "calls"
    barrier = threading.Barrier(3)

    def ask() -> int:
        barrier.wait()
        return lane.call_once("key", "ada", count, path)

    with ThreadPoolExecutor() as threads:
        said = [each.result() for each in [threads.submit(ask) for _ in range(3)]]
    assert said == [1, 1, 1]
    assert lane.call_once("other", "ada", count, path) == 2


def test_a_refusal_is_not_remembered(lane: Lane, tmp_path: Path):
    with pytest.raises(Invalid):
        lane.call_once("key", "ada", refuse, "field")
    assert lane.call_once("key", "ada", count, tmp_path / "calls") == 1


def test_what_is_known_already_needs_no_worker(lane: Lane):
    lane.remember("key", NotFound.status)
    assert lane.call_once("key", "ada", os.getpid) == 404


def test_the_oldest_is_forgotten_first(lane: Lane, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lane_module, "_REMEMBERED_BYTES", 2500)
    for key in ("a", "b", "a", "c"):
        lane.remember(key, "x" * 1000)
    assert lane.call_once("a", "ada", str.upper, "new") == "x" * 1000
    assert lane.call_once("b", "ada", str.upper, "new") == "NEW"
