"""`app` and `apps`: web apps made from a notebook or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.cli.ask import add_dry_run, agreed
from hubyard.cli.show import add_command, add_compute, say, show
from hubyard.cli.wish import add_changes, change, progress, report
from hubyard.client import Client
from hubyard.contract.app import AppRequest, Framework, parse_share
from hubyard.contract.workload import Status
from hubyard.showing import price_line, table

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers
    from hubyard.contract.app import App

_FRAMEWORKS = [each.value for each in Framework]


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    app = add_command(subparsers, "app", "Publish a notebook or file as an app", _app)
    app.add_argument("file", type=Path)
    app.add_argument("--name", help="what to call it")
    app.add_argument("--framework", choices=_FRAMEWORKS, help="if not by its name")
    app.add_argument("--share", metavar="user:NAME|group:NAME", help="who may open it")
    add_dry_run(app)
    add_compute(app)
    many = add_command(subparsers, "apps", "List or change apps", _apps)
    one = add_changes(many, "an app")
    for name, help_ in (("share", "let somebody open it"), ("unshare", "no longer")):
        one.add_argument(f"--{name}", nargs=2, metavar=("ID", "WHO"), help=help_)


def _app(arguments: argparse.Namespace) -> int:
    share = parse_share(arguments.share) if arguments.share is not None else None
    with Client.from_environment() as client:
        source = client.sources.upload(arguments.file)
        wish = AppRequest(
            source=source.digest,
            path=arguments.file.name,
            name=arguments.name,
            framework=arguments.framework,
            compute=arguments.compute or source.compute,
            lifetime_s=arguments.ttl,
        )
        price = client.estimate(wish.compute, wish.lifetime_s, wish.source)
        say(price_line(price))
        if arguments.dry_run:
            return show(arguments, price, list)
        question = f"Publish {wish.path} for at most {price.total.text}?"
        if not agreed(arguments, question):
            return 1
        made = client.apps.publish(wish)
        ready = client.apps.wait(made.id, progress())
        if share is not None and ready.status is Status.READY:
            client.apps.share(made.id, share)  # the hub knows only what has started
    return report(arguments, ready, lambda app: [app.url])


def _apps(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        done = change(arguments, client, client.apps)
        if done is not None:
            return done
        if arguments.share or arguments.unshare:
            return _share(arguments, client)
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


def _share(arguments: argparse.Namespace, client: Client) -> int:
    id_, who = arguments.share or arguments.unshare
    act = client.apps.share if arguments.share else client.apps.unshare
    app = act(id_, parse_share(who))
    return show(arguments, app, lambda: [_openers(app)])


def _openers(app: App) -> str:
    named = [f"user:{s.user}" if s.user else f"group:{s.group}" for s in app.shares]
    return f"{app.name} is open to {', '.join(['you', *named])}"
