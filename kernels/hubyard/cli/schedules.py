"""`schedule` and `schedules`: notebooks that run whenever their cron comes due."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.cli.show import (
    add_command,
    add_compute,
    add_parameters,
    moment,
    say,
    show,
    table,
)
from hubyard.client import Client
from hubyard.contract.schedule import PreviewRequest, ScheduleChange, ScheduleRequest

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers
    from hubyard.contract.schedule import Preview


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    make = add_command(subparsers, "schedule", "Schedule a notebook", _schedule)
    make.add_argument("notebook", type=Path)
    make.add_argument("cron", help='five fields, for instance "30 2 * * 1-5"')
    make.add_argument("--tz", default="UTC", help="time zone, such as Europe/Berlin")
    make.add_argument("--name", help="what to call it")
    make.add_argument("--dry-run", action="store_true", help="only show what it does")
    add_parameters(make)
    add_compute(make)
    many = add_command(subparsers, "schedules", "List or change schedules", _schedules)
    what = many.add_mutually_exclusive_group()
    for name in ("pause", "resume", "run", "delete"):
        what.add_argument(f"--{name}", metavar="ID", help=f"{name} a schedule")


def _schedule(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        source = client.sources.upload_notebook(arguments.notebook)
        compute = arguments.compute or source.compute
        preview = client.schedules.preview(
            PreviewRequest(
                cron=arguments.cron,
                time_zone=arguments.tz,
                compute=compute,
                lifetime_s=arguments.ttl,
                notebook=arguments.notebook.name,
            )
        )
        if arguments.dry_run:
            return show(arguments, preview, lambda: _lines(preview))
        for line in _lines(preview):
            say(line)
        made = client.schedules.create(
            ScheduleRequest(
                source=source.digest,
                notebook=source.notebook,
                name=arguments.name,
                cron=arguments.cron,
                time_zone=arguments.tz,
                parameters=dict(arguments.parameter),
                compute=compute,
                lifetime_s=arguments.ttl,
            )
        )
    return show(arguments, made, lambda: [made.id])


def _lines(preview: Preview) -> list[str]:
    fires = ", ".join(moment(fire) for fire in preview.next_fires)
    price = f"{preview.per_run.text} a run, {preview.per_month.text} a month"
    return [preview.text, f"next: {fires}", f"{price} ({preview.basis})"]


def _schedules(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        if arguments.pause or arguments.resume:
            change = ScheduleChange(paused=bool(arguments.pause))
            changed = client.schedules.change(
                arguments.pause or arguments.resume, change
            )
            state = "is paused" if changed.paused else "goes on"
            return show(arguments, changed, lambda: [f"{changed.name} {state}"])
        if arguments.run:
            run = client.schedules.run(arguments.run)
            return show(arguments, run, lambda: [run.id])
        if arguments.delete:
            client.schedules.delete(arguments.delete)
            say("The schedule has ended; its past runs stay.")
            return 0
        found = client.schedules.list()
    head = ("SCHEDULE", "NAME", "WHEN", "NEXT", "LAST", "A MONTH")
    rows = [
        (
            each.id,
            each.name,
            "paused" if each.paused else each.text,
            moment(each.next_fire),
            str(each.last_status or "-"),
            each.per_month.text,
        )
        for each in found
    ]
    return show(arguments, found, lambda: table(head, rows, "There are no schedules."))
