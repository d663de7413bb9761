"""Departures: what ends at once, what a deputy gets, what nobody inherits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, select, update

from hubyard.contract.base import now
from hubyard.contract.budget import Account, BudgetRequest, Scope
from hubyard.contract.entry import EndReason
from hubyard.contract.errors import Conflict, Invalid, NotFound
from hubyard.contract.identity import Identity
from hubyard.contract.people import Holdings, Leaving, OffboardRequest
from hubyard.contract.workload import Status, Target
from hubyard_hub.money.export import records
from hubyard_hub.people import job, leaving
from hubyard_hub.people.commands import preview
from hubyard_hub.people.departures import BY_HUB, Departures, busy_owners
from hubyard_hub.people.job import Offboarding
from hubyard_hub.people.leaving import LeavingNames
from hubyard_hub.reconcile.loop import Reconciler
from hubyard_hub.schedules.core import fire_due
from hubyard_hub.store import tables
from hubyard_spawner.local.spawner import home_of
from support.lines import ended, opened
from support.platform import Caller, ada, app, bob, hub, parts, upload, workload_of

if TYPE_CHECKING:
    from hubyard_hub.parts import Parts
    from support.memory_hub import MemoryHub

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures

FINAL = OffboardRequest()


class Scene:
    """A platform in which ada has one of each thing, and all of it runs."""

    def __init__(self, parts: Parts, hub: MemoryHub, ada: Caller) -> None:
        self.parts, self.hub, self.ada = parts, hub, ada
        self.departures = Departures(parts.store)
        self.offboarding = Offboarding(parts)
        self.forgotten: list[str] = []
        hub.on_start = lambda _, owner, name: self._bill(owner, name)
        hub.on_stop = lambda _, owner, name: self._settle(owner, name)
        source = upload(ada)
        notebook = {"source": source, "notebook": "train.ipynb"}
        self.schedule = self._made("/schedules", {**notebook, "cron": "* * * * *"})
        self.hook = self._made("/schedules", {**notebook, "on": {"webhook": True}})
        self.run = self._made("/runs", notebook)
        self.app = self._made("/apps", {"source": source, "path": "train.ipynb"})
        self.reconcile()
        assert self.row(tables.apps)["status"] is Status.READY

    def _made(self, path: str, wish: dict[str, Any]) -> dict[str, Any]:
        answer = self.ada.post(path, json=wish)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def _bill(self, owner: str, name: str) -> None:
        kind = name.partition("-")[0]
        opened(self.parts.ledger, owner=owner, server_name=name, kind=kind)

    def _settle(self, owner: str, name: str) -> None:
        for entry in self.parts.ledger.open_entries(owner, name):
            ended(self.parts.ledger, entry, now(), EndReason.STOPPED)

    def reconcile(self) -> None:
        """Until nothing changes any more."""
        for _ in range(30):
            loop = Reconciler(self.parts)
            for kind, id_ in loop.look_once():
                from hubyard_hub.reconcile.acts import bring_further

                bring_further(self.parts, kind, id_)

    def row(self, table: Any) -> dict[str, Any]:
        with self.parts.store.read() as connection:
            (row,) = connection.execute(select(table)).mappings().all()
        return dict(row)

    def owners(self) -> set[str]:
        """Everybody who owns anything that may change its owner."""
        found: set[str] = set()
        with self.parts.store.read() as connection:
            for table in (tables.schedules, *job.aside._OWNED):
                found.update(connection.scalars(select(table.c.owner)))
        return found

    def let_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As a gate does that remembers, and a platform that has not yet looked."""
        monkeypatch.setattr(LeavingNames, "__contains__", lambda *_: False)

    def finish(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the job come to its end, as if the gates had forgotten everybody."""
        monkeypatch.setattr(job, "SETTLED", timedelta(0))
        forget = lambda _self, _token, name: self.forgotten.append(name)  # noqa: E731
        monkeypatch.setattr(type(self.parts.mlflow), "forget_member", forget)
        for _ in range(10):
            self.offboarding.look()
            self.reconcile()


@pytest.fixture
def scene(parts: Parts, hub: MemoryHub, ada: Caller) -> Scene:
    return Scene(parts, hub, ada)


def test_at_once_nothing_fires_and_everything_shall_end(
    scene: Scene, parts: Parts, monkeypatch: pytest.MonkeyPatch
):
    scene.let_in(monkeypatch)
    scene.departures.offboard("ada", FINAL, "root")
    assert fire_due(parts.store, now() + timedelta(days=1)) == 0
    for table in (tables.runs, tables.apps):
        assert scene.row(table)["target"] is Target.STOPPED
    shown = scene.ada.get(f"/schedules/{scene.schedule['id']}").json()
    assert (shown["paused"], shown["suspended"]) == (True, "Its owner has left.")
    headers = {"Authorization": f"Bearer {scene.hook['secret']}"}
    called = Caller(scene.ada.app, None).post(
        f"/hooks/{scene.hook['id']}", headers=headers, json={}
    )
    assert called.status_code == 409


def test_in_the_end_nothing_is_under_the_name(
    scene: Scene, parts: Parts, hub: MemoryHub, monkeypatch: pytest.MonkeyPatch
):
    home = home_of(parts.settings.homes, "ada")
    home.mkdir(parents=True)
    (home / "secret.txt").write_text("ada's")
    account = Account(scope=Scope.USER, name="ada")
    parts.budgets.set(account, BudgetRequest(amount="50"), "USD", "root")
    made = scene.departures.offboard("ada", FINAL, "root")
    scene.finish(monkeypatch)

    assert scene.departures.of("ada").closed_at is not None
    former = f"ada/{made.id}"
    assert scene.owners() == {former}
    assert scene.forgotten == ["ada"]
    assert not [key for key in hub.servers if key[0] == "ada"]
    assert not home.exists()
    assert (home_of(parts.settings.homes, former) / "secret.txt").exists()
    with pytest.raises(NotFound):
        parts.budgets.get(account)
    asked = len(hub.leaving)
    scene.offboarding.look()
    assert len(hub.leaving) == asked, "a departure that is done is left alone"


def test_a_later_user_of_the_name_sees_nothing_of_the_ledger(
    scene: Scene, parts: Parts, monkeypatch: pytest.MonkeyPatch
):
    account = Account(scope=Scope.USER, name="ada")
    hour_ago = now() - timedelta(hours=1)
    for entry in parts.ledger.open_entries("ada"):
        ended(parts.ledger, entry, now(), EndReason.STOPPED)
    old = opened(parts.ledger, owner="ada", started_at=hour_ago)
    ended(parts.ledger, old, now(), EndReason.STOPPED)
    parts.budgets.set(account, BudgetRequest(amount="50"), "USD", "root")
    assert parts.budgets.get(account).spent.micros > 0
    everybody = parts.spending.everybody("USD").total.micros

    scene.departures.offboard("ada", FINAL, "root")
    scene.finish(monkeypatch)
    scene.departures.release("ada")
    scene.departures.arrive("ada")

    parts.budgets.set(account, BudgetRequest(amount="50"), "USD", "root")
    assert parts.budgets.get(account).spent.micros == 0
    assert parts.spending.of(Identity(name="ada"), "USD").total.micros == 0
    assert parts.ledger.newest("ada", old.server_name) is None
    with parts.store.read() as connection:
        assert records(connection, owner="ada") == []
        assert len(records(connection)) >= 1, "the ledger itself has lost nothing"
    assert parts.spending.everybody("USD").total.micros >= everybody
    again = opened(parts.ledger, owner="ada")
    with parts.store.read() as connection:
        assert [r.id for r in records(connection, owner="ada")] == [again.id]


def test_a_deputy_gets_what_ran_and_what_was_scheduled(
    scene: Scene, bob: Caller, hub: MemoryHub, monkeypatch: pytest.MonkeyPatch
):
    scene.departures.offboard("ada", OffboardRequest(deputy="bob"), "root")
    scene.finish(monkeypatch)
    taken = {s["id"]: s for s in bob.get("/schedules").json()}
    assert set(taken) == {scene.schedule["id"], scene.hook["id"]}
    assert all(s["paused"] and s["suspended"] for s in taken.values())
    (app,) = bob.get("/apps").json()
    assert (app["id"], app["status"]) == (scene.app["id"], "ready")
    assert hub.servers["bob", f"app-{app['id']}"] == "ready"
    assert bob.get("/runs").json() == [], "the past stays the past"

    schedule = f"/schedules/{scene.schedule['id']}"
    resumed = bob("PATCH", schedule, json={"paused": False})
    assert resumed.json()["suspended"] is None
    assert bob.post(f"{schedule}/run").status_code == 201
    bob("PATCH", f"/schedules/{scene.hook['id']}", json={"paused": False})
    headers = {"Authorization": f"Bearer {scene.hook['secret']}"}
    called = Caller(bob.app, None).post(
        f"/hooks/{scene.hook['id']}", headers=headers, json={}
    )
    assert called.status_code == 404, "whoever left knows its secret"


def test_a_deputy_may_be_named_when_all_is_over(
    scene: Scene, bob: Caller, monkeypatch: pytest.MonkeyPatch
):
    scene.departures.offboard("ada", FINAL, "root")
    scene.finish(monkeypatch)
    assert bob.get("/apps").json() == []
    scene.departures.offboard("ada", OffboardRequest(deputy="bob"), "root")
    scene.reconcile()
    (app,) = bob.get("/apps").json()
    assert app["status"] == "ready"
    assert len(bob.get("/schedules").json()) == 2


def test_what_serves_has_its_grace(
    scene: Scene, parts: Parts, hub: MemoryHub, monkeypatch: pytest.MonkeyPatch
):
    hub.keeps_users = True
    scene.departures.offboard("ada", OffboardRequest(grace_s=3600), "root")
    assert scene.row(tables.apps)["target"] is Target.RUNNING
    assert scene.row(tables.runs)["target"] is Target.STOPPED
    scene.finish(monkeypatch)
    departure = scene.departures.of("ada")
    assert departure.closed_at is None
    assert departure.left == "deployments and apps still have their grace"

    departures = tables.departures
    past = update(departures).values(grace_until=now() - timedelta(seconds=1))
    parts.store.atomically(lambda c: c.execute(past) and None)
    hub.keeps_users = False
    scene.offboarding = Offboarding(parts)
    scene.finish(monkeypatch)
    assert scene.departures.of("ada").closed_at is not None
    assert scene.row(tables.apps)["status"] is Status.STOPPED


def test_who_is_barred_may_come_back_to_everything(
    scene: Scene, hub: MemoryHub, monkeypatch: pytest.MonkeyPatch
):
    hub.keeps_users = True
    monkeypatch.setattr(leaving, "_KEPT_S", 0)
    scene.departures.bar("ada", "root")
    scene.departures.bar("ada", "eve")
    scene.finish(monkeypatch)
    assert scene.departures.of("ada").how is Leaving.BARRED
    assert scene.departures.of("ada").asked_by == "root"
    assert scene.departures.of("ada").closed_at is not None
    assert scene.owners() == {"ada"}
    assert scene.forgotten == []
    assert not scene.departures.is_retired("ada")

    scene.departures.release("ada")
    with pytest.raises(NotFound):
        scene.departures.of("ada")
    schedule = f"/schedules/{scene.schedule['id']}"
    assert scene.ada.get(schedule).json()["suspended"]
    resumed = scene.ada("PATCH", schedule, json={"paused": False})
    assert resumed.json()["suspended"] is None


def test_who_is_barred_may_leave_for_good(scene: Scene):
    scene.departures.bar("ada", "root")
    scene.departures.offboard("ada", FINAL, "root")
    assert scene.departures.is_retired("ada")
    assert [d.how for d in scene.departures.list()] == ["retired", "barred"]
    assert len(scene.departures.open_rows()) == 1


def test_a_name_is_retired_until_it_is_released(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    scene.departures.offboard("ada", FINAL, "root")
    for _ in range(2):
        with pytest.raises(Conflict, match="retired"):
            scene.departures.arrive("ada")
    with pytest.raises(Conflict, match="still being offboarded"):
        scene.departures.release("ada")
    scene.finish(monkeypatch)
    with pytest.raises(Conflict, match="retired"):
        scene.departures.arrive("ada")
    scene.departures.release("ada")
    scene.departures.arrive("ada")


def test_a_user_made_anew_has_nothing_of_one_who_vanished(
    scene: Scene, parts: Parts, ada: Caller
):
    """The hub's database was edited by hand: no departure says that ada has left."""
    scene.departures.arrive("ada")
    assert "ada" not in scene.owners()
    assert ada.get("/schedules").json() == []
    assert parts.ledger.newest("ada", f"app-{scene.app['id']}") is None
    assert fire_due(parts.store, now() + timedelta(days=1)) == 0
    scene.departures.arrive("ada")
    assert len(scene.departures.list()) == 1


def test_a_new_user_keeps_the_budget_that_waits_for_them(scene: Scene, parts: Parts):
    account = Account(scope=Scope.USER, name="zoe")
    parts.budgets.set(account, BudgetRequest(amount="50"), "USD", "root")
    scene.departures.arrive("zoe")
    assert parts.budgets.get(account).amount.micros == 50_000_000
    assert scene.departures.list() == []


def test_an_owner_whom_the_hub_lost_is_offboarded(
    scene: Scene, parts: Parts, hub: MemoryHub, bob: Caller
):
    source = upload(bob)
    bob.post("/runs", json={"source": source, "notebook": "train.ipynb"})
    assert busy_owners(parts.store) == {"ada", "bob"}
    assert scene.offboarding.search() == []
    hub.unknown.add("ada")
    assert scene.offboarding.search() == ["ada"]
    assert scene.departures.of("ada").asked_by == BY_HUB
    assert fire_due(parts.store, now() + timedelta(days=1)) == 0
    assert scene.offboarding.search() == []


def test_a_hub_that_lost_everybody_is_not_believed(
    scene: Scene, hub: MemoryHub, bob: Caller
):
    source = upload(bob)
    bob.post("/runs", json={"source": source, "notebook": "train.ipynb"})
    hub.unknown |= {"ada", "bob"}
    assert scene.offboarding.search() == []
    assert scene.departures.list() == []


def test_while_the_hub_is_away_it_waits(
    scene: Scene, hub: MemoryHub, monkeypatch: pytest.MonkeyPatch
):
    scene.departures.offboard("ada", FINAL, "root")
    hub.down = True
    scene.offboarding.look()
    left = scene.departures.of("ada").left
    assert left == "it waits: The hub does not answer; try again."
    hub.down = False
    scene.finish(monkeypatch)
    assert scene.departures.of("ada").closed_at is not None


def test_one_that_cannot_go_on_holds_up_no_other(
    scene: Scene, bob: Caller, monkeypatch: pytest.MonkeyPatch
):
    upload(bob)
    scene.departures.offboard("ada", FINAL, "root")
    scene.departures.offboard("bob", FINAL, "root")
    before = job.advance

    def breaks(parts: Parts, row: Any) -> str | None:
        if row["name"] == "ada":
            raise RuntimeError("a mistake of ours")
        return before(parts, row)

    monkeypatch.setattr(job, "advance", breaks)
    scene.finish(monkeypatch)
    assert scene.departures.of("ada").closed_at is None
    assert scene.departures.of("bob").closed_at is not None


def test_what_comes_in_late_is_ended_too(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    """A gate remembers a token for a while: what it lets in must not stay."""
    scene.let_in(monkeypatch)
    scene.departures.offboard("ada", FINAL, "root")
    late = {"source": scene.schedule["source"], "notebook": "train.ipynb"}
    made = scene._made("/schedules", {**late, "cron": "* * * * *"})
    assert not made["paused"]
    scene.finish(monkeypatch)
    with scene.parts.store.read() as connection:
        wanted = select(tables.schedules.c.owner, tables.schedules.c.paused)
        rows = connection.execute(wanted).all()
    assert {row.paused for row in rows} == {True}
    assert not [row for row in rows if row.owner == "ada"]


def test_a_departure_stays_open_while_a_gate_may_remember(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    scene.departures.offboard("ada", FINAL, "root")
    scene.finish(monkeypatch)
    monkeypatch.undo()
    scene.departures.release("ada")
    scene.departures.offboard("ada", FINAL, "root")
    for _ in range(5):
        scene.offboarding.look()
    assert scene.departures.of("ada").left == "a gate may still remember a token"


def test_the_platform_believes_no_gate_that_remembers(
    scene: Scene, bob: Caller, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(leaving, "_KEPT_S", 0)
    assert scene.ada.get("/me").status_code == 200
    scene.departures.bar("ada", "root")
    workspace = workload_of(scene.ada, "")
    for caller in (scene.ada, workspace):
        answer = caller.get("/me")
        assert answer.status_code == 403
        assert answer.json()["message"] == "Your access has ended."
        late = {"source": scene.schedule["source"], "notebook": "train.ipynb"}
        assert caller.post("/runs", json=late).status_code == 403
    assert bob.get("/me").status_code == 200
    scene.departures.release("ada")
    assert scene.ada.get("/me").status_code == 200


def test_names_are_read_once_a_second(scene: Scene, parts: Parts):
    moment = 0.0
    names = LeavingNames(parts.store, clock=lambda: moment)
    assert "ada" not in names
    scene.departures.bar("ada", "root")
    moment = 1.0
    assert "ada" not in names
    moment = 1.1
    assert "ada" in names
    scene.departures.release("ada")
    assert "ada" not in names


def test_an_app_of_others_lists_nobody_who_has_left(scene: Scene, parts: Parts):
    shares = tables.app_shares
    row = {"app_id": scene.app["id"], "kind": "user", "name": "bob"}
    parts.store.atomically(lambda c: c.execute(insert(shares).values(row)) and None)
    assert scene.departures.holdings("bob").shares == 1
    scene.departures.offboard("bob", FINAL, "root")
    assert scene.ada.get(f"/apps/{scene.app['id']}").json()["shares"] == []


@pytest.mark.parametrize("deputy", ["ada", "gone"])
def test_who_cannot_be_a_deputy(scene: Scene, deputy: str):
    scene.departures.bar("gone", "root")
    with pytest.raises(Invalid):
        scene.departures.offboard("ada", OffboardRequest(deputy=deputy), "root")
    assert scene.departures.row("ada") is None, "nothing was begun"


# -- The routes


@pytest.fixture
def root(scene: Scene) -> Caller:
    return Caller(scene.ada.app, Identity(name="root", admin=True))


def test_the_preview_changes_nothing(scene: Scene, root: Caller):
    shown = root.get("/people/ada").json()
    assert shown["leaving"] is None
    assert sorted(shown["schedules"]) == ["train", "train"]
    assert (shown["runs"], shown["apps"]) == (1, ["train"])
    assert len(shown["workloads"]) == 2
    assert scene.departures.list() == []


def test_administrators_offboard_and_release(
    scene: Scene, root: Caller, monkeypatch: pytest.MonkeyPatch
):
    made = root.post("/people/ada/offboard", json={})
    assert (made.status_code, made.json()["how"]) == (202, "retired")
    early = root.post("/people/ada/readmit")
    assert early.status_code == 409
    scene.finish(monkeypatch)
    assert root.get("/people/departures").json()[0]["closed_at"]
    assert root.post("/people/ada/readmit").status_code == 204
    assert root.post("/people/ada/readmit").status_code == 404


@pytest.mark.parametrize(
    ("path", "wish", "status"),
    [
        ("/people/root/offboard", {}, 409),
        ("/people/nobody/offboard", {}, 404),
        ("/people/ada/offboard", {"deputy": "nobody"}, 422),
        ("/people/ada/offboard", {"deputy": "ada"}, 422),
        ("/people/ada/offboard", {"grace_s": -1}, 422),
        ("/people/ada/offboard", {"grace_s": 10**30}, 422),
        ("/people/ada/offboard", {"at": "once"}, 422),
    ],
)
def test_what_cannot_be_offboarded_is_refused(
    scene: Scene,
    root: Caller,
    hub: MemoryHub,
    path: str,
    wish: dict[str, Any],
    status: int,
):
    hub.unknown.add("nobody")
    answer = root.post(path, json=wish)
    assert answer.status_code == status, answer.text
    assert scene.departures.list() == []


def test_nobody_else_may_ask(scene: Scene, bob: Caller):
    endings = (("GET", "ada"), ("GET", "departures"))
    for method, path in (*endings, ("POST", "ada/offboard"), ("POST", "ada/readmit")):
        for caller in (bob, workload_of(bob, "run-x"), Caller(bob.app, None)):
            assert caller(method, f"/people/{path}").status_code == 403
    assert scene.departures.list() == []


@pytest.mark.parametrize(
    ("wish", "schedules", "apps"),
    [
        ({}, "s", "a: they end now"),
        ({"grace_s": 7200}, "s", "a: they go on for 2h, then they end"),
        (
            {"deputy": "bo"},
            "s: bo gets them",
            "a: they start again as bo's, at new addresses",
        ),
    ],
)
def test_the_preview_says_what_the_options_do(
    wish: dict[str, Any], schedules: str, apps: str
):
    holdings = Holdings(
        name="ana",
        schedules=("s",),
        workloads=(),
        runs=0,
        deployments=(),
        apps=("a",),
        shares=0,
    )
    lines = preview(holdings, OffboardRequest(**wish))
    assert f"  schedules suspended   {schedules}" in lines
    assert f"  apps                  {apps}" in lines
    assert "  deployments           none" in lines
