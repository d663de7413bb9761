"""MLflow behind the gate of a real hub: who sees what, by REST, client and browser."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import httpx
import psutil
import pytest

from hubyard_hub.mlflow.statistics import analyse
from hubyard_hub.models.mlflow_client import ON_BEHALF_OF
from support.gated_mlflow import (
    API,
    PLATFORM_TOKEN,
    SERVICE_TOKEN,
    Member,
    gated_mlflow,
)
from support.hub import (
    ADMIN_TOKEN,
)
from support.patience import SOON_S, until

AJAX = "/ajax-api/2.0/mlflow"
DENIED = {403, 404}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with gated_mlflow(tmp_path_factory.mktemp("place")) as place:
        yield place


@pytest.fixture(scope="module")
def hub(place):
    return place.hub


@pytest.fixture(scope="module")
def state(place):
    return place.state


@pytest.fixture(scope="module")
def mlflow(place):
    return place.process


@pytest.fixture
def alice(hub, mlflow):
    return Member(hub, hub.token("alice"))


@pytest.fixture
def bob(hub, mlflow):
    return Member(hub, hub.token("bob"))


@pytest.fixture
def root(hub, mlflow):
    return Member(hub, hub.token("root"))


@pytest.fixture
def experiment(alice, request):
    return alice.create_experiment(request.node.name)


def test_health_is_public_and_nothing_else(hub, mlflow):
    base = f"{hub.url}/services/mlflow"
    assert httpx.get(f"{base}/health").text == "OK"
    for path in (
        "version",
        "",
        "signup",
        "static-files/x",
        "api/3.0/mlflow/server-info",
    ):
        assert httpx.get(f"{base}/{path}").status_code == 401
    for path in (f"{API}/experiments/create", "/graphql", "/health"):
        assert httpx.post(base + path, json={}).status_code == 401


def test_what_one_member_makes_another_does_not_see(alice, bob, experiment, request):
    run = alice.create_run(experiment)["run_id"]
    logged = alice.post("runs/log-metric", run_id=run, key="auc", value=1, timestamp=1)
    assert logged.status_code == 200
    assert request.node.name in alice.experiments()
    assert request.node.name not in bob.experiments()
    calls = [
        bob.get("experiments/get", experiment_id=experiment),
        bob.get("experiments/get-by-name", experiment_name=request.node.name),
        bob.get("runs/get", run_id=run),
        bob.get("metrics/get-history", run_id=run, metric_key="auc"),
        bob.post("runs/log-metric", run_id=run, key="auc", value=0, timestamp=2),
        bob.post("runs/create", experiment_id=experiment),
        bob.post("runs/delete", run_id=run),
        bob.post("experiments/delete", experiment_id=experiment),
        bob.post("experiments/update", experiment_id=experiment, new_name="mine"),
    ]
    assert {call.status_code for call in calls} <= DENIED
    found = bob.post("runs/search", experiment_ids=[experiment])
    assert found.json().get("runs", []) == []
    assert alice.get("runs/get", run_id=run).status_code == 200


def test_a_model_belongs_to_who_registered_it(alice, bob):
    assert alice.post("registered-models/create", name="churn").status_code == 200
    assert bob.get("registered-models/get", name="churn").status_code in DENIED
    found = bob.get("registered-models/search").raise_for_status().json()
    assert found.get("registered_models", []) == []


def test_the_platform_says_how_a_run_ended_for_its_owner_and_no_more(
    hub, alice, bob, experiment
):
    bob.experiments()
    run = alice.create_run(experiment)["run_id"]
    end = {"run_id": run, "status": "KILLED", "end_time": 1}
    platform = Member(hub, PLATFORM_TOKEN)
    assert platform.post("runs/update", **end).status_code == 403
    platform.http.headers[ON_BEHALF_OF] = "bob"
    assert platform.post("runs/update", **end).status_code in DENIED
    platform.http.headers[ON_BEHALF_OF] = "alice"
    for call, body in {
        "runs/create": {"experiment_id": experiment},
        "runs/delete": {"run_id": run},
        "experiments/delete": {"experiment_id": experiment},
    }.items():
        assert platform.post(call, **body).status_code == 403
    (found,) = platform.post("runs/search", experiment_ids=[experiment]).json()["runs"]
    assert found["info"]["status"] == "RUNNING"
    platform.post("runs/update", **end).raise_for_status()
    ended = alice.get("runs/get", run_id=run).json()["run"]["info"]
    assert (ended["status"], ended["end_time"]) == ("KILLED", 1)


def test_an_artifact_is_kept_from_others(alice, bob, experiment, state):
    run = alice.create_run(experiment)
    path = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    address = f"/api/2.0/mlflow-artifacts/artifacts/{path}/assistant/data.bin"
    data = os.urandom(3 * 2**20)
    assert alice.http.put(address, content=data).status_code == 200
    assert alice.http.get(address).content == data
    (kept,) = (state / "artifacts").rglob("data.bin")
    assert kept.stat().st_mode & 0o077 == 0
    assert bob.http.get(address).status_code in DENIED
    assert bob.http.put(address, content=b"mine").status_code in DENIED
    assert bob.http.delete(address).status_code in DENIED
    assert bob.get("artifacts/list", run_id=run["run_id"]).status_code in DENIED
    assert alice.http.get(address).content == data


@pytest.mark.parametrize(
    "path",
    ["../../mlflow.sqlite", "%2e%2e/%2e%2e/mlflow.sqlite", "..%2f..%2fx", "/etc"],
)
def test_an_artifact_path_stays_inside(alice, root, path):
    for member in (alice, root):
        address = f"/api/2.0/mlflow-artifacts/artifacts/{path}"
        answer = member.http.get(address)
        assert answer.status_code >= 400
        assert b"SQLite format" not in answer.content


def test_a_group_is_a_role_that_can_be_granted_to(hub, alice, bob, root, experiment):
    bob.experiments()
    roles = root.http.get("/api/3.0/mlflow/roles/list", params={"workspace": "default"})
    ids = {
        role["name"]: role["id"] for role in roles.raise_for_status().json()["roles"]
    }
    grant = {
        "role_id": ids["group/ds"],
        "resource_type": "experiment",
        "resource_pattern": experiment,
        "permission": "READ",
    }
    assert bob.http.post(
        "/api/3.0/mlflow/roles/permissions/add", json=grant
    ).status_code in (DENIED)
    root.http.post(
        "/api/3.0/mlflow/roles/permissions/add", json=grant
    ).raise_for_status()
    assert bob.get("experiments/get", experiment_id=experiment).status_code == 200
    assert bob.post("runs/create", experiment_id=experiment).status_code in DENIED
    carol = Member(hub, hub.token("carol"))
    assert carol.get("experiments/get", experiment_id=experiment).status_code in DENIED


def test_who_leaves_a_group_loses_its_role(hub, root, alice, experiment):
    hub.api("POST", "/users/erika")
    hub.api("POST", "/groups/ds/users", json={"users": ["erika"]}).raise_for_status()
    Member(hub, hub.token("erika")).experiments()
    role = "/api/3.0/mlflow/roles/list"
    query = {"workspace": "default"}
    roles = root.http.get(role, params=query).json()["roles"]
    (ds,) = (role["id"] for role in roles if role["name"] == "group/ds")

    def members():
        answer = root.http.get(
            "/api/3.0/mlflow/roles/users/list", params={"role_id": ds}
        )
        return str(answer.raise_for_status().json())

    before = members().count("user_id")
    hub.api("DELETE", "/groups/ds/users", json={"users": ["erika"]}).raise_for_status()
    # A new token: what the gate knows of the old one holds for half a minute.
    Member(hub, hub.token("erika")).experiments()
    assert members().count("user_id") == before - 1


def test_who_leaves_a_group_or_the_hub_loses_all_without_asking_again(
    hub, root, alice, experiment
):
    """Half a minute later, with no request of theirs."""
    for name in ("frida", "gone"):
        hub.api("POST", f"/users/{name}")
        body = {"users": [name]}
        hub.api("POST", "/groups/ds/users", json=body).raise_for_status()
        Member(hub, hub.token(name)).experiments()
    grant = {
        "resource_type": "experiment",
        "resource_id": experiment,
        "username": "gone",
        "permission": "MANAGE",
    }
    root.http.post(
        "/api/3.0/mlflow/users/permissions/grant", json=grant
    ).raise_for_status()
    asked = {"role_id": role_of(root, "group/ds")}

    def names():
        users = f"{API}/users/list"
        return {u["username"] for u in root.http.get(users).json()["users"]}

    def in_group():
        found = root.http.get("/api/3.0/mlflow/roles/users/list", params=asked)
        return str(found.raise_for_status().json()).count("user_id")

    before = in_group()
    body = {"users": ["frida"]}
    hub.api("DELETE", "/groups/ds/users", json=body).raise_for_status()
    hub.api("DELETE", "/users/gone").raise_for_status()
    until(lambda: in_group() == before - 2 and "gone" not in names(), names)
    hub.api("POST", "/users/gone")
    again = Member(hub, hub.token("gone"))
    assert again.get("experiments/get", experiment_id=experiment).status_code in DENIED


def role_of(root, name):
    query = {"workspace": "default"}
    roles = root.http.get("/api/3.0/mlflow/roles/list", params=query).json()["roles"]
    return next(role["id"] for role in roles if role["name"] == name)


def test_the_platform_alone_has_somebody_forgotten(hub, mlflow, bob, root):
    path = "/hubyard/members/bob"
    for member in (bob, root, Member(hub, ADMIN_TOKEN)):
        assert member.http.delete(path).status_code in DENIED
    platform = Member(hub, PLATFORM_TOKEN)
    bob.experiments()
    for _ in range(2):
        assert platform.http.delete(path).status_code == 204
    assert bob.experiments() is not None, "who is still there is made anew"


def test_an_admin_of_the_hub_sees_all(root, alice, experiment, request):
    assert request.node.name in root.experiments()


def test_a_service_with_the_scope_sees_all_under_a_name_of_its_own(
    hub, alice, experiment, request
):
    service = Member(hub, ADMIN_TOKEN)
    assert request.node.name in service.experiments()
    current = service.http.get(f"{API}/users/current").raise_for_status().json()
    assert current["user"]["username"] == "service/admin"


def test_a_name_of_any_letters_is_a_member(hub, mlflow):
    doerte = Member(hub, hub.token("dörte"))
    doerte.create_experiment("grün")
    current = doerte.http.get(f"{API}/users/current").raise_for_status().json()
    assert current["user"]["username"] == "dörte"
    assert "grün" in doerte.experiments()


@pytest.fixture(scope="module")
def server_tokens(hub, mlflow):
    """Alice's four workloads' own tokens."""
    names = {"workspace": "", "run": "run-1", "endpoint": "endpoint-1", "app": "app-1"}
    mine = {"Authorization": f"Bearer {hub.token('alice')}"}
    tokens = {}
    for kind, name in names.items():
        server = f"servers/{name}" if name else "server"
        hub.api("POST", f"/users/alice/{server}").raise_for_status()
        address = f"{hub.url}/user/alice/{name}".rstrip("/") + "/own-token"
        tokens[kind] = httpx.get(address, headers=mine).raise_for_status().text
    yield tokens
    for name in names.values():
        server = f"servers/{name}" if name else "server"
        hub.api("DELETE", f"/users/alice/{server}").raise_for_status()


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [("workspace", True), ("run", True), ("endpoint", False), ("app", False)],
)
def test_a_workspace_and_a_run_act_as_their_owner(hub, server_tokens, kind, allowed):
    answer = Member(hub, server_tokens[kind]).get("users/current")
    assert answer.status_code == (200 if allowed else 403)
    if allowed:
        assert answer.json()["user"]["username"] == "alice"
    else:
        assert "cannot use MLflow" in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/ajax-api/3.0/mlflow/assistant/config"),
        ("POST", "/ajax-api/3.0/mlflow/assistant/message"),
        ("POST", "/ajax-api/3.0/mlflow/%61ssistant/message"),
        ("POST", "/ajax-api/3.0/mlflow/demo/generate"),
        ("POST", "/gateway/mlflow/v1/chat/completions"),
        ("POST", "/api/3.0/mlflow/gateway/secrets/create"),
        ("POST", "/ajax-api/2.0/mlflow/gateway-proxy"),
        ("POST", "/ajax-api/3.0/jobs/"),
        ("GET", "/ajax-api/3.0/mlflow/jobs/x"),
        ("GET", "/signup"),
        ("POST", "/api/2.0/mlflow/users/create"),
        ("PATCH", "/api/2.0/mlflow/users/update-admin"),
        ("PATCH", "/api/2.0/mlflow/users/update-password"),
        ("DELETE", "/api/2.0/mlflow/users/delete"),
    ],
)
def test_what_hubyard_does_not_offer_is_shut_even_for_admins(root, method, path):
    url = httpx.URL(f"{root.http.base_url}".rstrip("/") + path)
    answer = root.http.request(method, url, json={})
    assert answer.status_code == 404
    assert "does not offer" in answer.text


def test_mlflows_own_client_works_unchanged(hub, alice, tmp_path):
    script = """
