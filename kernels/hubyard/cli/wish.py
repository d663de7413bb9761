"""What `deployments` and `apps` share: both are wishes that a workload fulfils."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hubyard.cli.ask import add_yes, agreed, priced
from hubyard.cli.show import Progress, say, show
from hubyard.contract.workload import Status

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from hubyard.client import Client
    from hubyard.client.nouns import Apps, Deployments
    from hubyard.contract.app import App
    from hubyard.contract.deployment import Deployment

    W = TypeVar("W", Deployment, App)


def add_changes(parser: argparse.ArgumentParser, what: str) -> None:
    """The options that change one of them."""
    one = parser.add_mutually_exclusive_group()
    for name in ("start", "stop", "delete"):
        one.add_argument(f"--{name}", metavar="ID", help=f"{name} {what}")
    add_yes(parser)


def change(
    arguments: argparse.Namespace, client: Client, noun: Deployments | Apps
) -> int | None:
    """Do what was asked of one of them; None: nothing was."""
    if arguments.delete is not None:
        return _delete(arguments, noun)
    if arguments.start is not None:
        found = noun.get(arguments.start)
        price = priced(client, found.compute, found.lifetime_s)
        question = f"Start {found.name} for at most {price.total.text}?"
        if not agreed(arguments, question):
            return 1
        changed = noun.start(found.id)
    elif arguments.stop is not None:
        changed = noun.stop(arguments.stop)
    else:
        return None
    return show(arguments, changed, lambda: [f"{changed.name}: {changed.status}"])


def _delete(arguments: argparse.Namespace, noun: Deployments | Apps) -> int:
    if not agreed(arguments, f"Delete {arguments.delete}?"):
        return 1
    noun.delete(arguments.delete)
    say(f"{arguments.delete} is gone.")
    return show(arguments, {"deleted": arguments.delete}, list)


def progress() -> Progress[App | Deployment]:
    """Says where it is, whenever that changes."""
    return Progress(lambda wish: f"{wish.name}: {wish.status}")


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
