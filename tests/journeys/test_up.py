"""`hubyard up`, as a person runs it: four processes, found again, ended cleanly."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection

import httpx
import psutil
import pytest

from hubyard_spawner.local.ports import free_port
from support.patience import PATIENCE_S, until
from support.proxy import PATIENT_BYTES, write_blindly
from support.running import Running, running

pytestmark = pytest.mark.hub


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """What the browser of this machine was asked to open."""
    folder = tmp_path_factory.mktemp("browser")
    browser, opened = folder / "browser", folder / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >>{opened}\n')
    browser.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROWSER", str(browser))
        yield opened


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory, opened):
    with running(tmp_path_factory.mktemp("up"), "--open") as started:
        yield started


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "hubyard.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


SIGNALLED_AS_ITS_LOOP_CLOSES = """
import asyncio, os, signal, sys
from hubyard.cli import main

class Loop(asyncio.SelectorEventLoop):
    def close(self):
        super().close()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            os.kill(os.getpid(), number)

asyncio.DefaultEventLoopPolicy._loop_factory = Loop
sys.exit(main(sys.argv[1:]))
"""


def press_ctrl_c_until_it_ends(hubyard):
    while True:
        hubyard.signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return hubyard.wait(0.2)


def test_it_says_plainly_whom_it_trusts_and_how_to_come_in(hubyard):
    assert "one Unix user" in hubyard.text()
    assert f"{hubyard.url}/hub/welcome#code=" in hubyard.text()


def test_a_browser_is_opened_on_the_welcome_where_that_is_asked_for(hubyard, opened):
    until(opened.exists)
    assert opened.read_text() == f"{hubyard.url}/hub/welcome#code={hubyard.code()}\n"


def test_nothing_that_it_keeps_is_for_other_eyes(hubyard):
    for path in [hubyard.state, *hubyard.state.rglob("*")]:
        if not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_no_secret_is_in_an_argument_or_a_log(hubyard):
    secrets = [p.read_text().strip() for p in (hubyard.state / "secrets").iterdir()]
    lines = [" ".join(psutil.Process(pid).cmdline()) for pid in hubyard.pids().values()]
    lines += [log.read_text() for log in (hubyard.state / "logs").iterdir()]
    assert not [s for s in secrets for line in lines if len(s) == 64 and s in line]


def test_only_the_proxy_is_reached_from_outside(hubyard):
    inner = [psutil.Process(pid) for pid in hubyard.pids().values()]
    for process in inner:
        for child in [process, *process.children(recursive=True)]:
            for connection in child.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    assert connection.laddr.ip == "127.0.0.1"


def test_status_is_for_people_and_for_programs(hubyard):
    done = command("status", "--state", str(hubyard.state))
    assert (done.returncode, done.stdout.count(" well ")) == (0, 4), done
    shown = json.loads(
        command("status", "--json", "--state", str(hubyard.state)).stdout
    )
    assert shown["url"] == hubyard.url
    assert all(process["healthy"] for process in shown["processes"])


def test_no_idle_connection_is_closed_under_the_next_request(hubyard):
    ports = hubyard.settings
    asked = [
        (ports.port, "/hub/api/"),
        (ports.platform_port, "/services/hubyard/api/health"),
        (ports.mlflow_port, "/services/mlflow/health"),
    ]
    connections = [(HTTPConnection("127.0.0.1", port), path) for port, path in asked]
    for pause_s in (6.5, 0):  # what both uvicorn and Node allow by default is five
        for connection, path in connections:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True), path
            assert connection.sock, f"{path}: the connection was closed"
        time.sleep(pause_s)
    for connection, _ in connections:
        connection.close()


@pytest.fixture(scope="module")
def token(hubyard):
    return hubyard.administrator().token()


@pytest.mark.parametrize("in_chunks", [False, True], ids=["with length", "in chunks"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/hub/login", 413),
        ("/hub/api/users", 413),
        ("/services/hubyard/api/estimate", 413),
        ("/services/hubyard/api/sources", 413),
        ("/services/mlflow/api/2.0/mlflow/experiments/create", 413),
        ("/services/mlflow/v1/traces", 413),
        ("/nowhere", 413),
    ],
)
def test_a_body_that_is_too_large_is_refused_at_once(
    hubyard, token, path, status, in_chunks
):
    headers = (f"Authorization: Bearer {token}", "Content-Type: application/json")
    answer, written = write_blindly(hubyard.port, path, *headers, in_chunks=in_chunks)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:500]
    assert written < PATIENT_BYTES


@pytest.mark.parametrize("service", ["hubyard/api/estimate", "mlflow/v1/traces"])
def test_a_stranger_is_refused_before_the_body_is_sent(hubyard, service):
    path = f"/services/{service}"
    answer, written = write_blindly(hubyard.port, path, in_chunks=True)
    assert answer.startswith(b"HTTP/1.1 401 "), answer[:500]
    assert written < PATIENT_BYTES


def test_a_second_start_on_the_same_state_is_refused_in_one_line(hubyard):
    done = command("up", "--state", str(hubyard.state))
    assert done.returncode == 1
    assert done.stderr == (
        f"hubyard: Hubyard runs already, at {hubyard.url}: see `hubyard status`.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "{taken}"], "is taken: choose another with --port"),
        (["--catalogue", "{bad}"], "bad.toml:3: cpu"),
        (["--catalogue", "/nowhere.toml"], "cannot be read"),
    ],
)
def test_what_cannot_be_started_is_one_line_and_keeps_nothing(
    tmp_path, arguments, words
):
    bad = tmp_path / "bad.toml"
    bad.write_text("[[compute]]\nname = 'a'\ncpu = 'many'\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        values = {"taken": taken.getsockname()[1], "bad": bad}
        given = [argument.format(**values) for argument in arguments]
        if "--port" not in given:
            given += ["--port", str(free_port())]
        done = command("up", "--state", str(tmp_path / "state"), *given)
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("name", ["proxy", "platform", "mlflow", "hub"])
def test_a_killed_process_is_started_again(hubyard, name):
    before = hubyard.pids()[name]
    hubyard.kill(name)
    until(lambda: hubyard.pids().get(name) != before)
    report = hubyard.state / "up.json"
    until(
        lambda: all(p["healthy"] for p in json.loads(report.read_text())["processes"])
    )
    until(lambda: httpx.get(f"{hubyard.url}/hub/login").status_code == 200)
    for service in ("hubyard/api/health", "mlflow/health"):
        url = f"{hubyard.url}/services/{service}"
        until(lambda url=url: httpx.get(url).status_code == 200)


def test_a_stop_ends_workloads_too_and_a_new_start_finds_everything(tmp_path):
    hit = (sys.executable, "-c", SIGNALLED_AS_ITS_LOOP_CLOSES)
    first = Running(tmp_path / "state", command=hit)
    first.start()
    ana = first.administrator()
    ana.start_workspace()
    inner = list(first.pids().values())
    entries = [path.name for path in (first.state / "workloads").iterdir()]
    assert press_ctrl_c_until_it_ends(first) == 0
    assert len(entries) == 1
    until(lambda: not any(psutil.pid_exists(pid) for pid in inner))
    assert "1 workload stopped" in first.text()
    second = Running(first.state, port=first.port, arguments=("--host", "0.0.0.0"))
    second.start()
    try:
        assert "It listens on 0.0.0.0, open to the network" in second.text()
        assert "welcome#code" not in second.text()
        assert "/hub/home" in str(ana.sign_in().url)
        spend = second.client(ana).spend()
        (line,) = spend.lines
        assert (line.entry_id, line.reason) == (entries[0], "stopped")
    finally:
        second.stop()


def test_what_a_killed_supervisor_leaves_serves_on_and_is_adopted(tmp_path):
    first = Running(tmp_path / "state")
    first.start()
    second = Running(first.state, port=first.port)
    try:
        ana = first.administrator()
        ana.start_workspace()
        before, ports = first.pids(), first.settings
        with Asking(first.url) as asking:
            first.signal(signal.SIGKILL)
            first.wait()
            shown = command("status", "--state", str(first.state))
            assert (shown.returncode, "adopts them" in shown.stderr) == (3, True), shown
            second.start()
        assert asking.failures == []
        assert (second.pids(), second.settings) == (before, ports), second.text()
        assert "adopted: proxy, mlflow, platform, hub" in second.text()
        second.kill("platform")  # whose parent nobody is that still lives
        until(lambda: second.pids().get("platform") not in {None, before["platform"]})
        until(lambda: all(process["healthy"] for process in second.report()))
        assert ana.servers()[""]["ready"]
        done = command("down", "--keep-workloads", "--state", str(second.state))
        assert (done.returncode, second.wait()) == (0, 0), done
        until(lambda: not any(_runs(pid) for pid in before.values()))
        (folder,) = (second.state / "workloads").iterdir()
        shim = json.loads((folder / "shim.json").read_text())["pid"]
        assert psutil.pid_exists(shim)
        os.kill(shim, signal.SIGTERM)
        until((folder / "end.json").exists)
    finally:
        second.stop()


def test_what_hangs_after_a_kill_is_not_adopted_and_down_ends_what_is_left(tmp_path):
    first = Running(tmp_path / "state")
    first.start()
    second = Running(first.state, port=first.port)
    try:
        before, ports, hub = first.pids(), first.settings, first.pids()["hub"]
        os.kill(hub, signal.SIGSTOP)  # it cannot end by itself, and holds its port
        first.signal(signal.SIGKILL)
        first.wait()
        second.start()
        assert "what it has left was ended" in second.text()
        assert not _runs(hub)
        # An outgoing connection of any program may take a port that nobody listens at.
        if second.settings == ports:
            assert {**second.pids(), "hub": hub} == before
        second.administrator().start_workspace()
        left = second.pids()
        second.signal(signal.SIGKILL)
        second.wait()
        done = command("down", "--state", str(first.state))
        assert (done.returncode, "has stopped" in done.stdout) == (0, True), done
        assert "1 workload stopped" in done.stdout
        until(lambda: not any(_runs(pid) for pid in left.values()))
        done = command("down", "--state", str(first.state))
        assert "nothing to stop" in done.stdout
    finally:
        second.stop()


class Asking(threading.Thread):
    """Somebody who asks all that the proxy leads to, over and over."""

    def __init__(self, url):
        super().__init__()
        self.failures = []
        self._url = url
        self._ending = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self.join()

    def run(self):
        paths = (
            *("/hub/api/", "/services/hubyard/api/health"),
            *("/services/mlflow/health", "/user/ana/api"),
        )
        while not self._ending.wait(0.05):
            for path in paths:
                try:
                    answer = httpx.get(f"{self._url}{path}", timeout=PATIENCE_S)
                except httpx.HTTPError as error:
                    self.failures.append((path, error))
                else:
                    if answer.status_code != 200:
                        self.failures.append((path, answer.status_code))


def _runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_down_and_status_say_so_when_nothing_runs(tmp_path):
    assert command("down", "--state", str(tmp_path)).returncode == 0
    done = command("status", "--state", str(tmp_path))
    assert done.returncode == 3
    assert "hubyard up" in done.stderr
