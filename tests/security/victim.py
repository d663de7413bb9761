"""The victim: ana, one of each thing of hers, and what an attacker may guess of them.

guess   a right value in the place of a path's parameter: the worst that can be asked
state   all that nobody else may change, as ana sees it
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from hubyard.contract.notice import ChannelRequest
from hubyard.contract.schedule import ScheduleRequest, TriggerRequest
from security.mlflow_objects import V3, trace_in
from security.routes import SAMPLE
from support.furnish import ask_for_run, deploy, publish_app, start_run
from support.patience import PATIENCE_S
from support.running import PASSWORD, Person

if TYPE_CHECKING:
    from hubyard.client import Client
    from security.mlflow_objects import Own
    from support.running import Running

NAME = "zyzzyva"
"""Part of each name that ana gives: in no answer to who has not asked for it."""
SECRET = "quincunx"
"""Inside each thing of hers: in no answer to anybody else at all."""

KNOCKING = "mallory"
"""Somebody who waits to be admitted."""
FILE = f"{NAME}.txt"
CHANNEL = "pager"
BROKEN = [f"raise ValueError('{SECRET}')"]
ENDLESS = [f"print('{SECRET}')", "import time\ntime.sleep(3600)"]


@dataclass
class Victim:
    """ana and what is hers."""

    hubyard: Running
    person: Person
    kinds: dict[str, str] = field(default_factory=dict)
    """Server name of each kind."""
    tracked: dict[str, str] = field(default_factory=dict)
    """Of her tracked run, by the names that MLflow's interface has for them."""
    source: dict[str, str] = field(default_factory=dict)
    """Of her run: what another request would say to use it."""
    ids: dict[str, str] = field(default_factory=dict)
    """What stands in a path after a word, such as the id of a run after `runs`."""

    beside: Own | None = None
    """What the guest among the attackers has of his own in MLflow."""

    def __post_init__(self) -> None:
        self.client: Client = self.hubyard.client(self.person)
        bearer = {"Authorization": f"Bearer {self.person.token()}"}
        self.http = httpx.Client(
            base_url=self.hubyard.url, headers=bearer, timeout=PATIENCE_S
        )

    @property
    def names(self) -> set[str]:
        """What gives her things away: her word for them, and what cannot be guessed."""
        ids = {self.ids["runs"], self.ids["schedules"]}
        trace = self.tracked["trace_id"].removeprefix("tr-")
        return {NAME, *ids, self.tracked["run_id"], trace}

    def home(self, kind: str) -> str:
        """Where a workload of hers stands."""
        return f"/user/{self.person.name}/{self.kinds[kind]}".rstrip("/")

    def guessed(self, path: str, *, wrong: bool = False) -> str:
        """The path with what is ana's in the place of each sample, or nearly so."""
        parts: list[str] = []
        for part in path.split("/"):
            is_sample = re.fullmatch(rf"{SAMPLE}(-{SAMPLE})*", part)
            before = parts[-1] if parts else ""
            parts.append(self.ids.get(before, part) if is_sample else part)
        if wrong:
            last = max(i for i, part in enumerate(parts) if part in self.ids.values())
            end = "0" if parts[last][-1] != "0" else "1"
            parts[last] = parts[last][:-1] + end
        return "/".join(parts)

    def state(self) -> dict[str, Any]:
        """All that nobody else may change; a status where it cannot be seen."""
        run, model = self.tracked["run_id"], {"name": self.tracked["name"]}
        mlflow = "/services/mlflow/api/2.0/mlflow"
        trace = self.tracked["trace_id"]
        assessments = f"/services/mlflow/api/3.0/mlflow/traces/{trace}/assessments"
        asked = {
            "servers": (f"/hub/api/users/{self.person.name}", {}),
            "runs": ("/services/hubyard/api/runs", {}),
            "schedules": ("/services/hubyard/api/schedules", {}),
            "notices": ("/services/hubyard/api/notices", {}),
            "channels": ("/services/hubyard/api/channels", {}),
            "deployments": ("/services/hubyard/api/deployments", {}),
            "apps": ("/services/hubyard/api/apps", {}),
            "tracked run": (f"{mlflow}/runs/get", {"run_id": run}),
            "artifacts": (f"{mlflow}/artifacts/list", {"run_id": run}),
            "experiment": (
                f"{mlflow}/experiments/get",
                {"experiment_id": self.tracked["experiment_id"]},
            ),
            "model": (f"{mlflow}/registered-models/get", model),
            "version": (f"{mlflow}/model-versions/get", {**model, "version": "1"}),
            "trace": (f"{mlflow.replace('2.0', '3.0')}/traces/{trace}", {}),
            "assessment": (f"{assessments}/{self.tracked['assessment_id']}", {}),
            "file": (f"/user/{self.person.name}/files/{FILE}", {}),
            "kernels": (f"/user/{self.person.name}/api/kernels", {}),
            "terminals": (f"/user/{self.person.name}/api/terminals", {}),
        }
        seen = {name: self._seen(*each) for name, each in asked.items()}
        page = self.person.http.get("/hub/authorize").text
        return {**seen, "people": re.findall(r">(\w+)</th>\s*<td>(yes|no)<", page)}

    def _seen(self, path: str, query: dict[str, str]) -> Any:
        answer = self.http.get(path, params=query)
        if answer.status_code != httpx.codes.OK:
            return answer.status_code
        if answer.headers["content-type"].startswith("application/json"):
            return _steady(answer.json())
        return answer.text


