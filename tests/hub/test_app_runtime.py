"""Apps of a real Streamlit and a real Voila, seen through proxy, gate and hub."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import httpx
import nbformat
import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from hubyard_spawner.local.ports import free_port
from support.hub import REPOSITORY, running_hub, wait_until_answers
from support.patience import PATIENCE_S, SOON_S

BESIDE = {"helper.py": b"ANSWER = 42\n", "img/a.png": b"\x89PNG of a test"}
ODD = "o'malley@example.org"
STREAMLIT = """
import os, sys
import helper
import streamlit as st
st.write(f"answer {helper.ANSWER} for {st.context.headers['X-Hubyard-User']}")
st.write("headers", " ".join(sorted(st.context.headers)))
st.write("cookies", " ".join(sorted(st.context.cookies)))
st.write("environment", " ".join(sorted(os.environ)))
sent = st.file_uploader("file")
"""
VOILA = """
import os, sys
import helper
print("answer", helper.ANSWER, "for", os.environ["HTTP_X_HUBYARD_USER"])
print("python", sys.executable)
print("environment", *sorted(os.environ))
"""
DIES = """
import os, threading
import streamlit as st
st.write("alive")
if "die" in st.query_params:
    print("these are my last words", flush=True)
    threading.Timer(0.5, os._exit, [7]).start()
