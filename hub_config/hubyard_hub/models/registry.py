"""Models: MLflow's registry, read and written with the caller's token.

Only for schedules that wait for an alias does the platform read it by its own hand: all
aliases at once, and whether the owner of a schedule may see its model.
"""

from __future__ import annotations

import contextlib
import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hubyard.contract.errors import Conflict, Forbidden, Invalid, NotFound, Rejected
from hubyard.contract.tracking import TAG_WARNINGS, Model, ModelVersion
from hubyard_hub.models.servable import Servable
from hubyard_hub.models.tracked import Tracking, model_ids, moment, pairs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hubyard.contract.tracking import RegisterRequest, TrackedRun
    from hubyard_hub.parts import Parts

_MODELS, _VERSIONS = 1000, 10_000
_SEARCH = "/registered-models/search"
_FAILED = {"FAILED", "KILLED"}
_LOG_MODEL_HISTORY = "mlflow.log-model.history"


class Models:
    """Registered models, their versions and aliases."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._mlflow = parts, parts.mlflow
        self._tracking = Tracking(parts)
        self.servable = Servable(parts.mlflow)
        self._pages = f"{parts.settings.public_url}/services/mlflow/#/models"

    def list(self, token: str) -> list[Model]:
        """What the caller may see, each with its newest version first."""
        models = self._mlflow.get(token, _SEARCH, max_results=_MODELS).get(
            "registered_models", ()
        )
        found = self._mlflow.get(
            token, "/model-versions/search", max_results=_VERSIONS
        ).get("model_versions", ())
        runs = (version["run_id"] for version in found if version.get("run_id"))
        tracked = self._tracking.runs(token, runs)
        versions: dict[str, list[Mapping[str, Any]]] = {}
        for version in found:
            versions.setdefault(version["name"], []).append(version)
        marks = self.servable.marks(token, found)
        return [
            self._model(model, versions.get(model["name"], []), tracked, marks)
            for model in models
        ]

    def register(self, token: str, request: RegisterRequest) -> ModelVersion:
        """Make the model of a tracked run a version of a registered model.

        Raises:
            NotFound: there is no such run that the caller may see.
            Conflict: the name belongs to somebody else.
            Rejected: the run has no model.
            Invalid: it has failed, or its model cannot be served; says why.
        """
        run = self._tracking.read_run(token, request.run_id)
        if refusal := _failure(run["info"]["status"], _warnings(run)):
            raise Invalid(refusal, field="run_id")
        self.servable.check(token, {**_source(run), "run_id": request.run_id}, "run_id")
        body = {"name": request.name, "run_id": request.run_id, **_source(run)}
        with contextlib.suppress(Conflict):
            self._mlflow.post(
                token, "/registered-models/create", {"name": request.name}
            )
        kept = self._create_version(token, body)
        if request.alias:
            self._mlflow.post(
                token,
                "/registered-models/alias",
                {
                    "name": request.name,
                    "alias": request.alias,
                    "version": kept["version"],
                },
            )
        tracked = self._tracking.runs(token, [request.run_id])
        return _version(kept, [request.alias] if request.alias else [], tracked)

    def _create_version(self, token: str, body: Mapping[str, str]) -> dict[str, Any]:
        try:
            made = self._mlflow.post(token, "/model-versions/create", body)
        except (Forbidden, NotFound):
            # The name is in use, and yet not there for this caller.
            raise Conflict(
                f"A model of somebody else is called {body['name']}: choose another "
                "name.",
                field="name",
            ) from None
        version: dict[str, Any] = made["model_version"]
        return version

    def find(self, token: str, model: str, version: str) -> Mapping[str, Any]:
        """MLflow's own description of a version, by its number or `@alias`.

        Raises:
            NotFound: there is none that the caller may see.
        """
        try:
            if version.startswith("@"):
                path, key = "/registered-models/alias", {"alias": version[1:]}
            else:
                path, key = "/model-versions/get", {"version": version}
            found = self._mlflow.get(token, path, name=model, **key)
        except Rejected:
            # The same words for what is not there and for what is another person's.
            raise NotFound(
                f"There is no version {version} of {model} that you may see.",
                field="version",
            ) from None
        described: dict[str, Any] = found["model_version"]
        return described

    def aliases(self, token: str, model: str) -> dict[str, str]:
        """The version that each alias of a model points to.

        Raises:
            NotFound: there is no such model that the caller may see.
        """
        try:
            found = self._mlflow.get(token, "/registered-models/get", name=model)
        except Rejected:
            raise NotFound(
                f"There is no model {model} that you may see.", field="on"
            ) from None
        return _aliases(found["registered_model"])

    # -- the platform's own hand -----------------------------------------------------

    def all_aliases(self) -> dict[tuple[str, str], str]:
        """The version that each alias points to, by model and alias, of everybody's."""
        found: dict[tuple[str, str], str] = {}
        page: dict[str, str] = {}
        while True:
            answer = self._mlflow.get(
                self._parts.token, _SEARCH, max_results=_MODELS, **page
            )
            for model in answer.get("registered_models", ()):
                for alias, version in _aliases(model).items():
                    found[model["name"], alias] = version
            if not (following := answer.get("next_page_token")):
                return found
            page = {"page_token": following}

    def is_visible(self, owner: str, model: str) -> bool:
        """Whether somebody may see a model, as MLflow has it."""
        try:
            self._mlflow.get_for(
                owner, self._parts.token, "/registered-models/get", name=model
            )
        except Rejected:
            return False
        return True

    def _model(
        self,
        model: Mapping[str, Any],
        versions: list[Mapping[str, Any]],
        tracked: Mapping[str, TrackedRun],
        marks: Mapping[str, str],
    ) -> Model:
        aliases: dict[str, list[str]] = {}
        for alias in model.get("aliases", ()):
            aliases.setdefault(str(alias["version"]), []).append(alias["alias"])
        newest_first = sorted(versions, key=lambda v: int(v["version"]), reverse=True)
        return Model(
            name=model["name"],
            versions=tuple(
                _version(v, aliases.get(str(v["version"]), []), tracked, marks)
                for v in newest_first
            ),
            url=f"{self._pages}/{quote(model['name'], safe='')}",
        )


