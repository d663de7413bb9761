"""The proxy: its routes outlive it, and a body that is too large ends at once."""

import contextlib
import json
import socket
import socketserver
import stat
import threading
from pathlib import Path

import httpx
import pytest

from hubyard_hub.up.processes import routes_file
from support.proxy import PATIENT_BYTES, Proxy, proxying, write_blindly

pytestmark = pytest.mark.hub

_ANSWER = b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nmany"


class AnswersEarly(socketserver.StreamRequestHandler):
    """A server that refuses a request by its headers, and goes on reading."""

    def handle(self):
        while self.rfile.readline() not in {b"\r\n", b""}:
            pass
        self.wfile.write(_ANSWER)
        with contextlib.suppress(ConnectionError):
            while self.rfile.read(2**16):
                pass


class AnswersNever(socketserver.StreamRequestHandler):
    """A server that reads all there is."""

    def handle(self):
        with contextlib.suppress(ConnectionError):
            while self.rfile.read(2**16):
                pass


class Echoes(socketserver.StreamRequestHandler):
    """A server that begins its answer before it has been sent the whole body."""

    def handle(self):
        while self.rfile.readline() not in {b"\r\n", b""}:
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        self.rfile.read(5)
        self.wfile.write(b"world")


@pytest.fixture(scope="module")
def upstream():
    """Starts servers of one kind of behaviour; their addresses."""
    with contextlib.ExitStack() as stack:

        def start(handler):
            server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
            server.daemon_threads = True
            stack.enter_context(server)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield start


@pytest.fixture(scope="module")
def proxy(tmp_path_factory, upstream):
    with proxying(tmp_path_factory.mktemp("proxy")) as started:
        early = upstream(AnswersEarly)
        for path in ("/services/mlflow", "/user/ana/endpoint-e"):
            started.add(path, early)
        started.add("/", upstream(AnswersNever))
        started.add("/user/ana/run-r", upstream(AnswersNever))
        started.add("/user/ana/echo", upstream(Echoes))
        yield started


@pytest.mark.parametrize("in_chunks", [False, True], ids=["with length", "in chunks"])
@pytest.mark.parametrize("path", ["/services/mlflow/x", "/user/ana/endpoint-e/x"])
def test_an_early_answer_comes_long_before_the_body_was_sent(proxy, path, in_chunks):
    answer, written = write_blindly(proxy.settings.port, path, in_chunks=in_chunks)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert written < PATIENT_BYTES / 4


@pytest.mark.parametrize("in_chunks", [False, True], ids=["with length", "in chunks"])
@pytest.mark.parametrize("path", ["/hub/login", "//%68ub"])
def test_the_hub_is_never_sent_more_than_a_mebibyte(proxy, path, in_chunks):
    answer, written = write_blindly(proxy.settings.port, path, in_chunks=in_chunks)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"At most 1 MiB are taken." in answer
    assert written < PATIENT_BYTES / 4


def test_a_workload_that_only_could_hang_up_is_spared_what_its_server_does_not_take(
    proxy,
):
    answer, written = write_blindly(proxy.settings.port, "/user/ana/run-r/x")
    assert b"At most 512 MiB are taken." in answer
    assert written < PATIENT_BYTES / 4


def test_the_proxys_own_refusal_comes_at_once_too(tmp_path):
    with proxying(tmp_path) as proxy:
        answer, written = write_blindly(proxy.settings.port, "/nowhere")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert written < PATIENT_BYTES / 4