_BY_ITSELF = {"cost", "last_activity", "progress_url", "full_progress_url", "deadline"}
_BY_ITSELF |= {"execution_state", "connections", "requests", "per_thousand"}


def _steady(said: Any) -> Any:
    """An answer without what changes by itself."""
    if isinstance(said, dict):
        return {k: _steady(v) for k, v in said.items() if k not in _BY_ITSELF}
    if isinstance(said, list):
        return [_steady(each) for each in said]
    return said


def furnish(hubyard: Running, person: Person) -> Victim:
    """Give a person one of each thing."""
    victim = Victim(hubyard, person)
    client = victim.client
    _knock(hubyard)
    person.start_workspace()
    victim.ids |= _in_the_workspace(victim)
    run = start_run(client, NAME, ENDLESS)
    client.runs.wait(ask_for_run(client, NAME, BROKEN).id)
    client.channels.put(CHANNEL, ChannelRequest(url=f"https://example.org/{SECRET}"))
    schedule = client.schedules.create(
        ScheduleRequest(
            source=run.source,
            notebook=run.notebook,
            name=NAME,
            cron="0 0 1 1 *",
        )
    )
    hooked = client.schedules.create(
        ScheduleRequest(
            source=run.source,
            notebook=run.notebook,
            name=NAME,
            on=TriggerRequest(webhook=True),
        )
    )
    endpoint, app = deploy(hubyard, person, NAME), publish_app(client, NAME)
    victim.kinds |= {
        "workspace": "",
        "run": f"run-{run.id}",
        "endpoint": f"endpoint-{endpoint.id}",
        "app": f"app-{app.id}",
    }
    victim.source |= {"source": run.source, "notebook": run.notebook}
    victim.tracked |= _tracked(victim)
    victim.ids |= _after_words(victim)
    victim.ids |= {
        "runs": run.id,
        "schedules": schedule.id,
        "hooks": hooked.id,
        "deployments": endpoint.id,
        "apps": app.id,
        "channels": CHANNEL,
        "notices": client.bell.list().notices[0].id,
    }
    return victim


def _in_the_workspace(victim: Victim) -> dict[str, str]:
    """A file, a kernel and a terminal."""
    api = f"/user/{victim.person.name}/api"
    file = {"type": "file", "format": "text", "content": SECRET}
    victim.http.put(f"{api}/contents/{FILE}", json=file).raise_for_status()
    kernel = victim.http.post(f"{api}/kernels", json={}).raise_for_status()
    terminal = victim.http.post(f"{api}/terminals", json={}).raise_for_status()
    name = terminal.json()["name"]
    return {"kernels": kernel.json()["id"], "terminals": name, "websocket": name}


