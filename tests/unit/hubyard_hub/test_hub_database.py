"""The hub's own database, locked by somebody else."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from jupyterhub import orm
from sqlalchemy.exc import OperationalError
from traitlets.config import Config

from hubyard_hub.hub import database as hub_database


@pytest.fixture
def session(tmp_path, monkeypatch):
    """The session of a hub that is configured so, and gives up soon."""
    monkeypatch.setattr(hub_database, "BUSY_S", 0.1)
    config, file = Config(), tmp_path / "hub.sqlite"
    hub_database.configure(config, file)
    hub = config.JupyterHub
    with orm.new_session_factory(hub.db_url, **hub.db_kwargs)() as session:
        session.file = file
        session.add(orm.User(name="ana"))
        session.commit()
        yield session
    session.bind.dispose()


def locked(session):
    """Somebody who writes into its file for the length of the block."""
    other = sqlite3.connect(session.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return closing(other)


def test_the_hub_reads_while_somebody_writes(session):
    with locked(session):
        assert session.query(orm.User).one().name == "ana"


def test_whoever_asks_after_a_failure_is_answered(session):
    async def ask():
        with locked(session):
            with pytest.raises(OperationalError, match="locked"):
                _sign_up(session)
            await asyncio.sleep(0)
            # Not refused for what has failed before, as "Missing or invalid
            # credentials" would do.
            assert [user.name for user in session.query(orm.User)] == ["ana"]
        _sign_up(session)
        assert session.query(orm.User).count() == 2

    asyncio.run(ask())


def _sign_up(session):
    session.add(orm.User(name="bo"))
    session.commit()
