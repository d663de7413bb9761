"""The child that does not do as it is asked: it never answers, or will not end."""

import subprocess
import sys

import pytest

from hubyard_runtime.app import child as module
from hubyard_runtime.app.child import Child, Died

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
STUBBORN += "print('it takes no orders', flush=True); time.sleep(60)"


@pytest.fixture
def started(tmp_path):
    """Children of which each runs a line of Python."""
    children = []

    def start(code):
        socket = tmp_path / f"hubyard-app-{len(children)}" / "socket"
        socket.parent.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        children.append(Child(process, socket))
        return children[-1]

    yield start
    for child in children:
        child.stop()
        child._process.stdout.close()


def test_a_child_that_takes_no_orders_is_made_to_end(started, monkeypatch):
    monkeypatch.setattr(module, "_GRACE_S", 0.2)
    child = started(STUBBORN)
    while not child.tail():
        assert child._process.poll() is None
    child.stop()
    assert child.wait() == 128 + 9
    assert not child.socket.parent.exists()
    assert child.last_words().endswith("exit code 137.\nit takes no orders\n")


def test_a_child_that_never_answers_is_not_waited_for_for_ever(started, monkeypatch):
    monkeypatch.setattr(module, "START_S", 0.5)
    child = started(STUBBORN)
    with pytest.raises(Died, match="did not answer within"):
        child.wait_until_ready("/")


def test_all_that_a_child_wrote_before_it_died_is_in_our_log(started, capsys):
    child = started("for n in range(30): print('line', n)\nraise SystemExit(3)")
    with pytest.raises(Died) as died:
        child.wait_until_ready("/")
    assert died.value.message == "The app ended with exit code 3."
    assert capsys.readouterr().out.splitlines() == [f"line {n}" for n in range(30)]
    assert child.last_words().splitlines()[1:] == [f"line {n}" for n in range(10, 30)]
