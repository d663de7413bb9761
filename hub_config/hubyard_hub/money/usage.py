"""Usage: what workloads say of themselves, and what is measured of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from hubyard.contract import money
from hubyard.contract.usage import Sample, Usage
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import activities, samples, uses

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from hubyard.contract.usage import ActivityReport
    from hubyard_hub.money.lines import Line
    from hubyard_hub.store import Store
    from hubyard_spawner.local.usage import Measured

BUSY_CORES = 0.05
"""What a workload uses at least while it computes anything; below, it is unused."""
KEPT = timedelta(days=7)
"""For how long samples are kept."""
_SHOWN = 300


def keep_report(
    store: Store, entry_id: str, report: ActivityReport, moment: datetime
) -> None:
    """Keep what a workload says of itself."""
    said = moment - timedelta(seconds=report.idle_s) if report.idle_s else None

    def work(connection: Connection) -> None:
        row = {"idle_since": _no_sooner(connection, entry_id, said), "told_at": moment}
        told = activities.update().where(activities.c.entry_id == entry_id)
        if connection.execute(told.values(**row)).rowcount == 0:
            insert_once(connection, activities, {"entry_id": entry_id, **row})
        if report.requests is not None:
            _add_use(connection, entry_id, requests=report.requests)

    store.atomically(work)


def _no_sooner(
    connection: Connection, entry_id: str, said: datetime | None
) -> datetime | None:
    """Since when it is idle: what computes is not, whether or not a kernel knows."""
    if said is None:
        return None
    busy = select(func.max(samples.c.at)).where(
        samples.c.entry_id == entry_id, samples.c.cores >= BUSY_CORES
    )
    return max(said, connection.execute(busy).scalar() or said)


def idle_since(connection: Connection, entry_ids: Iterable[str]) -> dict[str, datetime]:
    """Since when nothing has happened, for those of which that is known."""
    wanted = select(activities.c.entry_id, activities.c.idle_since).where(
        activities.c.entry_id.in_(list(entry_ids)), activities.c.idle_since.is_not(None)
    )
    return {row[0]: row[1] for row in connection.execute(wanted)}


def keep_measured(
    connection: Connection, entry_id: str, moment: datetime, measured: Measured
) -> None:
    """Keep one sample, and add it to what the workload has used in all."""
    sample = {
        "entry_id": entry_id,
        "at": moment,
        "cores": measured.cores,
        "memory_bytes": measured.memory_bytes,
        "disk_bytes": measured.disk_bytes,
    }
    if insert_once(connection, samples, sample):
        _add_use(
            connection,
            entry_id,
            unused_ms=round(measured.since_s * 1000) * (measured.cores < BUSY_CORES),
            cpu_seconds=measured.cores * measured.since_s,
            peak_memory_bytes=measured.memory_bytes,
        )
    if measured.cores >= BUSY_CORES:
        idle = activities.update().where(
            activities.c.entry_id == entry_id, activities.c.idle_since < moment
        )
        connection.execute(idle.values(idle_since=moment))


def forget_old(connection: Connection, moment: datetime) -> None:
    """Let go of samples that nobody will look at."""
    connection.execute(delete(samples).where(samples.c.at < moment - KEPT))


def latest_samples(
    connection: Connection, entry_ids: Iterable[str]
) -> dict[str, Sample]:
    """The newest sample of each workload that has one."""
    newest = (
        select(samples.c.entry_id, func.max(samples.c.at).label("at"))
        .where(samples.c.entry_id.in_(list(entry_ids)))
        .group_by(samples.c.entry_id)
        .subquery()
    )
    wanted = select(samples).join(
        newest,
        (newest.c.entry_id == samples.c.entry_id) & (newest.c.at == samples.c.at),
    )
    rows = connection.execute(wanted).mappings()
    return {row["entry_id"]: Sample(**row) for row in rows}


def requests_of(connection: Connection, entry_ids: Iterable[str]) -> dict[str, int]:
    """How many requests each has answered, of those that have said so."""
    wanted = select(uses.c.entry_id, uses.c.requests).where(
        uses.c.entry_id.in_(list(entry_ids)), uses.c.requests.is_not(None)
    )
    return {row[0]: row[1] for row in connection.execute(wanted)}


def usage_of(connection: Connection, line: Line) -> Usage:
    """What a workload has used so far, or in all."""
    entry = line.entry
    used = connection.execute(select(uses).where(uses.c.entry_id == entry.id)).first()
    newest = (
        select(samples)
        .where(samples.c.entry_id == entry.id)
        .order_by(samples.c.at.desc())
        .limit(_SHOWN)
    )
    unused_ms = used.unused_ms if used else 0
    rows = reversed(connection.execute(newest).mappings().all())
    cost = money.cost_of(entry.price_micros, unused_ms)
    return Usage(
        entry_id=entry.id,
        cpu=entry.cpu,
        memory_bytes=entry.memory_bytes,
        cpu_seconds=used.cpu_seconds if used else 0,
        peak_memory_bytes=used.peak_memory_bytes if used else 0,
        unused_s=unused_ms // 1000,
        unused=money.cost(cost, entry.currency),
        samples=tuple(Sample(**row) for row in rows),
    )


def _add_use(
    connection: Connection,
    entry_id: str,
    *,
    unused_ms: int = 0,
    cpu_seconds: float = 0,
    peak_memory_bytes: int = 0,
    requests: int | None = None,
) -> None:
    mine = uses.c.entry_id == entry_id
    before = connection.execute(select(uses).where(mine)).first()
    if before is None:
        row = {"unused_ms": unused_ms, "cpu_seconds": cpu_seconds}
        row |= {"peak_memory_bytes": peak_memory_bytes, "requests": requests}
        connection.execute(uses.insert().values(entry_id=entry_id, **row))
        return
    more = uses.update().where(mine)
    connection.execute(
        more.values(
            unused_ms=before.unused_ms + unused_ms,
            cpu_seconds=before.cpu_seconds + cpu_seconds,
            peak_memory_bytes=max(before.peak_memory_bytes, peak_memory_bytes),
            requests=before.requests if requests is None else requests,
        )
    )
