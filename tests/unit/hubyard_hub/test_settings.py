"""What `hubyard up` keeps in its state folder, and where that is."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from hubyard.contract.errors import Invalid
from hubyard_hub import settings as module
from hubyard_hub.settings import STATE_VARIABLE, Settings, write_private


@pytest.fixture
def settings(tmp_path):
    return Settings(state=tmp_path / "state", catalogue=tmp_path / "compute.toml")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({STATE_VARIABLE: "/srv/hubyard"}, "/srv/hubyard"),
        ({"XDG_STATE_HOME": "/var/state"}, "/var/state/hubyard"),
        ({"HOME": "/home/ana"}, "/home/ana/.local/state/hubyard"),
        (
            {STATE_VARIABLE: "", "XDG_STATE_HOME": "", "HOME": "/home/ana"},
            "/home/ana/.local/state/hubyard",
        ),
    ],
)
def test_the_state_lies_where_the_environment_says(monkeypatch, told, found):
    for name in (STATE_VARIABLE, "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert Settings.default_state() == Path(found)


def test_what_was_saved_is_loaded_and_what_a_newer_version_kept_is_passed_over(
    settings,
):
    settings.save()
    kept = settings.state / "config.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "colour": "blue"}))
    assert Settings.load(settings.state) == settings
    assert (mode(settings.state), mode(kept)) == (0o700, 0o600)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "7", '{"port": 1}', '{"catalogue": 7}', '{"catalogue": null}'],
)
def test_a_file_that_is_not_ours_is_named(settings, content):
    settings.save()
    (settings.state / "config.json").write_text(content)
    with pytest.raises(Invalid, match=r"config\.json cannot be read .+ mend or remove"):
        Settings.load(settings.state)


def test_a_secret_is_made_once_and_is_for_no_other_eyes(settings):
    secret = settings.secret("proxy")
    assert len(bytes.fromhex(secret)) == 32
    assert settings.secret("proxy") == secret
    assert settings.secret("hub") != secret
    assert mode(settings.secret_file("proxy")) == 0o600
    assert mode(settings.state / "secrets") == 0o700


def test_two_that_make_a_secret_at_once_have_the_same(settings, monkeypatch):
    """The other process is quicker, just before ours is put in its place."""
    place = settings.state / "secrets" / "proxy"

    def write(path, text):
        write_private(path, text)
        write_private(place, "of the other\n")

    monkeypatch.setattr(module, "write_private", write)
    assert settings.secret("proxy") == "of the other"
    assert [path.name for path in place.parent.iterdir()] == ["proxy"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://127.0.0.1:8000"),
        ("hub.example", "http://hub.example:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_the_address_for_people_can_be_typed_into_a_browser(tmp_path, host, url):
    settings = Settings(state=tmp_path, catalogue=tmp_path, host=host)
    assert settings.public_url == url
    own = replace(settings, url="https://hub.example.org")
    assert own.public_url == "https://hub.example.org"
    assert own.bind_url == settings.bind_url