def test_what_is_small_enough_to_drain_leaves_the_answer_to_be_read(proxy):
    """A client elsewhere loses what it has not read when its connection is reset."""
    body = b"x" * 2**19
    head = "POST /services/mlflow/x HTTP/1.1\r\nHost: a\r\nConnection: close"
    with socket.create_connection(("127.0.0.1", proxy.settings.port)) as client:
        length = f"Content-Length: {len(body)}"
        client.sendall(f"{head}\r\n{length}\r\n\r\n".encode() + body)
        answer = b""
        while more := client.recv(2**16):  # a reset would raise
            answer += more
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_an_answer_may_begin_before_the_body_has_ended(proxy):
    head = "POST /user/ana/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
    with socket.create_connection(("127.0.0.1", proxy.settings.port)) as client:
        client.sendall(f"{head}1".encode())
        answer = b""
        while not answer.endswith(b"hello"):
            answer += client.recv(2**16)
        client.sendall(b"2345")
        while not answer.endswith(b"world"):
            more = client.recv(2**16)
            assert more, answer
            answer += more
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/user/ana/app-a/x", b"app"),
        ("/user/ana/app-ended/x", b"hub"),
        ("/user/ana/endpoint-ended", b"hub"),
        ("/user/ana/lab/tree/app-ended", b"workspace"),
        ("/user/ana/api/kernels", b"workspace"),
        ("/user/bo/run-ended/", b"hub"),
        ("/user/o%27malley/app-ended/", b"hub"),
        ("/user/o%27malley/", b"workspace"),
    ],
)
def test_what_is_asked_of_an_ended_workload_is_asked_of_the_hub(routed, path, who):
    assert httpx.get(f"{routed.url}{path}").content == who


@pytest.fixture(scope="module")
def routed(tmp_path_factory, upstream):
    with proxying(tmp_path_factory.mktemp("routed")) as started:
        for path, who in (
            ("/", "hub"),
            ("/user/ana", "workspace"),
            ("/user/ana/app-a", "app"),
            ("/user/o%27malley", "workspace"),
        ):
            started.add(path, upstream(_says(who)))
        yield started


def _says(word):
    class Says(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline() not in {b"\r\n", b""}:
                pass
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(word)}\r\n"
            self.wfile.write(f"{head}Connection: close\r\n\r\n{word}".encode())

    return Says


def test_routes_are_there_again_as_soon_as_a_killed_proxy_is(tmp_path):
    with proxying(tmp_path) as proxy:
        proxy.add("/", "http://127.0.0.1:1")
        proxy.add("/user/ana/endpoint-a", "http://127.0.0.1:2")
        proxy.add("/user/ana/run-b", "http://127.0.0.1:3")
        proxy.remove("/user/ana/run-b")
        before = proxy.routes()
        proxy.kill()
        proxy.start()
        assert proxy.routes() == before
        assert before.keys() == {"/", "/user/ana/endpoint-a"}
        # What the hub asks for, to know what is in use.
        since = "/api/routes?inactiveSince=2000-01-01T00:00:00Z"
        token = {"Authorization": f"token {proxy.process.health_token}"}
        api = f"http://127.0.0.1:{proxy.settings.proxy_api_port}"
        assert httpx.get(f"{api}{since}", headers=token).json() == {}
    assert stat.S_IMODE((tmp_path / "routes.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "kept", ["", "{", "[]", "7", '{"/a": 7}', '{"/a": {"target": 7}}', '{"/a": null}']
)
def test_a_file_of_routes_that_cannot_be_read_keeps_no_proxy_from_starting(
    tmp_path, kept
):
    proxy = Proxy(tmp_path)
    (tmp_path / "routes.json").write_text(kept)
    try:
        proxy.start()
        assert proxy.routes() == {}
        proxy.add("/b", "http://127.0.0.1:2")
    finally:
        proxy.kill()
    assert json.loads((tmp_path / "routes.json").read_text()).keys() == {"/b"}


def test_a_route_holds_also_where_it_cannot_be_kept(tmp_path):
    (tmp_path / "routes.json.new").mkdir()
    with proxying(tmp_path) as proxy:
        proxy.add("/a", "http://127.0.0.1:1")
        assert proxy.routes() == {"/a": "http://127.0.0.1:1"}


def test_a_proxy_whose_log_finds_no_room_answers_all_the_same(tmp_path):
    proxy = Proxy(tmp_path)
    try:
        proxy.start(log=Path("/dev/full"))
        # Its routes cannot be kept either, of which it makes a line in the log.
        routes_file(proxy.settings.state).with_suffix(".json.new").mkdir()
        proxy.add("/one", "http://127.0.0.1:1")
        assert proxy.routes()["/one"] == "http://127.0.0.1:1"
    finally:
        proxy.kill()
