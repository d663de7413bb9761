"""The door of `hubyard up`: what it refuses in a line, before anything is kept."""

import fcntl

import pytest

from hubyard.cli import main


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--port", "0"], "--port is a number from 1 to 65535."),
        (["--port", "99999"], "--port is a number from 1 to 65535."),
        (["--port=-1"], "--port is a number from 1 to 65535."),
        (["--keep-days=-1"], "--keep-days is a number of days up to 36500; 0 keeps"),
        (["--keep-days", "999999"], "--keep-days is a number of days up to 36500"),
        (["--least-free=-1"], "--least-free is a number of MiB up to"),
        (["--least-free", "9999999999"], "--least-free is a number of MiB up to"),
        (["--host", "no such.host"], "is no address of a machine: try 0.0.0.0"),
        (["--host", "x" * 300], "is no address of a machine"),
        (["--url", "hub.example.org"], "cannot be used: try https://hub.example.org."),
        (["--url", "ftp://hub"], "cannot be used"),
        (["--url", "https://hub/path"], "cannot be used"),
        (["--url", "https://[hub"], "cannot be used"),
        (["--skeleton", "/no/such/folder"], "--skeleton names no folder"),
        (["--trusted-proxy", "nginx"], "'nginx' is no address: try 10.0.0.7"),
        (["--trusted-proxy", "10.0.0.7", "10.0.0.0/40"], "'10.0.0.0/40' is no address"),
        (["--catalogue", "/no/such/file"], "cannot be read"),
        (["--database", "nonsense"], "The database cannot be used"),
        (["--database", "mysql://a@b/c"], "is a URL like postgresql://"),
        (["--database", "postgresql://127.0.0.1:1/x"], "The database cannot be used"),
        (["--database", "sqlite:////no/such/folder/x"], "The database cannot be used"),
    ],
)
def test_what_it_cannot_be_told(tmp_path, capsys, options, says):
    state = tmp_path / "state"
    assert main(["up", "--state", str(state), *options]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (state / "config.json").exists()


def test_two_that_start_at_once_are_one_too_many(tmp_path, capsys):
    with (tmp_path / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["up", "--state", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        "hubyard: Hubyard runs already: see `hubyard status`.\n"
    )


def test_a_state_that_is_no_folder(tmp_path, capsys):
    (tmp_path / "state").write_text("")
    assert main(["up", "--state", str(tmp_path / "state")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Traceback" not in said
