"""Showing: tables for people, JSON for programs, and what several commands share."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from hubyard.contract.duration import parse_duration
from hubyard.contract.literal import parse_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  argparse gives it no other name


def add_command(
    subparsers: Subparsers,
    name: str,
    help_: str,
    command: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    """A command of that name, with `--json`."""
    parser = subparsers.add_parser(name, help=help_, description=f"{help_}.")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(command=command)
    return parser


def add_compute(parser: argparse.ArgumentParser) -> None:
    """What a workload may be given."""
    parser.add_argument("-c", "--compute", help="a compute profile (hubyard compute)")
    parser.add_argument(
        "--ttl", type=duration, metavar="TIME", help="its lifetime: 30m, 8h, 2d"
    )


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Parameters of a notebook."""
    parser.add_argument(
        *("-p", "--parameter"),
        action="append",
        default=[],
        type=pair,
        metavar="NAME=VALUE",
        help="a parameter of the notebook; may be given again",
    )


def duration(text: str) -> int:
    """Seconds, for argparse."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def pair(text: str) -> tuple[str, Any]:
    """Name and value, for argparse."""
    try:
        return parse_pair(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def say(line: str) -> None:
    """One line for a person; not part of what a program reads."""
    print(line, file=sys.stderr, flush=True)


def show(
    arguments: argparse.Namespace,
    value: BaseModel | Sequence[BaseModel],
    text: Callable[[], Iterable[str]],
) -> int:
    """Print a value as JSON where asked for, else as text. Returns 0."""
    if arguments.json:
        single = isinstance(value, BaseModel)
        shown = _plain(value) if single else [_plain(each) for each in value]  # pyright: ignore[reportArgumentType]  a sequence here
        print(json.dumps(shown, indent=2))
    else:
        for line in text():
            print(line)
    return 0


def _plain(value: BaseModel) -> Any:  # noqa: ANN401  any JSON
    return value.model_dump(mode="json")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> list[str]:
    """Lines of a table whose columns are as wide as they must be."""
    if not rows:
        return [empty]
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def moment(value: datetime | None) -> str:
    """A moment, in this machine's own zone."""
    return value.astimezone().strftime("%d %b %H:%M") if value else "-"
