"""How long a WebSocket may stay."""

from __future__ import annotations

import asyncio

import pytest

from hubyard.contract.errors import Unavailable
from hubyard_runtime.gate.websocket import serve_while_welcome


def run(app, answers):
    """Serve an application to a visitor of whom the hub says one answer after another.

    Returns what was sent.
    """
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        await asyncio.Event().wait()

    async def is_welcome():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def serve():
        async with asyncio.timeout(5):
            await serve_while_welcome(
                app, {}, receive, send, is_welcome=is_welcome, every_s=0.001
            )

    asyncio.run(serve())
    return sent


async def talks_for_ever(scope, receive, send):
    await send({"type": "websocket.accept"})
    await receive()


async def says_goodbye_when_stopped(scope, receive, send):
    try:
        await receive()
    finally:
        await send({"type": "websocket.close", "code": 1000})


async def talks_a_while(scope, receive, send):
    await asyncio.sleep(0.02)
    await send({"type": "websocket.close", "code": 1000})


async def breaks(scope, receive, send):
    raise ValueError("broken")


def test_who_is_not_welcome_any_more_is_sent_away():
    answers = [True, Unavailable(), True, False]
    sent = run(talks_for_ever, answers)
    assert [message["type"] for message in sent] == [
        "websocket.accept",
        "websocket.close",
    ]
    assert sent[-1]["code"] == 1008
    assert answers == []


def test_an_application_may_clean_up():
    sent = run(says_goodbye_when_stopped, [False])
    assert sent[0] == {"type": "websocket.close", "code": 1000}


def test_who_is_welcome_stays_to_the_end():
    sent = run(talks_a_while, [True] * 1000)
    assert sent == [{"type": "websocket.close", "code": 1000}]


def test_an_applications_error_is_not_swallowed():
    with pytest.raises(ValueError, match="broken"):
        run(breaks, [True] * 10)
