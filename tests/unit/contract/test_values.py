"""How the values cross the wire: strict when written, lenient when read, in UTC."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from hubyard.contract.app import AppRequest, Framework, Share
from hubyard.contract.deployment import DeploymentRequest
from hubyard.contract.entry import EndReason, Entry, Settlement, cost_micros
from hubyard.contract.identity import Identity
from hubyard.contract.run import RunRequest
from hubyard.contract.schedule import ScheduleRequest
from hubyard.contract.workload import Kind, Limits, UserOptions

DIGEST = "a" * 64


def test_what_is_written_may_hold_nothing_unknown():
    with pytest.raises(ValidationError):
        UserOptions.model_validate({"kind": "workspace", "price": 0})


def test_what_is_read_may_hold_more_than_we_know():
    identity = Identity.model_validate({"name": "ana", "planet": "earth"})
    assert identity.name == "ana"


def test_values_are_frozen():
    with pytest.raises(ValidationError):
        Identity(name="ana").name = "bo"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("server", "kind", "person"),
    [
        (None, "user", True),
        ("", "user", True),
        ("workspace-team", "user", True),
        ("run-1", "user", False),
        ("endpoint-1", "user", False),
        (None, "service", False),
    ],
)
def test_only_a_users_own_hand_is_a_person(server, kind, person):
    identity = Identity(name="ana", kind=kind, server=server)
    assert identity.is_person is person


@pytest.mark.parametrize(
    ("path", "framework"),
    [
        ("a/dash.ipynb", Framework.VOILA),
        ("app.py", Framework.STREAMLIT),
        ("data.csv", None),
    ],
)
def test_a_file_name_asks_for_its_framework(path, framework):
    assert Framework.of(path) is framework


@pytest.mark.parametrize("share", [{}, {"user": "bo", "group": "ml"}, {"user": ""}])
def test_a_share_is_with_exactly_one(share):
    with pytest.raises(ValidationError):
        Share.model_validate(share)
    assert Share(user="bo").group is None


@pytest.mark.parametrize("version", ["1", "42", "@champion"])
def test_a_version_is_a_number_or_an_alias(version):
    assert DeploymentRequest(model="m", version=version).version == version


@pytest.mark.parametrize("version", ["0", "-1", "latest", "@", "@a b", "1.5", ""])
def test_what_is_no_version_is_refused(version):
    with pytest.raises(ValidationError):
        DeploymentRequest(model="m", version=version)


@pytest.mark.parametrize("digest", ["", "a" * 63, "A" * 64, "../" + "a" * 61])
def test_a_source_is_named_by_its_hash_alone(digest):
    with pytest.raises(ValidationError):
        AppRequest(source=digest, path="app.py")
    assert RunRequest(source=DIGEST, notebook="n.ipynb").parameters == {}


def test_moments_are_kept_in_utc_and_costs_follow_from_them():
    berlin = timezone(timedelta(hours=2))
    entry = Entry(
        id="e",
        owner="ana",
        server_name="",
        kind=Kind.WORKSPACE,
        compute="small",
        price_micros=3_600_000,
        currency="USD",
        lifetime_s=60,
        limits=Limits.SOFT,
        started_at=datetime(2026, 7, 1, 12, tzinfo=berlin),
    )
    assert entry.started_at == datetime(2026, 7, 1, 10, tzinfo=UTC)
    settlement = Settlement(
        entry_id="e",
        ended_at=datetime(2026, 7, 1, 10, 0, 5, tzinfo=UTC),
        exact=True,
        reason=EndReason.EXITED,
    )
    assert cost_micros(entry, settlement.ended_at) == 5_000


@pytest.mark.parametrize("shape", [RunRequest, ScheduleRequest])
def test_an_infinite_parameter_arrives_as_it_was_sent(shape):
    wish = {"source": DIGEST, "notebook": "n.ipynb", "parameters": {"lr": math.inf}}
    wish |= {"cron": "0 6 * * *"} if shape is ScheduleRequest else {}
    sent = shape.model_validate(wish).model_dump_json()
    assert shape.model_validate_json(sent).parameters == {"lr": math.inf}
