"""A workload's folder when what it should hold is not there, or not any more."""

import json
import subprocess

import pytest

from hubyard_spawner.local.folder import Folder
from hubyard_spawner.local.shim import machine


def test_a_workload_that_never_printed_has_no_last_words(tmp_path):
    assert Folder(tmp_path).tail() == ""


def test_the_last_words_are_text_whatever_was_printed(tmp_path):
    folder = Folder(tmp_path)
    folder.log.write_bytes(b"first\n" * 50 + b"\x1b[31mred\xff\x07\ttab\n\n")
    assert folder.tail(2) == "first\n[31mred\ufffd\ttab"


def test_a_shim_that_ends_while_it_is_asked_was_not_asked(tmp_path, monkeypatch):
    (ended := subprocess.Popen(["true"])).wait()
    monkeypatch.setattr(Folder, "shim", lambda _: ended.pid)
    folder = Folder(tmp_path)
    assert not folder.ask_to_end()
    folder.kill()


@pytest.mark.parametrize(
    "said",
    [
        {"code": 2**31},
        {"code": 10**30},
        {"peak_memory_bytes": 2**70},
        {"cpu_seconds": -1},
        {"ended": 1e300},
        {"reason": "x" * 2**20},
    ],
    ids=range(6),
)
def test_an_end_that_the_ledger_cannot_hold_says_nothing(tmp_path, said):
    end = {"code": 0, "ended": 1.0, **said}
    (tmp_path / "end.json").write_text(json.dumps(end))
    assert Folder(tmp_path).end() is None


def test_a_clock_or_a_process_that_cannot_be_is_none(tmp_path):
    clock = {"began": 1.0, "monotonic": -1e300, "machine": machine()}
    (tmp_path / "clock.json").write_text(json.dumps(clock))
    (tmp_path / "shim.json").write_text(json.dumps({"pid": 2**70, "start_ticks": "1"}))
    folder = Folder(tmp_path)
    assert folder.now().year > 2000
    assert folder.shim() is None
