"""The parts that every noun of the platform is made with."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from hubyard_hub.blobs import Blobs
from hubyard_hub.hub_client import HubClient
from hubyard_hub.ledger import Ledger
from hubyard_hub.mlflow_client import MlflowClient
from hubyard_hub.sources import Sources
from hubyard_hub.store import Store
from hubyard_spawner.catalogue import Catalogue
from hubyard_spawner.limits import Ladder
from hubyard_spawner.workloads import PLATFORM_SERVICE

if TYPE_CHECKING:
    from hubyard_hub.settings import Settings


@dataclass(frozen=True)
class Parts:
    """One of each; all may be used from many threads."""

    settings: Settings
    store: Store
    catalogue: Catalogue
    ledger: Ledger
    ladder: Ladder
    blobs: Blobs
    sources: Sources
    hub: HubClient
    mlflow: MlflowClient
    wake: threading.Event = field(default_factory=threading.Event)
    """Set after a change that the reconciler shall see at once."""

    @classmethod
    def build(cls, settings: Settings) -> Self:
        """Make the parts of a deployment and bring its store to the newest shape."""
        store = Store(settings.database_url)
        store.migrate()
        token = settings.secret(f"service_{PLATFORM_SERVICE}")
        blobs = Blobs(settings.state / "blobs")
        return cls(
            settings=settings,
            store=store,
            catalogue=Catalogue.load(settings.catalogue),
            ledger=Ledger(store),
            ladder=Ladder(),
            blobs=blobs,
            sources=Sources(store, blobs),
            hub=HubClient(settings.hub_api_url, token),
            mlflow=MlflowClient(settings.mlflow_url),
        )

    def close(self) -> None:
        """Let go of files and connections."""
        self.hub.close()
        self.mlflow.close()
        self.store.close()
