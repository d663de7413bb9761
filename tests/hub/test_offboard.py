"""Who is admitted no more ends everywhere, and nobody inherits what was theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from hubyard.contract.app import AppRequest, Share
from hubyard.contract.schedule import ScheduleChange, ScheduleRequest
from support.cheap import cheap, profile
from support.furnish import upload_notebook
from support.hub import REPOSITORY
from support.patience import until
from support.running import PASSWORD, Person

if TYPE_CHECKING:
    from hubyard.client import Client
    from support.running import Running

pytestmark = pytest.mark.hub
APP = REPOSITORY / "examples" / "flights" / "app.py"
MLFLOW = "/services/mlflow/api/2.0/mlflow"


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hubyard")
    with cheap(folder, [profile("small")]) as hubyard:
        yield hubyard


@pytest.fixture(scope="module")
def ana(hubyard):
    return hubyard.administrator("ana")


@pytest.fixture(scope="module")
def bo(hubyard, ana):
    return hubyard.person("bo", admits=ana)


class Leaver:
    """Somebody with one of each thing, and what they could still do."""

    def __init__(self, hubyard: Running, name: str, ana: Person) -> None:
        self.hubyard = hubyard
        self.person = hubyard.person(name, admits=ana)
        self.name = name
        self.token = self.person.token()
        self.client: Client = hubyard.client(self.person)
        self.person.start_workspace()
        self.app = self._publish()
        source = upload_notebook(self.client, name, ["x = 1"])
        self.schedule = self.client.schedules.create(
            ScheduleRequest(
                source=source.digest, notebook=source.notebook, cron="0 0 1 1 *"
            )
        )
        self.model = f"model-{name}"
        self.mlflow("POST", "registered-models/create", name=self.model)
        self.processes = self.find_processes()
        assert len(self.processes) >= 2
        for page in ("/services/hubyard/api/me", "/services/mlflow/"):
            assert self.person.http.get(page).status_code == 200
        assert self.alive() == ALL

    def _publish(self) -> str:
        source = self.client.sources.upload(APP)
        asked = AppRequest(source=source.digest, path="app.py", name=self.name)
        return self.client.apps.wait(self.client.apps.publish(asked).id).id

    def mlflow(self, method: str, call: str, **body: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.hubyard.url}{MLFLOW}/{call}"
        return httpx.request(method, url, headers=headers, json=body, timeout=60)

    def find_processes(self) -> list[psutil.Process]:
        """All that runs with this name as its owner."""
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            try:
                environ = process.environ()
            except psutil.Error:
                continue
            state = environ.get("HUBYARD_SCRATCH", "")
            own = environ.get("JUPYTERHUB_USER") == self.name
            if own and state.startswith(str(self.hubyard.state)):
                found.append(process)
        return found

    def alive(self) -> set[str]:
        """What still works of all that worked."""
        bearer = {"Authorization": f"Bearer {self.token}"}
        url, browser = self.hubyard.url, self.person.http
        told = {
            "hub token": httpx.get(f"{url}/hub/api/user", headers=bearer),
            "platform token": httpx.get(
                f"{url}/services/hubyard/api/me", headers=bearer
            ),
            "MLflow token": self.mlflow("GET", "users/current"),
            "hub session": browser.get("/hub/home", follow_redirects=False),
            "platform session": browser.get(
                "/services/hubyard/api/me", follow_redirects=False
            ),
            "MLflow session": browser.get("/services/mlflow/", follow_redirects=False),
        }
        found = {name for name, said in told.items() if said.status_code == 200}
        if self.find_processes():
            found.add("processes")
        return found

    def sign_in(self) -> httpx.Response:
        """With the old password, in a browser that knows nothing."""
        self.person = Person(self.hubyard.url, self.name)
        return self.person.sign_in()


ALL = {
    *("hub token", "platform token", "MLflow token"),
    *("hub session", "platform session", "MLflow session"),
    "processes",
}


def closed(hubyard: Running, ana: Person, name: str) -> bool:
    """Whether nothing is left to do for somebody who has left."""
    found = [d for d in departures(hubyard, ana) if d["name"] == name]
    return bool(found) and found[0]["closed_at"] is not None


def departures(hubyard: Running, ana: Person) -> list[dict[str, object]]:
    answer = ana.http.get("/services/hubyard/api/people/departures")
    return answer.raise_for_status().json()


def people(ana: Person) -> dict[str, str]:
    page = ana.http.get("/hub/authorize").raise_for_status().text
    return dict(re.findall(r">(\w+)</th>\s*<td>(yes|no)<", page))


def sign_up(hubyard: Running, name: str) -> httpx.Response:
    fields = {f"signup_password{n}": PASSWORD for n in ("", "_confirmation")}
    return Person(hubyard.url).form("/hub/signup", username=name, **fields)


def hubyard_command(
    hubyard: Running, *words: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """`hubyard ...` in a terminal of the machine."""
    return subprocess.run(
        [sys.executable, "-m", "hubyard.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HUBYARD_STATE": str(hubyard.state), **environ},
    )


def test_a_page_shows_what_will_end_and_a_button_ends_it_all(hubyard, ana, bo):
    eve = Leaver(hubyard, "eve", ana)
    shared = hubyard.client(bo).apps
    source = hubyard.client(bo).sources.upload(APP)
    theirs = shared.wait(
        shared.publish(AppRequest(source=source.digest, path="app.py", name="bos")).id
    )
    shared.share(theirs.id, Share(user="eve"))
    preview = ana.http.get("/hub/offboard/eve").raise_for_status().text
    for shown in ("Offboard eve", eve.schedule.name, "workspace"):
        assert shown in preview
    assert eve.alive() == ALL, "a preview ends nothing"

    began = time.monotonic()
    ana.form("/hub/offboard/eve", deputy="bo").raise_for_status()
    until(lambda: not eve.alive(), eve.alive)
    print(f"all access had ended after {time.monotonic() - began:.0f} s")
    assert eve.sign_in().status_code == 403
    until(lambda: closed(hubyard, ana, "eve"), lambda: departures(hubyard, ana))

    # What the deputy has now.
    client = hubyard.client(bo)
    (taken,) = [s for s in client.schedules.list() if s.id == eve.schedule.id]
    assert (taken.paused, taken.suspended) == (True, "Its owner has left.")
    until(lambda: client.apps.get(eve.app).status == "ready")
    assert client.apps.get(theirs.id).shares == ()
    resumed = client.schedules.change(taken.id, ScheduleChange(paused=False))
    assert (resumed.paused, resumed.suspended) == (False, None)

    # The name is retired, and nobody is told so.
    assert sign_up(hubyard, "eve").text.count("eve") == (
        sign_up(hubyard, "quite-new").text.count("quite-new")
    )
    assert "eve" not in people(ana)
    made = ana.hub("POST", "/users/eve")
    assert made.status_code == 409
    assert "retired" in made.text

    # Somebody else gets the name, by an administrator's will alone.
    said = hubyard_command(hubyard, "readmit", "eve", "--state", str(hubyard.state))
    assert said.returncode == 0, said.stderr
    other = hubyard.person("eve", admits=ana)
    mine = hubyard.client(other)
    assert mine.runs.list() == []
    assert mine.schedules.list() == []
    assert mine.apps.list() == []
    assert mine.spend().total.micros == 0
    assert mine.bell.list().notices == ()
    eve.token = other.token()
    said = eve.mlflow("GET", f"registered-models/get?name={eve.model}")
    assert said.status_code in {403, 404}, said.text
    assert other.servers() == {}
    other.start_workspace()
    homes = hubyard.settings.homes
    assert not list((homes / "eve").glob("*.ipynb"))
    (aside,) = homes.glob("eve%2F*")
    assert aside.is_dir()


def test_who_is_admitted_no_more_ends_and_comes_back_to_what_is_theirs(hubyard, ana):
    cay = Leaver(hubyard, "cay", ana)
    ana.form("/hub/authorize/cay", admitted="no").raise_for_status()
    until(lambda: not cay.alive(), cay.alive)
    assert cay.sign_in().status_code == 403
    assert people(ana)["cay"] == "no"
    assert hubyard.client(ana).schedules.list() == []

    ana.form("/hub/authorize/cay").raise_for_status()
    assert cay.sign_in().status_code == 200
    client = hubyard.client(cay.person)
    (schedule,) = client.schedules.list()
    assert schedule.paused
    assert schedule.suspended == "Its owner is not admitted any more."
    assert client.apps.get(cay.app).status == "stopped"
    cay.token = cay.person.token()
    found = cay.mlflow("GET", f"registered-models/get?name={cay.model}")
    assert found.status_code == 200


def test_the_hubs_own_call_deletes_nobody_and_leaves_their_servers(hubyard, ana):
    """JupyterHub 6.1 answers 500 where a named server runs, and leaves its process."""
    dan = Leaver(hubyard, "dan", ana)
    answer = ana.hub("DELETE", "/users/dan")
    assert answer.status_code in {202, 204}, answer.text
    until(lambda: not dan.alive(), dan.alive)
    assert dan.sign_in().status_code == 403
    until(lambda: ana.hub("GET", "/users/dan").status_code == 404)
    assert ana.hub("DELETE", "/users/dan").status_code == 404
    assert ana.hub("DELETE", "/users/ana").status_code == 400


def test_only_administrators_offboard(hubyard, ana, bo):
    for path in ("/hub/offboard/bo", "/hub/offboard/ana"):
        assert bo.http.get(path).status_code == 403
        assert bo.form(path).status_code == 403
    assert bo.hub("POST", "/hubyard/people/ana").status_code == 403
    assert ana.hub("POST", "/hubyard/people/bo").status_code == 403
    for path in ("bo", "departures", "bo/offboard", "bo/readmit"):
        method = "POST" if "/" in path else "GET"
        url = f"{hubyard.url}/services/hubyard/api/people/{path}"
        headers = {"Authorization": f"Bearer {bo.token()}"}
        said = httpx.request(method, url, headers=headers, json={})
        assert said.status_code == 403, said.text
    assert bo.http.get("/services/hubyard/api/me").status_code == 200


def test_what_cannot_be_is_refused_in_words(hubyard, ana, bo):
    del bo
    assert ana.form("/hub/offboard/nobody").status_code == 404
    assert ana.http.get("/hub/offboard/nobody").status_code == 404
    oneself = ana.form("/hub/offboard/ana")
    assert oneself.status_code == 409
    assert "Another administrator must offboard you" in oneself.text
    unknown = ana.form("/hub/offboard/bo", deputy="nobody")
    assert unknown.status_code == 409
    assert "knows no user nobody" in unknown.text
    for hours in ("-1", "1e9", "two", "99999999999"):
        grace = ana.form("/hub/offboard/bo", grace_hours=hours)
        assert grace.status_code == 422, grace.text
    renamed = ana.hub("PATCH", "/users/bo", name="ana-too")
    assert renamed.status_code == 400
    assert "keeps their name" in renamed.text
    assert people(ana)["bo"] == "yes"


def test_the_command_offboards_over_http_and_on_the_machine(hubyard, ana):
    hubyard.person("fay", admits=ana)
    hubyard.person("gil", admits=ana)
    state = ("--state", str(hubyard.state))
    there = {
        "HUBYARD_PLATFORM_URL": hubyard.settings.platform_url,
        "HUBYARD_TOKEN": ana.token(),
    }
    dry = hubyard_command(hubyard, "offboard", "fay", "--dry-run", **there)
    assert "schedules suspended" in dry.stdout, dry.stderr
    for words, environ in (
        (("fay", "--deputy", "nobody"), there),
        (("nobody",), there),
        (("gil", "--deputy", "nobody", *state), {}),
        (("nobody", *state), {}),
    ):
        for how in ("--yes", "--dry-run"):
            said = hubyard_command(hubyard, "offboard", *words, how, **environ)
            assert said.returncode == 1, said.stdout
            assert "no user nobody" in said.stderr
    for words, environ in ((("fay",), there), (("gil", *state), {})):
        said = hubyard_command(hubyard, "offboard", *words, "--yes", **environ)
        assert said.returncode == 0, said.stderr
    for name in ("fay", "gil"):
        until(lambda name=name: ana.hub("GET", f"/users/{name}").status_code == 404)
    early = hubyard_command(hubyard, "readmit", "ana", **there)
    assert (early.returncode, "Nobody called ana has left" in early.stderr) == (1, True)


def test_a_changed_password_ends_the_other_sessions(hubyard, ana):
    hal = hubyard.person("hal", admits=ana)
    elsewhere = Person(hubyard.url, "hal")
    elsewhere.sign_in()
    token = hal.token()
    pages = ("/hub/home", "/services/hubyard/api/me")
    for person in (hal, elsewhere):
        for page in pages:
            person.http.get(page)
            assert _opens(person, page)
    hal.form(
        "/hub/change-password",
        old_password=PASSWORD,
        new_password=f"{PASSWORD} new",
        new_password_confirmation=f"{PASSWORD} new",
    ).raise_for_status()
    assert _opens(hal, "/hub/home"), "one's own browser stays signed in"
    until(lambda: not any(_opens(elsewhere, page) for page in pages))
    headers = {"Authorization": f"Bearer {token}"}
    kept = httpx.get(f"{hubyard.url}/hub/api/user", headers=headers)
    assert kept.status_code == 200, "tokens made by hand stay"

    ana.form(
        "/hub/change-password/hal",
        new_password=PASSWORD,
        new_password_confirmation=PASSWORD,
    ).raise_for_status()
    until(lambda: not any(_opens(hal, page) for page in pages))


def _opens(person: Person, page: str) -> bool:
    answer = person.http.get(page, follow_redirects=False)
    return answer.status_code == 200
