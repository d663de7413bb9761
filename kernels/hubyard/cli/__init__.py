"""The command `hubyard`: everything that the pages and panels do, in a terminal.

Commands of other rooms join through the entry point group `hubyard.commands`. Each
entry is a function `add_commands(subparsers)`; it adds parsers to the given
`argparse` action, and each of them sets `command` to a function that takes the parsed
arguments and returns the exit code.

Exit codes: 0 done; 1 refused or failed, with one line that says what to do; 2 the
command line is wrong; 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import hubyard
from hubyard.cli import apps, cost, deployments, models, runs, schedules
from hubyard.contract.errors import HubyardError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLUGINS = "hubyard.commands"
_INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """The whole command line, plugins included."""
    top = argparse.ArgumentParser(
        prog="hubyard",
        description="One hub, four workloads: workspaces, runs, endpoints and apps.",
    )
    top.add_argument(
        "--version", action="version", version=f"hubyard {hubyard.__version__}"
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for plugin in entry_points(group=_PLUGINS):
        try:
            plugin.load()(commands)
        except Exception as error:  # noqa: BLE001  one broken plugin must not end all
            print(f"hubyard: {plugin.name} cannot be used: {error}", file=sys.stderr)
    for noun in (cost, runs, schedules, models, deployments, apps):
        noun.add_commands(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except HubyardError as error:
        print(f"hubyard: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
