"""Objects: what is there in MLflow, and what a member may do with it.

anchor  what MLflow keeps permissions on; a run's anchor is its experiment

Asked of MLflow's own stores and by MLflow's own rules, in its process. All of this
waits for a database: call it in a thread.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hubyard_hub.mlflow.asked import Thing

_Anchors = list[tuple[str, str]]
_FOLDER = re.compile(r"/*(?:workspaces/[^/]+/)?([0-9]+)(?:/|$)")
_LARGEST = 2**63 - 1
"""The largest integer of SQLite and PostgreSQL."""
_NOT_THERE = "RESOURCE_DOES_NOT_EXIST"


class Refused(Exception):
    """MLflow cannot look for such an id, and says why."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class Objects:
    """MLflow's stores, and its rules of who may what."""

    def __init__(self, auth: Any, handlers: Any) -> None:
        """Take them from MLflow.

        Args:
            auth: the module `mlflow.server.auth`, once its application is made.
            handlers: the module `mlflow.server.handlers`.
        """
        self._auth = auth
        self._handlers = handlers
        self._found: dict[str, Callable[..., _Anchors]] = {
            "artifact": self._folder,
            "assessment": self._assessment,
            "dataset": self._dataset,
            "experiment": self._experiment,
            "experiment-name": self._experiment_by_name,
            "folder": self._folder,
            "issue": lambda id_: self._in(self._tracking.get_issue(id_)),
            "logged-model": lambda id_: self._in(self._tracking.get_logged_model(id_)),
            "mcp": self._mcp,
            "model": self._model,
            "queue": lambda id_: self._in(self._tracking.get_review_queue(id_)),
            "queue-name": lambda experiment, _: self._experiment(experiment),
            "run": lambda id_: self._in(self._tracking.get_run(id_).info),
            "schema": lambda id_: self._in(self._tracking.get_label_schema(id_)),
            "schema-name": lambda experiment, _: self._experiment(experiment),
            "trace": lambda id_: self._in(self._tracking.get_trace_info(id_)),
            "version": lambda name, _: self._model(name),
        }

    @property
    def placeholders(self) -> frozenset[str]:
        """Sources that stand for no place at all, as prompts have them."""
        return frozenset(self._handlers._PROMPT_SOURCE_PLACEHOLDERS)

    @property
    def _tracking(self) -> Any:
        return self._handlers._get_tracking_store()

    @property
    def _registry(self) -> Any:
        return self._handlers._get_model_registry_store()

    def is_admin(self, member: str) -> bool:
        """Whether MLflow lets this member do everything."""
        store = self._auth.store
        return bool(store.has_user(member) and store.get_user(member).is_admin)

    def may(self, member: str, action: str, thing: Thing) -> bool:
        """Whether it is there, and this member may "read", "update" or "delete" it.

        Raises:
            Refused: MLflow cannot look for such an id.
        """
        if thing.kind == "role":
            return self._has_role(member, thing.id[0])
        anchors = self._anchors(thing)
        if not anchors or not self._auth.store.has_user(member):
            return False
        if self.is_admin(member):
            return True
        return all(self._grants(member, action, anchor) for anchor in anchors)

    def is_there(self, thing: Thing) -> bool:
        """Whether there is such an object, of anybody's.

        Raises:
            Refused: MLflow cannot look for such an id.
        """
        return bool(self._anchors(thing))

    def share_anchor(self, thing: Thing, others: Iterable[Thing]) -> bool:
        """Whether what decides on one of them decides on all of them.

        Raises:
            Refused: MLflow cannot look for such an id.
        """
        anchors = self._anchors(thing)
        return all(self._anchors(other) == anchors for other in others)

    def unseen(self, member: str, things: Iterable[Thing]) -> Thing | None:
        """The first of them that is not there, or that this member may not see.

        Raises:
            Refused: MLflow cannot look for such an id.
        """
        return next(
            (each for each in things if not self.may(member, "read", each)), None
        )

    def roles(self, member: str) -> list[Any]:
        """What a member's own roles are, as MLflow lists them."""
        store = self._auth.store
        held = store.list_user_roles(store.get_user(member).id)
        return [role.to_json() for role in held]

    def _has_role(self, member: str, role: str) -> bool:
        if self.is_admin(member):
            return True
        return role in {str(each["id"]) for each in self.roles(member)}

    def _grants(self, member: str, action: str, anchor: tuple[str, str]) -> bool:
        need = self._auth.Requirement(*anchor, action)
        return bool(self._auth.authorize(member, anchor, [need]))

    def _anchors(self, thing: Thing) -> _Anchors:
        """Where permissions on it are kept; none: it is not there."""
        from mlflow.exceptions import (
            MlflowException,
        )

        try:
            return self._found[thing.kind](*thing.id)
        except MlflowException as error:
            if error.error_code == _NOT_THERE:
                return []
            status = error.get_http_status_code()
            answer = Response(
                error.serialize_as_json(), status, media_type="application/json"
            )
            raise Refused(answer) from error

    @staticmethod
    def _in(held: Any) -> _Anchors:
        """What is held in an experiment."""
        return [("experiment", str(held.experiment_id))]

    def _experiment(self, id_: str) -> _Anchors:
        if re.fullmatch("[0-9]+", id_) and int(id_[:20]) > _LARGEST:
            return []
        return self._in(self._tracking.get_experiment(id_))

    def _experiment_by_name(self, name: str) -> _Anchors:
        found = self._tracking.get_experiment_by_name(name)
        return self._in(found) if found else []

    def _folder(self, path: str) -> _Anchors:
        found = _FOLDER.match(path)
        return self._experiment(found[1]) if found else []

    def _dataset(self, id_: str) -> _Anchors:
        self._tracking.get_dataset(id_)
        held = self._tracking.get_dataset_experiment_ids(id_)
        return [("experiment", str(each)) for each in held]

    def _assessment(self, id_: str) -> _Anchors:
        """By its id alone, for nobody may choose one that is taken."""
        from mlflow.store.tracking.dbmodels.models import (
            SqlAssessments,
        )

        with self._tracking.ManagedSessionMaker() as session:
            found = session.get(SqlAssessments, id_)
            return self._in(found) if found else []

    def _model(self, name: str) -> _Anchors:
        found = self._registry.get_registered_model(name)
        return [("prompt" if found._is_prompt() else "registered_model", name)]

    def _mcp(self, path: str) -> _Anchors:
        name = "/".join(path.split("/")[:2])
        self._tracking.get_mcp_server(name)
        return [("mcp_server", name)]


def own_roles(objects: Objects, member: str) -> JSONResponse:
    """The list of roles, of which nobody sees but their own."""
    return JSONResponse({"roles": objects.roles(member)})
