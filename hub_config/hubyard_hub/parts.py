"""The parts that every noun is made with: one of each, to be used from many threads.

Books  what the hub and the platform share: the catalogue, the ledger, the budgets
Parts  all that the platform has beside them
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from hubyard.contract.errors import Unavailable
from hubyard_hub.models.mlflow_client import MlflowClient
from hubyard_hub.money.budgets import Budgets
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.money.prices import Prices
from hubyard_hub.money.spending import Spending
from hubyard_hub.sources.blobs import Blobs
from hubyard_hub.sources.uploads import Sources
from hubyard_hub.store import Store, in_words
from hubyard_hub.workloads.hub_client import HubClient
from hubyard_spawner.live import LiveCatalogue
from hubyard_spawner.local.disk import Disk
from hubyard_spawner.local.limits import Ladder
from hubyard_spawner.workloads import PLATFORM_SERVICE

if TYPE_CHECKING:
    from hubyard_hub.settings import Settings
    from hubyard_spawner.catalogue import Catalogue


@dataclass(frozen=True)
class Books:
    """What things cost, have cost and may cost."""

    settings: Settings
    store: Store
    live: LiveCatalogue
    ledger: Ledger
    budgets: Budgets
    prices: Prices
    spending: Spending
    ladder: Ladder

    @classmethod
    def build(cls, settings: Settings, *, must_answer: bool = True) -> Self:
        """Open the books of a deployment and bring its store to the newest shape.

        Args:
            settings: of the deployment.
            must_answer: whether a database that fails now is an error. Otherwise
                another process brings it to its shape later.

        Raises:
            CatalogueError: the catalogue cannot be used.
            Unavailable: the database fails.
        """
        live = LiveCatalogue(settings.catalogue)
        store = Store(settings.database_url)
        try:
            with in_words():
                store.migrate()
        except Unavailable:
            if must_answer:
                raise
        return cls(
            settings=settings,
            store=store,
            live=live,
            ledger=Ledger(store),
            budgets=Budgets(store),
            prices=Prices(store, live),
            spending=Spending(store),
            ladder=Ladder(),
            **cls._more(settings, store),
        )

    @classmethod
    def _more(cls, settings: Settings, store: Store) -> dict[str, Any]:
        """What a kind of books has beside these."""
        del settings, store
        return {}

    @property
    def catalogue(self) -> Catalogue:
        """The compute that is offered now."""
        return self.live()

    @property
    def disk(self) -> Disk:
        """That of the state folder."""
        return Disk(self.settings.state, self.settings.least_free_mib)

    def close(self) -> None:
        """Let go of files and connections."""
        self.store.close()


@dataclass(frozen=True)
class Parts(Books):
    """One of each; all may be used from many threads."""

    blobs: Blobs
    sources: Sources
    hub: HubClient
    mlflow: MlflowClient
    wake: threading.Event = field(default_factory=threading.Event)
    """Set after a change that the reconciler shall see at once."""

    @classmethod
    def _more(cls, settings: Settings, store: Store) -> dict[str, Any]:
        blobs = Blobs(settings.state / "blobs")
        token = settings.secret(f"service_{PLATFORM_SERVICE}")
        return {
            "blobs": blobs,
            "sources": Sources(store, blobs),
            "hub": HubClient(settings.hub_api_url, token),
            "mlflow": MlflowClient(settings.mlflow_url),
        }

    @property
    def token(self) -> str:
        """The platform's own, by which the hub and MLflow know it."""
        return self.settings.secret(f"service_{PLATFORM_SERVICE}")

    def close(self) -> None:
        """Let go of files and connections."""
        self.hub.close()
        self.mlflow.close()
        super().close()
