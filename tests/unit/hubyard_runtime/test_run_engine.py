"""How the engine waits for an answer that nothing announces, and keeps all outputs."""

import asyncio
import tempfile
import time
from pathlib import Path
from queue import Empty

import psutil
import pytest

from hubyard.contract.run import FailureReason
from hubyard_runtime.run.step.engine import Engine, _next_message
from support.engines import engine_of, outcome

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
    async def run():
        async with engine_of(tmp_path, [REDRAWS], SlowEngine) as engine:
            await engine.run()
        return engine

    (cell,) = asyncio.run(run()).nb.cells
    (output,) = cell.outputs
    assert output["data"]["text/plain"] == repr(f"{3_999:5000}")


@pytest.mark.parametrize("deep", [False, True])
def test_a_kernel_listens_only_where_its_owner_alone_may_enter(tmp_path, deep):
    """No channel has a port, which others could have taken before it is bound.

    The one port that ipykernel binds, to what is free, is for forks that print.
    """
    folder = tmp_path / ("x" * 100) if deep else Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)

    async def run():
        async with engine_of(folder, ["1"]) as engine:
            await engine.run()
            kernel = psutil.Process(engine._kernel._pid)
            connections = kernel.net_connections(kind="inet")
            return connections, engine.km.get_connection_info(), engine.km.ip

    connections, told, place = asyncio.run(run())
    assert [each.status for each in connections].count(psutil.CONN_LISTEN) <= 1
    assert (told["transport"], "curve_publickey" in told) == ("ipc", True)
    assert (folder in Path(place).parents) is not deep
    assert not Path(place).parent.exists()


SHOWN = (
    "class Shown:\n    def __repr__(self):\n        raise RuntimeError('no picture')"
)
CLEARED = "from IPython.display import clear_output\n%run bad.py\nclear_output()"
CAUGHT = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    get_ipython().showtraceback()"
DIVIDED = "ZeroDivisionError: division by zero"
CELLS = {
    "%run bad.py\nprint('went on')": "ValueError: x",
    "%run bad.py\n1 / 0": DIVIDED,
    "%run bad.py\nimport bad": "ValueError: x",
    f"{SHOWN}\nShown()": "RuntimeError: no picture",
    "display(Shown())": "RuntimeError: no picture",
    "display(Shown(), Shown())\nShown()": "RuntimeError: no picture",
    "%%capture\n1 / 0": DIVIDED,
    "%%time\n1 / 0": DIVIDED,
    "%time 1 / 0": DIVIDED,
    "get_ipython().run_cell('1 / 0')\nNone": DIVIDED,
    CAUGHT: DIVIDED,
    "%run exits.py 3": "ended the run with sys.exit(3)",
    "%run exits.py 0": None,
    "import traceback\nprint(traceback.format_exc())": None,
    CLEARED: None,
    ("%run bad.py", "raises-exception"): None,
    ("Shown()", "raises-exception"): None,
    "print('fine')": None,
}
"""Cells, and what their failure says; None: they succeed."""


def test_a_cell_succeeds_only_without_an_error_among_its_outputs(tmp_path):
    (tmp_path / "bad.py").write_text("raise ValueError('x')")
    (tmp_path / "exits.py").write_text("import sys; sys.exit(int(sys.argv[1]))")

    async def run():
        async with engine_of(tmp_path, CELLS) as engine:
            await engine._connect()
            return [await outcome(engine, index) for index in range(len(CELLS))]

    for failure, (source, expected) in zip(
        asyncio.run(run()), CELLS.items(), strict=True
    ):
        if expected is None:
            assert failure is None, (source, failure)
        else:
            assert failure is not None, source
            assert expected in failure.message, source
            assert failure.traceback, source
            assert "\x1b" not in failure.traceback, source
            is_exit = "exit" in expected
            wanted = FailureReason.CELL_EXIT if is_exit else FailureReason.CELL_ERROR
            assert failure.reason is wanted, source
