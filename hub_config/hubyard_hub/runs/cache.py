"""The cache: which step run answers for another one with the same cache key.

The runner makes the key of all that goes into a step run. Only the owner's own runs
answer, and of those the newest; a run that is forgotten answers no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from hubyard.contract.run import StepStatus
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import cached_steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from hubyard.contract.run import StepRecord


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


def find(connection: Connection, owner: str, cache_key: str) -> tuple[str, str] | None:
    """The run that answers for a key, and the key of its step run; None: none does."""
    columns = cached_steps.c.run_id, cached_steps.c.step_key
    row = connection.execute(select(*columns).where(*_is(owner, cache_key))).first()
    return None if row is None else (row.run_id, row.step_key)


def _is(owner: str, cache_key: str) -> tuple[Any, ...]:
    return cached_steps.c.owner == owner, cached_steps.c.cache_key == cache_key
