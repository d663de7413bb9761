"""`hubyard ledger`: whoever runs Hubyard looks at its books, whether or not it runs.

What is slow to import (the database) is imported by the command that needs it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.contract.base import now
from hubyard_hub.settings import Settings

if TYPE_CHECKING:
    import argparse

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  argparse gives it no other name


def add_commands(subparsers: Subparsers) -> None:
    """Add `ledger` to the command `hubyard`."""
    ledger = subparsers.add_parser("ledger", help="check or export the ledger")
    acts = ledger.add_subparsers(metavar="ACT", required=True)
    verify = acts.add_parser("verify", help="whether every line can be true")
    export = acts.add_parser("export", help="print every line")
    export.add_argument("--csv", action="store_true", help="as CSV instead of JSON")
    for parser, command in ((verify, run_verify), (export, run_export)):
        parser.add_argument("--state", type=Path, help="folder of everything kept")
        parser.set_defaults(command=command)


def run_verify(arguments: argparse.Namespace) -> int:
    """Say what is wrong with the ledger; 1 where anything is."""
    from hubyard_hub.money.audit import audit  # noqa: PLC0415  see above
    from hubyard_hub.store import Store  # noqa: PLC0415

    settings = _settings(arguments)
    store = Store(settings.database_url)
    verdict = audit(store, settings.workloads, now())
    store.close()
    for fault in verdict.faults:
        sys.stdout.write(f"{fault}\n")
    sys.stdout.write(
        f"ledger entries={verdict.entries} open={verdict.open} "
        f"faults={len(verdict.faults)}\n"
    )
    return 1 if verdict.faults else 0


def run_export(arguments: argparse.Namespace) -> int:
    """Print the whole ledger."""
    from hubyard_hub.money.export import as_csv, records  # noqa: PLC0415  see above
    from hubyard_hub.store import Store  # noqa: PLC0415

    store = Store(_settings(arguments).database_url)
    with store.read() as connection:
        lines = records(connection)
    store.close()
    if arguments.csv:
        sys.stdout.write(as_csv(lines))
    else:
        said = [line.model_dump(mode="json") for line in lines]
        sys.stdout.write(json.dumps(said, indent=2) + "\n")
    return 0


def _settings(arguments: argparse.Namespace) -> Settings:
    """Those of the state folder that is named, or of the usual one.

    Raises:
        Invalid: there is no Hubyard in it.
    """
    state: Path | None = arguments.state
    return Settings.load(state.expanduser().resolve() if state else None)
