"""One of each workload, made the way a person makes it: a run, an endpoint, an app."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubyard.contract.app import AppRequest
from hubyard.contract.deployment import DeploymentRequest
from hubyard.contract.run import RunRequest
from hubyard.contract.tracking import RegisterRequest
from support.hub import REPOSITORY

if TYPE_CHECKING:
    from hubyard.client import Client
    from hubyard.contract.app import App
    from hubyard.contract.deployment import Deployment
    from hubyard.contract.run import Run
    from hubyard.contract.source import NotebookSource
    from support.running import Person, Running

TRAINING = """
import sys
import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

mlflow.set_experiment(sys.argv[1])
x, y = load_iris(return_X_y=True, as_frame=True)
with mlflow.start_run() as run:
    model = LogisticRegression(max_iter=500).fit(x, y)
    mlflow.sklearn.log_model(model, name="model", input_example=x.head(2),
        pip_requirements=["scikit-learn"], serialization_format="pickle")
print(run.info.run_id)
"""


def upload_notebook(client: Client, name: str, cells: list[str]) -> NotebookSource:
    """A notebook of these cells, handed in."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / f"{name}.ipynb"
        notebook.write_text(json.dumps(_notebook(cells)))
        return client.sources.upload_notebook(notebook)


def ask_for_run(client: Client, name: str, cells: list[str], **more: Any) -> Run:
    """A run of a notebook of these cells, as soon as it is wished for."""
    source = upload_notebook(client, name, cells)
    request = RunRequest(
        source=source.digest, notebook=source.notebook, name=name, **more
    )
    return client.runs.start(request)


def start_run(client: Client, name: str, cells: list[str]) -> Run:
    """A run of a notebook of these cells, as soon as it executes."""
    run = ask_for_run(client, name, cells)
    while (found := client.runs.get(run.id)).status != "running":
        if found.ended_at:
            raise SystemExit(f"the run {found.status}: {found.failure}")
        time.sleep(0.3)
    return found


def _notebook(cells: list[str]) -> dict[str, object]:
    code = {
        "cell_type": "code",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    written = [{**code, "id": f"c{n}", "source": text} for n, text in enumerate(cells)]
    return {"cells": written, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def train(hubyard: Running, person: Person, experiment: str) -> str:
    """A real model, fitted and logged by a program; returns its tracked run's id."""
    environ = {
        "MLFLOW_TRACKING_URI": hubyard.settings.mlflow_url,
        "MLFLOW_TRACKING_TOKEN": person.token(),
        "PATH": "/usr/bin:/bin",
        "HOME": tempfile.gettempdir(),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TRAINING, f"{person.name}/{experiment}"],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return done.stdout.split()[-1]


def deploy(hubyard: Running, person: Person, name: str) -> Deployment:
    """A model that was tracked, registered and deployed under one name, and answers."""
    client = hubyard.client(person)
    run_id = train(hubyard, person, name)
    client.models.register(RegisterRequest(run_id=run_id, name=name))
    made = client.deployments.create(DeploymentRequest(model=name, version="1"))
    ready = client.deployments.wait(made.id)
    if ready.status != "ready":
        raise SystemExit(f"{ready.reason} {ready.log_tail}")
    return ready


def publish_app(client: Client, name: str) -> App:
    """The flights example's Streamlit app, once it answers."""
    source = client.sources.upload(REPOSITORY / "examples" / "flights" / "app.py")
    request = AppRequest(source=source.digest, path="app.py", name=name)
    ready = client.apps.wait(client.apps.publish(request).id)
    if ready.status != "ready":
        raise SystemExit(f"{ready.reason} {ready.log_tail}")
    return ready
