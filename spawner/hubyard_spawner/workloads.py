"""What differs between the four workloads; all else is one shape."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from hubyard.contract.workload import Kind

PLATFORM_SERVICE = "hubyard"
"""The hub service that alone starts runs, endpoints and apps."""
START_LIMIT_S = 90
"""The longest that a start may take until something listens."""
ANSWER_LIMIT_S = 60
"""The longest that its first answer may take after that."""


@dataclass(frozen=True)
class WorkloadKind:
    """How one kind is started and what it may reach."""

    kind: Kind
    by_person: bool
    """Whether a person starts it; otherwise the platform does."""
    tracks: bool
    """Whether it is given MLflow's address and a token for it."""
    at_home: bool
    """Whether it works in its owner's folder; otherwise in one of its own."""
    scopes: tuple[str, ...]
    """Hub scopes of its own token, least first."""

    @property
    def cmd(self) -> list[str]:
        """The command that starts it.

        Without the working folder (-P) and the user's packages (-s) on its path: a file
        of the owner's that is called like a library must not be taken for it.
        """
        return [sys.executable, "-P", "-s", "-m", f"hubyard_runtime.{self.kind}"]


_OWN = ("access:servers!server", "users:activity!user")
_PLATFORM = ("access:services!service=hubyard",)
_MLFLOW = ("access:services!service=mlflow",)
_IDENTITY = ("read:users:name!user", "read:users:groups!user")
_PERSON = ("tokens!user", "shares!user", "read:users:name", "read:groups:name")

KINDS: dict[Kind, WorkloadKind] = {
    each.kind: each
    for each in (
        WorkloadKind(
            Kind.WORKSPACE,
            by_person=True,
            tracks=True,
            at_home=True,
            scopes=(*_OWN, *_PLATFORM, *_MLFLOW, *_IDENTITY, *_PERSON),
        ),
        WorkloadKind(
            Kind.RUN,
            by_person=False,
            tracks=True,
            at_home=False,
            scopes=(*_OWN, *_PLATFORM, *_MLFLOW, *_IDENTITY),
        ),
        WorkloadKind(
            Kind.ENDPOINT,
            by_person=False,
            tracks=False,
            at_home=False,
            scopes=(*_OWN, *_PLATFORM),
        ),
        WorkloadKind(
            Kind.APP,
            by_person=False,
            tracks=False,
            at_home=False,
            scopes=(*_OWN, *_PLATFORM),
        ),
    )
}
