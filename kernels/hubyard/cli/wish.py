"""What `deployments` and `apps` share: both are wishes that a workload fulfils."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hubyard.cli.ask import add_yes, agreed, delete
from hubyard.cli.show import say, show, show_text
from hubyard.contract.workload import Status
from hubyard.showing import Progress, price_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from hubyard.cli.show import OneOf
    from hubyard.client import Client
    from hubyard.client.nouns import Apps, Deployments
    from hubyard.contract.app import App
    from hubyard.contract.deployment import Deployment

    W = TypeVar("W", Deployment, App)


def add_changes(parser: argparse.ArgumentParser, what: str) -> OneOf:
    """The options that are about one of them; a noun may add its own."""
    one = parser.add_mutually_exclusive_group()
    for name in ("start", "stop", "delete"):
        one.add_argument(f"--{name}", metavar="ID", help=f"{name} {what}")
    one.add_argument("--log", metavar="ID", help="print what it has printed")
    add_yes(parser)
    return one


def change(
    arguments: argparse.Namespace, client: Client, noun: Deployments | Apps
) -> int | None:
    """Do what was asked of one of them; None: nothing was."""
    if arguments.delete is not None:
        return delete(arguments, noun.delete)
    if arguments.log is not None:
        return show_text(arguments, "log", noun.log(arguments.log))
    if arguments.start is not None:
        return _start(arguments, client, noun)
    if arguments.stop is not None:
        return _changed(arguments, noun.stop(arguments.stop))
    return None


def _start(
    arguments: argparse.Namespace, client: Client, noun: Deployments | Apps
) -> int:
    found = noun.get(arguments.start)
    price = client.estimate(found.compute, found.lifetime_s)
    say(price_line(price))
    question = f"Start {found.name} for at most {price.total.text}?"
    if not agreed(arguments, question):
        return 1
    return _changed(arguments, noun.start(found.id))


def _changed(arguments: argparse.Namespace, now: Deployment | App) -> int:
    return show(arguments, now, lambda: [f"{now.name}: {now.status}"])


def progress() -> Progress[App | Deployment]:
    """Says where it is, whenever that changes."""
    return Progress(lambda wish: f"{wish.name}: {wish.status}", say)


def report(
    arguments: argparse.Namespace, wish: W, text: Callable[[W], Sequence[str]]
) -> int:
    """Show what came of it: 0 where it is ready, else 1 and why it is not."""
    ready = wish.status is Status.READY
    if not ready:
        say(f"{wish.name} {wish.status}: {wish.reason or 'it was stopped.'}")
        for line in (wish.log_tail or "").splitlines():
            say(f"  {line}")
    show(arguments, wish, lambda: text(wish) if ready else [])
    return 0 if ready else 1
