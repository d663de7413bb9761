"""The book of schedules: made, shown, changed and struck out by their owners."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, select, update

from hubyard.contract import money
from hubyard.contract.base import now
from hubyard.contract.errors import Invalid, NotFound
from hubyard.contract.schedule import Backfill, NewSchedule, Preview, Schedule
from hubyard.contract.workload import Status, Target, new_id
from hubyard_hub.notices.channels import Channels
from hubyard_hub.runs.history import newest_of_schedules
from hubyard_hub.runs.runs import Runs
from hubyard_hub.schedules.core import run_of
from hubyard_hub.schedules.cron import Cron
from hubyard_hub.schedules.drops import newest_dropped
from hubyard_hub.schedules.hooks import hash_of, new_secret
from hubyard_hub.schedules.outlook import Outlook, outlook, per_month
from hubyard_hub.schedules.planned import Planned
from hubyard_hub.schedules.triggers import trigger_of
from hubyard_hub.schedules.watch import seen_now
from hubyard_hub.sources.notebook import notebook_name
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import runs, schedules
from hubyard_hub.workloads.wishes import all_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hubyard.contract.identity import Identity
    from hubyard.contract.run import Run
    from hubyard.contract.schedule import (
        BackfillRequest,
        Dropped,
        PreviewRequest,
        ScheduleChange,
        ScheduleRequest,
        Trigger,
    )
    from hubyard_hub.parts import Parts
    from hubyard_hub.sources.entry import Entry
    from hubyard_hub.workloads.wishes import Row

_FIRES_SHOWN = 5
_MOST_BACKFILLED = 1000
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nobody backfills what was before."""


