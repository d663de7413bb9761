"""`notices` and `channels`: what you were told, and the ways out that carry it."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from hubyard.cli.ask import add_yes, agreed
from hubyard.cli.show import add_command, say, show
from hubyard.client import Client
from hubyard.contract.notice import ChannelRequest, DeliveryStatus
from hubyard.reading import named
from hubyard.showing import moment, table

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers
    from hubyard.contract.notice import Channel, Delivery, Notices


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    bell = add_command(subparsers, "notices", "Show what you were told", _notices)
    bell.add_argument("--seen", action="store_true", help="and call all of it seen")
    ways = add_command(
        subparsers, "channels", "List channels, or define them", _channels
    )
    what = ways.add_mutually_exclusive_group()
    what.add_argument(
        "--add",
        type=named,
        metavar="NAME",
        help="define a channel; its URL is read from the standard input",
    )
    what.add_argument(
        "--remove", type=named, metavar="NAME", help="take a channel away"
    )
    what.add_argument(
        "--try", dest="trial", type=named, metavar="NAME", help="send a test message"
    )
    what.add_argument(
        "--deliveries", action="store_true", help="what became of the newest notices"
    )
    ways.add_argument("--for", dest="purpose", type=named, help="what it is for")
    ways.add_argument(
        "--default",
        action="store_true",
        help="of schedules that name no channel",
    )
    add_yes(ways)


def _notices(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        found = client.bell.list()
        if arguments.seen:
            client.bell.see()
    return show(arguments, found, lambda: _bell_lines(found))


def _bell_lines(found: Notices) -> list[str]:
    head = ("WHEN", "RUN", "NAME", "WHAT", "SEEN", "MESSAGE")
    rows = [
        (
            moment(each.created_at),
            each.run_id,
            each.name,
            each.why.value,
            "yes" if each.seen_at else "no",
            each.message,
        )
        for each in found.notices
    ]
    return table(head, rows, "There is nothing to tell.")


def _channels(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        if arguments.add is not None:
            return _add(arguments, client)
        if arguments.remove is not None:
            return _remove(arguments, client)
        if arguments.trial is not None:
            return _try(arguments, client)
        if arguments.deliveries:
            sent = client.channels.deliveries()
            return show(arguments, sent, lambda: _delivery_lines(sent))
        found = client.channels.list()
    return show(arguments, found, lambda: _channel_lines(found))


def _add(arguments: argparse.Namespace, client: Client) -> int:
    request = ChannelRequest(
        url=_url(), purpose=arguments.purpose, is_default=arguments.default
    )
    made = client.channels.put(arguments.add, request)
    return show(arguments, made, lambda: [f"{made.name} leads to {made.place}"])


def _url() -> str:
    """It holds a secret: no command line, and no terminal, shall show it."""
    if sys.stdin.isatty():
        return getpass.getpass("URL, as apprise writes it: ").strip()
    return sys.stdin.readline().strip()


def _remove(arguments: argparse.Namespace, client: Client) -> int:
    if not agreed(arguments, f"Remove the channel {arguments.remove}?"):
        return 1
    client.channels.remove(arguments.remove)
    say("It is gone; schedules that name it tell nobody by it.")
    return show(arguments, {"removed": arguments.remove}, list)


def _try(arguments: argparse.Namespace, client: Client) -> int:
    trial = client.channels.try_out(arguments.trial)
    taken = trial.status in {DeliveryStatus.SENT, DeliveryStatus.HANDED_OVER}
    line = f"{arguments.trial}: {trial.status.value}. {trial.said or ''}".strip()
    show(arguments, trial, lambda: [line])
    return 0 if taken else 1


def _channel_lines(found: list[Channel]) -> list[str]:
    head = ("CHANNEL", "KIND", "DEFAULT", "FOR", "LEADS TO")
    rows = [
        (
            each.name,
            each.kind,
            "yes" if each.is_default else "no",
            each.purpose or "-",
            each.place or "-",
        )
        for each in found
    ]
    return table(head, rows, "There are no channels: an administrator defines them.")


def _delivery_lines(found: list[Delivery]) -> list[str]:
    head = ("WHEN", "CHANNEL", "OWNER", "RUN", "WHAT", "STATUS", "TRIES", "SAID")
    rows = [
        (
            moment(each.changed_at),
            each.channel,
            each.owner,
            each.run_id,
            each.why.value,
            each.status.value,
            str(each.attempts),
            each.said or "-",
        )
        for each in found
    ]
    return table(head, rows, "Nothing was sent yet.")
