"""A deployment: the wish that a model version be served; the endpoint fulfils it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue

from hubyard.contract.base import (
    ComputeName,
    Moment,
    Read,
    Seconds,
    Slug,
    Written,
    in_words,
)
from hubyard.contract.errors import Invalid
from hubyard.contract.money import Money
from hubyard.contract.workload import Status, Target


def parse_model(text: str) -> tuple[str, str]:
    """Read `MODEL@alias` or `MODEL/VERSION`.

    Raises:
        Invalid: it is neither.
    """
    for mark, kept in (("@", "@"), ("/", "")):
        model, found, version = text.rpartition(mark)
        if found and model and version:
            return model, f"{kept}{version}"
    raise Invalid(f"{text!r} is no version: write MODEL@alias or MODEL/VERSION.")


Version = Annotated[
    str,
    Field(pattern=r"^([1-9][0-9]{0,8}|@[A-Za-z0-9_-]{1,100})$"),
    in_words("write a number such as 3, or an alias such as @champion"),
]


class DeploymentRequest(Written):
    """Serve one version of a registered model."""

    model: str = Field(min_length=1, max_length=250)
    version: Version = Field(description="a version number, or @alias")
    name: Slug | None = Field(default=None, description="None: from the model's name")
    compute: ComputeName | None = None
    lifetime_s: Seconds | None = None


class Revision(Read):
    """One numbered state of a deployment."""

    number: int
    model: str
    version: str
    created_at: Moment
    created_by: str


class DeploymentJob(Read):
    """What the platform tells an endpoint that asks what it shall serve."""

    deployment_id: str
    name: str
    revision: Revision


class Deployment(Read):
    """A deployment as its owner sees it."""

    id: str
    name: str
    owner: str
    revision: Revision
    compute: str
    price: Money
    cost: Money | None = Field(description="of the endpoint that runs, so far")
    requests: int | None = Field(
        default=None, description="that the endpoint which runs has answered"
    )
    per_thousand: Money | None = Field(
        default=None, description="what 1,000 of its requests have cost so far"
    )
    lifetime_s: int
    deadline: Moment | None
    status: Status
    target: Target
    reason: str | None = Field(description="why it failed or stopped, in words")
    log_tail: str | None = Field(description="the last lines, when it failed")
    url: str = Field(description="of the endpoint; its requests go to <url>invocations")
    created_at: Moment
    signature: dict[str, Any] | None = Field(description="MLflow's, as JSON")
    example: dict[str, JsonValue] | None = Field(
        description="a request body that the endpoint accepts"
    )


class KeyRequest(Written):
    """Make a token that can call one endpoint and nothing else."""

    expires_in_s: Seconds = 90 * 24 * 3600


class Key(Read):
    """A token of one scope; shown once, never stored by Hubyard."""

    token: str
    url: str
    expires_at: Moment
    curl: str = Field(description="runs unchanged in a terminal")
    python: str = Field(description="runs unchanged in a cell")