import logging, mlflow, pathlib
mlflow.set_experiment("by the client")
with mlflow.start_run() as run:
    mlflow.log_params({"depth": 3})
    mlflow.log_metric("auc", 0.9)
    mlflow.log_text("hello", "notes/a.txt")
source = f"runs:/{run.info.run_id}/notes"
path = mlflow.artifacts.download_artifacts(source)
print(pathlib.Path(path, "a.txt").read_text())
client = mlflow.MlflowClient()
client.create_registered_model("by-the-client")
version = client.create_model_version("by-the-client", source, run.info.run_id)
client.set_registered_model_alias("by-the-client", "champion", version.version)
print(client.get_model_version_by_alias("by-the-client", "champion").version)
print(mlflow.search_runs(order_by=["metrics.auc DESC"])["metrics.auc"].max())
"""
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"{hub.url}/services/mlflow",
        "MLFLOW_TRACKING_TOKEN": alice.token,
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = [line for line in done.stdout.splitlines() if "View" not in line]
    assert printed[-3:] == ["hello", "1", "0.9"]


def test_mlflows_page_finds_its_proof_in_a_cookie(hub, mlflow):
    browser = hub.browser("alice")
    page = browser.get("/services/mlflow/", follow_redirects=True)
    assert page.status_code == 200
    assert "MLflow" in page.text
    (name,) = (
        cookie.name.removeprefix("mlflow-request-header-")
        for cookie in browser.cookies.jar
        if cookie.name.startswith("mlflow-request-header-")
    )
    assert name == "X-XSRFToken"
    call = f"/services/mlflow{AJAX}/experiments/search"
    program = {
        "Accept": "*/*",
        "Origin": hub.url,
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Dest": "empty",
    }
    body = {"max_results": 5}
    assert browser.post(call, json=body, headers=program).status_code == 403
    program[name] = browser.cookies[f"mlflow-request-header-{name}"]
    assert browser.post(call, json=body, headers=program).status_code == 200
    program["Origin"] = "https://evil.example"
    assert browser.post(call, json=body, headers=program).status_code == 403


def test_statistics_are_kept_of_a_database_that_may_be_busy(tmp_path, caplog):
    file = tmp_path / "runs.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("CREATE TABLE runs (name TEXT)")
        database.execute("CREATE INDEX by_name ON runs (name)")
        database.execute("INSERT INTO runs VALUES ('a')")
        analyse(file)
        kept = database.execute("SELECT tbl, idx FROM sqlite_stat1").fetchall()
        assert kept == [("runs", "by_name")]
        database.execute("BEGIN EXCLUSIVE")
        analyse(file)
        assert "busy" in caplog.text


def test_no_secret_is_an_argument_or_readable_by_others(mlflow, state):
    server = psutil.Process(mlflow.pid)
    said = str(server.cmdline())
    said += (state / "mlflow.log").read_text() + (state / "mlflow-auth.ini").read_text()
    secrets = [file.read_text().strip() for file in (state / "secrets").iterdir()]
    assert len(secrets) == 3
    for secret in [*secrets, SERVICE_TOKEN]:
        assert secret not in said
    for file in ("mlflow.sqlite", "mlflow-auth.sqlite", "mlflow-auth.ini"):
        assert (state / file).stat().st_mode & 0o077 == 0


def test_it_is_one_process_and_ends_soon_after_sigterm(hub, mlflow):
    assert not psutil.Process(mlflow.pid).children(recursive=True)
    mlflow.terminate()
    mlflow.wait(SOON_S)
