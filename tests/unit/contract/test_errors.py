"""Every refusal is one line that says what to do, whichever door it stands at."""

import pytest
from pydantic import ValidationError

from hubyard.contract.app import AppRequest, Share, parse_share
from hubyard.contract.compute import EstimateRequest
from hubyard.contract.deployment import DeploymentRequest, KeyRequest, parse_model
from hubyard.contract.errors import (
    Conflict,
    HubyardError,
    Invalid,
    Unavailable,
    refusal,
    refused,
)
from hubyard.contract.project import Project
from hubyard.contract.run import RunRequest
from hubyard.contract.schedule import PreviewRequest, ScheduleChange, ScheduleRequest
from hubyard.contract.tracking import RegisterRequest
from hubyard.contract.workload import Limits, UserOptions

DIGEST = "a" * 64
RUN = {"source": DIGEST, "notebook": "a.ipynb"}
SCHEDULE = {**RUN, "cron": "0 6 * * *"}
APP = {"source": DIGEST, "path": "app.py"}
REGISTER = {"run_id": "a" * 32, "name": "churn"}

TITLE = "name cannot be used: write 1 to 128 characters, without tabs, newlines and"
SLUG = "cannot be used: write at most 40 of a-z, 0-9 and single hyphens"
SECONDS = "lifetime_s cannot be used: input should be"

BAD = [
    (RunRequest, {}, "source is missing."),
    (RunRequest, {**RUN, "price": 0}, "price is not known here: remove it."),
    (
        RunRequest,
        {**RUN, "source": "../x"},
        "the 64 characters of a kept source's hash",
    ),
    (RunRequest, {**RUN, "name": ""}, TITLE),
    (RunRequest, {**RUN, "name": "x" * 129}, TITLE),
    (RunRequest, {**RUN, "name": "a\nb"}, TITLE),
    (RunRequest, {**RUN, "name": 5}, TITLE),
    (RunRequest, {**RUN, "lifetime_s": 0}, SECONDS),
    (RunRequest, {**RUN, "lifetime_s": -5}, SECONDS),
    (RunRequest, {**RUN, "lifetime_s": 10**12}, SECONDS),
    (RunRequest, {**RUN, "lifetime_s": float("nan")}, SECONDS),
    (RunRequest, {**RUN, "lifetime_s": float("inf")}, SECONDS),
    (RunRequest, {**RUN, "lifetime_s": "many"}, SECONDS),
    (RunRequest, {**RUN, "lifetime_s": True}, SECONDS),
    (RunRequest, {**RUN, "parameters": []}, "parameters cannot be used: input should"),
    (RunRequest, {**RUN, "parameters": {"a": {1}}}, "parameters.a cannot be used"),
    (ScheduleRequest, {**SCHEDULE, "cron": "daily"}, "write five fields, such as 30 2"),
    (ScheduleRequest, {**SCHEDULE, "cron": "* " * 200}, "write five fields"),
    (ScheduleRequest, {**SCHEDULE, "missed": "twice"}, "'skip', 'once' or 'all'"),
    (ScheduleRequest, {**SCHEDULE, "time_zone": "x" * 65}, "at most 64 characters"),
    (ScheduleChange, {"paused": "maybe"}, "paused cannot be used"),
    (PreviewRequest, {}, "cron cannot be used: give either a cron, or on what it"),
    (AppRequest, {**APP, "framework": "dash"}, "'voila' or 'streamlit'"),
    (AppRequest, {**APP, "path": "x" * 513}, "at most 512 characters"),
    (Share, {}, "share with exactly one of user or group"),
    (Share, {"user": "a", "group": "b"}, "share with exactly one of user or group"),
    (DeploymentRequest, {"model": "churn", "version": "latest"}, "such as @champion"),
    (DeploymentRequest, {"model": "", "version": "1"}, "model cannot be used"),
    (DeploymentRequest, {"model": "m", "version": "1", "name": "A B"}, f"name {SLUG}"),
    (KeyRequest, {"expires_in_s": 0}, "expires_in_s cannot be used"),
    (RegisterRequest, {**REGISTER, "run_id": "x"}, "the 32 characters of a tracked"),
    (RegisterRequest, {**REGISTER, "name": "a/b"}, "none of them one of / : . % \" '."),
    (RegisterRequest, {**REGISTER, "alias": "a b"}, "at most 100 of A-Z, a-z, 0-9"),
    (EstimateRequest, {"compute": None}, "there is no compute called that."),
    (UserOptions, {"compute": ""}, "compute cannot be used"),
    (UserOptions, {"kind": "root"}, "'workspace', 'run', 'endpoint' or 'app'"),
    (UserOptions, {"x" * 5000: 1}, "is not known here: remove it."),
    (Project, {"compute": "Big One"}, f"compute {SLUG}"),
    (Project, [], "The body cannot be used"),
]


@pytest.mark.parametrize(
    ("shape", "value", "says"),
    BAD,
    ids=[f"{shape.__name__}-{number}" for number, (shape, *_) in enumerate(BAD)],
)
def test_what_cannot_be_is_one_line_that_says_what_to_do(shape, value, says):
    with pytest.raises(ValidationError) as caught:
        shape.model_validate(value)
    error = refused(caught.value)
    assert says in error.message
    assert error.message.endswith(".")
    assert "\n" not in error.message
    assert len(error.message) < 300
    assert "^" not in error.message, "nobody is shown a pattern"


def test_a_body_that_is_no_json_has_no_field():
    error = refusal({"type": "json_invalid", "msg": "EOF"}, None)
    assert (error.message, error.field) == ("The body is not JSON.", None)


@pytest.mark.parametrize("text", ["", "ana", "user:", "team:a", ":", "group"])
def test_whom_nobody_is_called_is_refused(text):
    with pytest.raises(Invalid, match="write user:NAME or group:NAME"):
        parse_share(text)
    assert parse_share("user:a:b").user == "a:b"
    assert parse_share("group:staff").group == "staff"


@pytest.mark.parametrize(
    "text", ["", "churn", "@a", "churn@", "/1", "churn/", "@", "/"]
)
def test_what_is_no_version_is_refused(text):
    with pytest.raises(Invalid, match="write MODEL@alias or MODEL/VERSION"):
        parse_model(text)
    assert parse_model("a@b/c@d") == ("a@b/c", "@d")
    assert parse_model("a/b/1") == ("a/b", "1")


def test_an_error_is_one_line_and_its_docstring_where_nothing_is_said():
    assert Conflict("two\nlines\r\nor\u2028more").message == "two lines or more"
    assert Unavailable().message == (
        "A part of Hubyard does not answer; try again in a moment."
    )
    assert str(HubyardError("x", field="y")) == "x"


def test_only_what_is_not_soft_is_enforced():
    assert [limits for limits in Limits if not limits.enforced] == [Limits.SOFT]
