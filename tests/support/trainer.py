"""Trains three tracked runs as a person would, and prints their ids as JSON.

first   two logged models, the second with an input example
second  a model as older MLflows kept it, in the run's own folder; a notebook's copy
third   no model
failed  a model, and then an error
scaler  a transformer, which has no predict, also registered by MLflow's own call
"""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

DATA = pd.DataFrame({"hours": [1.0, 2.0, 3.0, 4.0], "late": [0, 1, 0, 1]})


def first(model: LogisticRegression, how: dict[str, Any]) -> str:
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_metric("auc", 0.5, step=0)
        mlflow.log_metric("auc", 0.75, step=1)
        mlflow.log_metric("broken", float("nan"))
        mlflow.log_param("lr", "0.1")
        mlflow.set_tag("hubyard.compute", "small")
        mlflow.sklearn.log_model(model, name="plain", **how)
        mlflow.sklearn.log_model(model, name="m", input_example=DATA.head(2), **how)
    return run.info.run_id


def second(model: LogisticRegression, how: dict[str, Any]) -> str:
    with (
        mlflow.start_run(run_name="second") as run,
        tempfile.TemporaryDirectory() as folder,
    ):
        mlflow.sklearn.save_model(model, f"{folder}/m", **how)
        mlflow.log_artifacts(f"{folder}/m", "old-model")
        notebook = Path(folder) / "train.ipynb"
        notebook.write_text('{"cells": []}')
        mlflow.log_artifact(str(notebook), "notebook")
        history = [{"artifact_path": "old-model", "run_id": run.info.run_id}]
        mlflow.set_tag("mlflow.log-model.history", json.dumps(history))
    return run.info.run_id


def third() -> str:
    with mlflow.start_run(run_name="third") as run:
        mlflow.log_metric("auc", 0.1)
    return run.info.run_id


def failed(model: LogisticRegression, how: dict[str, Any]) -> str:
    with suppress(ZeroDivisionError), mlflow.start_run(run_name="failed") as run:
        mlflow.sklearn.log_model(model, name="plain", **how)
        _ = 1 / 0
    return run.info.run_id


def scaler() -> str:
    with mlflow.start_run(run_name="scaler") as run:
        mlflow.sklearn.log_model(
            StandardScaler().fit(DATA),
            name="scaler",
            pip_requirements=[],
            registered_model_name="by mlflow",
        )
    return run.info.run_id


if __name__ == "__main__":
    model = LogisticRegression().fit(DATA, [0, 0, 1, 1])
    signature = mlflow.models.infer_signature(DATA, model.predict(DATA))
    how = {"signature": signature, "pip_requirements": []}
    mlflow.set_experiment("flights")
    ids = {"first": first(model, how), "second": second(model, how), "third": third()}
    mlflow.set_experiment("others")
    ids |= {"failed": failed(model, how), "scaler": scaler()}
    sys.stderr.flush()
    print(json.dumps(ids))
