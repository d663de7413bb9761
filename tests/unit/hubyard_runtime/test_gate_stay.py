"""How long a WebSocket may stay, and for how long an answer may go on."""

from __future__ import annotations

import asyncio

import pytest

from hubyard.contract.errors import Unavailable
from hubyard_runtime.gate.stay import answer_while_welcome, talk_while_welcome
from support.patience import PATIENCE_S


def run(app, answers, serve=talk_while_welcome):
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

    async def main():
        async with asyncio.timeout(PATIENCE_S):
            await serve(app, HTTP, receive, send, is_welcome=is_welcome, every_s=0.001)

    asyncio.run(main())
    return sent


HTTP = {"type": "http", "method": "GET", "headers": []}


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


async def streams_for_ever(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b".", "more_body": True})
        await asyncio.sleep(0.001)


async def never_begins(scope, receive, send):
    await receive()


async def answers_at_once(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"all"})


async def is_cancelled(scope, receive, send):
    raise asyncio.CancelledError


def test_an_answer_that_goes_on_is_ended():
    answers = [True, Unavailable(), True, False]
    sent = run(streams_for_ever, answers, answer_while_welcome)
    assert answers == []
    assert sent[0]["status"] == 200
    assert all(message["more_body"] for message in sent[1:-1])
    assert sent[-1] == {"type": "http.response.body", "body": b""}


def test_an_answer_that_has_not_begun_is_a_refusal():
    start, body = run(never_begins, [True, False], answer_while_welcome)
    assert start["status"] == 403
    assert b"may not see this any more" in body["body"]


def test_of_an_answer_that_is_quick_nobody_asks():
    sent = run(answers_at_once, [], answer_while_welcome)
    assert sent[-1]["body"] == b"all"


def test_a_request_that_its_server_cancels_stays_cancelled():
    with pytest.raises(asyncio.CancelledError):
        run(is_cancelled, [], answer_while_welcome)


def test_an_answer_s_error_is_not_swallowed():
    with pytest.raises(ValueError, match="broken"):
        run(breaks, [], answer_while_welcome)
