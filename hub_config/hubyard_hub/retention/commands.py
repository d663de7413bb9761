"""`hubyard prune`: whoever runs Hubyard frees disk space, whether or not it runs.

What is slow to import (the database) is imported by the command that needs it.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.contract.base import now
from hubyard.contract.errors import Invalid
from hubyard_hub.settings import Settings

if TYPE_CHECKING:
    import argparse

    from hubyard_hub.retention.leftovers import Leftover

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  argparse gives it no other name

_MIB = 2**20
_MOST_DAYS = 36_500


def add_prune(subparsers: Subparsers) -> None:
    """Add `prune` to the command `hubyard`."""
    prune = subparsers.add_parser("prune", help="remove files that nobody needs")
    prune.add_argument("--state", type=Path, help="folder of everything kept")
    prune.add_argument("--dry-run", action="store_true", help="only say what would go")
    prune.add_argument(
        "--keep-days",
        type=int,
        metavar="DAYS",
        help="for how long unused files stay; else as `hubyard up` was told",
    )
    prune.set_defaults(command=run_prune)


def run_prune(arguments: argparse.Namespace) -> int:
    """Remove leftovers, or list them."""
    from hubyard_hub.retention.leftovers import Leftovers  # noqa: PLC0415  see above
    from hubyard_hub.retention.prune import prune  # noqa: PLC0415
    from hubyard_hub.store import Store, in_words  # noqa: PLC0415

    settings = _settings(arguments)
    store = Store(settings.database_url)
    try:
        with in_words():
            if arguments.dry_run:
                _tell(Leftovers(settings, store, now()).find(), "would go")
            else:
                store.migrate()
                _tell(prune(settings, store, now()), "removed")
    finally:
        store.close()
    return 0


def _tell(leftovers: list[Leftover], word: str) -> None:
    for each in leftovers:
        size = f"{each.size_bytes / _MIB:.1f} MiB"
        sys.stdout.write(f"{each.path}  {each.what}, {size}\n")
    total = sum(each.size_bytes for each in leftovers) / _MIB
    sys.stdout.write(f"{len(leftovers)} {word}, {total:.1f} MiB in all\n")


def _settings(arguments: argparse.Namespace) -> Settings:
    """Those of the state folder that is named, or of the usual one.

    Raises:
        Invalid: there is no Hubyard in it, or the days are none.
    """
    state: Path | None = arguments.state
    settings = Settings.load(state.expanduser().resolve() if state else None)
    days: int | None = arguments.keep_days
    if days is None:
        return settings
    if not 1 <= days <= _MOST_DAYS:
        raise Invalid(f"--keep-days is a number of days from 1 to {_MOST_DAYS}.")
    return dataclasses.replace(settings, keep_days=days)
