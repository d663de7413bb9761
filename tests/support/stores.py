"""Empty stores on both databases, for tests that must hold on each."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from hubyard_hub.store import Store
from support.postgres import Cluster, cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    with cluster() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hubyard.sqlite'}"
    server: Cluster = request.getfixturevalue("postgresql")
    return server.url(f"t{uuid.uuid4().hex}")


@pytest.fixture
def both_stores(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'hubyard.sqlite'}")
    store.migrate()
    yield store
    store.close()
