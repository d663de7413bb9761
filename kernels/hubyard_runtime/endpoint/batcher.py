"""A batcher: one thread that calls the model, with all the jobs that wait by then.

Nobody waits for a batch to fill: an idle thread takes a job at once. While it is busy
others queue up, and the next call takes all of one layout together. A call costs a
model about as much for sixteen rows as for one, so a busy endpoint gets quicker.

stuck  a call takes so long that it will never end; no thread can be ended from outside,
       so nobody is answered any more until another process has taken over
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from hubyard.contract.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

MOST_WAITING = 1000
"""Jobs that may wait; who comes then is told to come again."""
MOST_ROWS = 256
"""Rows of one joined batch; a job with more of them goes alone."""
LONGEST_CALL_S = 60.0
"""A call of the model that takes longer never ends."""


class Job(Protocol):
    """What is asked of the model."""

    @property
    def rows(self) -> int:
        """How much of a batch it takes."""
        ...


JobT = TypeVar("JobT", bound=Job)
AnswerT = TypeVar("AnswerT")


@dataclass(slots=True)
class _Waiting(Generic[JobT, AnswerT]):
    job: JobT
    layout: Hashable
    future: asyncio.Future[AnswerT]


class Batcher(Generic[JobT, AnswerT]):
    """Asked from one event loop; answers from one thread."""

    def __init__(
        self,
        run: Callable[[Sequence[JobT]], Sequence[AnswerT]],
        layout: Callable[[JobT], Hashable],
        on_stuck: Callable[[], None] = lambda: None,
    ) -> None:
        """Start the thread.

        Args:
            run: called in the thread, for jobs of one layout; one answer for each.
            layout: equal for jobs that one call may answer; None: this one goes alone.
            on_stuck: called once a call has taken too long, from the loop.
        """
        self._run = run
        self._layout = layout
        self._on_stuck = on_stuck
        self.is_stuck = False
        self._queue = deque[_Waiting[JobT, AnswerT]]()
        self._busy = False
        self._batch: list[_Waiting[JobT, AnswerT]] = []
        """What the thread works on."""
        self._began = 0.0
        """When the present call of the model began, by the monotonic clock."""
        self._is_watched = False
        self._work = SimpleQueue[
            tuple[asyncio.AbstractEventLoop, list[_Waiting[JobT, AnswerT]]]
        ]()
        Thread(target=self._serve, name="predict", daemon=True).start()

    @property
    def waiting(self) -> int:
        """Jobs that no call has taken yet, and whose clients are still there."""
        return sum(not waiting.future.done() for waiting in self._queue)

    @property
    def is_busy(self) -> bool:
        """Whether a job that comes now may have to wait."""
        return self._busy

    async def ask(self, job: JobT) -> AnswerT:
        """The answer to a job; raises what `put` does and what its future carries."""
        return await self.put(job)

    def put(self, job: JobT) -> asyncio.Future[AnswerT]:
        """The answer to a job, or whatever the model raises for it, once there is one.

        Nothing is computed for a future that is cancelled before its turn has come.

        Raises:
            Unavailable: too many wait, or a call is stuck.
        """
        if self.is_stuck:
            raise _stuck()
        if len(self._queue) >= MOST_WAITING:
            self._queue = deque(w for w in self._queue if not w.future.done())
        if len(self._queue) >= MOST_WAITING:
            raise Unavailable(
                f"{MOST_WAITING} requests wait for this model; try again in a moment."
            )
        loop = asyncio.get_running_loop()
        future: asyncio.Future[AnswerT] = loop.create_future()
        self._queue.append(_Waiting(job, self._layout(job), future))
        if not self._busy:
            self._busy = True
            # Whatever else this turn of the loop has read joins the batch.
            loop.call_soon(self._next, loop)
        return future

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._batch = batch = self._take()
        self._busy = bool(batch)
        if not batch:
            return
        self._began = time.monotonic()
        self._work.put((loop, batch))
        if not self._is_watched:
            self._watch(loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look again when the present call will have taken too long."""
        self._is_watched = self._busy
        if not self._busy:
            return
        left_s = self._began + LONGEST_CALL_S - time.monotonic()
        if left_s > 0:
            loop.call_later(left_s, self._watch, loop)
        else:
            self._give_up()

    def _give_up(self) -> None:
        """Answer all who wait: the thread never will."""
        self.is_stuck = True
        for waiting in (*self._batch, *self._queue):
            if not waiting.future.done():
                waiting.future.set_exception(_stuck())
        self._on_stuck()

    def _take(self) -> list[_Waiting[JobT, AnswerT]]:
        """The first that waits, and all of its layout that still fit."""
        batch: list[_Waiting[JobT, AnswerT]] = []
        others = deque[_Waiting[JobT, AnswerT]]()
        rows = 0
        for waiting in self._queue:
            if waiting.future.done():
                continue  # its client went away
            rows_with = rows + waiting.job.rows
            if not batch or (_alike(batch[0], waiting) and rows_with <= MOST_ROWS):
                batch.append(waiting)
                rows = rows_with
            else:
                others.append(waiting)
        self._queue = others
        return batch

    def _serve(self) -> None:
        while True:
            loop, batch = self._work.get()
            answers = self._answers([waiting.job for waiting in batch])
            with suppress(RuntimeError):  # the loop has closed: nobody waits any more
                loop.call_soon_threadsafe(self._done, loop, batch, answers)

    def _answers(self, jobs: Sequence[JobT]) -> list[AnswerT | Exception]:
        self._began = time.monotonic()
        try:
            return list(self._run(jobs))
        except BaseException as error:  # noqa: BLE001  the model's own code
            if len(jobs) == 1:
                return [_carried(error)]
            # One bad job must not spoil the others' answers.
            return [self._answers([job])[0] for job in jobs]

    def _done(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[_Waiting[JobT, AnswerT]],
        answers: list[AnswerT | Exception],
    ) -> None:
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.future.done():
                continue
            if isinstance(answer, Exception):
                waiting.future.set_exception(answer)
            else:
                waiting.future.set_result(answer)
        self._next(loop)


def _stuck() -> Unavailable:
    return Unavailable(
        f"The model has worked on one call for more than {LONGEST_CALL_S:g} s and "
        "holds up all others; it is started again: try again in a moment."
    )


def _alike(one: _Waiting[JobT, AnswerT], other: _Waiting[JobT, AnswerT]) -> bool:
    return one.layout is not None and one.layout == other.layout


def _carried(error: BaseException) -> Exception:
    """The error, in a form that a future can carry without ending the process."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    carried = RuntimeError(f"it raised {type(error).__name__}")
    carried.__cause__ = error
    return carried
