"""The cache: which step run answers for another one with the same cache key.

The runner makes the key of all that goes into a step run. Only the owner's own runs
answer, the newest one first; a run that is forgotten answers no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from sqlalchemy import select, update

from hubyard.contract.run import StepRecord, StepStatus
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import cached_steps, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

_STEPS = TypeAdapter(tuple[StepRecord, ...])


def remember(
    connection: Connection, run: Mapping[str, Any], steps: Iterable[StepRecord]
) -> None:
    """Let the step runs of a run that has ended answer from now on."""
    for step in steps:
        executed = step.status is StepStatus.SUCCEEDED and not step.reused
        if executed and step.cache_key is not None:
            answer = {"run_id": run["id"], "step_key": step.key}
            known = _is(run["owner"], step.cache_key)
            newer = update(cached_steps).where(*known).values(**answer)
            if not connection.execute(newer).rowcount:
                key = {"owner": run["owner"], "cache_key": step.cache_key}
                insert_once(connection, cached_steps, {**key, **answer})


def find(
    connection: Connection, owner: str, cache_key: str
) -> tuple[str, StepRecord] | None:
    """The run and the step run that answer for a key; None: there are none."""
    wanted = (
        select(cached_steps.c.run_id, cached_steps.c.step_key, runs.c.steps)
        .join(runs, runs.c.id == cached_steps.c.run_id)
        .where(*_is(owner, cache_key))
    )
    row = connection.execute(wanted).one_or_none()
    if row is None:
        return None
    steps = _STEPS.validate_python(row.steps)
    return row.run_id, next(each for each in steps if each.key == row.step_key)


def _is(owner: str, cache_key: str) -> tuple[Any, ...]:
    return cached_steps.c.owner == owner, cached_steps.c.cache_key == cache_key
