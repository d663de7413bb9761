"""The command `hubyard`: everything that the pages and panels do, in a terminal.

Commands of other rooms join through the entry point group `hubyard.commands`. Each
entry is a function `add_commands(subparsers)`; it adds parsers to the given
`argparse` action, and each of them sets `command` to a function that takes the parsed
arguments and returns the exit code.

Exit codes: 0 done; 1 refused or failed, with one line that says what to do; 2 the
command line is wrong; 130 Ctrl-C; 141 nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, NoReturn

from pydantic import ValidationError

import hubyard
from hubyard.cli import (
    apps,
    cost,
    deployments,
    models,
    notices,
    pipelines,
    runs,
    schedules,
)
from hubyard.contract.errors import HubyardError, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLUGINS = "hubyard.commands"
_BY_SIGNAL = 128


class Parser(argparse.ArgumentParser):
    """One that says what is wrong in one line; the parsers below it are such, too."""

    def error(self, message: str) -> NoReturn:
        """End the command."""
        line = " ".join(message.splitlines())
        self.exit(2, f"{self.prog}: {line}; see `{self.prog} --help`.\n")


def parser() -> Parser:
    """The whole command line, plugins included."""
    top = Parser(
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
    nouns = (cost, runs, pipelines, schedules, notices, models, deployments, apps)
    for noun in nouns:
        noun.add_commands(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name may have what it cannot say
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except HubyardError as error:
        return _failed(error.message)
    except ValidationError as error:
        return _failed(refused(error).message)
    except BrokenPipeError:
        _give_output_up()
        return _BY_SIGNAL + signal.SIGPIPE
    except OSError as error:
        if error.filename is None:
            _give_output_up()
        return _failed(f"{error.filename or 'the output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        _failed("interrupted; what has started goes on.")
        return _BY_SIGNAL + signal.SIGINT


def _run(argv: Sequence[str]) -> int:
    top = parser()
    for word in argv:
        if word != word.encode(errors="replace").decode():
            top.error(f"{word!r} is not UTF-8")
    try:
        arguments = top.parse_args(argv)
        return int(arguments.command(arguments))
    finally:
        if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]  None where it is closed
            sys.stdout.flush()


def _give_output_up() -> None:
    """What is left unwritten would be written, and fail again, when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(line: str) -> int:
    print(f"hubyard: {line}", file=sys.stderr)
    return 1
