"""`app` and `apps`: web apps made from a notebook or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.cli.show import add_command, add_compute, say, show, table
from hubyard.client import Client
from hubyard.contract.app import AppRequest, Framework, parse_share
from hubyard.contract.duration import duration_text
from hubyard.contract.workload import Status

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    app = add_command(subparsers, "app", "Publish a notebook or file as an app", _app)
    app.add_argument("file", type=Path)
    app.add_argument("--name", help="what to call it")
    app.add_argument("--framework", choices=list(Framework), help="if not by its name")
    app.add_argument("--share", metavar="user:NAME|group:NAME", help="who may open it")
    app.add_argument("--dry-run", action="store_true", help="only show the price")
    add_compute(app)
    many = add_command(subparsers, "apps", "List or change apps", _apps)
    what = many.add_mutually_exclusive_group()
    for name in ("start", "stop", "delete"):
        what.add_argument(f"--{name}", metavar="ID", help=f"{name} an app")


def _app(arguments: argparse.Namespace) -> int:
    share = parse_share(arguments.share) if arguments.share else None
    with Client.from_environment() as client:
        source = client.sources.upload(arguments.file)
        wished = arguments.compute or source.compute
        compute = wished or client.compute().compute[0].name
        estimate = client.estimate(compute, arguments.ttl)
        say(
            f"{compute} costs {estimate.price.text} an hour, at most "
            f"{estimate.total.text} for {duration_text(estimate.lifetime_s)}"
        )
        if arguments.dry_run:
            return show(arguments, estimate, list)
        made = client.apps.publish(
            AppRequest(
                source=source.digest,
                path=arguments.file.name,
                name=arguments.name,
                framework=arguments.framework,
                compute=compute,
                lifetime_s=arguments.ttl,
            )
        )
        say(f"{made.name} starts")
        ready = client.apps.wait(made.id)
        if share is not None and ready.status is Status.READY:
            client.apps.share(made.id, share)  # the hub knows only what has started
    if ready.status is Status.FAILED:
        say(f"{ready.name} failed: {ready.reason}")
    show(arguments, ready, lambda: [ready.url])
    return 0 if ready.status is Status.READY else 1


def _apps(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        if arguments.delete:
            client.apps.delete(arguments.delete)
            say("The app is gone.")
            return 0
        if arguments.start or arguments.stop:
            act = client.apps.start if arguments.start else client.apps.stop
            changed = act(arguments.start or arguments.stop)
            return show(
                arguments, changed, lambda: [f"{changed.name}: {changed.status}"]
            )
        found = client.apps.list()
    head = ("APP", "NAME", "FRAMEWORK", "STATUS", "PRICE/H", "URL")
    rows = [
        (
            each.id,
            each.name,
            str(each.framework),
            str(each.status),
            each.price.text,
            each.url,
        )
        for each in found
    ]
    return show(arguments, found, lambda: table(head, rows, "Nothing is published."))
