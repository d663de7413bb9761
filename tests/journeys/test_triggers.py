"""Triggers in a whole Hubyard: a real file, a real alias of MLflow, a webhook by proxy.

ana administers, so MLflow shows her everything; the model is ben's, and cleo is a
stranger.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from hubyard.contract.errors import NotFound
from hubyard.contract.run import RunRequest
from hubyard.contract.schedule import Overlap, ScheduleRequest, TriggerRequest
from hubyard.contract.tracking import RegisterRequest
from hubyard_hub.models.mlflow_client import API, ON_BEHALF_OF, MlflowClient
from hubyard_hub.schedules.watch import FileWatch
from support.furnish import ask_for_run
from support.patience import PATIENCE_S, until
from support.running import running
from support.tracked import track_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hubyard.client import Client
    from hubyard.contract.schedule import NewSchedule
    from support.running import Person, Running

pytestmark = pytest.mark.hub

MODEL = "delays of ben"


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("triggers")) as started:
        yield started


@pytest.fixture(scope="module")
def ana(hubyard: Running) -> Person:
    return hubyard.administrator()


class Somebody:
    """A person with a client and a notebook to schedule."""

    def __init__(self, hubyard: Running, person: Person) -> None:
        self.person = person
        self.token = person.token()
        self.client: Client = hubyard.client(person)
        run = ask_for_run(self.client, "noted", ["print('noted')"])
        self.client.runs.stop(run.id)
        self.pinned = RunRequest(source=run.source, notebook=run.notebook)

    def schedule(self, **on: Any) -> NewSchedule:
        wish = ScheduleRequest(
            source=self.pinned.source,
            notebook=self.pinned.notebook,
            on=TriggerRequest(**on),
            overlap=Overlap.ALLOW,
        )
        return self.client.schedules.create(wish)

    def runs_of(self, schedule: NewSchedule) -> int:
        return len(self.client.runs.list(schedule.id))


@pytest.fixture(scope="module")
def ben(hubyard: Running, ana: Person) -> Somebody:
    return Somebody(hubyard, hubyard.person("ben", admits=ana))


@pytest.fixture(scope="module")
def cleo(hubyard: Running, ana: Person) -> Somebody:
    return Somebody(hubyard, hubyard.person("cleo", admits=ana))


def test_a_file_that_changes_starts_a_run_also_while_the_platform_was_down(
    hubyard: Running, ben: Somebody
):
    home = hubyard.settings.homes / "ben"
    (home / "data").mkdir(parents=True)
    made = ben.schedule(file="data/*.csv")
    (home / "data/flights.csv").write_text("LHR,CDG\n")
    until(lambda: ben.runs_of(made) == 1, hubyard.logs)
    (run,) = ben.client.runs.list(made.id)
    until(lambda: ben.client.runs.get(run.id).status == "succeeded", hubyard.logs)

    before = hubyard.pids()["platform"]
    hubyard.kill("platform")
    (home / "data/flights.csv").write_text("LHR,CDG\nCDG,LHR\n")
    until(lambda: hubyard.pids().get("platform") not in {None, before}, hubyard.text)
    until(lambda: _answers(hubyard), hubyard.logs)
    until(lambda: ben.runs_of(made) == 2, hubyard.logs)
    looked = ben.schedule(file="data/*.txt")
    (home / "data/later.txt").write_text("x")
    until(lambda: ben.runs_of(looked) == 1, hubyard.logs)
    assert ben.runs_of(made) == 2, f"several looks of {FileWatch.every_s} s later"


def _answers(hubyard: Running) -> bool:
    try:
        health = httpx.get(f"{hubyard.settings.platform_url}/api/health")
    except httpx.HTTPError:
        return False
    return health.status_code == httpx.codes.OK


@pytest.fixture(scope="module")
def mlflow(hubyard: Running) -> Iterator[MlflowClient]:
    client = MlflowClient(hubyard.settings.mlflow_url)
    yield client
    client.close()


@pytest.fixture(scope="module")
def model(hubyard: Running, mlflow: MlflowClient, ben: Somebody) -> str:
    """A model of two versions, whose alias points to the first."""
    url = hubyard.settings.mlflow_url
    run = track_model(mlflow, url, ben.token, "ben/delays")
    for alias in ("champion", None):
        wish = RegisterRequest(run_id=run, name=MODEL, alias=alias)
        ben.client.models.register(wish)
    return MODEL


def test_an_alias_that_moves_starts_a_run_of_whoever_may_see_it(
    hubyard: Running, mlflow: MlflowClient, model: str, ben: Somebody, cleo: Somebody
):
    with pytest.raises(NotFound) as refused:
        cleo.schedule(model=model, alias="champion")
    with pytest.raises(NotFound) as missing:
        cleo.schedule(model="nothing", alias="champion")
    assert refused.value.message == missing.value.message.replace("nothing", model)

    def permit(act: str) -> None:
        body = {
            "username": "cleo",
            "resource_type": "registered_model",
            "resource_id": model,
            **({"permission": "READ"} if act == "grant" else {}),
        }
        answer = httpx.post(
            f"{hubyard.settings.mlflow_url}/api/3.0/mlflow/users/permissions/{act}",
            json=body,
            headers={"Authorization": f"Bearer {ben.token}"},
        )
        answer.raise_for_status()

    permit("grant")
    hers = cleo.schedule(model=model, alias="champion")
    permit("revoke")
    his = ben.schedule(model=model, alias="champion")
    assert his.text == f"when {model}@champion moves"
    _move(mlflow, ben, "2")
    until(lambda: ben.runs_of(his) == 1, hubyard.logs)
    assert cleo.runs_of(hers) == 0
    permit("grant")
    until(lambda: cleo.runs_of(hers) == 1, hubyard.logs)
    assert ben.runs_of(his) == 1


def _move(mlflow: MlflowClient, who: Somebody, version: str) -> None:
    alias = {"name": MODEL, "alias": "champion", "version": version}
    mlflow.post(who.token, "/registered-models/alias", alias)


def test_the_platform_may_ask_mlflow_for_little(
    hubyard: Running, model: str, ben: Somebody, cleo: Somebody
):
    """What a stolen token of the platform's would open."""
    own = hubyard.settings.secret("service_hubyard")

    def ask(method: str, call: str, **more: Any) -> int:
        headers = {"Authorization": f"Bearer {more.pop('token', own)}"}
        headers |= more.pop("headers", {})
        url = f"{hubyard.settings.mlflow_url}{API}/{call}"
        return httpx.request(method, url, headers=headers, **more).status_code

    name = {"name": model}
    assert ask("GET", "registered-models/search") == 200
    assert ask("GET", "registered-models/get", params=name) == 200
    of_ben = {ON_BEHALF_OF: "ben"}
    assert ask("GET", "registered-models/get", params=name, headers=of_ben) == 200
    nobody = {ON_BEHALF_OF: "nobody"}
    assert ask("GET", "registered-models/get", params=name, headers=nobody) in {
        401,
        403,
        404,
    }
    for call in ("experiments/search", "runs/search", "runs/update"):
        assert ask("POST", call, json={}) == 403, call  # for somebody alone
    for method, call in (
        ("POST", "experiments/create"),
        ("POST", "runs/log-metric"),
        ("POST", "runs/delete"),
        ("POST", "registered-models/create"),
        ("DELETE", "registered-models/delete"),
        ("POST", "registered-models/alias"),
        ("POST", "registered-models/search"),
        ("GET", "model-versions/search"),
        ("GET", "registered-models//search"),
        ("GET", "users/get"),
    ):
        assert ask(method, call, json=name, headers=of_ben) == 403, call
    # Nobody but the platform asks for somebody else.
    as_ben = {"params": name, "headers": of_ben, "token": cleo.token}
    permitted = ask("GET", "registered-models/get", params=name, token=cleo.token)
    assert ask("GET", "registered-models/get", **as_ben) == permitted


