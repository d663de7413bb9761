"""MLflow's members follow the hub's users, in MLflow's own store."""

from __future__ import annotations

import asyncio

import pytest

from hubyard.contract.errors import Unavailable
from hubyard.contract.identity import Identity
from hubyard_hub.mlflow.members import STALE_S, Members

# MLflow 3.17's own, of libraries that are newer.
pytestmark = pytest.mark.filterwarnings("ignore")


class Users:
    """The hub's users; None: it does not answer."""

    def __init__(self, *users: Identity) -> None:
        self.users: list[Identity] | None = [*users]
        self.asked = 0

    def list(self) -> list[Identity]:
        self.asked += 1
        if self.users is None:
            raise Unavailable
        return self.users


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore()
    store.init_db(f"sqlite:///{tmp_path_factory.mktemp('auth') / 'auth.sqlite'}")
    return store


@pytest.fixture
def store(database):
    for user in database.list_users():
        database.delete_user(user.username)
    return database


def groups_of(store, name):
    roles = store.list_user_roles(store.get_user(name).id)
    return {role.name for role in roles}


ADA = Identity(name="ada", groups=("ds", "ops"))
BOB = Identity(name="bob", admin=True)


def test_who_asks_nothing_is_brought_up_to_date(store):
    users = Users(ADA, BOB)
    members = Members(store, users)
    for each in (ADA, BOB):
        asyncio.run(members.welcome(each))
    assert groups_of(store, "ada") == {"group/ds", "group/ops"}
    users.users = [Identity(name="ada", groups=("ops",)), Identity(name="bob")]
    members.follow()
    assert groups_of(store, "ada") == {"group/ops"}
    assert not store.get_user("bob").is_admin
    assert {user.username for user in store.list_users()} == {"ada", "bob"}


def test_who_is_gone_is_forgotten_once_two_lists_lack_them(store):
    users = Users(ADA, BOB)
    members = Members(store, users)
    asyncio.run(members.welcome(ADA))
    asyncio.run(members.welcome(Identity(name="service", kind="service")))
    users.users = [BOB]
    members.follow()
    assert store.has_user("ada"), "they may have come while the list was read"
    members.follow()
    assert {user.username for user in store.list_users()} == {"service/service"}
    asyncio.run(members.welcome(ADA))
    assert groups_of(store, "ada") == {"group/ds", "group/ops"}


def test_a_hub_that_lists_nobody_has_nobody_forgotten(store):
    users = Users(ADA)
    members = Members(store, users)
    asyncio.run(members.welcome(ADA))
    users.users = []
    for _ in range(3):
        members.follow()
    assert store.has_user("ada")


def test_on_behalf_of_somebody_nothing_older_than_a_minute_counts(store):
    moment = 0.0
    users = Users(ADA)
    members = Members(store, users, clock=lambda: moment)
    platform = Identity(name="hubyard", kind="service")
    asyncio.run(members.welcome(ADA))
    asked = []
    for moment in (0.0, STALE_S - 1, STALE_S + 1, STALE_S + 2):  # noqa: B007  the clock
        asyncio.run(members.welcome(platform, on_behalf_of="ada"))
        asked.append(users.asked)
    assert asked == [1, 1, 2, 2]
    users.users = None
    moment += STALE_S
    with pytest.raises(Unavailable):
        asyncio.run(members.welcome(platform, on_behalf_of="ada"))


def test_one_who_was_forgotten_by_hand_is_made_anew(store):
    members = Members(store, Users(ADA))
    asyncio.run(members.welcome(ADA))
    for _ in range(2):
        members.forget("ada")
        assert not store.has_user("ada")
    asyncio.run(members.welcome(ADA))
    assert store.has_user("ada")