def _aliases(model: Mapping[str, Any]) -> dict[str, str]:
    return {each["alias"]: str(each["version"]) for each in model.get("aliases", ())}


def _version(
    version: Mapping[str, Any],
    aliases: list[str],
    tracked: Mapping[str, TrackedRun],
    marks: Mapping[str, str] = MappingProxyType({}),
) -> ModelVersion:
    run_id = version.get("run_id") or None
    run = tracked.get(run_id or "")
    return ModelVersion(
        model=version["name"],
        version=str(version["version"]),
        aliases=tuple(sorted(aliases)),
        run_id=run_id,
        created_at=moment(version["creation_timestamp"]),
        metrics=run.metrics if run else {},
        run=run.run if run else None,
        step=run.step if run else None,
        cost=run.cost if run else None,
        unservable=(run and _failure(run.status, run.warnings))
        or marks.get(str(version["source"])),
    )


def _failure(status: str, warnings: Sequence[str]) -> str | None:
    """Why the model of a tracked run is not to be used; None: the run is well."""
    if status not in _FAILED:
        return None
    reason = f" {warnings[0]}" if warnings else ""
    return f"This tracked run has failed: train it again.{reason}"


def _warnings(run: Mapping[str, Any]) -> list[str]:
    return pairs(run, "tags").get(TAG_WARNINGS, "").splitlines()


def _source(run: Mapping[str, Any]) -> dict[str, str]:
    """Where the newest model of a run is: a logged model, or a folder of the run."""
    if ids := model_ids(run):
        return {"source": f"models:/{ids[-1]}", "model_id": ids[-1]}
    history = pairs(run, "tags").get(_LOG_MODEL_HISTORY, "[]")
    try:
        folder = str(json.loads(history)[-1]["artifact_path"])
    except (ValueError, LookupError, TypeError):  # anybody may set a tag to anything
        raise Rejected(
            "This tracked run has no model: log one in its cell, then register it.",
            field="run_id",
        ) from None
    return {"source": f"{run['info']['artifact_uri']}/{folder}"}
