"""What waits is answered together; what breaks breaks alone."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass

import pytest

from hubyard.contract.errors import Unavailable
from hubyard_runtime.endpoint import batcher
from hubyard_runtime.endpoint.batcher import Batcher
from support.patience import PATIENCE_S


@dataclass(frozen=True)
class Ask:
    value: int
    layout: str | None = "one"
    rows: int = 1


class Held:
    """A model that answers tenfold, and only once it is let go."""

    def __init__(self):
        self.calls = []
        self.started = threading.Event()
        self.go = threading.Event()

    def __call__(self, jobs):
        self.calls.append([job.value for job in jobs])
        self.started.set()
        assert self.go.wait(PATIENCE_S)
        for job in jobs:
            if job.value in RAISED:
                raise RAISED[job.value]
        return [job.value * 10 for job in jobs]


RAISED = {91: ValueError("bad"), 92: SystemExit(0), 93: StopIteration()}


async def until(true):
    while not true():  # noqa: ASYNC110  the other side is a thread
        await asyncio.sleep(0.001)


async def waiting(model, *jobs, **options):
    """A batcher whose model is busy with a first job, and the jobs that wait then."""
    asking = Batcher(model, lambda job: job.layout, **options)
    busy = asyncio.create_task(asking.ask(Ask(0)))
    await until(model.started.is_set)
    tasks = [asyncio.create_task(asking.ask(job)) for job in jobs]
    await until(lambda: asking.waiting == len(jobs))
    return asking, [busy, *tasks]


async def asked(model, *jobs):
    """The answers to jobs that come while the model is busy."""
    _, tasks = await waiting(model, *jobs)
    model.go.set()
    return (await asyncio.gather(*tasks, return_exceptions=True))[1:]


def test_all_that_wait_are_answered_by_one_call():
    model = Held()
    answers = asyncio.run(asked(model, *map(Ask, range(1, 17))))
    assert answers == [n * 10 for n in range(1, 17)]
    assert model.calls == [[0], list(range(1, 17))]


def test_a_lone_job_does_not_wait():
    model = Held()
    model.go.set()
    asking = Batcher(model, lambda job: job.layout)
    assert asyncio.run(asking.ask(Ask(4))) == 40


def test_layouts_do_not_mix_and_none_starves():
    model = Held()
    jobs = [Ask(1), Ask(2, "two"), Ask(3), Ask(4, None), Ask(5, "two"), Ask(6, None)]
    answers = asyncio.run(asked(model, *jobs))
    assert answers == [10, 20, 30, 40, 50, 60]
    assert model.calls == [[0], [1, 3], [2, 5], [4], [6]]


def test_a_batch_is_bounded_by_its_rows():
    model = Held()
    half = batcher.MOST_ROWS // 2
    jobs = [Ask(n, rows=half) for n in range(1, 4)] + [Ask(4, rows=10 * half)]
    asyncio.run(asked(model, *jobs))
    assert model.calls == [[0], [1, 2], [3], [4]]


@pytest.mark.parametrize("bad", RAISED)
def test_one_bad_job_does_not_spoil_the_others(bad):
    model = Held()
    first, broken, last = asyncio.run(asked(model, Ask(1), Ask(bad), Ask(2)))
    assert (first, last) == (10, 20)
    assert type(RAISED[bad]).__name__ in repr(broken)
    assert model.calls == [[0], [1, bad, 2], [1], [bad], [2]]


def test_who_went_away_is_not_answered():
    model = Held()

    async def main():
        _, (busy, gone, stays) = await waiting(model, Ask(1), Ask(2))
        gone.cancel()
        await asyncio.sleep(0)
        model.go.set()
        return await busy, await stays

    assert asyncio.run(main()) == (0, 20)
    assert model.calls == [[0], [2]]


def test_a_call_that_never_ends_keeps_nobody_waiting(monkeypatch):
    monkeypatch.setattr(batcher, "LONGEST_CALL_S", 1)
    model = Held()
    told = []

    async def main():
        asking, tasks = await waiting(model, Ask(1), on_stuck=lambda: told.append(1))
        assert not asking.is_stuck
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert asking.is_stuck
        with pytest.raises(Unavailable):
            await asking.ask(Ask(2))
        return answers

    answers = asyncio.run(main())
    model.go.set()
    assert [type(answer) for answer in answers] == [Unavailable] * 2
    assert told == [1]


def test_many_calls_may_together_take_longer_than_one(monkeypatch):
    monkeypatch.setattr(batcher, "LONGEST_CALL_S", 1)

    def slow(jobs):
        time.sleep(0.15)
        if len(jobs) > 1:
            raise ValueError
        return [jobs[0].value]

    async def main():
        asking = Batcher(slow, lambda job: job.layout)
        return await asyncio.gather(*(asking.ask(Ask(n)) for n in range(10)))

    assert asyncio.run(main()) == [*range(10)]


def test_too_many_are_told_to_come_again(monkeypatch):
    monkeypatch.setattr(batcher, "MOST_WAITING", 3)
    model = Held()

    async def main():
        asking, tasks = await waiting(model, *map(Ask, range(1, 4)))
        with pytest.raises(Unavailable, match="try again"):
            await asking.ask(Ask(4))
        model.go.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [0, 10, 20, 30]


def test_who_went_away_takes_no_place(monkeypatch):
    monkeypatch.setattr(batcher, "MOST_WAITING", 3)
    model = Held()

    async def main():
        asking, (busy, *gone) = await waiting(model, *map(Ask, range(1, 4)))
        for task in gone:
            task.cancel()
        await asyncio.sleep(0)
        assert asking.waiting == 0
        stays = asyncio.create_task(asking.ask(Ask(4)))
        await until(lambda: asking.waiting == 1)
        model.go.set()
        return await busy, await stays

    assert asyncio.run(main()) == (0, 40)
    assert model.calls == [[0], [4]]
