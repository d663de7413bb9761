"""Asking, before what costs or cannot be undone: the price first, then a yes.

Only a person at a terminal is asked. A pipe, `--json` and `--yes` have said yes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hubyard.cli.show import say, show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def add_yes(parser: argparse.ArgumentParser) -> None:
    """For what asks."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """For what costs."""
    parser.add_argument(
        "--dry-run", action="store_true", help="show the price and start nothing"
    )
    add_yes(parser)


def agreed(arguments: argparse.Namespace, question: str) -> bool:
    """Whether a person says yes, where there is one to ask."""
    if arguments.yes or arguments.json or not _is_person_there():
        return True
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    say("Nothing was done.")
    return False


def delete(
    arguments: argparse.Namespace, act: Callable[[str], None], so: str = "It is gone."
) -> int:
    """Delete what `--delete` names, if that is agreed; returns the exit code."""
    if not agreed(arguments, f"Delete {arguments.delete}?"):
        return 1
    act(arguments.delete)
    say(so)
    return show(arguments, {"deleted": arguments.delete}, list)


def _is_person_there() -> bool:
    # A stream that was closed before the start is None.
    return all(stream and stream.isatty() for stream in (sys.stdin, sys.stderr))
