"""Arguments that several magics take: each is the decorator of a magic."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from IPython.core.magic_arguments import argument

from hubyard.reading import Pairs, duration, named, pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubyard.options import Options

    M = TypeVar("M", bound=Callable[..., object])

COMPUTE = argument(
    "-c", "--compute", type=named, help="a profile (%%compute lists them)"
)
LIFETIME = argument(
    "--ttl", type=duration, metavar="TIME", help="its lifetime: 30m, 8h, 2d"
)
DRY_RUN = argument("--dry-run", action="store_true", help="only show what it costs")


def options(described: Options) -> Callable[[M], M]:
    """Options that the command has too."""

    def take(magic: M) -> M:
        for name, how in reversed(tuple(described.items())):
            magic = argument(name, **how)(magic)
        return magic

    return take


def pairs(*names: str, of: str) -> argument:
    """`NAME=VALUE`, again and again.

    Args:
        names: of the argument.
        of: what one of them is.
    """
    return argument(
        *names,
        action=Pairs,
        default={},
        type=pair,
        metavar="NAME=VALUE",
        help=f"{of}; may be given again",
    )
