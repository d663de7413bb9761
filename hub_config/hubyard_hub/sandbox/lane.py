"""A lane: several workers, and who waits for one of them.

No person holds the last free worker, or more than a few places in the queue: whatever
one person sends, another's call begins at once or next.
"""

from __future__ import annotations

import atexit
import pickle
import threading
from collections import Counter, OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from hubyard.contract.errors import TooOften, Unavailable
from hubyard_hub.sandbox.call import too_much
from hubyard_hub.sandbox.worker import Gone, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable

    from hubyard_hub.sandbox.call import Limits

P = ParamSpec("P")
T = TypeVar("T")

MOST_WAITING = 24
"""Fewer than the threads that answer requests: some are always left for others."""
_REMEMBERED_BYTES = 16 * 2**20
_LARGEST_REMEMBERED_BYTES = 2 * 2**20


class Lane:
    """May be used from many threads."""

    def __init__(
        self, name: str, limits: Limits, *, workers: int, per_person: int = 16
    ) -> None:
        """Nothing is started yet.

        Args:
            name: what it does, as a refusal says it.
            limits: of one call.
            workers: how many processes there are at most.
            per_person: how many calls of one person run or wait; more are refused.
        """
        self.limits, self.per_person, self._name = limits, per_person, name
        self._most = workers
        self._free: list[Worker] = []
        self._running: Counter[str] = Counter()
        self._in_hand: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._memory = _Memory()
        atexit.register(self.close)

    def call(
        self, person: str, function: Callable[P, T], *args: P.args, **_: P.kwargs
    ) -> T:
        """What a function says that a worker calls for a person.

        Raises:
            HubyardError: what the function raises, where that is public.
            TooLarge: it needs more time or memory than it may.
            TooOften: this person has too many calls in hand already.
            Unavailable: too many people have.
        """
        with self._place_of(person):
            return cast("T", pickle.loads(self._answer(person, function, args)))  # noqa: S301  our own worker wrote it

    def call_once(
        self,
        key: Hashable,
        person: str,
        function: Callable[P, T],
        *args: P.args,
        **_: P.kwargs,
    ) -> T:
        """As `call`, for a function that always says the same of a key.

        Of many who ask at once, one waits for a worker; what it said is remembered.
        """
        said = self._memory.get(key)
        if said is None:
            with self._place_of(person), self._memory.alone(key):
                said = self._memory.get(key) or self._answer(person, function, args)
                self._memory.put(key, said)
        return cast("T", pickle.loads(said))  # noqa: S301  the same

    def remember(self, key: Hashable, value: object) -> None:
        """Keep what `call_once` would say of a key, where it is known already."""
        self._memory.put(key, pickle.dumps(value))

    def start(self) -> None:
        """Have one worker ready for the first call."""
        with self._worker_for("") as worker:
            del worker

    def close(self) -> None:
        """End the workers that nobody uses."""
        with self._changed:
            free, self._free = self._free, []
        for worker in free:
            worker.end()

    def _answer(
        self, person: str, function: Callable[..., object], args: tuple[object, ...]
    ) -> bytes:
        with self._worker_for(person) as worker:
            answer = worker.ask(pickle.dumps((function, args)))
            if answer.is_spent:
                worker.end()
        return answer.content()

    @contextmanager
    def _place_of(self, person: str) -> Generator[None]:
        """Count a call, or refuse it before it takes a thread for long."""
        with self._changed:
            if self._in_hand[person] >= self.per_person:
                raise TooOften(f"You are {self._name} much already: wait a moment.")
            if self._in_hand.total() >= MOST_WAITING:
                raise Unavailable(f"Many people are {self._name} now: try again.")
            self._in_hand[person] += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_hand -= Counter({person: 1})

    @contextmanager
    def _worker_for(self, person: str) -> Generator[Worker]:
        """A worker for one call; one that is gone is not put back."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_room(person))
            self._running[person] += 1
            worker = self._free_one()
        try:
            worker = worker or Worker(self.limits)
            yield worker
        except Gone:
            if worker:
                worker.kill()
            raise too_much(self.limits) from None
        finally:
            with self._changed:
                if worker and not worker.has_ended:
                    self._free.append(worker)
                self._running -= Counter({person: 1})
                self._changed.notify_all()

    def _free_one(self) -> Worker | None:
        """A worker that nobody uses; one may have been killed while it waited."""
        while self._free:
            worker = self._free.pop()
            if worker.is_alive:
                return worker
            worker.kill()
        return None

    def _has_room(self, person: str) -> bool:
        mine, most = self._running[person], max(self._most - 1, 1)
        return self._running.total() < self._most and mine < most


class _Memory:
    """What was said of each key, as far as there is room; the oldest goes first."""

    def __init__(self) -> None:
        self._said: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0
        self._busy: set[Hashable] = set()
        self._changed = threading.Condition()

    def get(self, key: Hashable) -> bytes | None:
        with self._changed:
            if key in self._said:
                self._said.move_to_end(key)
            return self._said.get(key)

    def put(self, key: Hashable, said: bytes) -> None:
        if len(said) > _LARGEST_REMEMBERED_BYTES:
            return
        with self._changed:
            self._size += len(said) - len(self._said.pop(key, b""))
            self._said[key] = said
            while self._size > _REMEMBERED_BYTES:
                _, oldest = self._said.popitem(last=False)
                self._size -= len(oldest)

    @contextmanager
    def alone(self, key: Hashable) -> Generator[None]:
        """Let nobody else find out the same meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: key not in self._busy)
            self._busy.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(key)
                self._changed.notify_all()
