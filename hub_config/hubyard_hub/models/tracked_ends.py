"""Tracked ends: what a run has left running in MLflow has ended with the run.

A run tells MLflow itself how it ends; one that was killed or stopped cannot, nor can a
cell that was training. The platform says it for the owner, once nothing of the run is
left, and asks for nothing where nothing was tracked.

queue  the ends that MLflow has not been told of, in the store. One thread works
       through it, so that no start, stop or end of a run ever waits for MLflow
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, tuple_

from hubyard.contract.base import now
from hubyard.contract.errors import Rejected, Unavailable
from hubyard.contract.tracking import TAG_RUN, mlflow_status
from hubyard_hub.store import insert_once, tables
from hubyard_hub.workloads.wishes import all_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from hubyard_hub.parts import Parts
    from hubyard_hub.workloads.wishes import Row

EXPERIMENTS, RUNS, ENDS = "/experiments/search", "/runs/search", "/runs/update"
"""What is asked for this, below MLflow's API."""
_LOG = logging.getLogger(__name__)
_MOST = 1000
_MOST_AT_ONCE = 100
_KEPT = timedelta(days=7)
"""For so long MLflow is told again of an end at which it failed."""


def ask_for_end(connection: Connection, run: Row) -> None:
    """Put the end of a run into the queue; to do so twice does no harm."""
    asked = {name: run[name] for name in ("owner", "status", "ended_at")}
    insert_once(connection, tables.tracked_ends, {"run_id": run["id"], **asked})


def tell_ends(parts: Parts) -> int:
    """Tell MLflow of the ends in the queue, the oldest first; how many it was told of.

    One that MLflow fails at stays, and holds up no other, however many there are.

    Raises:
        Unavailable: MLflow does not answer at all.
    """
    told = 0
    for run in _waiting(parts):
        try:
            end_tracked(parts, run)
        except Unavailable as error:
            if parts.mlflow.is_silent:
                raise
            if run["ended_at"] > now() - _KEPT:
                _LOG.info("The end of run %s waits: %s", run["id"], error.message)
                continue
            _LOG.warning("MLflow keeps run %s as running: %s", run["id"], error.message)
        done = tables.tracked_ends.delete().where(
            tables.tracked_ends.c.run_id == run["id"]
        )
        parts.store.atomically(lambda c, done=done: c.execute(done))
        told += 1
    return told


def _waiting(parts: Parts) -> Iterator[Row]:
    """The queue, read in pieces: it is long where MLflow was away for long."""
    queue = tables.tracked_ends
    place = (queue.c.ended_at, queue.c.run_id)
    wanted = select(queue, queue.c.run_id.label("id")).order_by(*place)
    piece = wanted.limit(_MOST_AT_ONCE)
    while True:
        with parts.store.read() as connection:
            found = all_rows(connection, piece)
        yield from found
        if len(found) < _MOST_AT_ONCE:
            return
        last = (found[-1]["ended_at"], found[-1]["run_id"])
        piece = wanted.where(tuple_(*place) > last).limit(_MOST_AT_ONCE)


def end_tracked(parts: Parts, run: Row) -> None:
    """End what is running still of all that a run has tracked.

    MLflow's no, to somebody who is gone, is written down and costs the record alone.

    Raises:
        Unavailable: it does not answer.
    """
    try:
        _end_tracked(parts, run)
    except Rejected as error:
        _LOG.warning("MLflow keeps run %s as running: %s", run["id"], error.message)


def _end_tracked(parts: Parts, run: Row) -> None:
    owner, token, ask = run["owner"], parts.token, parts.mlflow.post_for
    seen = ask(owner, token, EXPERIMENTS, {"max_results": _MOST}).get("experiments", ())
    if not seen:
        return
    left = f"tags.`{TAG_RUN}` = '{run['id']}' and attributes.status = 'RUNNING'"
    found = {
        "experiment_ids": [each["experiment_id"] for each in seen],
        "filter": left,
        "max_results": _MOST,
    }
    end = {
        "status": mlflow_status(run["status"]),
        "end_time": round(run["ended_at"].timestamp() * 1000),
    }
    for tracked in ask(owner, token, RUNS, found).get("runs", ()):
        ask(owner, token, ENDS, {"run_id": tracked["info"]["run_id"], **end})