def _knock(hubyard: Running) -> None:
    """Somebody signs up whom nobody has admitted."""
    knocking = Person(hubyard.url, KNOCKING)
    knocking.form(
        "/hub/signup",
        username=KNOCKING,
        signup_password=PASSWORD,
        signup_password_confirmation=PASSWORD,
    ).raise_for_status()


def _tracked(victim: Victim) -> dict[str, str]:
    """Ids of what the deployed model was tracked as; a secret is put into each."""
    run = victim.client.last_tracked_run()
    mlflow = "/services/mlflow/api/2.0/mlflow"
    experiment = run.experiment_id
    said = victim.http.post(
        f"{mlflow}/logged-models/search", json={"experiment_ids": [experiment]}
    )
    (model,) = said.raise_for_status().json()["models"]
    tag = {"key": SECRET, "value": SECRET}
    writes = {
        "runs/set-tag": {"run_id": run.id, **tag},
        "runs/log-parameter": {"run_id": run.id, **tag},
        "experiments/set-experiment-tag": {"experiment_id": experiment, **tag},
        "registered-models/set-tag": {"name": NAME, **tag},
        "model-versions/set-tag": {"name": NAME, "version": "1", **tag},
    }
    for call, body in writes.items():
        victim.http.post(f"{mlflow}/{call}", json=body).raise_for_status()
    victim.http.put(
        f"/services/mlflow/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run.id}"
        f"/artifacts/{FILE}",
        content=SECRET,
    ).raise_for_status()
    return {
        **_traced(victim, experiment),
        "role_id": _role_of(victim),
        "run_id": run.id,
        "run_uuid": run.id,
        "experiment_id": experiment,
        "experiment_name": f"{victim.person.name}/{NAME}",
        "name": NAME,
        "version": "1",
        "model_id": model["info"]["model_id"],
        "path": FILE,
    }


def _traced(victim: Victim, experiment: str) -> dict[str, str]:
    """A trace with an assessment; a secret is put into both."""
    id_ = f"tr-{uuid.uuid4().hex}"
    told = {"request_preview": SECRET, "tags": {SECRET: SECRET}}
    body = trace_in(experiment, id_, **told)
    victim.http.post(f"{V3}/traces", json=body).raise_for_status()
    assessment = {
        "assessment_name": "good",
        "source": {"source_type": "HUMAN", "source_id": "ana"},
        "feedback": {"value": SECRET},
        "create_time": "2026-01-01T00:00:00Z",
        "last_update_time": "2026-01-01T00:00:00Z",
    }
    path = f"{V3}/traces/{id_}/assessments"
    made = victim.http.post(path, json={"assessment": assessment}).raise_for_status()
    return {
        "trace_id": id_,
        "request_id": id_,
        "assessment_id": made.json()["assessment"]["assessment_id"],
    }


def _role_of(victim: Victim) -> str:
    """The role by which MLflow keeps what is hers."""
    asked = {"workspace": "default"}
    said = victim.http.get(f"{V3}/roles/list", params=asked).raise_for_status()
    found = (str(r["id"]) for r in said.json()["roles"] if NAME in str(r))
    return next(found)


def _after_words(victim: Victim) -> dict[str, str]:
    """The right guesses in the paths of the hub, the workspace and MLflow."""
    name, app = victim.person.name or "", victim.kinds["app"]
    tokens = victim.http.get(f"/hub/api/users/{name}/tokens").json()["api_tokens"]
    words = ("users", "user", "spawn", "spawn-pending", "shares", "share-codes")
    pages = ("change-password", "shared", "people", "offboard")
    folder = f"{victim.tracked['experiment_id']}/{victim.tracked['run_id']}/artifacts"
    return {
        **dict.fromkeys((*words, *pages), name),
        **dict.fromkeys(("authorize", "discard"), KNOCKING),
        name: app,
        "servers": app,
        "tokens": tokens[0]["id"],
        "tracked-runs": victim.tracked["run_id"],
        "logged-models": victim.tracked["model_id"],
        "traces": victim.tracked["trace_id"],
        "assessments": victim.tracked["assessment_id"],
        "artifacts": f"{folder}/{FILE}",
        "contents": FILE,
        "files": FILE,
        "view": FILE,
    }
