"""Who asks: what the gate knows once it has checked a token with the hub."""

from __future__ import annotations

from hubyard.contract.base import Read
from hubyard.contract.workload import Kind, ServerName


class Identity(Read):
    """A user or a service of the hub, and the workload that speaks for it."""

    name: str
    kind: str = "user"
    admin: bool = False
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    server: str | None = None
    """Name of the hub server whose own token this is; None: a person's or service's."""

    @property
    def workload(self) -> ServerName | None:
        """The workload whose own token this is."""
        return None if self.server is None else ServerName.parse(self.server)

    @property
    def is_person(self) -> bool:
        """Whether this is the user's own hand: a browser, a token, or a workspace."""
        workload = self.workload
        return self.kind == "user" and (
            workload is None or workload.kind is Kind.WORKSPACE
        )
