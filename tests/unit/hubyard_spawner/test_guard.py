"""What of the platform a workload finds read-only, where the hub runs as root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hubyard_spawner.local import shim
from hubyard_spawner.local.folder import Folder, spec_text
from hubyard_spawner.local.guard import read_only_folders
from support.lines import made
from support.patience import PATIENCE_S

MAY_MOUNT = (
    os.geteuid() == 0
    and subprocess.run(
        ["unshare", "-m", "true"], check=False, capture_output=True
    ).returncode
    == 0
)
WRITES = """
import os, sys
for path in sys.argv[1:]:
    try:
        open(os.path.join(path, "new"), "w").close()
        print("wrote", path)
    except OSError as error:
        print(error.strerror, path)
"""


def ran(path, read_only, *arguments):
    """The log of a workload that tries to write into each of some folders."""
    folder = Folder(path)
    made(folder)
    spec = {
        "cmd": [sys.executable, "-c", WRITES, *map(str, arguments)],
        "cages": [],
        "cpus": 1,
        "memory": None,
        "grace_s": 1,
        "read_only": read_only,
    }
    with folder.log.open("ab") as log:
        subprocess.run(
            [sys.executable, "-I", "-S", shim.__file__, str(path), spec_text(spec)],
            stdout=log,
            stderr=log,
            timeout=PATIENCE_S,
            check=True,
        )
    return folder.tail().splitlines()


@pytest.mark.skipif(not MAY_MOUNT, reason="this user may not mount")
def test_the_platforms_folders_are_read_only_for_a_workload_alone(tmp_path):
    guarded, other = tmp_path / "env", tmp_path / "other"
    (guarded / "lib").mkdir(parents=True)
    other.mkdir()
    said = ran(tmp_path / "w", [str(guarded)], guarded, guarded / "lib", other)
    assert said == [
        f"Read-only file system {guarded}",
        f"Read-only file system {guarded / 'lib'}",
        f"wrote {other}",
    ]
    (guarded / "new").write_text("by the platform itself")


def test_a_workload_starts_where_nothing_can_be_mounted(tmp_path):
    said = ran(tmp_path / "w", [str(tmp_path / "not-there")], tmp_path)
    assert "the platform's environment is not read-only" in said[0]
    assert said[1] == f"wrote {tmp_path}"


def test_only_root_guards_and_never_a_folder_that_must_be_written(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert read_only_folders(tmp_path) == []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert read_only_folders(tmp_path) == [str(Path(sys.prefix).resolve())]
    assert read_only_folders(Path(sys.prefix) / "state" / "homes") == []
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    (site,) = read_only_folders(tmp_path)
    assert site.endswith("site-packages")
