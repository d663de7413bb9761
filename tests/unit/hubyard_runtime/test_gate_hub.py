"""The gate's memory of what the hub said, when the hub is odd, slow or gone."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from hubyard.contract.errors import Forbidden, Unavailable
from hubyard_runtime.gate.hub import KNOWN_S, REFUSED_S, STALE_S, Hub
from hubyard_runtime.gate.settings import Settings

ALICE = {
    "name": "alice",
    "kind": "user",
    "admin": False,
    "groups": ["ops"],
    "scopes": ["access:services!service=x"],
    "token_id": "a1",
    "session_id": None,
    "something_new": {"of": "a newer hub"},
}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class FakeHub:
    """Answers as it is told, byte by byte, and counts the questions."""

    def __init__(self):
        self.status, self.body, self.asked = 200, json.dumps(ALICE), 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def handle(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        await self.may_answer.wait()
        body = self.body.encode()
        writer.write(
            f"HTTP/1.1 {self.status} X\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def asked_through_a_gate():
    fake, clock = FakeHub(), Clock()
    server = await asyncio.start_server(fake.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield fake, clock, Hub(settings(port), clock=clock)
    server.close()


def settings(port):
    return Settings.from_environment(
        {
            "JUPYTERHUB_SERVICE_NAME": "x",
            "JUPYTERHUB_SERVICE_PREFIX": "/services/x/",
            "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1",
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{port}/hub/api",
            "JUPYTERHUB_API_TOKEN": "secret",
            "JUPYTERHUB_CLIENT_ID": "service-x",
        }
    )


def in_a_loop(test):
    def run():
        asyncio.run(test())

    run.__name__ = test.__name__
    return run


@in_a_loop
async def test_an_answer_is_kept_for_a_while_and_then_asked_again():
    async with asked_through_a_gate() as (fake, clock, hub):
        first = await hub.identify("t")
        assert (first.name, first.groups, first.server) == ("alice", ("ops",), None)
        clock.now += KNOWN_S - 1
        assert await hub.identify("t") == first
        assert fake.asked == 1
        clock.now += 2
        fake.status = 403
        assert await hub.identify("t") is None
        assert fake.asked == 2


@in_a_loop
async def test_a_refusal_is_forgotten_soon():
    async with asked_through_a_gate() as (fake, clock, hub):
        fake.status = 403
        assert await hub.identify("t") is None
        fake.status = 200
        clock.now += REFUSED_S - 1
        assert await hub.identify("t") is None
        clock.now += 2
        assert (await hub.identify("t")).name == "alice"


@in_a_loop
async def test_a_revoked_token_is_not_remembered_when_the_hub_goes():
    async with asked_through_a_gate() as (fake, clock, hub):
        await hub.identify("t")
        clock.now += KNOWN_S + 1
        fake.status = 403
        assert await hub.identify("t") is None
        clock.now += REFUSED_S + 1
        fake.status = 500
        with pytest.raises(Unavailable):
            await hub.identify("t")


@in_a_loop
async def test_who_was_known_lately_outlives_the_hubs_silence():
    async with asked_through_a_gate() as (fake, clock, hub):
        alice = await hub.identify("t")
        fake.status = 502
        clock.now += STALE_S - 1
        assert await hub.identify("t") == alice
        clock.now += 2
        with pytest.raises(Unavailable):
            await hub.identify("t")


@in_a_loop
async def test_a_silent_hub_is_left_alone_for_a_moment():
    async with asked_through_a_gate() as (fake, clock, hub):
        fake.status = 500
        for _ in range(5):
            with pytest.raises(Unavailable):
                await hub.identify("t")
        assert fake.asked == 1
        fake.status = 200
        clock.now += 2
        assert await hub.identify("t")


@in_a_loop
async def test_many_who_ask_the_same_ask_the_hub_once():
    async with asked_through_a_gate() as (fake, _clock, hub):
        fake.may_answer.clear()
        asking = [asyncio.create_task(hub.identify("t")) for _ in range(20)]
        await asyncio.sleep(0)
        asking[0].cancel()
        fake.may_answer.set()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert {answer.name for answer in answers[1:]} == {"alice"}
        assert fake.asked == 1


@in_a_loop
async def test_another_session_is_another_question():
    async with asked_through_a_gate() as (fake, _clock, hub):
        await hub.identify("t", "session-1")
        fake.status = 403
        assert await hub.identify("t", "session-2") is None


@in_a_loop
async def test_memory_is_bounded_and_strangers_push_nobody_out():
    async with asked_through_a_gate() as (fake, _clock, hub):
        await hub.identify("t")
        fake.status = 403
        for n in range(400):
            await hub.identify(f"stranger-{n}")
        assert len(hub._refused._kept) == 256
        assert (await hub.identify("t")).name == "alice"


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, "{}"), (429, "{}"), (404, "{}"), (200, "<html>"), (200, "{}"), (200, "[]")],
)
def test_an_odd_answer_lets_nobody_in(status, body):
    @in_a_loop
    async def test():
        async with asked_through_a_gate() as (fake, _clock, hub):
            fake.status, fake.body = status, body
            with pytest.raises(Unavailable):
                await hub.identify("t")

    test()


@pytest.mark.parametrize("token", ["", " ", "a b", "a\nb", "\x00", "é", "x" * 1025])
def test_what_cannot_be_a_token_is_not_sent_to_the_hub(token):
    @in_a_loop
    async def test():
        async with asked_through_a_gate() as (fake, _clock, hub):
            assert await hub.identify(token) is None
            assert fake.asked == 0

    test()


@in_a_loop
async def test_a_code_that_the_hub_does_not_take_opens_nothing():
    async with asked_through_a_gate() as (fake, _clock, hub):
        fake.status, fake.body = 400, "{}"
        with pytest.raises(Forbidden):
            await hub.exchange("code", "verifier")
        fake.status = 500
        with pytest.raises(Unavailable):
            await hub.exchange("code", "verifier")


OWN = ["access:servers!server=alice/run-1", "users:activity!user=alice"]


@pytest.mark.parametrize(
    ("changes", "server"),
    [
        ({"scopes": OWN}, "run-1"),
        ({"scopes": [*OWN, "access:servers!user=alice"]}, "run-1"),
        ({"scopes": ["access:servers!server=alice/", OWN[1]]}, ""),
        ({"scopes": OWN[:1]}, None),
        ({"scopes": OWN[1:]}, None),
        ({"scopes": [*OWN, "access:servers!server=alice/run-2"]}, None),
        ({"scopes": ["access:servers!server=bob/run-1", OWN[1]]}, None),
        ({"scopes": OWN, "session_id": "abc"}, None),
        ({"scopes": OWN, "kind": "service"}, None),
    ],
)
def test_a_servers_own_token_is_told_from_a_key(changes, server):
    @in_a_loop
    async def test():
        async with asked_through_a_gate() as (fake, _clock, hub):
            fake.body = json.dumps({**ALICE, **changes})
            assert (await hub.identify("t")).server == server

    test()
