"""Money over HTTP: the same numbers everywhere, and nobody sees or moves another's."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hubyard.contract.base import now
from hubyard.contract.budget import Scope, Stop, WhenSpent
from hubyard.contract.entry import Deadline, EndReason
from hubyard.contract.identity import Identity
from hubyard.contract.workload import Kind
from hubyard_hub.money.ledger import write_deadline
from hubyard_hub.reconcile.reaper import reap
from hubyard_hub.store import tables
from hubyard_spawner.local.folder import Folder
from support.hub import REPOSITORY
from support.lines import ended, made, opened
from support.months import BORDER, noon, stand_at
from support.platform import (
    Caller,
    ada,
    app,
    bob,
    hub,
    notebook,
    packed,
    parts,
    workload_of,
)

if TYPE_CHECKING:
    from hubyard_hub.parts import Parts
    from support.platform import Stamped

__all__ = ["ada", "app", "bob", "hub", "noon", "parts", "stand_at"]  # fixtures

pytestmark = pytest.mark.usefixtures("noon")

HOUR = 360_000
"""An hour of the catalogue's `small`, in micro-units."""


@pytest.fixture
def root(app: Stamped) -> Caller:
    return Caller(app, Identity(name="root", admin=True))


def set_budget(root: Caller, name: str, amount: float, **more: Any) -> dict[str, Any]:
    scope = more.pop("scope", "user")
    answer = root("PUT", f"/budgets/{scope}/{name}", json={"amount": amount, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def running(parts: Parts, owner: str = "ada", **more: Any) -> Any:
    """A workspace that has run for half an hour, in its folder as well."""
    began = now() - timedelta(minutes=30)
    entry = opened(parts.ledger, began, owner=owner, price_micros=HOUR, **more)
    made(Folder.of(parts.settings.workloads, entry.id), entry.lifetime_s)
    return entry


def test_one_number_in_spend_budget_and_workload(
    parts: Parts, ada: Caller, root: Caller
):
    entry = opened(parts.ledger, now() - timedelta(hours=1), owner="ada")
    ended(parts.ledger, entry, timedelta(minutes=30))
    set_budget(root, "ada", 10)
    spend = ada.get("/spend").json()
    (budget,) = spend["budgets"]
    assert spend["total"]["micros"] == 1_800_000 == budget["spent"]["micros"]
    assert budget["left"]["micros"] == 8_200_000
    assert spend["lines"][0]["cost"] == spend["total"]
    assert ada.get("/budgets").json() == [budget]
    assert [day["cost"]["micros"] for day in spend["days"]][-1] == 1_800_000


def test_what_was_spent_before_the_turn_of_the_month_is_in_no_budget_of_this_one(
    parts: Parts, ada: Caller, root: Caller, stand_at: Any
):
    stand_at(BORDER + timedelta(minutes=10))
    entry = opened(parts.ledger, now() - timedelta(minutes=30), owner="ada")
    ended(parts.ledger, entry, timedelta(minutes=25))
    set_budget(root, "ada", 10)
    spend = ada.get("/spend").json()
    # It ran from twenty to midnight until five past.
    assert spend["total"]["micros"] == 300_000
    assert spend["budgets"][0]["spent"] == spend["total"]
    assert spend["lines"][0]["cost"]["micros"] == 1_500_000
    (day,) = [day for day in spend["days"] if day["cost"]["micros"]]
    assert day["cost"]["micros"] == 300_000


def test_in_the_last_hour_of_a_month_only_what_falls_into_it_is_reserved(
    ada: Caller, root: Caller, stand_at: Any
):
    stand_at(BORDER - timedelta(minutes=10))
    set_budget(root, "ada", 0.1)
    wish = {"compute": "small", "lifetime_s": 7200}
    priced = ada.post("/estimate", json=wish).json()
    # Ten minutes of two hours: $0.06 of $0.72.
    assert priced["refusal"] is None
    set_budget(root, "ada", 0.05)
    refusal = ada.post("/estimate", json=wish).json()["refusal"]
    assert "has $0.05 left of $0.05 this month, and this may cost $0.06" in refusal


def test_time_that_reaches_into_the_next_month_is_given_without_this_one_s_budget(
    parts: Parts, ada: Caller, root: Caller, stand_at: Any
):
    stand_at(BORDER - timedelta(minutes=10))
    entry = running(parts, lifetime_s=2400)
    set_budget(root, "ada", 0.25)
    answer = ada.post(f"/workloads/{entry.id}/extend", json={"seconds": 1800})
    assert answer.status_code == 200, answer.text
    (budget,) = ada.get("/budgets").json()
    assert budget["reserved"]["micros"] == pytest.approx(60_000, abs=1000)
    assert budget["left"]["micros"] == pytest.approx(10_000, abs=1000)


def test_the_estimate_says_what_a_budget_says_to_it(ada: Caller, root: Caller):
    wish = {"compute": "small", "lifetime_s": 3600}
    assert ada.post("/estimate", json=wish).json()["left"] is None
    set_budget(root, "ada", 1)
    priced = ada.post("/estimate", json=wish).json()
    assert (priced["left"]["text"], priced["share"]) == ("$1.00", 36)
    assert priced["refusal"] is None
    set_budget(root, "ada", 0.1)
    refused = ada.post("/estimate", json=wish).json()["refusal"]
    assert refused == (
        "The budget of ada has $0.10 left of $0.10 this month, and this may cost "
        "$0.36: at $0.36 an hour at most 16m fits: choose that or cheaper compute, or "
        "ask root, who set it, to raise it."
    )
    set_budget(root, "ada", 0.1, stop="soft")
    assert ada.post("/estimate", json=wish).json()["refusal"] is None
    set_budget(root, "ada", 0)
    spent = ada.post("/estimate", json=wish).json()
    assert spent["share"] is None


def test_a_group_pays_as_well_and_the_tightest_budget_speaks(
    app: Stamped, root: Caller
):
    carol = Caller(app, Identity(name="carol", groups=("ml",)))
    set_budget(root, "carol", 100)
    set_budget(root, "ml", 0.2, scope="group")
    refusal = carol.post("/estimate", json={"compute": "small"}).json()["refusal"]
    assert refusal.startswith("The budget of the group ml has $0.20 left")
    assert [b["name"] for b in carol.get("/budgets").json()] == ["ml", "carol"]


def source_of(caller: Caller, project: str) -> str:
    files = {"a.ipynb": notebook(), "hubyard.yml": f"name: {project}".encode()}
    answer = caller.post("/sources", content=packed(files))
    assert answer.status_code == 200, answer.text
    return answer.json()["digest"]


@pytest.fixture
def member(app: Stamped) -> Caller:
    return Caller(app, Identity(name="mia", groups=("ml",)))


def test_the_budget_of_a_source_s_project_is_asked_before_the_start(
    member: Caller, bob: Caller, root: Caller
):
    source = source_of(member, "churn")
    set_budget(root, "churn", 0.2, scope="project", group="ml")
    wish = {"compute": "small", "source": source}
    refusal = member.post("/estimate", json=wish).json()["refusal"]
    assert refusal.startswith("The budget of the project churn has $0.20 left")
    preview = {**wish, "cron": "0 2 * * *", "notebook": "a.ipynb"}
    assert member.post("/schedules/preview", json=preview).json()["refusal"] == refusal
    assert bob.post("/estimate", json=wish).status_code == 404, "it is another's"


@pytest.mark.parametrize("name", ["churn", "CHURN", "churn ", "\ufb01-churn"])
def test_for_whoever_is_not_in_its_group_a_project_s_budget_is_not_there(
    parts: Parts, ada: Caller, root: Caller, name: str
):
    set_budget(root, "churn", 0.2, scope="project", group="ml")
    said = {
        project: [
            ada.post(path, json={**wish, "source": source_of(ada, project)}).content
            for path, wish in (
                ("/estimate", {"compute": "small"}),
                (
                    "/schedules/preview",
                    {"compute": "small", "cron": "0 2 * * *", "notebook": "a.ipynb"},
                ),
            )
        ]
        for project in (name, "nobody-s")
    }
    assert said[name] == said["nobody-s"]
    opened(parts.ledger, owner="ada", project="churn", price_micros=HOUR)
    (budget,) = root.get("/budgets").json()
    assert (budget["group"], budget["reserved"]["micros"]) == ("ml", 0)


def test_a_project_s_budget_counts_what_its_members_have_started_all_month(
    parts: Parts, root: Caller, member: Caller
):
    began = now() - timedelta(hours=2)
    spent = {"price_micros": HOUR, "project": "churn", "started_at": began}
    of_member = opened(parts.ledger, owner="mia", groups=("ml",), **spent)
    ended(parts.ledger, of_member, timedelta(hours=1))
    left = opened(parts.ledger, owner="lou", **spent)
    ended(parts.ledger, left, timedelta(hours=1))
    set_budget(root, "churn", 0.5, scope="project", group="ml")
    (budget,) = root.get("/budgets").json()
    assert budget["spent"]["text"] == "$0.36"
    wish = {"compute": "small", "source": source_of(member, "churn")}
    assert "has $0.14 left" in member.post("/estimate", json=wish).json()["refusal"]
    # A member who leaves the group spends nothing of it from the next start on.
    gone = Caller(member.app, Identity(name="mia"))
    assert gone.post("/estimate", json=wish).json()["refusal"] is None


def test_a_spent_project_ends_what_its_members_run_and_nothing_else(
    parts: Parts, root: Caller, member: Caller
):
    theirs = running(parts, "mia", groups=("ml",), project="churn")
    others = running(parts, "ada", project="churn")
    set_budget(root, "churn", 0.01, scope="project", group="ml")
    reap(parts)
    reasons = {e.id: parts.ledger.line(e.id).deadline.reason for e in (theirs, others)}
    assert reasons == {theirs.id: EndReason.BUDGET, others.id: EndReason.LIFETIME}


def test_a_project_s_budget_names_its_group_and_no_other_does(root: Caller):
    for path, wish in (
        ("/budgets/project/churn", {"amount": 5}),
        ("/budgets/user/ada", {"amount": 5, "group": "ml"}),
        ("/budgets/group/ml", {"amount": 5, "group": "ml"}),
        ("/budgets/project/churn", {"amount": 5, "group": ""}),
    ):
        refused = root("PUT", path, json=wish)
        assert (refused.status_code, refused.json()["field"]) == (422, "group")
    set_budget(root, "churn", 5, scope="project", group="ml")
    assert root("DELETE", "/budgets/project/churn").status_code == 204
    assert root.get("/budgets").json() == []
    assert [c["group"] for c in root.get("/budgets/changes").json()] == ["ml", "ml"]


def test_a_budget_of_before_belongs_to_the_group_of_its_name(
    parts: Parts, root: Caller, app: Stamped
):
    row = {"number": 1, "scope": Scope.PROJECT, "name": "churn", "set_at": now()}
    row |= {"amount_micros": 200_000, "currency": "USD", "set_by": "root"}
    row |= {"stop": Stop.HARD, "endpoints": WhenSpent.KEEP}
    with parts.store.write() as connection:
        connection.execute(tables.budgets.insert().values(**row))
    carl = Caller(app, Identity(name="carl", groups=("churn",)))
    wish = {"compute": "small", "source": source_of(carl, "churn")}
    assert "project churn" in carl.post("/estimate", json=wish).json()["refusal"]


def test_what_is_about_to_be_idle_keeps_what_it_has_reserved(
    parts: Parts, ada: Caller, root: Caller
):
    entry = running(parts, lifetime_s=7200)
    set_budget(root, "ada", 1)
    (before,) = ada.get("/budgets").json()
    assert before["reserved"]["text"] == "$0.54"
    soon = Deadline(at=now() + timedelta(minutes=1), reason=EndReason.IDLE)
    line = parts.ledger.line(entry.id)
    assert line
    parts.store.atomically(
        lambda c: write_deadline(c, entry.id, line.lifetime_at, soon)
    )
    (after,) = ada.get("/budgets").json()
    assert after["reserved"]["text"] == "$0.54"
    (shown,) = ada.get("/workloads").json()
    assert (shown["ends"], shown["extension"]["refusal"]) == ("idle", None)


def test_only_administrators_set_budgets_and_see_everybody(
    parts: Parts, ada: Caller, bob: Caller, root: Caller
):
    running(parts)
    set_budget(root, "ada", 5)
    for caller in (ada, bob):
        wish = {"amount": 1000}
        assert caller("PUT", "/budgets/user/ada", json=wish).status_code == 403
        assert caller("DELETE", "/budgets/user/ada").status_code == 403
        for path in ("/spend/everybody", "/budgets/changes", "/metrics"):
            assert caller.get(path).status_code == 403
    assert bob.get("/budgets").json() == []
    assert bob.get("/spend").json()["lines"] == []
    everybody = root.get("/spend/everybody").json()
    assert [part["name"] for part in everybody["by_owner"]] == ["ada"]
    assert [b["name"] for b in root.get("/budgets").json()] == ["ada"]


def test_every_change_of_a_budget_stays_on_record(root: Caller):
    set_budget(root, "ada", 5)
    set_budget(root, "ada", 7, stop="soft", endpoints="stop")
    assert root("DELETE", "/budgets/user/ada").status_code == 204
    assert root("DELETE", "/budgets/user/ada").status_code == 404
    changes = root.get("/budgets/changes").json()
    amounts = [change["amount"] and change["amount"]["text"] for change in changes]
    assert amounts == [None, "$7.00", "$5.00"]
    assert {change["set_by"] for change in changes} == {"root"}
    assert root.get("/budgets").json() == []


def test_an_owner_extends_and_pays_for_it(parts: Parts, ada: Caller, root: Caller):
    entry = running(parts, lifetime_s=3600)
    (before,) = ada.get("/workloads").json()
    assert before["extension"] == {
        "seconds": 3600,
        "cost": {"micros": HOUR, "text": "$0.36"},
        "refusal": None,
    }
    answer = ada.post(f"/workloads/{entry.id}/extend", json={"seconds": 1800})
    assert answer.status_code == 200, answer.text
    line = parts.ledger.line(entry.id)
    assert line
    assert line.lifetime_at == entry.started_at + timedelta(seconds=5400)
    folder = Folder.of(parts.settings.workloads, entry.id)
    said, reason = (folder.path / "deadline").read_text().split()
    assert float(said) == pytest.approx(line.deadline.at.timestamp())
    assert reason == "lifetime"
    set_budget(root, "ada", 0.2)
    refused = ada.post(f"/workloads/{entry.id}/extend", json={"seconds": 900})
    assert refused.status_code == 409
    assert refused.json()["message"].startswith("The budget of ada has $0.00 left")
    assert parts.ledger.line(entry.id) == line


@pytest.mark.parametrize("set_h", [-24, 24], ids=["back", "forward"])
def test_whoever_sets_the_clock_moves_no_deadline(
    parts: Parts, ada: Caller, set_h: int
):
    """The entry was written before the time of day was set by a day."""
    began = now() - timedelta(hours=set_h)
    written = opened(parts.ledger, began, owner="ada", lifetime_s=3600)
    made(Folder.of(parts.settings.workloads, written.id), began=began)
    (shown,) = ada.get("/workloads").json()
    assert 3500 < shown["seconds_left"] <= 3600
    longer = ada.post(f"/workloads/{written.id}/extend", json={"seconds": 1800})
    assert longer.status_code == 200, longer.text
    line = parts.ledger.line(written.id)
    assert line
    assert line.deadline.at == began + timedelta(seconds=5400)


def test_an_administrator_grants_what_the_budget_does_not_cover(
    parts: Parts, ada: Caller, root: Caller
):
    entry = running(parts, lifetime_s=2400)
    set_budget(root, "ada", 0)
    path = f"/workloads/{entry.id}/extend"
    assert ada.post(path, json={}).status_code == 409
    assert root.post(path, json={"seconds": 600}).status_code == 200
    (shown,) = ada.get("/workloads").json()
    assert shown["seconds_left"] > 1100
    assert shown["extension"]["refusal"].startswith("The budget of ada")
    mine = running(parts, owner="root", lifetime_s=2400)
    set_budget(root, "root", 0)
    (shown,) = root.get("/workloads").json()
    assert (shown["entry_id"], shown["extension"]["refusal"]) == (mine.id, None)


def test_nobody_extends_beyond_what_the_compute_may_live(
    parts: Parts, ada: Caller, root: Caller
):
    entry = running(parts)
    for caller in (ada, root):
        answer = caller.post(f"/workloads/{entry.id}/extend", json={"seconds": 3600})
        assert answer.status_code == 409
        assert answer.json()["message"].startswith("small may live at most 2h")
    gone = entry.model_copy(update={"compute": "gone"})
    assert gone.compute == "gone"


def test_anothers_workload_does_not_exist(parts: Parts, ada: Caller, bob: Caller):
    entry = running(parts, lifetime_s=3600)
    answers = [
        bob.post(f"/workloads/{id_}/extend", json={}) for id_ in (entry.id, "none")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].json() == answers[1].json()
    assert bob.get(f"/workloads/{entry.id}/usage").status_code == 404
    assert ada.get(f"/workloads/{entry.id}/usage").json()["samples"] == []
    ended(parts.ledger, entry, now())
    assert ada.post(f"/workloads/{entry.id}/extend", json={}).status_code == 404


def test_a_workspace_says_for_how_long_nothing_has_happened(parts: Parts, ada: Caller):
    running(parts)
    own = workload_of(ada, "")
    for path in ("/workloads/self/activity",):
        assert own("PUT", path, json={"idle_s": 60}).status_code == 204
        assert ada("PUT", path, json={"idle_s": 60}).status_code == 404
        other = workload_of(ada, "workspace-none")
        assert other("PUT", path, json={"idle_s": 60}).status_code == 404


def test_the_ledger_is_exported_to_its_owner_and_to_administrators(
    parts: Parts, ada: Caller, bob: Caller, root: Caller
):
    first = opened(parts.ledger, owner="ada", kind=Kind.APP, server_name="app-x")
    ended(parts.ledger, first, timedelta(seconds=2))
    opened(parts.ledger, owner="=cmd()")
    (record,) = ada.get("/ledger").json()
    assert (record["number"], record["cost_micros"]) == (1, 2000)
    assert bob.get("/ledger").json() == []
    text = root.get("/ledger?format=csv")
    assert text.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text.text)))
    assert [row["owner"] for row in rows] == ["ada", "'=cmd()"]
    later = (now() + timedelta(days=1)).isoformat()
    window = {"since": later}
    assert root.get("/ledger", params=window).json() == []
    assert len(root.get("/ledger", params={"until": later}).json()) == 2
    assert root.get("/ledger?since=yesterday").status_code == 422


def test_metrics_are_what_prometheus_reads(parts: Parts, root: Caller):
    running(parts, kind=Kind.APP, server_name="app-x")
    set_budget(root, "ada", 5)
    answer = root.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = dict(
        line.rsplit(" ", 1) for line in answer.text.splitlines() if line[0] != "#"
    )
    assert lines['hubyard_budget_amount{name="ada",scope="user"}'] == "5.0"
    server = 'compute="small",kind="app",owner="ada",server="app-x"'
    assert lines[f"hubyard_workload_price{{{server}}}"] == "0.36"
    assert float(lines['hubyard_spend_month{kind="app"}']) >= 0.17


def test_the_dashboard_asks_for_every_metric_and_no_other(root: Caller):
    set_budget(root, "ada", 5)
    text = root.get("/metrics").text
    there = set(re.findall(r"^# TYPE (\w+) gauge$", text, re.MULTILINE))
    dashboard = (REPOSITORY / "hub_config" / "grafana.json").read_text()
    asked = {
        name
        for panel in json.loads(dashboard)["panels"]
        for target in panel["targets"]
        for name in re.findall(r"hubyard_\w+", target["expr"])
    }
    assert asked == there
