"""What is adopted of what a killed supervisor has left: only what has not changed."""

import dataclasses

import pytest

from hubyard_hub.up.adoption import made_of
from hubyard_hub.up.processes import processes
from support.platform import settings_in


@pytest.fixture
def digest(tmp_path):
    """The digest of the hub, of settings that are changed."""

    def digest(**changes):
        settings = dataclasses.replace(settings_in(tmp_path), **changes)
        return made_of(processes(settings)[-1], settings)

    return digest


def test_a_process_is_made_of_the_same_in_another_terminal(digest, monkeypatch):
    before = digest()
    monkeypatch.setenv("SSH_TTY", "/dev/pts/7")
    monkeypatch.setenv("COLUMNS", "81")
    assert digest() == before


def test_other_settings_make_another_process(digest):
    assert digest(late_minutes=16) != digest()


@pytest.mark.parametrize("name", ["HUBYARD_ANY", "PYTHONPATH", "NODE_OPTIONS"])
def test_a_variable_that_it_reads_makes_another_process(digest, monkeypatch, name):
    before = digest()
    monkeypatch.setenv(name, "changed")
    assert digest() != before


def test_the_deployments_own_file_makes_another_process(digest, monkeypatch, tmp_path):
    extra = tmp_path / "hub.py"
    extra.write_text("c = 1")
    monkeypatch.setenv("HUBYARD_HUB_CONFIG", str(extra))
    before = digest()
    extra.write_text("c = 12")
    assert digest() != before
