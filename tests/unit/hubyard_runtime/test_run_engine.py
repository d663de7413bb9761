"""How the engine waits for an answer that nothing announces, and keeps all outputs."""

import asyncio
import time
from queue import Empty
from types import SimpleNamespace

import nbformat
import pytest

from hubyard_runtime.run.engine import Engine, _next_message
from hubyard_runtime.run.kernel import Kernel

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


REDRAWS = """
from IPython.display import display
shown = display("begin", display_id=True)
for number in range(4_000):
    shown.update(f"{number:5000}")
"""
"""More than sockets and queues between a kernel and its engine can hold."""


class SlowEngine(Engine):
    """One that looks after something else while its kernel goes on."""

    pause_s = 3

    def process_message(self, *message):
        time.sleep(self.pause_s)
        self.pause_s = 0
        return super().process_message(*message)


def test_no_output_is_lost_where_the_engine_is_slow(tmp_path):
    cell = nbformat.v4.new_code_cell(REDRAWS)
    notebook = SimpleNamespace(
        node=nbformat.v4.new_notebook(cells=[cell]), cells_to_run=[0], pause_s=60
    )
    nobody = SimpleNamespace(
        cell_started=lambda _index: None, cell_succeeded=lambda _index, _bytes: None
    )

    async def run():
        kernel = Kernel(tmp_path, tmp_path, {})
        await kernel.start()
        engine = SlowEngine(notebook, kernel, nobody, None)
        try:
            await engine.run()
        finally:
            await kernel.close(engine.kc)

    asyncio.run(run())
    (output,) = cell.outputs
    assert output["data"]["text/plain"] == repr(f"{3_999:5000}")
