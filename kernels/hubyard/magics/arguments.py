"""Arguments that several magics take: each is the decorator of a magic."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from IPython.core.magic_arguments import argument

from hubyard.reading import Pairs, duration, named, pair, text_pair

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


def parameters(of: str) -> argument:
    """`-p NAME=VALUE`, again and again; the platform reads each as it is declared."""
    return _pairs("-p", "--parameter", of=of, kind=text_pair)


def pairs(*names: str, of: str) -> argument:
    """`NAME=VALUE`, again and again; a value is a literal, or the text itself.

    Args:
        names: of the argument.
        of: what one of them is.
    """
    return _pairs(*names, of=of, kind=pair)


def _pairs(*names: str, of: str, kind: Callable[[str], tuple[str, object]]) -> argument:
    return argument(
        *names,
        action=Pairs,
        default={},
        type=kind,
        metavar="NAME=VALUE",
        help=f"{of}; may be given again",
    )
