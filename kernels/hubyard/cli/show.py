"""Showing: tables for people, JSON for programs, and what several commands share."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hubyard.contract.base import LONGEST_S
from hubyard.contract.duration import duration_text, parse_duration
from hubyard.contract.literal import parse_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from pydantic import BaseModel

    from hubyard.contract.compute import Estimate

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  argparse gives it no other name
    OneOf = argparse._MutuallyExclusiveGroup  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  the same


T = TypeVar("T")

_WIDEST = 40


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
    parser.add_argument(
        *("-c", "--compute"), type=named, help="a compute profile (hubyard compute)"
    )
    add_lifetime(parser)


def add_lifetime(parser: argparse.ArgumentParser) -> None:
    """How long something may live."""
    parser.add_argument(
        "--ttl", type=duration, metavar="TIME", help="its lifetime: 30m, 8h, 2d"
    )


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Parameters of a notebook."""
    parser.add_argument(
        *("-p", "--parameter"),
        action=Pairs,
        default={},
        type=pair,
        metavar="NAME=VALUE",
        help="a parameter of the notebook; may be given again",
    )


def duration(text: str) -> int:
    """Seconds, for argparse."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if seconds > LONGEST_S:
        longest = duration_text(LONGEST_S)
        raise argparse.ArgumentTypeError(
            f"{text!r} is too long: write at most {longest}"
        )
    return seconds


def named(text: str) -> str:
    """A name that is not empty, for argparse."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a name is missing")
    return text


def pair(text: str) -> tuple[str, Any]:
    """Name and value, for argparse."""
    try:
        return parse_pair(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class Pairs(argparse.Action):
    """Names and values, gathered; a name that is given twice is a mistake."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002  argparse's
        namespace: argparse.Namespace,
        values: Any,  # noqa: ANN401  argparse's
        option_string: str | None = None,  # noqa: ARG002  argparse's
    ) -> None:
        """Take one more."""
        name, value = values
        known: dict[str, Any] = getattr(namespace, self.dest)
        if name in known:
            raise argparse.ArgumentError(self, f"{name} is given twice")
        setattr(namespace, self.dest, {**known, name: value})


def say(line: str) -> None:
    """One line for a person; not part of what a program reads."""
    print(line, file=sys.stderr, flush=True)


class Progress(Generic[T]):
    """Says a line of what is waited for, whenever it changes."""

    def __init__(self, line: Callable[[T], str]) -> None:
        self._line = line
        self._said = ""

    def __call__(self, now: T) -> None:
        """Hear how it is now."""
        line = self._line(now)
        if line != self._said:
            say(line)
        self._said = line


def price_line(estimate: Estimate) -> str:
    """Price x time, before."""
    return (
        f"{estimate.compute} costs {estimate.price.text} an hour, at most "
        f"{estimate.total.text} for {duration_text(estimate.lifetime_s)}"
    )


def show(
    arguments: argparse.Namespace,
    value: BaseModel | Sequence[BaseModel] | Mapping[str, str],
    text: Callable[[], Iterable[str]],
) -> int:
    """Print a value as JSON where asked for, else as text. Returns 0."""
    if arguments.json:
        print(json.dumps(value, indent=2, default=_plain))
    else:
        for line in text():
            print(line)
    return 0


def show_text(arguments: argparse.Namespace, name: str, text: str) -> int:
    """Print a text as it is; as JSON, under its name. Returns 0."""
    if arguments.json:
        return show(arguments, {name: text}, list)
    print(text, end="")
    return 0


def _plain(value: BaseModel) -> Any:  # noqa: ANN401  any JSON
    return value.model_dump(mode="json")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> list[str]:
    """Lines of a table whose columns are as wide as they must be.

    What one types again stands in the first column and an address in the last; what is
    long between them is cut.
    """
    if not rows:
        return [empty]
    lines = [tuple(head), *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def _cells(row: Sequence[str]) -> tuple[str, ...]:
    """A row's texts, none of which can break the line or move the cursor."""
    plain = ["".join(c if c.isprintable() else " " for c in cell) for cell in row]
    first, *between, last = plain
    return (first, *(_cut(cell) for cell in between), last)


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…"


def moment(value: datetime | None) -> str:
    """A moment, in this machine's own zone."""
    return value.astimezone().strftime("%d %b %H:%M") if value else "-"
