"""Routes of deployments, for the people who own them."""

from fastapi.responses import Response

from hubyard.contract.deployment import Deployment, DeploymentRequest, Key, KeyRequest
from hubyard_hub.api.access import Person, Token, people
from hubyard_hub.api.nouns import Asked
from hubyard_hub.workloads.logs import log_answer

router = people("deployments")


@router.post("/deployments", status_code=201)
def create_deployment(
    asking: Person, nouns: Asked, token: Token, wish: DeploymentRequest
) -> Deployment:
    """Serve a model version; the same wish again answers the same deployment."""
    return nouns.deployments.create(asking, token, wish)


@router.get("/deployments")
def list_deployments(asking: Person, nouns: Asked) -> list[Deployment]:
    """The caller's deployments, newest first."""
    return nouns.deployments.list(asking.name)


@router.get("/deployments/{deployment_id}")
def read_deployment(asking: Person, nouns: Asked, deployment_id: str) -> Deployment:
    """One deployment."""
    return nouns.deployments.get(asking.name, deployment_id)


@router.post("/deployments/{deployment_id}/start")
def start_deployment(asking: Person, nouns: Asked, deployment_id: str) -> Deployment:
    """Serve it again."""
    return nouns.deployments.start(asking.name, deployment_id)


@router.post("/deployments/{deployment_id}/stop")
def stop_deployment(asking: Person, nouns: Asked, deployment_id: str) -> Deployment:
    """End its endpoint."""
    return nouns.deployments.stop(asking.name, deployment_id)


@router.delete("/deployments/{deployment_id}", status_code=204)
def delete_deployment(asking: Person, nouns: Asked, deployment_id: str) -> None:
    """Forget a deployment that has ended."""
    nouns.deployments.remove(asking.name, deployment_id)


@router.post("/deployments/{deployment_id}/keys", status_code=201)
def create_key(
    asking: Person, nouns: Asked, token: Token, deployment_id: str, wish: KeyRequest
) -> Key:
    """Make a token that can call this endpoint and nothing else; shown once."""
    return nouns.deployments.make_key(asking.name, token, deployment_id, wish)


@router.get("/deployments/{deployment_id}/log", response_class=Response)
def read_deployment_log(asking: Person, nouns: Asked, deployment_id: str) -> Response:
    """What its newest endpoint has printed."""
    return log_answer(nouns.parts, nouns.deployments.row(asking.name, deployment_id))
