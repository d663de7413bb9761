"""Two people of one Hubyard; one of them installs a package in a cell."""

from __future__ import annotations

import json
import os
import sys
import time
from importlib.metadata import PackageNotFoundError, version

import pytest
from websockets.sync.client import connect

from hubyard.contract.run import RunRequest
from support.patience import PATIENCE_S
from support.running import running
from support.wheels import wheel

pytestmark = pytest.mark.hub

RUN = "import hy_own\nprint('answer', hy_own.ANSWER)\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with running(tmp_path_factory.mktemp("state")) as place:
        place.ana = place.administrator("ana")
        place.ben = place.person("ben", place.ana)
        yield place


def execute(place, person, code):
    """What a cell prints in a new kernel of somebody's workspace."""
    address = place.url + person.servers()[""]["url"]
    headers = {"Authorization": f"Bearer {person.token()}"}
    kernel = person.http.post(f"{address}api/kernels", headers=headers).json()["id"]
    socket_url = f"{address}api/kernels/{kernel}/channels".replace("http", "ws")
    request = {"code": code, "silent": False}
    message = {
        "header": {"msg_id": "1", "msg_type": "execute_request", "session": "s"},
        "parent_header": {},
        "metadata": {},
        "content": request,
        "channel": "shell",
    }
    printed = []
    with connect(socket_url, additional_headers=headers) as socket:
        socket.send(json.dumps(message))
        while True:
            said = json.loads(socket.recv(timeout=PATIENCE_S))
            content = said["content"]
            if said["parent_header"].get("msg_id") != "1":
                continue
            printed.append(content.get("text") or content.get("evalue") or "")
            if content.get("execution_state") == "idle":
                return "".join(printed)


def finished(client, run_id):
    end = time.monotonic() + PATIENCE_S
    while (run := client.runs.get(run_id)).status.is_active:
        assert time.monotonic() < end, run
        time.sleep(0.2)
    return run


def run_of(place, person, folder):
    file = folder / "uses.py"
    file.write_text(RUN)
    client = place.client(person)
    source = client.sources.upload_notebook(file)
    run = client.runs.start(RunRequest(source=source.digest, notebook="uses.py"))
    return finished(client, run.id)


def test_it_reaches_that_persons_workloads_and_nobody_elses(place, tmp_path):
    package = wheel(tmp_path, "hy-own", "1.0", "ANSWER = 42")
    for person in (place.ana, place.ben):
        person.start_workspace()
    said = execute(place, place.ana, f"%pip install --no-index {package}")
    assert "Successfully installed hy-own-1.0" in said
    assert "answer 42" in execute(place, place.ana, RUN)
    assert "No module named 'hy_own'" in execute(place, place.ben, RUN)
    assert run_of(place, place.ana, tmp_path).status == "succeeded"
    refused = run_of(place, place.ben, tmp_path)
    assert refused.status == "failed"
    assert "No module named 'hy_own'" in refused.failure.message
    with pytest.raises(PackageNotFoundError):
        version("hy-own")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_the_platforms_own_pip_is_refused_in_a_cell(place, tmp_path):
    package = wheel(tmp_path, "hy-other", "1.0", "")
    said = execute(
        place, place.ana, f"!{sys.executable} -m pip install --no-index {package}"
    )
    assert "Read-only file system" in said
