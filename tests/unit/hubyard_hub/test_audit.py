"""The audit: it finds nothing in a true ledger, and each lie in one that was bent."""

import subprocess
import sys
from datetime import timedelta

import pytest

from hubyard.cli import main
from hubyard.contract.base import now
from hubyard.contract.workload import Kind
from hubyard_hub.money.audit import audit
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.settings import Settings, shipped
from hubyard_hub.store import Store
from hubyard_hub.store.migrations.append_only import _ACTS
from hubyard_spawner.local.folder import End, Folder
from support.lines import ended, made, opened
from support.stores import store

__all__ = ["store"]  # fixtures


@pytest.fixture
def ledger(store):
    return Ledger(store)


@pytest.fixture
def faults(store, tmp_path):
    def found():
        return audit(store, tmp_path / "workloads", now()).faults

    return found


def bend(store, statement):
    """Change what nobody can change: the database's own guard is taken off."""
    tables = ("entries", "settlements", "charges")
    with store.write() as connection:
        for table in tables:
            for act in _ACTS:
                connection.exec_driver_sql(
                    f"DROP TRIGGER IF EXISTS {table}_no_{act.lower()}"
                )
        connection.exec_driver_sql(statement)


def truth(ledger):
    """Two workloads, one after the other, and another one beside them."""
    start = now() - timedelta(hours=3)
    for kind in (Kind.WORKSPACE, Kind.APP):
        for hours in (0, 1):
            entry = opened(ledger, start + timedelta(hours=hours), kind=kind)
            ended(ledger, entry, timedelta(minutes=30))


def test_a_true_ledger_has_no_faults(ledger, faults):
    truth(ledger)
    assert faults() == ()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE entries SET number = 9 WHERE number = 4", "has number 9, not 4"),
        ("UPDATE settlements SET cost_micros = 1", "cost 1 and not 1800000 micro"),
        ("UPDATE settlements SET ended_at = 1", "ended before it started"),
        (
            "UPDATE settlements SET ended_at = ended_at + 9000000000",
            "started before ana/workspace",
        ),
        (
            "UPDATE settlements SET ended_at = ended_at + 90000000000",
            "ended in the future",
        ),
        ("UPDATE settlements SET latest_at = 1", "after the moment by which"),
        ("UPDATE deadlines SET lifetime_at = 1", "outlived its lifetime by"),
        ("DELETE FROM charges", "counts for nobody"),
        ("DELETE FROM deadlines", "has no deadline"),
    ],
)
def test_each_lie_is_found_and_named(store, ledger, faults, statement, says):
    truth(ledger)
    bend(store, statement)
    assert any(says in fault for fault in faults()), faults()


def test_a_start_before_the_last_has_ended_is_paid_twice(ledger, faults):
    opened(ledger)
    opened(ledger)
    assert any("started before" in fault for fault in faults())


@pytest.mark.parametrize("ago_s", [10, 40])
def test_what_is_open_must_run_but_for_a_moment(ledger, faults, tmp_path, ago_s):
    gone = now() - timedelta(seconds=ago_s)
    told, seen, _ = (
        opened(ledger, started_at, owner=owner)
        for owner, started_at in (
            ("ana", gone - timedelta(hours=1)),
            ("ben", gone - timedelta(hours=1)),
            ("cleo", gone),  # it starts, or never did
        )
    )
    for entry in (told, seen):
        made(Folder.of(tmp_path / "workloads", entry.id))
    end = End(code=0, ended=gone.timestamp()).model_dump_json()
    (tmp_path / "workloads" / told.id / "end.json").write_text(end)
    (tmp_path / "workloads" / seen.id / "seen").write_text(str(gone.timestamp()))
    assert len(faults()) == (3 if ago_s > 30 else 0)
    assert all(f.endswith("is open, and nothing of it runs") for f in faults())


def test_the_command_says_what_it_has_found(tmp_path, capsys):
    state = tmp_path / "state"
    settings = Settings(state=state, catalogue=shipped("compute.toml"))
    settings.save()
    store = Store(settings.database_url)
    store.migrate()
    ledger = Ledger(store)
    truth(ledger)
    assert main(["ledger", "verify", "--state", str(state)]) == 0
    assert capsys.readouterr().out == "ledger entries=4 open=0 faults=0\n"
    opened(ledger, now() - timedelta(minutes=1))
    assert main(["ledger", "verify", "--state", str(state)]) == 1
    out = capsys.readouterr().out
    assert out.endswith("ledger entries=5 open=1 faults=1\n")
    assert main(["ledger", "export", "--state", str(state)]) == 0
    assert '"number": 5' in capsys.readouterr().out
    assert main(["ledger", "export", "--csv", "--state", str(state)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
    store.close()


def test_no_hubyard_is_one_line(tmp_path, capsys):
    assert main(["ledger", "verify", "--state", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.startswith("hubyard: There is no Hubyard in ")


def test_its_help_is_quick_for_it_needs_no_database():
    code = (
        "import sys; from hubyard.cli import parser; parser(); "
        "sys.exit('sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