"""


def notebook(code):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    # A kernel that this machine does not have: Voila takes its own Python instead.
    book.metadata.kernelspec = {"name": "elsewhere", "language": "python"}
    return nbformat.writes(book)


APPS = {
    "app-streamlit": ("streamlit", "my app.py", STREAMLIT),
    "app-voila": ("voila", "report.ipynb", notebook(VOILA)),
    "app-odd": ("voila", "report.ipynb", notebook(VOILA)),
    "app-raises": ("voila", "report.ipynb", notebook("1 / 0")),
    "app-dies": ("streamlit", "dies.py", DIES),
    "app-lacks": ("streamlit", "../outside.py", STREAMLIT),
}


def packed(path, content):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in {path.replace("../", ""): content.encode(), **BESIDE}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


class PlatformOfFourApps(BaseHTTPRequestHandler):
    """The two calls that an app makes, below a path that says which app asks.

    It restarts whenever it is asked something new.
    """

    asked = set()  # noqa: RUF012  one platform, many handlers

    def do_GET(self):
        if self.path not in self.asked:
            self.asked.add(self.path)
            self.send_error(503)
            return
        _, server, *call = self.path.split("/")
        framework, path, content = APPS[server]
        job = {
            "app_id": server,
            "name": server,
            "framework": framework,
            "source": "0" * 64,
            "path": path,
        }
        source = call[-1] == "source"
        body = packed(path, content) if source else json.dumps(job).encode()
        self.send_response(200 if self.headers["Authorization"] else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def platform():
    server = ThreadingHTTPServer(("127.0.0.1", 0), PlatformOfFourApps)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def hub(platform, tmp_path_factory):
    scratch = tmp_path_factory.mktemp("scratch")
    for name in APPS:
        (scratch / name).mkdir()
    environment = [
        f"'PYTHONPATH': {str(REPOSITORY / 'kernels')!r}",
        "'MLFLOW_TRACKING_TOKEN': 'secret'",
        f"'HUBYARD_PLATFORM_URL': lambda s: f'{platform}/{{s.name}}'",
        f"'HUBYARD_SCRATCH': lambda s: f'{scratch}/{{s.name}}'",
    ]
    with running_hub(
        tmp_path_factory.mktemp("hub"),
        lines=[
            f"c.Spawner.cmd = [{sys.executable!r}, '-m', 'hubyard_runtime.app']",
            f"c.Spawner.environment.update({{{', '.join(environment)}}})",
            "c.Spawner.http_timeout = 60",
            "c.Spawner.poll_interval = 1",
        ],
    ) as hub:
        for name in ("alice", "bob", ODD):
            hub.add_user(name)
        hub.scratch = scratch
        yield hub


def start(hub, name, owner="alice"):
    user = f"/users/{quote(owner)}"
    answer = hub.api("POST", f"{user}/servers/{name}")
    end = time.monotonic() + PATIENCE_S
    while answer.status_code == 202:
        server = hub.api("GET", user).json()["servers"].get(name)
        if server and server["ready"]:
            return answer
        assert server, f"{name} never came up"
        assert time.monotonic() < end
        time.sleep(0.1)
    return answer


@pytest.fixture(scope="module")
def streamlit(hub):
    assert start(hub, "app-streamlit").status_code in {201, 202}
    yield "/user/alice/app-streamlit/"
    hub.api("DELETE", "/users/alice/servers/app-streamlit")


@pytest.fixture(scope="module")
def voila(hub):
    assert start(hub, "app-voila").status_code in {201, 202}
    yield "/user/alice/app-voila/"
    hub.api("DELETE", "/users/alice/servers/app-voila")


def logged_in(hub, app):
    browser = hub.browser("alice")
    browser.get(app, follow_redirects=True).raise_for_status()
    return browser


def websocket(hub, browser, path, **arguments):
    cookies = [f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar]
    return connect(
        hub.url.replace("http", "ws") + path,
        additional_headers={
            "Cookie": "; ".join([*cookies, "mine=1"]),
            "X-Hubyard-User": "mallory",
            "X-Forwarded-User": "mallory",
        },
        origin=hub.url,
        **arguments,
    )


def streamlit_texts(socket):
    """What one run of the script has written."""
    question = BackMsg()
    question.rerun_script.query_string = ""
    socket.send(question.SerializeToString())
    texts = []
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(socket.recv(timeout=PATIENCE_S))
        kind = answer.WhichOneof("type")
        if kind == "script_finished":
            return texts
        element = answer.delta.new_element
        if kind == "delta" and element.WhichOneof("type") == "markdown":
            texts.append(element.markdown.body)


def test_strangers_and_others_do_not_reach_the_child(hub, streamlit):
    for path in ("", "_stcore/health", "_stcore/stream", "static/x"):
        assert httpx.get(hub.url + streamlit + path).status_code == 401
    other = {"Authorization": f"Bearer {hub.token('bob')}"}
    assert httpx.get(hub.url + streamlit, headers=other).status_code == 403
    address = hub.url.replace("http", "ws") + f"{streamlit}_stcore/stream"
    for headers in ({}, other):
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(address, additional_headers=headers, subprotocols=["streamlit"]),
        ):
            pass
        assert refused.value.response.status_code == 403


def test_a_streamlit_app_runs_for_its_visitor(hub, streamlit):
    browser = logged_in(hub, streamlit)
    path = f"{streamlit}_stcore/stream"
    with websocket(hub, browser, path, subprotocols=["streamlit"]) as socket:
        assert socket.subprotocol == "streamlit"
        texts = streamlit_texts(socket)
    assert texts[0] == "answer 42 for alice"
    headers, cookies, environment = texts[1:]
    assert "X-Forwarded-User" in headers
    assert "Authorization" not in headers
    assert cookies.split()[1:] == ["_xsrf", "mine"]
    assert "HUBYARD_SCRATCH" in environment
    assert "TOKEN" not in environment
    assert "JUPYTERHUB" not in environment


def test_a_streamlit_page_loads_all_its_parts(hub, streamlit):
    browser = logged_in(hub, streamlit)
    page = browser.get(streamlit).raise_for_status().text
    parts = re.findall(r'(?:src|href)="(?:\./)?([^":]+)"', page)
    assert any(part.endswith(".js") for part in parts)
    program = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    for part in [*parts, "_stcore/health", "_stcore/host-config"]:
        answer = browser.get(streamlit + part, headers=program)
        assert answer.status_code == 200, part
        assert answer.headers["x-jupyterhub-version"]
    program["Sec-Fetch-Site"] = "same-site"
    health = f"{streamlit}_stcore/health"
    assert browser.get(health, headers=program).status_code == 403


def test_a_file_of_some_size_is_uploaded(hub, streamlit):
    browser = logged_in(hub, streamlit)
    path = f"{streamlit}_stcore/stream"
    with websocket(hub, browser, path, subprotocols=["streamlit"]) as socket:
        question = BackMsg()
        question.rerun_script.query_string = ""
        socket.send(question.SerializeToString())
        session = ForwardMsg()
        while session.WhichOneof("type") != "new_session":
            session.ParseFromString(socket.recv(timeout=PATIENCE_S))
        assert not session.new_session.config.gather_usage_stats
        session_id = session.new_session.initialize.session_id
        address = f"{streamlit}_stcore/upload_file/{session_id}/{uuid.uuid4()}"
        data = b"0123456789abcdef" * 2**18
        program = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
        browser.get(f"{streamlit}_stcore/health", headers=program)
        (own,) = (c for c in browser.cookies.jar if c.name == "_streamlit_xsrf")
        assert own.path == streamlit
        program["X-Xsrftoken"] = own.value
        files = {"file": ("a.bin", data)}
        answer = browser.put(address, files=files, headers=program)
        assert answer.status_code in {200, 204}, answer.text


def test_a_voila_app_runs_for_its_visitor_in_this_python(hub, voila):
    browser = hub.browser("alice")
    page = browser.get(voila, follow_redirects=True).raise_for_status().text
    assert "answer 42 for alice" in page
    assert f"python {sys.executable}" in page
    environment = re.search(r"^environment (.*)$", page, re.MULTILINE)[1]
    assert "HUBYARD_SCRATCH" in environment
    assert "TOKEN" not in environment
    assert "import helper" not in page
    for part in re.findall(rf'"({voila}voila/[^"]+\.(?:css|js)[^"]*)"', page):
        assert browser.get(part).status_code == 200, part


def test_voilas_websocket_reaches_the_kernel(hub, voila):
    browser = hub.browser("alice")
    page = browser.get(voila, follow_redirects=True).raise_for_status().text
    kernel = re.search(r'"kernelId": ?"([^"]+)"', page)[1]
    message = {
        "header": {
            "msg_id": "1",
            "msg_type": "kernel_info_request",
            "session": "s",
            "username": "alice",
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {},
        "channel": "shell",
    }
    path = f"{voila}api/kernels/{kernel}/channels?session_id=s"
    with websocket(hub, browser, path) as socket:
        socket.send(json.dumps(message))
        kinds = set()
        while "kernel_info_reply" not in kinds:
            kinds.add(json.loads(socket.recv(timeout=PATIENCE_S))["msg_type"])
    gone = browser.post(
        f"{voila}voila/api/shutdown/{kernel}", headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert gone.status_code in {200, 204}, gone.text


@pytest.mark.parametrize(
    "path", ["img/a.png", "voila/files/img/a.png", "img/../img/a.png"]
)
def test_an_image_beside_the_notebook_is_shown(hub, voila, path):
    browser = hub.browser("alice")
    browser.get(voila, follow_redirects=True).raise_for_status()
    image = browser.get(voila + path, follow_redirects=True)
    assert image.raise_for_status().content == BESIDE["img/a.png"]


def test_an_owner_whose_name_a_url_escapes_opens_their_app(hub):
    assert start(hub, "app-odd", ODD).status_code in {201, 202}
    browser = hub.browser(ODD)
    app = "/user/o%27malley@example.org/app-odd/"
    page = browser.get(app.replace("%27", "'"), follow_redirects=True)
    assert "answer 42 for o%27malley@example.org" in page.raise_for_status().text
    parts = re.findall(rf'"({app}voila/[^"]+\.(?:css|js)[^"]*)"', page.text)
    assert parts
    for part in [*parts, f"{app}img/a.png"]:
        assert browser.get(part, follow_redirects=True).status_code == 200, part
    kernel = re.search(r'"kernelId": ?"([^"]+)"', page.text)[1]
    with websocket(hub, browser, f"{app}api/kernels/{kernel}/channels?session_id=s"):
        pass
    hub.api("DELETE", f"/users/{quote(ODD)}/servers/app-odd")


def test_an_app_whose_first_execution_fails_is_not_ready(hub):
    assert start(hub, "app-raises").status_code >= 400
    log = hub.log()
    assert "ZeroDivisionError                         Traceback" in log
    assert "Cell 1 of 1 failed: ZeroDivisionError: division by zero" in log


def app_process(hub, name):
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []  # of one that is ending: None
        if command[-2:] != ["-m", "hubyard_runtime.app"]:
            continue
        if process.environ().get("HUBYARD_SCRATCH") == f"{hub.scratch}/{name}":
            return process
    return None


def test_an_app_without_its_file_says_so(hub):
    answer = start(hub, "app-lacks")
    assert answer.status_code >= 400
    assert "holds no file '../outside.py'" in (hub.folder / "hub.log").read_text()


def test_an_app_that_dies_takes_its_workload_with_it(hub):
    assert start(hub, "app-dies").status_code in {201, 202}
    app = "/user/alice/app-dies/"
    process = app_process(hub, "app-dies")
    children = process.children(recursive=True)
    browser = logged_in(hub, app)
    path = f"{app}_stcore/stream"
    with websocket(hub, browser, path, subprotocols=["streamlit"]) as socket:
        question = BackMsg()
        question.rerun_script.query_string = "die=1"
        socket.send(question.SerializeToString())
        _, alive = psutil.wait_procs([process, *children], timeout=PATIENCE_S)
    assert not alive
    log = (hub.folder / "hub.log").read_text()
    assert "The app ended with exit code 7." in log
    assert log.count("these are my last words") == 2


def test_a_stopped_app_leaves_no_process_and_no_socket(hub, streamlit):
    process = app_process(hub, "app-streamlit")
    (child,) = process.children()
    socket = child.cmdline()[-2]
    process.terminate()
    _, alive = psutil.wait_procs([process, child], timeout=SOON_S)
    assert not alive
    assert not Path(socket).parent.exists()


def test_the_process_ends_with_the_exit_code_of_its_child(platform, tmp_path):
    """Outside a hub: nobody visits, and the child is killed."""
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY / "kernels"),
        "JUPYTERHUB_API_TOKEN": "secret",
        "JUPYTERHUB_API_URL": "http://127.0.0.1:9/hub/api",
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-alice-app-streamlit",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!server=alice/app-x"]',
        "JUPYTERHUB_SERVICE_PREFIX": "/user/alice/app-x/",
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}/user/alice/app-x/",
        "HUBYARD_PLATFORM_URL": f"{platform}/app-streamlit",
        "HUBYARD_SCRATCH": str(tmp_path),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "hubyard_runtime.app"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until_answers(f"http://127.0.0.1:{port}", process)
    (child,) = psutil.Process(process.pid).children()
    socket = child.cmdline()[-2]
    child.kill()
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + 9
    assert "The app ended with exit code 137." in said
    assert "Traceback" not in said
    assert not Path(socket).parent.exists()


def test_a_framework_that_never_listens_is_one_line_below_its_own_words(tmp_path):
    """Outside a hub: how the process itself ends."""
    code = (
        "from pathlib import Path\n"
        "from hubyard.contract.app import Framework\n"
        "from hubyard_runtime.app.child import Child, Died\n"
        "child = Child.start(Framework.VOILA, Path('missing.ipynb').resolve(), '/x/')\n"
        "try:\n"
        "    child.wait_until_ready('/voila/static/')\n"
        "except Died as died:\n"
        "    print('DIED', died.message)\n"
        "finally:\n"
        "    child.stop()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    own_words, _, died = done.stdout.rpartition("DIED ")
    assert died == "The app ended with exit code 1.\n"
    assert "missing.ipynb" in own_words
