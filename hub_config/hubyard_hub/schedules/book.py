"""The book of schedules: made, shown, changed and struck out by their owners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from hubyard.contract import money
from hubyard.contract.base import now
from hubyard.contract.duration import duration_text
from hubyard.contract.errors import Invalid, NotFound
from hubyard.contract.schedule import Backfill, NewSchedule, Preview, Schedule
from hubyard.contract.workload import Status, Target, new_id
from hubyard_hub.notices.channels import Channels
from hubyard_hub.pipelines.job import check_shares
from hubyard_hub.runs.history import mean_duration_s, newest_of_schedules
from hubyard_hub.runs.runs import Runs
from hubyard_hub.runs.wanted import notebook_name
from hubyard_hub.schedules.core import run_of
from hubyard_hub.schedules.cron import Cron, zone_of
from hubyard_hub.schedules.drops import newest_dropped
from hubyard_hub.schedules.hooks import hash_of, new_secret
from hubyard_hub.schedules.triggers import trigger_of
from hubyard_hub.schedules.watch import first_look, seen_now
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import runs, schedules
from hubyard_hub.wishes import all_rows, choose_compute, price_before

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
    from hubyard_hub.pipelines.entry import Entry
    from hubyard_hub.wishes import Row

_FIRES_SHOWN = 5
_MOST_BACKFILLED = 1000
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nobody backfills what was before."""


@dataclass(frozen=True)
class Outlook:
    """What a schedule is expected to cost."""

    per_run: money.Money
    per_month: money.Money | None
    basis: str


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
        cron = _cron(request)
        self._channels.check(request.notify)
        found = first_look(self._parts, asking.name, token, request.on)
        entry = self._previewed(asking, request)
        project = (
            entry.project
            if entry
            else self._parts.sources.project(asking.name, request.source)
        )
        wished = request.compute or project.compute
        compute, lifetime_s = choose_compute(
            self._parts, asking, wished, request.lifetime_s
        )
        if entry is not None:
            check_shares(self._parts.catalogue, entry, compute, asking.groups)
        with self._parts.store.read() as connection:
            outlook = self._outlook(
                connection, asking.name, request.notebook, compute, lifetime_s, cron
            )
        moment = now()
        estimate = self._parts.prices.estimate(
            asking.name, asking.groups, wished, lifetime_s, project.name
        )
        return Preview(
            text=_words(cron, request.on),
            time_zone=cron.zone if cron else request.time_zone,
            next_fires=cron.next(moment, _FIRES_SHOWN) if cron else (),
            fires_per_month=_per_month(cron, moment.date()) if cron else None,
            files=found.files,
            price=estimate.price,
            left=estimate.left,
            refusal=estimate.refusal,
            notice=estimate.notice,
            **vars(outlook),
        )

    def _previewed(self, asking: Identity, request: PreviewRequest) -> Entry | None:
        """What its runs would execute, checked as one is; None: it names no file."""
        if request.source is None or request.notebook is None:
            return None
        return self._parts.sources.entry(
            asking.name,
            request.source,
            request.notebook,
            request.parameters,
            request.parameter_texts,
        )

    def create(
        self, asking: Identity, token: str, request: ScheduleRequest
    ) -> NewSchedule:
        """Run a notebook whenever its cron comes due or its trigger notices something.

        Raises:
            NotFound: its source, notebook or model is not there.
            Invalid, Rejected: it cannot be like this; says why.
        """
        cron = _cron(request)
        self._channels.check(request.notify)
        found = first_look(self._parts, asking.name, token, request.on)
        entry = self._parts.sources.entry(
            asking.name,
            request.source,
            request.notebook,
            request.parameters,
            request.parameter_texts,
        )
        project = entry.project
        compute, lifetime_s = choose_compute(
            self._parts, asking, request.compute or project.compute, request.lifetime_s
        )
        check_shares(self._parts.catalogue, entry, compute, asking.groups)
        moment = now()
        secret = new_secret() if request.on and request.on.webhook else None
        wish = request.model_dump(exclude={"parameter_texts"})
        trigger = wish.pop("on")
        row = {
            **wish,
            "parameters": entry.given,
            "id": new_id(),
            "owner": asking.name,
            "name": request.name or entry.name or notebook_name(request.notebook),
            "cron": cron.text if cron else "",
            "trigger": trigger,
            "seen": found.state,
            "secret_hash": secret and hash_of(secret),
            "compute": compute,
            "lifetime_s": lifetime_s,
            "paused": False,
            "next_fire": next(cron.fires(moment), None) if cron else None,
            "created_at": moment,
            "project": project.name,
        }
        self._parts.store.atomically(lambda c: insert_once(c, schedules, row))
        made = self.get(asking.name, str(row["id"]))
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
        if wish.paused is False:
            more |= seen_now(self._parts, self._row(owner, id_))
        if wish.source is not None:
            row = self._row(owner, id_)  # its notebook and parameters never change
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
        compute, lifetime_s = row["compute"], row["lifetime_s"]
        return self._outlook(
            connection, row["owner"], row["notebook"], compute, lifetime_s, cron
        )

    def _outlook(
        self,
        connection: Connection,
        owner: str,
        notebook: str | None,
        compute: str,
        lifetime_s: int,
        cron: Cron | None,
    ) -> Outlook:
        past = mean_duration_s(connection, owner, notebook) if notebook else None
        seconds, basis = (
            lifetime_s,
            f"the whole lifetime of {duration_text(lifetime_s)}",
        )
        if past:
            count, mean = past
            seconds = max(round(mean), 1)
            of = "the last run" if count == 1 else f"the mean of the last {count} runs"
            basis = f"{of}: {duration_text(seconds)}"
        price = price_before(self._parts, compute)
        per_run = money.cost_of(price.micros, seconds * 1000)
        fires = _per_month(cron, now().date()) if cron else None
        currency = self._parts.catalogue.currency
        return Outlook(
            per_run=money.cost(per_run, currency),
            per_month=None if fires is None else money.cost(per_run * fires, currency),
            basis=basis,
        )


def _cron(wish: PreviewRequest | ScheduleRequest) -> Cron | None:
    """The checked cron of a wish; None: a trigger wakes it."""
    if wish.cron is None:
        zone_of(wish.time_zone)
        return None
    return Cron.parse(wish.cron, wish.time_zone)


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


@lru_cache(maxsize=1000)
def _per_month(cron: Cron, day: date) -> int:
    """Counted once a day: a minutely cron has forty thousand."""
    return cron.per_month(datetime.combine(day, time(), UTC))


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
