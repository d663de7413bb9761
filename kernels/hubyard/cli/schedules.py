"""`schedule` and what changes schedules: notebooks that run by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hubyard.cli.ask import add_dry_run, add_yes, agreed, delete
from hubyard.cli.show import (
    add_command,
    add_compute,
    add_options,
    add_parameters,
    say,
    show,
)
from hubyard.cli.week import add_week, show_week
from hubyard.client import Client
from hubyard.client.source import project_of
from hubyard.contract.base import now
from hubyard.contract.errors import Invalid
from hubyard.contract.schedule import (
    BackfillRequest,
    PreviewRequest,
    ScheduleChange,
    ScheduleRequest,
)
from hubyard.options import POLICY, TRIGGER, policy_of
from hubyard.reading import moment_of, trigger_of
from hubyard.showing import due, preview_lines, rate, run_status, table

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from hubyard.cli.show import Subparsers
    from hubyard.contract.schedule import NewSchedule, Preview, Schedule


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    _add_schedule(subparsers)
    _add_reschedule(subparsers)
    _add_schedules(subparsers)
    _add_backfill(subparsers)


def _add_schedule(subparsers: Subparsers) -> None:
    make = add_command(subparsers, "schedule", "Schedule a notebook", _schedule)
    make.add_argument("notebook", type=Path)
    when = make.add_mutually_exclusive_group(required=True)
    when.add_argument(
        "cron", nargs="?", help='five fields, for instance "30 2 * * 1-5"'
    )
    add_options(when, TRIGGER)
    when.add_argument(
        "--on-webhook",
        action="store_true",
        help="run when a URL is called, with a secret that is printed this once",
    )
    make.add_argument("--name", help="what to call it")
    add_options(make, POLICY)
    add_dry_run(make)
    add_parameters(make)
    add_compute(make)


def _add_reschedule(subparsers: Subparsers) -> None:
    other = add_command(
        subparsers,
        "reschedule",
        "Change when a schedule fires and what becomes of it; the rest stays",
        _reschedule,
    )
    other.add_argument("schedule", metavar="SCHEDULE")
    other.add_argument(
        "cron", nargs="?", help="five fields; left out, it stays as it is"
    )
    add_options(other, POLICY)
    add_dry_run(other)


def _add_schedules(subparsers: Subparsers) -> None:
    many = add_command(subparsers, "schedules", "List or change schedules", _schedules)
    what = many.add_mutually_exclusive_group()
    for name in ("pause", "resume", "run", "delete"):
        what.add_argument(f"--{name}", metavar="ID", help=f"{name} a schedule")
    what.add_argument(
        "--update", metavar="ID", help="let it run its notebook as it is here now"
    )
    add_week(many, what)
    add_yes(many)


def _add_backfill(subparsers: Subparsers) -> None:
    past = add_command(
        subparsers, "backfill", "Run a schedule for due times of the past", _backfill
    )
    past.add_argument("schedule", metavar="SCHEDULE")
    past.add_argument(
        "--since",
        type=moment_of,
        required=True,
        metavar="MOMENT",
        help="the first due time, such as 2026-11-01, in the schedule's time zone",
    )
    past.add_argument(
        "--until",
        type=moment_of,
        metavar="MOMENT",
        help="the last, such as 2026-11-24T02:30; default: now",
    )
    add_dry_run(past)


def _schedule(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        source = client.sources.upload_notebook(arguments.notebook)
        wish = ScheduleRequest(
            source=source.digest,
            notebook=source.notebook,
            name=arguments.name,
            cron=arguments.cron,
            on=trigger_of(arguments),
            parameter_texts=arguments.parameter,
            compute=arguments.compute or source.compute,
            lifetime_s=arguments.ttl,
            **policy_of(arguments),
        )
        preview = client.schedules.preview(PreviewRequest.of(wish))
        question = f"Schedule {wish.notebook} for about {rate(preview)}?"
        end = _previewed(arguments, preview, question)
        if end is not None:
            return end
        made = client.schedules.create(wish)
    return show(arguments, made, lambda: _made(made))


def _previewed(
    arguments: argparse.Namespace, preview: Preview, question: str
) -> int | None:
    """Say what it will do and cost, and ask; the exit code where that is all."""
    if arguments.dry_run:
        return show(arguments, preview, lambda: preview_lines(preview))
    for line in preview_lines(preview):
        say(line)
    return None if agreed(arguments, question) else 1


def _made(made: NewSchedule) -> list[str]:
    if made.curl is None:
        return [made.id]
    say("Keep the secret in this call: it is shown this once.")
    return [made.id, made.curl]


def _reschedule(arguments: argparse.Namespace) -> int:
    said = policy_of(arguments)
    if arguments.cron is not None:
        said["cron"] = arguments.cron
    if not said:
        raise Invalid(f"Say what shall be another: a cron, {', '.join(POLICY)}.")
    wish = ScheduleChange(**said)
    with Client.from_environment() as client:
        before = client.schedules.get(arguments.schedule)
        preview = client.schedules.preview(PreviewRequest.after(before, wish))
        question = f"Let {before.name} run for about {rate(preview)} from now on?"
        end = _previewed(arguments, preview, question)
        if end is not None:
            return end
        changed = client.schedules.change(before.id, wish)
    return show(arguments, changed, lambda: [f"{changed.name}: {_when(changed)}"])


def _schedules(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        for name, act in _ACTS.items():
            if getattr(arguments, name) is not None:
                return act(arguments, client)
        found = client.schedules.list()
    return show(arguments, found, lambda: _table(found))


def _pause(arguments: argparse.Namespace, client: Client) -> int:
    paused = ScheduleChange(paused=True)
    changed = client.schedules.change(arguments.pause, paused)
    return show(arguments, changed, lambda: [f"{changed.name} is paused"])


def _resume(arguments: argparse.Namespace, client: Client) -> int:
    resumed = ScheduleChange(paused=False)
    changed = client.schedules.change(arguments.resume, resumed)
    return show(arguments, changed, lambda: [f"{changed.name} goes on"])


def _delete(arguments: argparse.Namespace, client: Client) -> int:
    so = "The schedule has ended; its past runs stay."
    return delete(arguments, client.schedules.delete, so)


def _run(arguments: argparse.Namespace, client: Client) -> int:
    found = client.schedules.get(arguments.run)
    say(f"{found.name} costs about {found.per_run.text} a run")
    if not agreed(arguments, f"Run {found.name} for about {found.per_run.text}?"):
        return 1
    run = client.schedules.run(found.id)
    return show(arguments, run, lambda: [run.id])


def _update(arguments: argparse.Namespace, client: Client) -> int:
    found = client.schedules.get(arguments.update)
    file = _here(found.notebook)
    latest = client.sources.upload_notebook(file, found.notebook).digest
    changed = client.sources.compare(found.source, latest).files
    for file in changed:
        say(f"{file.change} {file.name}")
        for line in file.diff.splitlines():
            say(f"  {line}")
    if not changed:
        say(f"{found.name} runs {found.notebook} as it is here.")
        return show(arguments, found, list)
    if not agreed(arguments, f"Let {found.name} run it like this from now on?"):
        return 1
    updated = client.schedules.change(found.id, ScheduleChange(source=latest))
    return show(arguments, updated, lambda: [f"{updated.name} is up to date"])


def _here(name: str) -> Path:
    """Where a file of an earlier source is now: here, or in the project of here."""
    project = project_of(Path.cwd())
    found = Path(name)
    return project / name if project and not found.exists() else found


_ACTS = {
    "pause": _pause,
    "resume": _resume,
    "run": _run,
    "update": _update,
    "delete": _delete,
    "week": show_week,
}
"""What `schedules` does instead of listing them, by its option."""


def _backfill(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        found = client.schedules.get(arguments.schedule)
        wish = BackfillRequest(
            since=_in_zone(arguments.since, found),
            until=_in_zone(arguments.until or now(), found),
            dry_run=True,
        )
        would = client.schedules.backfill(found.id, wish)
        line = f"{would.runs} of {would.due} due times have no run yet"
        say(f"{line}; {would.runs} runs cost about {would.cost.text}")
        if arguments.dry_run:
            return show(arguments, would, list)
        question = f"Start {would.runs} runs for about {would.cost.text}?"
        if not agreed(arguments, question):
            return 1
        done = client.schedules.backfill(
            found.id, wish.model_copy(update={"dry_run": False})
        )
    return show(arguments, done, lambda: [f"{done.runs} runs wait for their turn"])


def _in_zone(given: datetime, schedule: Schedule) -> datetime:
    """A moment that was given without a zone is meant in the schedule's."""
    return given if given.tzinfo else given.replace(tzinfo=ZoneInfo(schedule.time_zone))


def _when(schedule: Schedule) -> str:
    """When it fires; a cron holds in a time zone."""
    zone = f" ({schedule.time_zone})" if schedule.cron else ""
    return f"{schedule.text}{zone}"


def _table(found: list[Schedule]) -> list[str]:
    head = ("SCHEDULE", "NAME", "WHEN", "NEXT", "LAST", "A MONTH")
    rows = [
        (
            each.id,
            each.name,
            (each.suspended or "paused") if each.paused else each.text,
            due(each.next_fire, each.time_zone),
            run_status(each.last_status) if each.last_status else "-",
            each.per_month.text if each.per_month else "-",
        )
        for each in found
    ]
    return table(head, rows, "There are no schedules.")
