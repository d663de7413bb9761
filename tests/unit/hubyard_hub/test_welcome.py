"""The first administrator's code: it works once, for a day, and is kept as a hash."""

import json
import stat
import time
from types import SimpleNamespace

import pytest

from hubyard.cli import main
from hubyard.contract.errors import Forbidden
from hubyard_hub.settings import Settings, shipped
from hubyard_hub.signing_in import welcome as module
from hubyard_hub.signing_in.welcome import Welcome


@pytest.fixture
def file(tmp_path):
    return tmp_path / "secrets" / "welcome"


def refuses(welcome, code):
    with pytest.raises(Forbidden, match="has been used or is too old"):
        welcome.check(code)
    return True


def test_a_code_is_good_until_it_is_used_up(file):
    welcome = Welcome(file)
    assert not welcome.is_used
    code = welcome.issue()
    welcome.check(code)
    welcome.check(code)
    assert refuses(welcome, "guess")
    assert not welcome.is_used
    welcome.use_up()
    assert welcome.is_used
    assert refuses(welcome, code)


def test_the_code_itself_is_nowhere_and_its_hash_for_no_other_eyes(file):
    code = Welcome(file).issue()
    assert code not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_newer_code_takes_the_place_of_an_earlier_one(file):
    welcome = Welcome(file)
    earlier, newer = welcome.issue(), welcome.issue()
    assert refuses(welcome, earlier)
    welcome.check(newer)


def test_a_code_is_too_old_after_a_day(file, monkeypatch):
    code = Welcome(file).issue()
    tomorrow = time.time() + 24 * 3600
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: tomorrow - 60))
    Welcome(file).check(code)
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: tomorrow + 60))
    assert refuses(Welcome(file), code)


@pytest.mark.parametrize("content", [None, "", "{", json.dumps({"until": 9e12})])
def test_without_a_code_on_file_none_is_good(file, content):
    file.parent.mkdir()
    if content is not None:
        file.write_text(content)
    assert refuses(Welcome(file), "")
    assert not Welcome(file).is_used


def test_a_code_lets_in_whom_it_was_made_for(file):
    welcome = Welcome(file)
    assert welcome.check(welcome.issue()) == ""
    assert welcome.check(welcome.issue("ana")) == "ana"


def test_a_link_is_made_only_where_there_is_a_hubyard(tmp_path, capsys):
    assert main(["sign-in-link", "ana", "--state", str(tmp_path)]) == 1
    assert "There is no Hubyard in" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "a b", "x" * 129, "a/b", "a\nb"])
def test_no_link_is_made_for_what_is_no_name(tmp_path, capsys, name):
    Settings(state=tmp_path, catalogue=shipped("compute.toml")).save()
    assert main(["sign-in-link", name, "--state", str(tmp_path)]) == 1
    assert "This is no name of a person" in capsys.readouterr().err
    assert not (tmp_path / "secrets" / "sign_in_link").exists()
