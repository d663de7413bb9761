"""The crew: the workers of one run, as many at once as its compute has room for."""

from __future__ import annotations

import os
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from hubyard.contract.environment import THREAD_COUNTS
from hubyard_runtime.run.process import Gone, StepProcess, Told
from hubyard_runtime.run.system import memory, tree

if TYPE_CHECKING:
    from hubyard.contract.pipeline import StepPlan
    from hubyard_runtime.run.step.cause import Cause
    from hubyard_runtime.run.step.task import Task


class Crew:
    """Who is at work. Told and asked by one thread; `end` may come from any."""

    def __init__(self, cores: float, memory_bytes: int | None) -> None:
        """Begin with nobody at work, and so much compute to share."""
        self._cores, self._memory = cores, memory_bytes
        self._events: SimpleQueue[Told | Gone | None] = SimpleQueue()
        self._at_work: dict[str, tuple[StepProcess, StepPlan]] = {}
        self._ended: Cause | None = None
        self._helpers = tree.children()
        """Processes of ours that are no workers, such as the parent of those."""

    def __len__(self) -> int:
        """How many are at work."""
        return len(self._at_work)

    def __contains__(self, key: str) -> bool:
        """Whether this step run's worker is there."""
        return key in self._at_work

    def has_room(self, plan: StepPlan) -> bool:
        """Whether one more may begin beside those at work; one always may."""
        plans = [plan, *(other for _, other in self._at_work.values())]
        cores = sum(each.cores or 1 for each in plans)
        asked = sum(each.memory_bytes or 0 for each in plans)
        fits = self._memory is None or asked <= self._memory
        return not self._at_work or (cores <= self._cores and fits)

    def begin(self, task: Task) -> None:
        """Set a worker to a step run."""
        key = task.record.key
        worker = StepProcess(task, self._events)
        self._at_work[key] = (worker, task.plan)
        if self._ended is not None:
            worker.end(self._ended)

    def end(self, cause: Cause) -> None:
        """End all that are at work."""
        self._ended = cause
        for worker, _ in list(self._at_work.values()):
            worker.end(cause)
        self._events.put(None)  # whoever listens looks up

    def hear(self, within_s: float | None) -> Told | Gone | None:
        """The next thing that a worker says; None: nothing so long, or `end`."""
        with suppress(Empty):
            event = self._events.get(timeout=within_s)
            if isinstance(event, Gone):
                del self._at_work[event.key]
            return event
        return None

    def end_orphans(self) -> None:
        """End what a worker has left behind that was killed."""
        tree.end_adopted(self._helpers)


def whole() -> Crew:
    """A crew with all of this workload's compute to share."""
    cores = os.environ.get("CPU_LIMIT") or os.cpu_count() or 1
    return Crew(float(cores), memory.limit_bytes())


def share(plan: StepPlan) -> dict[str, str]:
    """What tells a step's libraries its share, where the pipeline gives it one."""
    if plan.cores is None:
        return {}
    return dict.fromkeys(THREAD_COUNTS, str(max(1, int(plan.cores))))
