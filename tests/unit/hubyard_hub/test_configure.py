"""The hub's configuration, and a deployment's own file after it."""

import pytest
from jupyterhub.auth import Authenticator
from traitlets.config import Config

from hubyard_hub.configure import EXTRA_VARIABLE, configure
from hubyard_hub.settings import STATE_VARIABLE, Settings, shipped
from hubyard_hub.sign_in import HubyardAuthenticator
from support.pages import DOCS, Page


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
