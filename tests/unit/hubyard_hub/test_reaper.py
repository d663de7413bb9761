"""The reaper: deadlines stand where people look, and where the shim keeps them."""

from datetime import timedelta

import pytest

from hubyard.contract.base import now
from hubyard.contract.budget import Account, BudgetRequest, Scope, Stop, WhenSpent
from hubyard.contract.entry import EndReason
from hubyard.contract.identity import Identity
from hubyard.contract.usage import ActivityReport
from hubyard.contract.workload import Kind
from hubyard_hub.money.usage import keep_measured, keep_report
from hubyard_hub.reconcile.reaper import reap
from hubyard_hub.workloads.running import Workloads
from hubyard_spawner.local.folder import Folder
from hubyard_spawner.local.usage import Measured
from support.lines import made, opened
from support.platform import hub, parts

__all__ = ["hub", "parts"]  # fixtures

ADA = Account(scope=Scope.USER, name="ada")


class Scene:
    """One running workload of Ada's."""

    def __init__(self, parts, kind=Kind.WORKSPACE):
        self.parts = parts
        self.entry = opened(
            parts.ledger, now() - timedelta(minutes=5), owner="ada", kind=kind
        )
        self.folder = Folder.of(parts.settings.workloads, self.entry.id)
        made(self.folder, 7000)

    @property
    def deadline(self):
        return self.parts.ledger.line(self.entry.id).deadline

    @property
    def said(self):
        """What the shim reads."""
        at, reason = (self.folder.path / "deadline").read_text().split()
        return float(at), reason

    @property
    def minutes_left(self):
        return round((self.deadline.at - now()).total_seconds() / 60)

    def idle(self, **since):
        seconds = int(timedelta(**since).total_seconds())
        report = ActivityReport(idle_s=seconds)
        keep_report(self.parts.store, self.entry.id, report, now())

    def budget(self, amount, **more):
        request = BudgetRequest(amount=amount, **more)
        self.parts.budgets.set(ADA, request, "USD", "root")


@pytest.fixture
def scene(parts):
    return Scene(parts)


def test_what_the_ledger_says_is_brought_to_the_folder(parts, scene):
    """As when the platform was killed between the two."""
    assert reap(parts) == 0
    assert scene.said == (scene.deadline.at.timestamp(), "lifetime")


def test_the_idle_are_given_an_end_which_activity_takes_back(parts, scene):
    scene.idle(minutes=30)
    assert reap(parts) == 0, "a pause is no end"
    scene.idle(minutes=50)
    assert reap(parts) == 1
    assert (scene.deadline.reason, scene.minutes_left) == (EndReason.IDLE, 15)
    assert scene.said == (scene.deadline.at.timestamp(), "idle")
    assert reap(parts) == 0
    scene.idle(minutes=0)
    assert reap(parts) == 1
    assert scene.said[1] == "lifetime"


def test_an_extension_holds_against_idleness(parts, scene):
    scene.idle(hours=2)
    reap(parts)
    assert scene.minutes_left == 15
    asking = Identity(name="ada")
    (shown,) = Workloads(parts).list(asking)
    Workloads(parts).extend(asking, shown.entry_id, 3600)
    for _ in range(2):
        scene.idle(hours=2)
        reap(parts)
        assert scene.minutes_left == 75


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [(Kind.WORKSPACE, 15), (Kind.RUN, 60), (Kind.ENDPOINT, 115), (Kind.APP, 115)],
)
def test_a_spent_budget_ends_what_computes_and_keeps_what_serves(parts, kind, minutes):
    scene = Scene(parts, kind)
    scene.budget("0.01")
    reap(parts)
    assert scene.minutes_left == minutes
    spent = minutes < 100
    assert scene.deadline.reason is (EndReason.BUDGET if spent else EndReason.LIFETIME)
    scene.budget(100)
    reap(parts)
    assert scene.deadline.reason is EndReason.LIFETIME


def test_a_budget_may_stop_what_serves_as_well(parts):
    scene = Scene(parts, Kind.ENDPOINT)
    scene.budget("0.01", endpoints=WhenSpent.STOP)
    reap(parts)
    assert scene.deadline.reason is EndReason.BUDGET


def test_a_soft_budget_ends_nothing(parts, scene):
    scene.budget("0.01", stop=Stop.SOFT)
    assert reap(parts) == 0


def test_anothers_spent_budget_ends_nothing(parts, scene):
    request = BudgetRequest(amount="0.01")
    bob = Account(scope=Scope.USER, name="bob")
    parts.budgets.set(bob, request, "USD", "root")
    opened(parts.ledger, owner="bob", price_micros=0)
    assert reap(parts) == 0


def test_a_workload_that_has_no_folder_yet_holds_up_no_other(parts, scene):
    opened(parts.ledger, owner="ada", kind=Kind.APP)
    scene.idle(minutes=50)
    assert reap(parts) == 1


def test_how_long_one_may_idle_is_read_again_while_it_runs(parts, scene):
    scene.idle(minutes=50)
    reap(parts)
    assert scene.deadline.reason is EndReason.IDLE
    file = parts.settings.catalogue
    currency = 'currency = "USD"\n'
    never = f'{currency}[idle]\nworkspace = "never"\n'
    file.write_text(file.read_text().replace(currency, never))
    reap(parts)
    assert scene.deadline.reason is EndReason.LIFETIME


def test_what_computes_is_not_idle_though_it_says_so(parts, scene):
    """As a program that was started in a terminal which has been closed since."""
    scene.idle(minutes=50)
    with parts.store.write() as connection:
        measured = Measured(15, 0.9, 2**20, None)
        keep_measured(connection, scene.entry.id, now(), measured)
    for _ in range(2):
        reap(parts)
        assert scene.deadline.reason is EndReason.LIFETIME
        scene.idle(minutes=51)
