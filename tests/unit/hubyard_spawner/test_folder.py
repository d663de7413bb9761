"""A workload's folder when what it should hold is not there, or not any more."""

import subprocess

from hubyard_spawner.folder import Folder


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
