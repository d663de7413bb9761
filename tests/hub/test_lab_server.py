"""The Lab's server half: a real Jupyter server before a platform that notes calls."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hubyard_spawner.local.ports import free_port
from support.hub import REPOSITORY
from support.patience import PATIENCE_S

LAB_TOKEN = "token-of-the-person"
WORKSPACE_TOKEN = "token-of-the-workspace"
PARAMETERS = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "id": "p"}
NOTEBOOK = {
    "cells": [
        {**PARAMETERS, "source": "lr = 0.1", "outputs": [], "execution_count": None}
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


class NotesCalls(BaseHTTPRequestHandler):
    """A platform that keeps what it was asked, and answers what it was told to.

    What the workspace tells of its own accord, every twenty seconds, is not kept.
    """

    calls: list[dict[str, object]] = []  # noqa: RUF012  shared on purpose
    status, content_type, policy, body = 200, "application/json", "", b"{}"

    def _answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        call = {
            "method": self.command,
            "path": urlsplit(self.path).path,
            "query": parse_qs(urlsplit(self.path).query),
            "headers": {k.lower(): v for k, v in self.headers.items()},
            "body": self.rfile.read(size),
        }
        if not call["path"].endswith("/workloads/self/activity"):
            type(self).calls.append(call)
        self.send_response(self.status)
        if self.policy:
            self.send_header("Content-Security-Policy", self.policy)
        body = b"" if self.status == 204 else self.body
        if body:
            self.send_header("Content-Type", self.content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):  # noqa: A002  the base class's name
        """Say nothing."""


for _method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    setattr(NotesCalls, f"do_{_method}", NotesCalls._answer)


@pytest.fixture
def platform(served):
    NotesCalls.calls = []
    vars_ = {"status": 200, "content_type": "application/json", "policy": ""}
    for name, value in {**vars_, "body": b"{}"}.items():
        setattr(NotesCalls, name, value)
    return NotesCalls


@pytest.fixture(scope="module")
def served():
    server = ThreadingHTTPServer(("127.0.0.1", 0), NotesCalls)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/services/hubyard"
    server.shutdown()
    server.server_close()


def start_jupyter(folder, root, **environment):
    port = free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
    own = {f"JUPYTER_{n}_DIR": str(folder / n) for n in ("CONFIG", "RUNTIME", "DATA")}
    log = (folder / "jupyter.log").open("wb")
    arguments = [
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.base_url=/user/ana/",
        f"--ServerApp.root_dir={root}",
        f"--IdentityProvider.token={LAB_TOKEN}",
        "--ServerApp.jpserver_extensions={'hubyard_lab': True}",
        "--ServerApp.allow_root=True",
        "--ServerApp.open_browser=False",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *arguments],
        env={**kept, **own, **environment},
        stdout=log,
        stderr=log,
    )
    log.close()
    url = f"http://127.0.0.1:{port}/user/ana/"
    wait_until_answers(process, f"{url}api", folder / "jupyter.log")
    return process, url


def wait_until_answers(process, url, log):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return httpx.get(url, timeout=PATIENCE_S)
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def end(process):
    process.terminate()
    process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.py").write_text("token = 1")
    root = tmp_path_factory.mktemp("root")
    (root / "flights").mkdir()
    (root / "flights" / "train it.ipynb").write_text(json.dumps(NOTEBOOK))
    (root / "flights" / "features.py").write_text("x = 1")
    (root / "flights" / "board.py").write_text("import features")
    (root / "link.py").symlink_to(outside / "secret.py")
    (root / "folder").symlink_to(outside)
    return root


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory, served, root):
    process, url = start_jupyter(
        tmp_path_factory.mktemp("jupyter"),
        root,
        HUBYARD_PLATFORM_URL=served,
        JUPYTERHUB_API_TOKEN=WORKSPACE_TOKEN,
    )
    yield url
    end(process)


@pytest.fixture
def lab(jupyter, platform):
    with httpx.Client(
        base_url=f"{jupyter}hubyard/",
        headers={"Authorization": f"token {LAB_TOKEN}"},
        timeout=PATIENCE_S,
    ) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_call_reaches_the_platform_with_the_workspaces_token(lab, platform, method):
    body = b"" if method in {"GET", "DELETE"} else b'{"paused": true}'
    answer = lab.request(
        method,
        "api/schedules/s1?user=a%20b&group=",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200
    (call,) = platform.calls
    assert call["method"] == method
    assert call["path"] == "/services/hubyard/api/schedules/s1"
    assert call["query"] == {"user": ["a b"]}
    assert call["body"] == body
    assert call["headers"]["content-type"] == "application/json"
    assert call["headers"]["authorization"] == f"Bearer {WORKSPACE_TOKEN}"
    assert LAB_TOKEN not in str(call)


@pytest.mark.parametrize(
    ("status", "body"),
    [(201, b'{"id": "d1"}'), (204, b""), (409, b'{"message": "It is active."}')],
)
def test_the_platforms_answer_comes_back_as_it_is(lab, platform, status, body):
    platform.status, platform.body = status, body
    answer = lab.delete("api/deployments/d1")
    assert (answer.status_code, answer.content) == (status, body)


def test_a_report_comes_back_as_html_in_a_sandbox(lab, platform):
    platform.content_type, platform.body = "text/html", b"<h1>train</h1>"
    platform.policy = "sandbox; default-src 'none'"
    answer = lab.get("api/runs/r1/report")
    assert answer.headers["content-type"] == "text/html"
    assert answer.text == "<h1>train</h1>"
    policies = answer.headers.get_list("content-security-policy")
    assert any(p == platform.policy for p in policies)
    assert all("sandbox" in p for p in policies)


def test_html_is_sandboxed_even_when_the_platform_forgets_it(lab, platform):
    platform.content_type, platform.body = "text/html", b"<script>1</script>"
    answer = lab.get("api/runs/r1/report")
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["..%2fhub", "a%2f..%2f..%2fx", "%2e%2e/hub/api"])
def test_a_path_cannot_leave_the_api(lab, platform, path):
    answer = lab.get(f"api/{path}")
    assert answer.status_code == 404
    assert platform.calls == []


def test_a_stranger_is_refused_before_the_platform_is_asked(jupyter, platform):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = httpx.request(method, f"{jupyter}hubyard/api/runs")
        assert answer.status_code == 403, method
    sources = httpx.post(f"{jupyter}hubyard/sources", json={"path": "link.py"})
    assert sources.status_code == 403
    for path in ("help/tracking.md", "pipelines"):
        assert httpx.get(f"{jupyter}hubyard/{path}").status_code == 403
    assert platform.calls == []


def test_a_cookie_alone_changes_nothing(jupyter, platform):
    with httpx.Client() as browser:
        browser.get(f"{jupyter}?token={LAB_TOKEN}", follow_redirects=True)
        assert browser.get(f"{jupyter}hubyard/api/me").status_code == 200
        forged = browser.post(f"{jupyter}hubyard/api/runs", json={})
        assert forged.status_code == 403
        token = browser.cookies.get("_xsrf", path="/user/ana/")
        own = browser.post(
            f"{jupyter}hubyard/api/runs", json={}, headers={"X-XSRFToken": token}
        )
    assert own.status_code == 200
    assert [call["method"] for call in platform.calls] == ["GET", "POST"]


def test_a_notebook_is_packed_with_the_modules_beside_it(lab, platform):
    platform.body = b'{"digest": "d", "notebook": "train it.ipynb"}'
    answer = lab.post("sources", json={"path": "flights/train it.ipynb"})
    assert answer.json()["notebook"] == "train it.ipynb"
    (call,) = platform.calls
    assert call["path"] == "/services/hubyard/api/sources"
    assert call["query"] == {"notebook": ["train it.ipynb"]}
    assert call["headers"]["authorization"] == f"Bearer {WORKSPACE_TOKEN}"
    with tarfile.open(fileobj=io.BytesIO(call["body"]), mode="r:gz") as packed:
        names = set(packed.getnames())
    assert names == {"train it.ipynb", "features.py", "board.py"}


def test_a_file_is_packed_without_asking_for_parameters(lab, platform):
    assert lab.post("sources", json={"path": "flights/board.py"}).status_code == 200
    assert platform.calls[0]["query"] == {}


def test_the_parameters_of_a_script_are_asked_for_where_a_run_executes_it(
    lab, platform
):
    wish = {"path": "flights/board.py", "runs": True}
    assert lab.post("sources", json=wish).status_code == 200
    assert platform.calls[0]["query"] == {"notebook": ["board.py"]}


@pytest.mark.parametrize(
    "path",
    [
        "absent.ipynb",
        "flights",
        "../outside/secret.py",
        "/etc/passwd",
        "link.py",
        "folder/secret.py",
        "a\0b",
    ],
)
def test_only_files_of_the_workspace_are_packed(lab, platform, path):
    answer = lab.post("sources", json={"path": path})
    assert answer.status_code == 404
    assert "\n" not in answer.json()["message"]
    assert platform.calls == []


@pytest.mark.parametrize("body", [b"", b"[]", b'{"path": 3}', b'{"path": ""}', b"{"])
def test_a_wish_that_names_no_file_says_what_to_write(lab, platform, body):
    answer = lab.post("sources", content=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == "path"
    assert platform.calls == []


def test_pipelines_are_listed_and_the_platform_is_not_asked(lab, root, platform):
    file = root / "flights" / "pipelines" / "nightly.yml"
    file.parent.mkdir()
    file.write_text("steps: {train: {notebook: train it.ipynb}}")
    answer = lab.get("pipelines")
    assert answer.status_code == 200
    path = "flights/pipelines/nightly.yml"
    assert answer.json() == [{"path": path, "name": "nightly", "steps": 1}]
    assert platform.calls == []


def test_the_guides_are_the_help_and_the_platform_is_not_asked(lab, platform):
    answer = lab.get("help/tracking.md")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.text == (REPOSITORY / "docs" / "tracking.md").read_text()
    assert platform.calls == []


@pytest.mark.parametrize(
    "page",
    [
        "",
        "absent.md",
        "tracking",
        "images",
        "..%2fREADME.md",
        "%2fetc%2fpasswd",
        "images%2flab.png",
        "tracking.md%00",
    ],
)
def test_there_is_no_help_outside_of_the_guides(lab, page):
    answer = lab.get(f"help/{page}")
    assert answer.status_code == 404
    assert answer.json()["message"] == "There is no such page of help."


def test_a_panel_that_refreshes_is_no_activity(lab, jupyter, platform):
    def last_activity():
        return lab.get(f"{jupyter}api/status").json()["last_activity"]

    before = last_activity()
    lab.get("api/runs")
    assert len(platform.calls) == 1
    assert last_activity() == before


def test_a_silent_platform_is_a_problem_in_one_line(tmp_path, root):
    process, url = start_jupyter(
        tmp_path,
        root,
        HUBYARD_PLATFORM_URL=f"http://127.0.0.1:{free_port()}/services/hubyard",
        JUPYTERHUB_API_TOKEN=WORKSPACE_TOKEN,
    )
    try:
        headers = {"Authorization": f"token {LAB_TOKEN}"}
        answer = httpx.get(f"{url}hubyard/api/runs", headers=headers)
    finally:
        end(process)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["message"].startswith("The platform does not answer")
    assert WORKSPACE_TOKEN not in (tmp_path / "jupyter.log").read_text()


def test_a_lab_outside_the_hub_says_so(tmp_path, root):
    process, url = start_jupyter(tmp_path, root, HUBYARD_PLATFORM_URL="")
    try:
        headers = {"Authorization": f"token {LAB_TOKEN}"}
        answer = httpx.get(f"{url}hubyard/api/runs", headers=headers)
    finally:
        end(process)
    assert answer.status_code == 404
    assert "not started by Hubyard" in answer.json()["message"]