class Schedules:
    """The schedules of everyone; every question names its owner."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._runs = Runs(parts)
        self._channels = Channels(parts)

    def preview(self, asking: Identity, token: str, request: PreviewRequest) -> Preview:
        """What a schedule would do and cost, before it is made.

        Raises:
            NotFound: its source or model is not there.
            Invalid, Rejected: it cannot be like this; says why.
        """
        self._channels.check(request.notify)
        planned = Planned.of(self._parts, asking, token, request)
        cron, project = planned.cron, planned.project
        with self._parts.store.read() as connection:
            expected = outlook(
                self._parts,
                connection,
                owner=asking.name,
                notebook=request.notebook,
                compute=planned.compute,
                lifetime_s=planned.lifetime_s,
                cron=cron,
            )
        estimate = self._parts.prices.estimate(
            asking.name,
            asking.groups,
            request.compute or project.compute,
            planned.lifetime_s,
            project.name,
        )
        return Preview(
            text=_words(cron, request.on),
            time_zone=cron.zone if cron else request.time_zone,
            next_fires=cron.next(now(), _FIRES_SHOWN) if cron else (),
            fires_per_month=per_month(cron),
            files=planned.found.files,
            price=estimate.price,
            left=estimate.left,
            refusal=estimate.refusal,
            notice=estimate.notice,
            **vars(expected),
        )

    def create(
        self, asking: Identity, token: str, request: ScheduleRequest
    ) -> NewSchedule:
        """Run a notebook whenever its cron comes due or its trigger notices something.

        Raises:
            NotFound: its source, notebook or model is not there.
            Invalid, Rejected: it cannot be like this; says why.
        """
        self._channels.check(request.notify)
        planned = Planned.of(self._parts, asking, token, request)
        secret = new_secret() if request.on and request.on.webhook else None
        row = _new_row(asking.name, request, planned)
        row["secret_hash"] = secret and hash_of(secret)
        self._parts.store.atomically(lambda c: insert_once(c, schedules, row))
        made = self.get(asking.name, row["id"])
        curl = _curl(made.hook, secret) if made.hook else None
        return NewSchedule(**dict(made), secret=secret, curl=curl)

    def list(self, owner: str) -> list[Schedule]:
        """An owner's schedules, newest first."""
        wanted = select(schedules).where(schedules.c.owner == owner)
        with self._parts.store.read() as connection:
            rows = all_rows(connection, wanted.order_by(schedules.c.id.desc()))
            return self._shown(connection, rows)

    def get(self, owner: str, id_: str) -> Schedule:
        """One schedule; NotFound where there is none, or it is another's."""
        with self._parts.store.read() as connection:
            return self._shown(connection, [_find(connection, owner, id_)])[0]

    def change(self, owner: str, id_: str, wish: ScheduleChange) -> Schedule:
        """Pause or go on, move it, take a newer source, or wish for another policy.

        Raises:
            NotFound: no such schedule, or its new source is not there.
            Invalid: it cannot be like that; says why.
        """
        self._channels.check(wish.notify)
        more: dict[str, Any] = {}
        row = self._row(owner, id_)
        if wish.paused is False:
            more |= seen_now(self._parts, row)
        if wish.source is not None:  # its notebook and parameters never change
            entry = self._parts.sources.entry(
                owner, wish.source, row["notebook"], row["parameters"]
            )
            more["project"] = entry.project.name

        def work(connection: Connection) -> None:
            values = more | _changed(_find(connection, owner, id_), wish)
            mine = update(schedules).where(schedules.c.id == id_)
            connection.execute(mine.values(**values))

        self._parts.store.atomically(work)
        return self.get(owner, id_)

    def run_now(self, owner: str, id_: str) -> Run:
        """Start a run as the schedule would, without moving its next fire."""
        row = run_of(self._row(owner, id_), None)
        self._parts.store.atomically(lambda c: insert_once(c, runs, row))
        self._parts.wake.set()
        return self._runs.get(owner, row["id"])

    def backfill(self, owner: str, id_: str, wish: BackfillRequest) -> Backfill:
        """Start a run for each due time of the past that has none.

        Raises:
            NotFound: no such schedule.
            Invalid: the span is none of the past, or holds too many due times; or a
                trigger wakes it.
        """
        row = self._row(owner, id_)
        cron = _cron_of(row)
        if cron is None:
            raise Invalid(f"It fires {_words(None, trigger_of(row))}: nothing was due.")
        due = _due_in_the_past(cron, wish)

        def work(connection: Connection) -> int:
            had = _fires_with_runs(connection, id_, wish)
            lacking = [run_of(row, fire) for fire in due if fire not in had]
            if not wish.dry_run:
                lacking = [r for r in lacking if insert_once(connection, runs, r)]
            return len(lacking)

        count = self._parts.store.atomically(work)
        self._parts.wake.set()
        with self._parts.store.read() as connection:
            per_run = self._outlook_of(connection, row, cron).per_run
        cost = money.cost(per_run.micros * count, self._parts.catalogue.currency)
        return Backfill(due=len(due), runs=count, cost=cost)

    def remove(self, owner: str, id_: str) -> None:
        """Strike out a schedule; its past runs stay, those that wait never begin."""
        self._row(owner, id_)

        def work(connection: Connection) -> None:
            connection.execute(delete(schedules).where(schedules.c.id == id_))
            waiting = update(runs).where(
                runs.c.schedule_id == id_, runs.c.status == Status.PENDING
            )
            connection.execute(waiting.values(target=Target.STOPPED))

        self._parts.store.atomically(work)
        self._parts.wake.set()

    def _row(self, owner: str, id_: str) -> Row:
        with self._parts.store.read() as connection:
            return _find(connection, owner, id_)

    def _shown(self, connection: Connection, rows: list[Row]) -> list[Schedule]:
        ids = [row["id"] for row in rows]
        newest = newest_of_schedules(connection, ids)
        dropped = newest_dropped(connection, ids)
        return [
            self._show(
                connection, row, newest.get(row["id"]), dropped.get(row["id"], ())
            )
            for row in rows
        ]

    def _show(
        self,
        connection: Connection,
        row: Row,
        last: Row | None,
        dropped: tuple[Dropped, ...],
    ) -> Schedule:
        cron, trigger = _cron_of(row), trigger_of(row)
        outlook = self._outlook_of(connection, row, cron)
        shown: dict[str, Any] = {**row, "cron": row["cron"] or None}
        return Schedule(
            **shown,
            on=trigger,
            hook=self._hook(row) if trigger and trigger.webhook else None,
            text=_words(cron, trigger),
            last_run_id=last["id"] if last else None,
            last_status=last["status"] if last else None,
            per_run=outlook.per_run,
            per_month=outlook.per_month,
            dropped=dropped,
        )

    def _hook(self, row: Row) -> str:
        public = self._parts.settings.public_url
        return f"{public}/services/hubyard/api/hooks/{row['id']}"

    def _outlook_of(
        self, connection: Connection, row: Row, cron: Cron | None
    ) -> Outlook:
        wanted = ("owner", "notebook", "compute", "lifetime_s")
        known = {name: row[name] for name in wanted}
        return outlook(self._parts, connection, **known, cron=cron)


