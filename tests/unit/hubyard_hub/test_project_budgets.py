"""The budget of a project: its group's alone, however others come to its name."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, event

from hubyard.contract.identity import Identity
from hubyard.contract.workload import Kind
from hubyard_hub.money.budgets import BudgetSpent
from hubyard_hub.schedules.core import fire_due
from support.lines import entry, opened
from support.months import noon, stand_at
from support.platform import Caller, ada, app, hub, notebook, parts, upload

if TYPE_CHECKING:
    from hubyard.contract.entry import Entry
    from hubyard_hub.parts import Parts
    from support.platform import Stamped

__all__ = ["ada", "app", "hub", "noon", "parts", "stand_at"]  # fixtures

pytestmark = pytest.mark.usefixtures("noon")

HOUR = 360_000
"""An hour of the catalogue's `small`, in micro-units."""
PROJECT = "caf\u00e9"
UNUSED = "unused"
FORGED = [
    PROJECT,
    "cafe\u0301",
    "CAF\u00c9",
    "caf\u00e9\u00a0",
    "\u00a0caf\u00e9",
    "caf\u00e9\u200b",
    "c\u0430f\u00e9",
]
"""The name itself, and what looks like it."""


@pytest.fixture
def root(app: Stamped) -> Caller:
    return Caller(app, Identity(name="root", admin=True))


@pytest.fixture
def mia(app: Stamped) -> Caller:
    return Caller(app, Identity(name="mia", groups=("ml",)))


@pytest.fixture
def budget(root: Caller) -> None:
    """Less than an hour of `small`, for the group `ml`."""
    wish = {"amount": 0.2, "group": "ml"}
    answer = root("PUT", f"/budgets/project/{PROJECT}", json=wish)
    assert answer.status_code == 200, answer.text


def reserved(root: Caller) -> int:
    (found,) = root.get("/budgets").json()
    return found["reserved"]["micros"]


def source_of(caller: Caller, project: str) -> str:
    said = f'name: "{project}"'.encode()
    return upload(caller, {"a.ipynb": notebook(), "hubyard.yml": said})


def run_entry(run: dict[str, Any], owner: str, *groups: str) -> Entry:
    """The entry of a run's start, as the spawner writes it: with today's groups."""
    return entry(
        owner=owner,
        groups=groups,
        kind=Kind.RUN,
        server_name=f"run-{run['id']}",
        price_micros=HOUR,
        started_at=datetime.fromisoformat(run["created_at"]),
    )


def told(caller: Caller, project: str) -> list[Any]:
    """What the routes that take a source say to its project, without ids and times."""
    source = source_of(caller, project)
    file = {"compute": "small", "source": source, "notebook": "a.ipynb"}
    app = {"compute": "small", "source": source, "path": "a.ipynb"}
    asked = (
        ("/estimate", {"compute": "small", "source": source}),
        ("/schedules/preview", {**file, "cron": "0 2 * * *"}),
        ("/schedules", {**file, "cron": "0 2 * * *"}),
        ("/runs", file),
        ("/apps", app),
    )
    found: list[Any] = []
    for path, wish in asked:
        answer = caller.post(path, json=wish)
        assert answer.is_success, answer.text
        shown = {k: v for k, v in answer.json().items() if k not in _OF_ITSELF}
        found.append((path, answer.status_code, shown))
    return found


_OF_ITSELF = {"id", "source", "server_name", "created_at", "next_fire", "url"}


@pytest.mark.usefixtures("budget")
@pytest.mark.parametrize("name", FORGED)
def test_every_route_answers_others_as_if_there_were_no_budget(ada: Caller, name: str):
    assert told(ada, name) == told(ada, UNUSED)


@pytest.mark.usefixtures("budget")
@pytest.mark.parametrize("name", FORGED)
def test_what_others_start_under_a_name_is_let_in_and_spends_nothing(
    parts: Parts, ada: Caller, root: Caller, name: str
):
    wish = {"compute": "small", "source": source_of(ada, name), "notebook": "a.ipynb"}
    run = ada.post("/runs", json=wish).json()
    parts.ledger.open(run_entry(run, "ada", "other", PROJECT))
    assert reserved(root) == 0


@pytest.mark.usefixtures("budget")
def test_a_schedule_of_somebody_who_left_the_group_spends_nothing_of_it(
    parts: Parts, mia: Caller, root: Caller
):
    source = source_of(mia, PROJECT)
    wish = {"source": source, "notebook": "a.ipynb", "cron": "0 * * * *"}
    made = mia.post("/schedules", json=wish).json()
    assert fire_due(parts.store, datetime.fromisoformat(made["next_fire"])) == 1
    (run,) = mia.get(f"/runs?schedule={made['id']}").json()
    with pytest.raises(BudgetSpent, match=r"has \$0\.20 left"):
        parts.ledger.open(run_entry(run, "mia", "ml"))
    parts.ledger.open(run_entry(run, "mia"))
    assert reserved(root) == 0


@pytest.mark.usefixtures("budget")
def test_a_group_of_the_project_s_name_is_not_its_group(
    parts: Parts, app: Stamped, root: Caller
):
    eve = Caller(app, Identity(name="eve", groups=(PROJECT,)))
    assert told(eve, PROJECT) == told(eve, UNUSED)
    opened(
        parts.ledger,
        owner="eve",
        groups=(PROJECT,),
        project=PROJECT,
        price_micros=HOUR,
    )
    assert reserved(root) == 0


@pytest.mark.usefixtures("budget")
def test_others_do_not_have_the_project_s_month_added_up(ada: Caller, mia: Caller):
    """However many workloads it has had, they wait no longer for the answer."""

    def statements(caller: Caller, project: str) -> int:
        wish = {"compute": "small", "source": source_of(caller, project)}
        seen: list[str] = []

        def note(*call: Any) -> None:
            seen.append(call[2])

        event.listen(Engine, "before_cursor_execute", note)
        caller.post("/estimate", json=wish)
        event.remove(Engine, "before_cursor_execute", note)
        return sum("charges" in statement for statement in seen)

    assert statements(ada, PROJECT) == statements(ada, UNUSED) == 0
    assert statements(mia, PROJECT) == 1
