"""The hub's configuration, and a deployment's own file after it."""

import asyncio
import dataclasses
import socket
from types import SimpleNamespace

import pytest
from jupyterhub.auth import Authenticator
from traitlets.config import Config

from hubyard_hub.configure import EXTRA_VARIABLE, configure
from hubyard_hub.people.pages import watch_no_names
from hubyard_hub.settings import STATE_VARIABLE, Settings, shipped
from hubyard_hub.signing_in.authenticator import HubyardAuthenticator
from hubyard_hub.store import connecting
from support.pages import DOCS, Page


@pytest.fixture(autouse=True)
def watches_no_names():
    """Other tests make users in this process, of whom our store knows nothing."""
    yield
    watch_no_names()


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """The configuration with a file of the deployment's own."""
    Settings(state=tmp_path / "state", catalogue=shipped("compute.toml")).save()
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))

    def configured(own):
        file = tmp_path / "hub.py"
        file.write_text(own)
        monkeypatch.setenv(EXTRA_VARIABLE, str(file))
        config = Config()
        configure(config)
        return config

    return configured


def test_a_deployments_own_file_has_the_last_word(configured):
    config = configured("c.JupyterHub.concurrent_spawn_limit = 3\nget_config()")
    assert config.JupyterHub.concurrent_spawn_limit == 3
    assert config.JupyterHub.authenticator_class is HubyardAuthenticator


def test_the_file_that_the_docs_show_is_taken(configured, monkeypatch):
    monkeypatch.setenv("GITHUB_CLIENT_ID", "an id")
    monkeypatch.setenv("GITHUB_CLIENT_SECRET", "a secret")
    (shown,) = (b for b in Page(DOCS / "install.md").blocks() if b.kind == "python")
    config = configured(shown.text)
    assert config.JupyterHub.authenticator_class == "github"
    assert config.GitHubOAuthenticator.client_id == "an id"


def test_another_authenticator_lets_nobody_in_whom_it_does_not_name(configured):
    class Elsewhere(Authenticator):
        """Accounts that anybody can have."""

    config = configured("")
    assert Elsewhere(config=config).allow_all is False
    assert config.HubyardAuthenticator.allow_all is True


def test_a_deployment_needs_no_file_of_its_own(configured, monkeypatch):
    configured("c.JupyterHub.concurrent_spawn_limit = 3")
    monkeypatch.delenv(EXTRA_VARIABLE)
    config = Config()
    configure(config)
    assert config.JupyterHub.authenticator_class is HubyardAuthenticator
    assert config.JupyterHub.concurrent_spawn_limit != 3


def test_a_hub_without_a_state_ends_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(SystemExit, match=r"^There is no Hubyard in .+: start"):
        configure(Config())


@pytest.mark.parametrize(
    ("server", "may", "may_not"),
    [
        ("", "shares!user", "admin:users"),
        ("run-01", "access:services!service=mlflow", "shares!user"),
        ("app-board", "access:services!service=hubyard", "read:users:groups!user"),
        ("job-1", "users:activity!user", "access:services!service=hubyard"),
    ],
)
def test_a_workloads_token_may_what_its_kind_needs(configured, server, may, may_not):
    scopes = configured("").Spawner.server_token_scopes(SimpleNamespace(name=server))
    assert may in scopes
    assert may_not not in scopes


def test_the_hub_starts_while_the_platforms_database_is_silent(
    configured, monkeypatch, tmp_path
):
    """Nobody could sign in otherwise; its pages say that money is not known."""
    monkeypatch.setattr(connecting.Patient, "answer_s", 1.0)
    monkeypatch.setitem(connecting._CLIENT_LIMITS, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as mute:
        url = f"postgresql://hubyard@127.0.0.1:{mute.getsockname()[1]}/hubyard"
        state = Settings.load(tmp_path / "state")
        dataclasses.replace(state, database=url).save()
        pages = configured("").JupyterHub.template_vars
    root = SimpleNamespace(name="root", admin=True, groups=[])
    assert asyncio.run(pages["hy_home"](root)()) is None
    assert asyncio.run(pages["hy_ended"](root)()) is None
