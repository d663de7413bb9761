"""What several commands share: their arguments, JSON for programs, and progress."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from hubyard.reading import Pairs, duration, named, text_pair

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pydantic import BaseModel

    from hubyard.options import Options

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  argparse gives it no other name
    OneOf = argparse._MutuallyExclusiveGroup  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  the same


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
        type=text_pair,
        metavar="NAME=VALUE",
        help="a parameter of the notebook; may be given again",
    )


def add_options(parser: argparse.ArgumentParser | OneOf, options: Options) -> None:
    """Options that the magics have too."""
    for name, how in options.items():
        parser.add_argument(name, **how)


def say(line: str) -> None:
    """One line for a person; not part of what a program reads."""
    print(line, file=sys.stderr, flush=True)


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
