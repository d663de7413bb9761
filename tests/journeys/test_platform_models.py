"""Experiments, models and deployments over a real MLflow behind a real hub's gate."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from hubyard.contract.deployment import DeploymentRequest, KeyRequest
from hubyard.contract.errors import Conflict, Forbidden, Invalid, NotFound, Rejected
from hubyard.contract.identity import Identity
from hubyard.contract.tracking import Model, RegisterRequest
from hubyard.contract.workload import Status
from hubyard_hub.service import assemble
from support.hub import REPOSITORY
from support.models_place import models_place
from support.platform import Caller, Stamped, workload_of
from support.tracked import track_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.models_place import Place

pytestmark = pytest.mark.hub

ADA, BOB = Identity(name="ada"), Identity(name="bob")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with models_place(tmp_path_factory.mktemp("place")) as place:
        yield place


@pytest.fixture(scope="module")
def trained(place: Place) -> dict[str, str]:
    """The ids of Ada's tracked runs, by name; see `support.trainer`."""
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": place.parts.settings.mlflow_url,
        "MLFLOW_TRACKING_TOKEN": place.ada,
    }
    command = [sys.executable, "-P", str(REPOSITORY / "tests/support/trainer.py")]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout.splitlines()[-1])


def test_each_sees_the_experiments_of_their_own(place: Place, trained: dict[str, str]):
    names = [e.name for e in place.tracking.experiments(place.ada)]
    assert "flights" in names
    assert "flights" not in [e.name for e in place.tracking.experiments(place.bob)]
    with pytest.raises(Forbidden):
        place.tracking.experiments(place.stranger)
    with pytest.raises(Forbidden):
        place.tracking.experiments("nonsense")


def test_tracked_runs_newest_first(place: Place, trained: dict[str, str]):
    names = place.tracking.experiments(place.ada)
    flights = next(each.id for each in names if each.name == "flights")
    page = place.tracking.page(place.ada, flights, None, None)
    assert page.next_page is None
    assert [run.name for run in page.runs] == ["third", "second", "first"]
    first = page.runs[-1]
    assert first.id == trained["first"]
    assert first.metrics == {"auc": 0.75}, "the newest, and none that JSON cannot say"
    assert first.params == {"lr": "0.1"}
    assert (first.compute, first.experiment) == ("small", "flights")
    assert first.status == "FINISHED"
    assert first.ended_at is not None
    assert [run.has_model for run in page.runs] == [False, True, True]
    assert first.url.endswith(f"/runs/{first.id}")
    good = place.tracking.page(
        place.ada, first.experiment_id, "metrics.auc > 0.7", None
    )
    assert [run.name for run in good.runs] == ["first"]


def test_a_wrong_filter_is_named(place: Place, trained: dict[str, str]):
    with pytest.raises(Invalid) as caught:
        place.tracking.page(place.ada, None, "metrics.auc >", None)
    assert caught.value.field == "filter"
    assert "\n" not in caught.value.message


def test_the_notebooks_copy(place: Place, trained: dict[str, str]):
    content = place.tracking.notebook(place.ada, trained["second"])
    assert content == b'{"cells": []}'
    with pytest.raises(NotFound, match="no copy"):
        place.tracking.notebook(place.ada, trained["third"])
    for run_id in (trained["second"], "0" * 32):
        with pytest.raises(NotFound, match="no such tracked run, or it is not yours"):
            place.tracking.notebook(place.bob, run_id)


@pytest.fixture(scope="module")
def registered(place: Place, trained: dict[str, str]) -> dict[str, str]:
    first = RegisterRequest(run_id=trained["first"], name="Flight Delays", alias="best")
    second = RegisterRequest(run_id=trained["second"], name="Flight Delays")
    one = place.models.register(place.ada, first)
    two = place.models.register(place.ada, second)
    assert (one.version, one.aliases, one.metrics) == ("1", ("best",), {"auc": 0.75})
    assert two.version == "2"
    return {"model": "Flight Delays"}


def _registered_by_us(place: Place) -> list[Model]:
    return [m for m in place.models.list(place.ada) if m.name != "by mlflow"]