def test_a_webhook_is_called_by_anybody_who_has_its_secret(
    hubyard: Running, ben: Somebody, cleo: Somebody
):
    made = ben.schedule(webhook=True)
    assert made.curl is not None
    assert made.hook is not None
    done = subprocess.run(
        [*shlex.split(made.curl), "--silent", "--fail"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    answer = json.loads(done.stdout)
    assert [run.id for run in ben.client.runs.list(made.id)] == [answer["run_id"]]

    def call(secret: str | None, url: str = made.hook, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return httpx.post(url, headers=headers | more, timeout=PATIENCE_S)

    guessed = made.hook[:-1] + ("0" if made.hook[-1] != "0" else "1")
    refusals = [
        call(None),
        call("wrong"),
        call(ben.token),
        call(cleo.token),
        call(made.secret, guessed),
        call(None, guessed),
        ben.person.http.post(made.hook),
    ]
    assert {(a.status_code, a.text) for a in refusals} == {(404, refusals[0].text)}
    assert httpx.get(made.hook).status_code == 401
    assert call(None, f"{made.hook}?token={made.secret}").status_code == 403
    key = {"Idempotency-Key": "delivery-1"}
    twice = {call(made.secret, **key).json()["run_id"] for _ in range(2)}
    assert len(twice) == 1
    assert ben.runs_of(made) == 2
    assert made.secret is not None
    kept = [*hubyard.state.glob("hubyard.sqlite*"), *hubyard.state.glob("logs/*")]
    assert len(kept) > 4
    for file in kept:
        assert made.secret.encode() not in file.read_bytes(), file
