"""The verdict on a request, before MLflow sees it and after MLflow has refused it.

MLflow looks whether its caller may use what a request names. It does not look at what
is there already under an id that the client has chosen, at some objects that a request
names in passing, and at where a location lies: that is done here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard_hub.mlflow import answers, locations
from hubyard_hub.mlflow.asked import Thing
from hubyard_hub.mlflow.objects import Objects, Refused, own_roles
from hubyard_hub.mlflow.routes import ADMIN, SHUT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from starlette.responses import Response

    from hubyard_hub.mlflow.asked import Asked
    from hubyard_hub.mlflow.routes import Claim
    from hubyard_hub.mlflow.spans import Export

_ROLES = "GET 3.0/mlflow/roles/list"


class Verdict:
    """Decides for one MLflow. It asks databases: call it in a thread."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def before(self, member: str, asked: Asked) -> Response | None:
        """What to answer instead of asking MLflow; None: ask it."""
        route = asked.found.route
        if route.audience == SHUT:
            return answers.error("ENDPOINT_NOT_FOUND", answers.NOT_OFFERED)
        if route.audience == ADMIN and not self._objects.is_admin(member):
            return answers.denied("This is for administrators.")
        if route.name == _ROLES and not self._objects.is_admin(member):
            return own_roles(self._objects, member)
        try:
            return self._unclear(asked) or self._claimed(member, asked)
        except Refused as refused:
            return refused.answer

    def after(self, member: str, asked: Asked, status: int) -> Response | None:
        """What to answer where MLflow has said 403 or 404; None: its own answer."""
        try:
            unseen = self._objects.unseen(member, _named(asked))
        except Refused as refused:
            return refused.answer
        if unseen is not None:
            return answers.missing(unseen)
        return answers.denied() if status == 403 else None  # noqa: PLR2004

    def export(self, member: str, export: Export) -> Response | None:
        """What to answer an export of spans instead of asking MLflow."""
        traces = [Thing("trace", (id_,)) for id_ in sorted(export.traces)]
        try:
            return (
                self._tags(member, export.tags)
                or self._taken(member, traces, export.experiments)
                or self._kept_from(member, "update", export.runs)
            )
        except Refused as refused:
            return refused.answer

    @staticmethod
    def _unclear(asked: Asked) -> Response | None:
        for claim in asked.found.route.claims:
            name = asked.ambiguous(claim)
            if name is not None:
                return answers.invalid(f"The request says two things of '{name}'.")
        return None

    def _claimed(self, member: str, asked: Asked) -> Response | None:
        """The claims that MLflow does not judge."""
        for claim in asked.found.route.of(
            "read", "edit", "new", "at", "source", "tags"
        ):
            said = self._claim(member, asked, claim)
            if said is not None:
                return said
        return None

    def _claim(self, member: str, asked: Asked, claim: Claim) -> Response | None:
        if claim.duty in {"at", "source"}:
            return self._location(member, asked, claim)
        if claim.duty == "tags":
            return self._tags(member, asked.pairs(claim.fields[0][0]))
        things = asked.things(claim)
        if claim.duty == "new":
            return self._taken(member, things, _experiments(asked))
        action = "update" if claim.duty == "edit" else "read"
        return self._kept_from(member, action, things)

    def _taken(
        self, member: str, things: Iterable[Thing], into: Collection[Thing]
    ) -> Response | None:
        """An id that is taken belongs to whoever may change what has it.

        What would leave its experiment for another one must be theirs to delete.
        """
        for thing in things:
            stays = not into or self._objects.share_anchor(thing, into)
            action = "update" if stays else "delete"
            is_there = self._objects.is_there(thing)
            if is_there and not self._objects.may(member, action, thing):
                return answers.taken(thing)
        return None

    def _kept_from(
        self, member: str, action: str, things: Iterable[Thing]
    ) -> Response | None:
        for thing in things:
            if not self._objects.may(member, "read", thing):
                return answers.missing(thing)
            if not self._objects.may(member, action, thing):
                return answers.denied()
        return None

    def _location(self, member: str, asked: Asked, claim: Claim) -> Response | None:
        for text in filter(None, asked.texts(claim.fields[0][0])):
            if claim.duty == "source":
                said = self._source(member, text)
            else:
                said = self._place(member, "update", claim.fields[0][0], text)
            if said is not None:
                return said
        return None

    def _source(self, member: str, text: str) -> Response | None:
        try:
            found = locations.source(text, self._objects.placeholders)
        except locations.Outside:
            return answers.invalid(f"Invalid model version source. {locations.HINT}")
        return self._kept_from(member, "read", [found]) if found else None

    def _tags(self, member: str, tags: Iterable[tuple[str, str]]) -> Response | None:
        for key, value in tags:
            if key in locations.TAGS:
                said = self._place(member, "update", key, value)
                if said is not None:
                    return said
        return None

    def _place(self, member: str, action: str, name: str, text: str) -> Response | None:
        try:
            found = locations.folder(text)
        except locations.Outside:
            return answers.invalid(f"Invalid value for '{name}'. {locations.HINT}")
        if self._objects.is_admin(member):
            return None
        return self._kept_from(member, action, [found])


def _experiments(asked: Asked) -> list[Thing]:
    return [thing for thing in _named(asked) if thing.kind == "experiment"]


def _named(asked: Asked) -> list[Thing]:
    """All that is named, and must be there."""
    claims = asked.found.route.of("", "read", "edit")
    return [thing for claim in claims for thing in asked.things(claim)]