def _new_row(owner: str, request: ScheduleRequest, planned: Planned) -> dict[str, Any]:
    """The columns of a new schedule."""
    cron, moment = planned.cron, now()
    entry = cast("Entry", planned.entry)  # there is one: the request names its file
    wish = request.model_dump(exclude={"parameter_texts"})
    trigger = wish.pop("on")
    return {
        **wish,
        "parameters": entry.given,
        "id": new_id(),
        "owner": owner,
        "name": request.name or entry.name or notebook_name(request.notebook),
        "cron": cron.text if cron else "",
        "trigger": trigger,
        "seen": planned.found.state,
        "compute": planned.compute,
        "lifetime_s": planned.lifetime_s,
        "paused": False,
        "next_fire": next(cron.fires(moment), None) if cron else None,
        "created_at": moment,
        "project": planned.project.name,
    }


def _cron_of(row: Row) -> Cron | None:
    """The cron of a schedule; None: a trigger wakes it."""
    return None if row["trigger"] else Cron(row["cron"], row["time_zone"])


def _words(cron: Cron | None, trigger: Trigger | None) -> str:
    """When a schedule fires that has one of both."""
    if cron is not None:
        return cron.words
    return trigger.words if trigger is not None else ""


def _curl(url: str, secret: str | None) -> str:
    return f"curl -X POST -H 'Authorization: Bearer {secret}' {url}"


def _due_in_the_past(cron: Cron, wish: BackfillRequest) -> list[datetime]:
    """The due times of a backfill's span, both of its ends among them.

    Raises:
        Invalid: it is none of the past, or holds too many.
    """
    if not wish.since <= wish.until <= now():
        raise Invalid(
            "A backfill is for a span of the past: let since be before until, and "
            "until not later than now.",
            field="since",
        )
    before = max(wish.since, _FIRST) - timedelta(microseconds=1)
    first = next(cron.fires(before), None)
    if first is None or first > wish.until:
        return []
    due = list(islice(cron.come(first, wish.until), _MOST_BACKFILLED + 1))
    if len(due) > _MOST_BACKFILLED:
        raise Invalid(
            f"More than {_MOST_BACKFILLED:,} fires came due in that span: take a "
            "shorter one.",
            field="since",
        )
    return due


def _fires_with_runs(
    connection: Connection, id_: str, wish: BackfillRequest
) -> set[datetime]:
    of_span = runs.c.fire_at.between(wish.since, wish.until)
    wanted = select(runs.c.fire_at).where(runs.c.schedule_id == id_, of_span)
    return set(connection.scalars(wanted))


def _find(connection: Connection, owner: str, id_: str) -> Row:
    wanted = select(schedules).where(schedules.c.owner == owner, schedules.c.id == id_)
    found = all_rows(connection, wanted)
    if not found:
        raise NotFound("There is no such schedule, or it is not yours.")
    return found[0]


def _changed(before: Row, wish: ScheduleChange) -> dict[str, Any]:
    """The columns that a change gives another value."""
    given = wish.model_dump(exclude_none=True)
    if wish.paused is False:
        given["suspended"] = None
    trigger = trigger_of(before)
    if trigger is not None:
        if "cron" in given or "time_zone" in given:
            raise Invalid(f"It fires {trigger.words}: make another one.", field="cron")
        return given
    cron = Cron.parse(
        given.get("cron", before["cron"]), given.get("time_zone", before["time_zone"])
    )
    values: dict[str, Any] = {**given, "cron": cron.text, "time_zone": cron.zone}
    moved = (cron.text, cron.zone) != (before["cron"], before["time_zone"])
    goes_on = before["paused"] and not values.get("paused", True)
    moment, due = now(), before["next_fire"]
    if moved or (goes_on and (due is None or due <= moment)):
        # What came due meanwhile was not missed: it was not wished for.
        values["next_fire"] = next(cron.fires(moment), None)
    return values
