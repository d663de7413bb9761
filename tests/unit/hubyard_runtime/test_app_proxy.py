"""The proxy before an app, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
import time

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from hubyard_runtime.app.proxy import Proxy
from support.patience import PATIENCE_S

PREFIX = "/user/alice/app-x/"


class Child:
    """An application that shows what reaches it, and when its visitor left."""

    def __init__(self):
        self.visitor_left = threading.Event()
        self.app = Starlette(
            routes=[
                Route("/stream", self.stream),
                Route("/away", self.away),
                Route("/cookies", self.cookies),
                Route("/{path:path}", self.echo, methods=["GET", "PUT", "DELETE"]),
                WebSocketRoute("/socket", self.socket),
                WebSocketRoute("/closed", self.closed),
            ]
        )

    async def echo(self, request):
        body = await request.body()
        return JSONResponse(
            {
                "method": request.method,
                "path": request.scope["raw_path"].decode(),
                "query": request.url.query,
                "headers": request.headers.items(),
                "body": len(body),
            },
            418,
            {"Keep-Alive": "timeout=5", "X-Own": "1"},
        )

    async def stream(self, request):
        async def lines():
            try:
                for n in range(1_000_000):
                    yield f"{n}\n"
                    await asyncio.sleep(0.01)
            finally:
                self.visitor_left.set()

        return StreamingResponse(lines())

    async def away(self, request):
        return RedirectResponse(request.query_params["to"])

    async def cookies(self, request):
        answer = JSONResponse({})
        answer.set_cookie("mine", "1", path="/", domain="x.example", httponly=True)
        answer.set_cookie("_xsrf", "2", path="/hub/")
        answer.set_cookie("jupyterhub-hub-login", "3")
        answer.set_cookie("service-mlflow", "4")
        return answer

    async def socket(self, websocket):
        await websocket.accept("two")
        with contextlib.suppress(Exception):
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                if message.get("text") == "bye":
                    await websocket.close(4321, "as you wish")
                    break
                if message.get("text") == "who":
                    await websocket.send_json(websocket.headers.items())
                elif message.get("bytes") is not None:
                    await websocket.send_bytes(message["bytes"][::-1])
        self.visitor_left.set()

    async def closed(self, websocket):
        await websocket.close()


@contextlib.contextmanager
def served(app, **where):
    config = uvicorn.Config(app, log_level="warning", lifespan="off", **where)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = server.force_exit = True
    thread.join()


@pytest.fixture(scope="module")
def child():
    return Child()


@pytest.fixture(scope="module")
def address(child, tmp_path_factory):
    socket = tmp_path_factory.mktemp("s") / "s"
    proxy = Proxy(socket, prefix=PREFIX)
    with served(child.app, uds=str(socket)), served(proxy, port=0) as (_, port):
        yield f"127.0.0.1:{port}{PREFIX}"


def test_a_request_arrives_whole_and_at_the_root(address):
    answer = httpx.request(
        "PUT",
        f"http://{address}a%2Fb/c%20d?x=1&y=%26",
        content=b"x" * 2_000_000,
        headers=[
            ("X-Hubyard-User", "alice"),
            ("X-Hubyard-Groups", "a,b"),
            ("X-Forwarded-User", "mallory"),
            ("x_forwarded_groups", "root"),
            ("TE", "trailers"),
            ("X-Twice", "1"),
            ("X-Twice", "2"),
        ],
    )
    said = answer.json()
    assert answer.status_code == 418
    assert said["method"] == "PUT"
    assert said["path"] == "/a%2Fb/c%20d"
    assert said["query"] == "x=1&y=%26"
    assert said["body"] == 2_000_000
    headers = [tuple(pair) for pair in said["headers"]]
    assert ("x-forwarded-user", "alice") in headers
    assert ("x-forwarded-groups", "a,b") in headers
    assert ("x-twice", "1") in headers
    assert ("x-twice", "2") in headers
    assert ("host", address.partition("/")[0]) in headers
    assert not {"mallory", "root", "trailers"} & {value for _, value in headers}
    assert answer.headers["x-own"] == "1"
    assert "keep-alive" not in answer.headers


def plainly_asked(address, host):
    """What reaches the app from a visitor who sends a Host and no other header."""
    netloc, _, path = address.partition("/")
    with contextlib.closing(
        http.client.HTTPConnection(netloc, timeout=PATIENCE_S)
    ) as visitor:
        visitor.putrequest("GET", f"/{path}", skip_host=True, skip_accept_encoding=True)
        visitor.putheader("Host", host)
        visitor.endheaders()
        return json.loads(visitor.getresponse().read())["headers"]


def test_a_visitor_never_sends_the_cookies_of_another(address):
    assert httpx.get(f"http://{address}cookies").headers["set-cookie"]
    said = httpx.get(f"http://{address}x").json()
    assert "cookie" not in dict(said["headers"])


@pytest.mark.parametrize("host", ["hub.example", "a:b", "[::1"])
def test_the_proxy_adds_no_header_and_takes_any_host(address, host):
    assert plainly_asked(address, host) == [["host", host]]


def test_an_answer_has_one_date_and_server(address):
    names = [name for name, _ in httpx.get(f"http://{address}x").headers.multi_items()]
    assert names.count("date") == 1
    assert names.count("server") == 1


def test_a_path_is_passed_on_as_it_was_written(address):
    netloc, _, path = address.partition("/")
    with contextlib.closing(
        http.client.HTTPConnection(netloc, timeout=PATIENCE_S)
    ) as visitor:
        visitor.request("GET", f"/{path}a/../%41//b?")
        said = json.loads(visitor.getresponse().read())
    assert said["path"] == "/a/../%41//b"


def test_a_body_of_unknown_length_is_passed_on(address):
    def parts():
        yield b"abc"
        yield b"def"

    answer = httpx.put(f"http://{address}x", content=parts())
    assert answer.json()["body"] == 6


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("/page", f"{PREFIX}page"),
        ("page", "page"),
        ("//other.example/", "//other.example/"),
        ("https://other.example/", "https://other.example/"),
        ("http://own.example:8/page?to=http://a/", f"{PREFIX}page?to=http://a/"),
        ("https://Own.example:8/page", f"{PREFIX}page"),
        ("http://own.example:8", PREFIX),
        ("http://own.example:8?x=1", f"{PREFIX}?x=1"),
        ("http://own.example:8//other.example/", f"{PREFIX}/other.example/"),
        ("http://own.example:80/page", "http://own.example:80/page"),
        ("http://own.example:8@other.example/", "http://own.example:8@other.example/"),
        (f"{PREFIX}voila/files/a.png", f"{PREFIX}voila/files/a.png"),
        (f"http://own.example:8{PREFIX}a?b=1", f"{PREFIX}a?b=1"),
        (PREFIX, PREFIX),
        (PREFIX.rstrip("/"), PREFIX.rstrip("/")),
        ("/user/alice/app-xy/a", f"{PREFIX}user/alice/app-xy/a"),
        ("/user/alice/", f"{PREFIX}user/alice/"),
        ("/hub/", f"{PREFIX}hub/"),
    ],
)
def test_a_redirect_stays_below_the_prefix(address, to, expected):
    answer = httpx.get(
        f"http://{address}away", params={"to": to}, headers={"Host": "own.example:8"}
    )
    assert answer.headers["location"] == expected


def test_a_cookie_is_for_this_app_alone(address):
    cookies = httpx.get(f"http://{address}cookies").headers.get_list("set-cookie")
    assert cookies == [
        f"mine=1; HttpOnly; SameSite=lax; Path={PREFIX}",
        f"_xsrf=2; SameSite=lax; Path={PREFIX}",
    ]


def test_an_answer_comes_as_it_is_made_and_ends_with_its_visitor(address, child):
    child.visitor_left.clear()
    with httpx.stream("GET", f"http://{address}stream") as answer:
        lines = answer.iter_lines()
        assert [next(lines) for _ in range(3)] == ["0", "1", "2"]
    assert child.visitor_left.wait(PATIENCE_S)


def test_a_websocket_carries_text_bytes_and_its_end(address, child):
    child.visitor_left.clear()
    headers = {"X-Hubyard-User": "alice", "X-Forwarded-User": "mallory"}
    with connect(
        f"ws://{address}socket?x=1",
        subprotocols=["one", "two"],
        additional_headers=headers,
    ) as socket:
        assert socket.subprotocol == "two"
        socket.send("who")
        said = socket.recv()
        assert '["x-forwarded-user","alice"]' in said.replace(" ", "")
        assert "mallory" not in said
        data = bytes(range(256)) * 4000
        socket.send(data)
        assert socket.recv() == data[::-1]
        socket.send("bye")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4321, "as you wish")


def test_a_visitor_who_leaves_is_gone_for_the_app_too(address, child):
    child.visitor_left.clear()
    with connect(f"ws://{address}socket", subprotocols=["two"]):
        pass
    assert child.visitor_left.wait(PATIENCE_S)


def test_a_websocket_that_the_app_refuses_is_refused(address):
    with pytest.raises(InvalidStatus), connect(f"ws://{address}closed"):
        pass


@pytest.mark.parametrize("host", ["a:b", "[::1", ""])
def test_a_websocket_for_an_odd_host_is_refused(address, host):
    netloc, _, path = address.partition("/")
    asked = {
        "Host": host,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    with contextlib.closing(
        http.client.HTTPConnection(netloc, timeout=PATIENCE_S)
    ) as visitor:
        visitor.request("GET", f"/{path}socket", headers=asked)
        assert visitor.getresponse().status == 403


def test_an_app_that_is_gone_is_said_in_words(tmp_path):
    with served(Proxy(tmp_path / "gone", prefix=PREFIX), port=0) as (_, port):
        answer = httpx.get(f"http://127.0.0.1:{port}{PREFIX}")
        assert answer.status_code == 503
        assert answer.json()["message"].startswith("The app does not answer")
        with (
            pytest.raises(InvalidStatus),
            connect(f"ws://127.0.0.1:{port}{PREFIX}socket"),
        ):
            pass
