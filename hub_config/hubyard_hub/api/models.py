"""Routes of experiments, tracked runs and models: MLflow's, with the caller's token."""

from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import Response

from hubyard.contract.tracking import (
    Experiment,
    Model,
    ModelVersion,
    RegisterRequest,
    TrackedRunPage,
)
from hubyard_hub.api.access import Person, Token, people
from hubyard_hub.api.nouns import Asked

router = people("models")

_Text = Annotated[str | None, Query(max_length=2000)]


@router.get("/experiments")
def list_experiments(asking: Person, nouns: Asked, token: Token) -> list[Experiment]:
    """The experiments that the caller may see."""
    del asking
    return nouns.tracking.experiments(token)


@router.get("/tracked-runs")
def list_tracked_runs(
    asking: Person,
    nouns: Asked,
    token: Token,
    experiment: _Text = None,
    filter: _Text = None,  # noqa: A002  MLflow's word
    page: _Text = None,
) -> TrackedRunPage:
    """One page of tracked runs, newest first."""
    del asking
    return nouns.tracking.page(token, experiment, filter, page)


@router.get("/tracked-runs/{run_id}/notebook", response_class=Response)
def read_tracked_notebook(
    asking: Person,
    nouns: Asked,
    token: Token,
    run_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")],
) -> Response:
    """The copy of the notebook that a tracked run was made with."""
    del asking
    content = nouns.tracking.notebook(token, run_id)
    return Response(content, media_type="application/x-ipynb+json")


@router.get("/models")
def list_models(asking: Person, nouns: Asked, token: Token) -> list[Model]:
    """The registered models that the caller may see."""
    del asking
    return nouns.models.list(token)


@router.post("/models", status_code=201)
def register_model(
    asking: Person, nouns: Asked, token: Token, wish: RegisterRequest
) -> ModelVersion:
    """Make the model of a tracked run a version of a registered model."""
    del asking
    return nouns.models.register(token, wish)