def test_models_newest_version_first(place: Place, registered: dict[str, str]):
    (model,) = _registered_by_us(place)
    assert [v.version for v in model.versions] == ["2", "1"]
    assert [v.aliases for v in model.versions] == [(), ("best",)]
    assert model.versions[1].metrics == {"auc": 0.75}
    assert model.url.endswith("/#/models/Flight%20Delays")
    assert place.models.list(place.bob) == []


def test_a_run_without_a_model_cannot_be_registered(
    place: Place, trained: dict[str, str]
):
    with pytest.raises(Rejected, match="no model"):
        place.models.register(
            place.ada, RegisterRequest(run_id=trained["third"], name="other")
        )
    for run_id in (trained["first"], "0" * 32):
        with pytest.raises(NotFound, match="no such tracked run, or it is not yours"):
            place.models.register(
                place.bob, RegisterRequest(run_id=run_id, name="stolen")
            )
    assert [m.name for m in _registered_by_us(place)] == ["Flight Delays"]


def test_what_cannot_be_served_is_not_registered_and_marked_where_mlflow_did(
    place: Place, trained: dict[str, str], registered: dict[str, str]
):
    for run, words in (("failed", "has failed"), ("scaler", "has no predict")):
        with pytest.raises(Invalid, match=words) as caught:
            place.models.register(
                place.ada, RegisterRequest(run_id=trained[run], name="unserved")
            )
        assert caught.value.field == "run_id"
    models = {model.name: model for model in place.models.list(place.ada)}
    assert "unserved" not in models, "nothing is left of it"
    assert "no predict" in (models["by mlflow"].versions[0].unservable or "")
    assert models["Flight Delays"].versions[0].unservable is None
    wish = DeploymentRequest(model="by mlflow", version="1")
    with pytest.raises(Invalid, match="no predict") as caught:
        place.deployments.create(ADA, place.ada, wish)
    assert caught.value.field == "version"


def test_a_name_that_is_somebody_elses_is_told_as_taken(
    place: Place, registered: dict[str, str]
):
    url = place.parts.settings.mlflow_url
    run = track_model(place.parts.mlflow, url, place.bob, "of bob")
    with pytest.raises(Conflict, match="choose another name") as caught:
        place.models.register(
            place.bob, RegisterRequest(run_id=run, name=registered["model"])
        )
    assert caught.value.field == "name"


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path, "r:gz") as archive:
        files = [m for m in archive.getmembers() if m.isreg()]
        return {m.name: (archive.extractfile(m) or io.BytesIO()).read() for m in files}


@pytest.mark.parametrize("version", ["1", "2", "@best"])
def test_a_deployment_has_its_own_copy_of_the_model(
    place: Place, registered: dict[str, str], version: str
):
    wish = DeploymentRequest(
        **registered, version=version, name=f"d{version.strip('@')}"
    )
    made = place.deployments.create(ADA, place.ada, wish)
    assert made.status is Status.PENDING
    assert made.revision.version == ("1" if version == "@best" else version)
    assert made.signature is not None
    assert [c["name"] for c in made.signature["inputs"]] == ["hours", "late"]
    assert made.example is not None
    assert made.example["dataframe_split"]["columns"] == ["hours", "late"]
    source = place.deployments.source("ada", made.id)
    files = members(source)
    assert {"MLmodel", "model.pkl"} <= files.keys() or "model.skops" in files
    assert not any(name.startswith("/") or ".." in name for name in files)
    job = place.deployments.job("ada", made.id)
    assert (job.name, job.revision) == (made.name, made.revision)


def test_the_same_wish_again_is_the_same_deployment(
    place: Place, registered: dict[str, str]
):
    wish = DeploymentRequest(**registered, version="@best")
    one = place.deployments.create(ADA, place.ada, wish)
    assert one.name == "flight-delays"
    assert one.id.startswith("flight-del")
    assert len(f"endpoint-{one.id}") <= 30
    assert place.deployments.create(ADA, place.ada, wish).id == one.id
    number = DeploymentRequest(**registered, version="1")
    assert place.deployments.create(ADA, place.ada, number).id == one.id
    other = DeploymentRequest(**registered, version="2")
    assert place.deployments.create(ADA, place.ada, other).id != one.id
    place.deployments.stop("ada", one.id)
    assert place.deployments.create(ADA, place.ada, wish).id != one.id


