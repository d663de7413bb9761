"""Arguments that several magics take: each is the decorator of a magic."""

from __future__ import annotations

from IPython.core.magic_arguments import argument

from hubyard.reading import Pairs, duration, named, pair

COMPUTE = argument(
    "-c", "--compute", type=named, help="a profile (%%compute lists them)"
)
LIFETIME = argument(
    "--ttl", type=duration, metavar="TIME", help="its lifetime: 30m, 8h, 2d"
)
DRY_RUN = argument("--dry-run", action="store_true", help="only show what it costs")


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
