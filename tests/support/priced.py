"""The lines that make a hub under test start workloads by our spawner, on a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support import plain_workload_path

if TYPE_CHECKING:
    from pathlib import Path

PLATFORM_SCOPES = ["start:servers", "delete:servers", "read:servers"]

_LINES = """
import sys
from pathlib import Path
from hubyard.contract.workload import ServerName
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from hubyard_spawner import workloads
from hubyard_spawner.catalogue import Catalogue
store = Store("sqlite:///{state}/hubyard.sqlite")
store.migrate()
plain = [sys.executable, {plain!r}]
workloads.WorkloadKind.cmd = property(lambda self: plain)
scopes = lambda s: list(workloads.KINDS[ServerName.parse(s.name).kind].scopes)
ledger = Ledger(store)
catalogue = Catalogue.load(Path("{state}/compute.toml"))
c.JupyterHub.spawner_class = "hubyard_spawner.local.spawner.LocalSpawner"
c.Spawner.server_token_scopes = scopes
c.LocalSpawner.meter = lambda: ledger
c.LocalSpawner.catalogue = lambda: catalogue
c.LocalSpawner.workloads_dir = "{state}/workloads"
c.LocalSpawner.homes_dir = "{state}/homes"
c.LocalSpawner.poll_interval = 2
c.LocalSpawner.start_timeout = 20
"""


def priced_lines(state: Path) -> list[str]:
    """Lines for `HubUnderTest`; the catalogue is `compute.toml` in the state."""
    return [_LINES.format(state=state, plain=plain_workload_path())]