def test_what_cannot_be_deployed(place: Place, registered: dict[str, str]):
    def deploy(who: Identity, token: str, **more: str) -> None:
        wish = DeploymentRequest.model_validate({**registered, **more})
        place.deployments.create(who, token, wish)

    for version in ("9", "@nobody"):
        with pytest.raises(NotFound):
            deploy(ADA, place.ada, version=version)
    with pytest.raises(NotFound):
        deploy(BOB, place.bob, version="1")
    with pytest.raises(Invalid, match="choose small"):
        deploy(ADA, place.ada, version="1", name="new", compute="x")
    assert place.deployments.list("bob") == []


def test_a_key_comes_with_words_that_run(place: Place, registered: dict[str, str]):
    made = place.deployments.list("ada")[0]
    key = place.deployments.make_key(
        "ada", place.ada, made.id, KeyRequest(expires_in_s=3600)
    )
    assert key.url == made.url
    assert key.token in key.curl
    assert f"{made.url}invocations" in key.curl
    compile(key.python, "key", "exec")
    with pytest.raises(NotFound):
        place.deployments.make_key("bob", place.bob, made.id, KeyRequest())
    with pytest.raises(Forbidden):
        place.deployments.make_key("ada", place.stranger, made.id, KeyRequest())


def test_the_same_by_http(
    place: Place, registered: dict[str, str], trained: dict[str, str]
):
    ada = Caller(Stamped(assemble(place.parts)), ADA, place.ada)
    assert "flights" in [e["name"] for e in ada.get("/experiments").json()]
    found = ada.get("/tracked-runs?filter=metrics.auc>0.7").json()
    assert [run["id"] for run in found["runs"]] == [trained["first"]]
    assert ada.get("/tracked-runs?filter=nonsense").json()["field"] == "filter"
    copied = ada.get(f"/tracked-runs/{trained['second']}/notebook")
    assert copied.json() == {"cells": []}
    assert copied.headers["content-security-policy"].startswith("sandbox")
    assert ada.get("/tracked-runs/..%2Fx/notebook").status_code in {404, 422}
    wish = {"run_id": trained["first"], "name": "by-http"}
    assert ada.post("/models", json=wish).json()["version"] == "1"
    assert ada.post("/models", json={**wish, "name": "a/b"}).status_code == 422
    assert "by-http" in [m["name"] for m in ada.get("/models").json()]
    made = ada.post("/deployments", json={"model": "by-http", "version": "1"})
    assert made.status_code == 201
    path = f"/deployments/{made.json()['id']}"
    assert made.json() in ada.get("/deployments").json()
    assert ada.get(path).json() == made.json()
    assert ada.post(f"{path}/start").json()["status"] == "pending"
    assert ada.post(f"{path}/keys", json={}).json()["url"] == made.json()["url"]
    assert ada.get(f"{path}/log").text == ""
    assert ada.post(f"{path}/stop").json()["target"] == "stopped"
    assert ada("DELETE", path).status_code == 409
    bob = Caller(ada.app, BOB, place.bob)
    for method, end in (
        ("GET", ""),
        ("POST", "/stop"),
        ("DELETE", ""),
        ("GET", "/log"),
    ):
        assert bob(method, path + end).status_code == 404
    assert bob.post(f"{path}/keys", json={}).status_code == 404
    endpoint = workload_of(ada, f"endpoint-{made.json()['id']}")
    assert endpoint.get("/job").json()["revision"]["model"] == "by-http"
    assert endpoint.get("/job/source").status_code == 200


def test_the_platform_never_loads_a_model():
    program = (
        "import sys, hubyard_hub.service\n"
        "loaders = {'mlflow', 'sklearn', 'pandas', 'numpy', 'skops', 'cloudpickle'}\n"
        "print(sorted(loaders & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
