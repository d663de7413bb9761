"""What the local engine does without a hub: folders, the sweep, the end of all."""

import os
import signal
import stat
import subprocess
import sys
from datetime import timedelta

import pytest

from hubyard.contract.base import now
from hubyard.contract.entry import Deadline, EndReason
from hubyard_spawner.local import shim
from hubyard_spawner.local.folder import Folder, spec_text
from hubyard_spawner.local.limits import Ladder
from hubyard_spawner.local.spawner import home_of, make_home, settle, stop_all, sweep
from hubyard_spawner.meter import MemoryMeter
from support import lines
from support.lines import made
from support.patience import PATIENCE_S


@pytest.fixture
def ladder(tmp_path):
    return Ladder(tmp_path / "no-cgroups")


@pytest.fixture
def meter():
    return MemoryMeter()


def opened(meter, age_s=0):
    return lines.opened(meter, now() - timedelta(seconds=age_s))


def launched(workloads, entry, code="import time; time.sleep(60)"):
    folder = Folder.of(workloads, entry.id)
    made(folder)
    spec = {"cmd": [sys.executable, "-c", code], "cages": [], "cpus": 1}
    text = spec_text({**spec, "memory": None, "grace_s": 1})
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", shim.__file__, str(folder.path), text],
        env={**os.environ, "HUBYARD_ENTRY": entry.id},
        start_new_session=True,
    )
    while folder.shim() is None:
        assert process.poll() is None
    return folder, process


@pytest.mark.parametrize(
    "name", ["ана" * 33, "n" * 255, "😀" * 63, "..", "a.b", "a%b", "corp\\ana", "a;b c"]
)
def test_a_name_of_any_letters_and_length_has_a_home_of_its_own(tmp_path, name):
    homes = [home_of(tmp_path, each) for each in (name, name[:-1] + "x")]
    for home in homes:
        make_home(home, None)
        assert home.parent == tmp_path
    assert len(list(tmp_path.iterdir())) == len(homes)


def test_a_new_home_holds_the_skeleton_and_is_private(tmp_path):
    skeleton = tmp_path / "skeleton"
    (skeleton / "flights" / "__pycache__").mkdir(parents=True)
    (skeleton / "flights" / "train.ipynb").write_text("{}")
    home = tmp_path / "homes" / "ana"
    make_home(home, skeleton)
    assert (home / "flights" / "train.ipynb").read_text() == "{}"
    assert not (home / "flights" / "__pycache__").exists()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_home_that_is_there_is_left_alone(tmp_path):
    home = tmp_path / "ana"
    make_home(home, None)
    (home / "mine").write_text("kept")
    make_home(home, None)
    assert [path.name for path in tmp_path.iterdir()] == ["ana"]
    assert (home / "mine").read_text() == "kept"


def test_the_sweep_settles_the_dead_and_leaves_the_living_and_the_young(
    tmp_path, meter, ladder
):
    living, dead, young = opened(meter, 60), opened(meter, 60), opened(meter)
    _, process = launched(tmp_path, living)
    _, other = launched(tmp_path, dead)
    other.send_signal(signal.SIGKILL)
    other.wait(PATIENCE_S)
    assert sweep(meter, ladder, tmp_path, older_than_s=30) == 1
    assert meter.settlements[dead.id].reason is EndReason.KILLED
    assert meter.open_entries() == [living, young]
    process.terminate()
    process.wait(PATIENCE_S)


@pytest.mark.parametrize("ended", ["1e300", "NaN", "-1", '"x"'])
def test_a_record_that_says_no_time_holds_up_no_other(tmp_path, meter, ladder, ended):
    broken, dead = opened(meter, 60), opened(meter, 60)
    for entry in (broken, dead):
        made(Folder.of(tmp_path, entry.id))
    record = f'{{"code": 0, "ended": {ended}}}'
    (Folder.of(tmp_path, broken.id).path / "end.json").write_text(record)
    assert sweep(meter, ladder, tmp_path, older_than_s=30) == 2
    assert meter.open_entries() == []


def test_stop_all_ends_every_living_workload(tmp_path, meter, ladder):
    entry = opened(meter)
    folder, process = launched(tmp_path, entry)
    assert stop_all(tmp_path) == 1
    process.wait(PATIENCE_S)
    assert folder.end().reason is EndReason.STOPPED
    assert stop_all(tmp_path) == 0
    assert settle(meter, ladder, tmp_path, entry).exact


def test_a_lifetime_that_was_over_stands_over_a_stop(tmp_path, meter, ladder):
    entry = opened(meter)
    folder, process = launched(tmp_path, entry)
    folder.set_deadline(Deadline(at=now(), reason=EndReason.LIFETIME))
    process.wait(PATIENCE_S)
    settled = settle(meter, ladder, tmp_path, entry, EndReason.STOPPED)
    assert settled.reason is EndReason.LIFETIME
