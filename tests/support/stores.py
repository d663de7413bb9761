"""Empty stores on both databases, for tests that must hold on each."""

from __future__ import annotations

import functools
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from hubyard_hub.store import Store
from support.postgres import Cluster, cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    file = tmp_path / "hubyard.sqlite"
    file.write_bytes(newest_shape())
    store = Store(f"sqlite:///{file}")
    yield store
    store.close()


@functools.cache
def newest_shape() -> bytes:
    """An empty SQLite file of the newest shape: made once, it is quick to copy."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "hubyard.sqlite"
        store = Store(f"sqlite:///{file}")
        store.migrate()
        store.close()
        return file.read_bytes()
