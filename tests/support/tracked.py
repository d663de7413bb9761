"""A tracked run with a model, as small as one can be that may be registered."""

import json

import httpx

from hubyard_hub.models.mlflow_client import MlflowClient

_SERVES = b"flavors:\n  python_function: {}\n"


def track_model(mlflow: MlflowClient, url: str, token: str, experiment: str) -> str:
    """Track a run of somebody's in a new experiment; returns its id.

    Args:
        mlflow: calls MLflow.
        url: where MLflow listens.
        token: whose the experiment is.
        experiment: its name.
    """
    made = mlflow.post(token, "/experiments/create", {"name": experiment})
    run: str = mlflow.post(token, "/runs/create", made)["run"]["info"]["run_id"]
    history = json.dumps([{"artifact_path": "m"}])
    tag = {"run_id": run, "key": "mlflow.log-model.history", "value": history}
    mlflow.post(token, "/runs/set-tag", tag)
    files = f"{url}/api/2.0/mlflow-artifacts/artifacts"
    httpx.put(
        f"{files}/{made['experiment_id']}/{run}/artifacts/m/MLmodel",
        content=_SERVES,
        headers={"Authorization": f"Bearer {token}"},
    ).raise_for_status()
    return run
