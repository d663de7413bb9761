"""How the engine waits for an answer that nothing announces."""

import asyncio
from queue import Empty

import pytest

from hubyard_runtime.run.engine import _next_message

ANSWER = {"msg_type": "execute_reply"}


class Channel:
    """One whose answer is there, but only found by who looks again."""

    def __init__(self, looks):
        self.looks = looks
        self.timeouts = []

    async def get_msg(self, timeout=None):  # noqa: ASYNC109  jupyter_client's own
        self.timeouts.append(timeout)
        assert timeout is not None, "it would wait for ever"
        if len(self.timeouts) < self.looks:
            raise Empty
        return ANSWER


def test_who_waits_without_a_limit_looks_again_and_again():
    channel = Channel(looks=4)
    assert asyncio.run(_next_message(channel.get_msg)) is ANSWER
    assert len(channel.timeouts) == 4


def test_who_waits_with_a_limit_looks_once():
    channel = Channel(looks=4)
    with pytest.raises(Empty):
        asyncio.run(_next_message(channel.get_msg, timeout=0.5))
    assert channel.timeouts == [0.5]
