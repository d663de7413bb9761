"""A person's own packages: where they lie, who sees them, and what they leave alone."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from hubyard import packages
from hubyard.tracking import lock
from hubyard_spawner.workloads import KINDS
from support.hub import REPOSITORY
from support.wheels import wheel

BROKEN = "raise RuntimeError('this is not the library')"
PLATFORM = str(Path(sys.prefix))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def run(command, **environment):
    done = subprocess.run(
        [*map(str, command)],
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def install(home, *arguments):
    return run([packages.prepare(), "-m", "pip", "install", "--no-index", *arguments])


def put(name, code, version="1.0"):
    """As pip leaves it there, without its two seconds."""
    packages.prepare()
    place = packages.own_site()
    (place / f"{name}.py").write_text(code)
    info = place / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{name}.py,,\n")


def test_what_pip_installs_lies_in_the_owners_folder_and_is_seen_there_alone(
    home, tmp_path
):
    install(home, wheel(tmp_path, "hy-own", "1.0", "ANSWER = 42"))
    where = run(
        [packages.prepare(), "-P", "-c", "import hy_own; print(hy_own.__file__)"]
    )
    assert where == str(packages.own_site() / "hy_own.py")
    assert where.startswith(str(home))
    platform = subprocess.run(
        [sys.executable, "-P", "-c", "import hy_own"], check=False
    )
    assert platform.returncode != 0
    assert [each.name for each in packages.own()] == ["hy-own"]


def test_pip_leaves_the_platforms_packages_as_they_are(home, tmp_path):
    before = version("cronsim")
    said = install(home, wheel(tmp_path, "cronsim", "99.0", "NEW = True"))
    assert "outside environment" in said
    ask = "from importlib.metadata import version; print(version('cronsim'))"
    assert run([packages.prepare(), "-c", ask]) == "99.0"
    assert run([sys.executable, "-P", "-c", ask]) == before == version("cronsim")
    run([packages.prepare(), "-m", "pip", "uninstall", "--yes", "cronsim"])
    said = run([packages.prepare(), "-m", "pip", "uninstall", "--yes", "cronsim"])
    assert "outside environment" in said
    assert run([sys.executable, "-P", "-c", ask]) == before


def test_the_commands_of_a_terminal_are_the_owners(home):
    packages.prepare()
    environment = {"PATH": os.environ["PATH"]}
    packages.activate(environment)
    packages.activate(environment)
    assert environment["PATH"].count(str(home)) == 1
    for name in ("pip", "python3"):
        found = run(["sh", "-c", f"command -v {name}"], **environment)
        assert found == str(packages.folder() / "bin" / name)
    assert run(["pip", "--version"], **environment).startswith("pip ")
    own = "import sys; print(sys.prefix)"
    assert run(["python", "-c", own], **environment) == str(packages.folder())


def test_an_environment_is_mended_and_keeps_what_is_in_it(home):
    python = packages.prepare()
    put("hy_own", "ANSWER = 42")
    python.unlink()
    python.symlink_to("/nowhere/python")
    (packages.folder() / "pyvenv.cfg").write_text("home = /nowhere\n")
    seen = "import hy_own, numpy, sys; print(hy_own.ANSWER, sys.prefix)"
    assert run([packages.prepare(), "-P", "-c", seen]) == f"42 {packages.folder()}"


def test_an_app_runs_in_the_owners_python_only_where_there_is_something_in_it(home):
    assert packages.interpreter() == sys.executable
    packages.prepare()
    assert packages.interpreter() == sys.executable
    put("hy_own", "")
    assert packages.interpreter() == str(packages.prepare())


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_or_package_of_the_owner_stands_in_for_one_of_the_gates(home, kind):
    for name in ("starlette", "uvicorn", "httpx", "tornado", "pydantic"):
        put(name, BROKEN)
        (home / f"{name}.py").write_text(BROKEN)
    user_site = home / ".local/lib" / packages.own_site().parent.name / "site-packages"
    user_site.mkdir(parents=True)
    (user_site / "starlette.py").write_text(BROKEN)
    flags = KINDS[kind].cmd[:-2]
    code = f"import os; os.chdir({str(home)!r}); import hubyard_runtime.gate, tornado"
    run([*flags, "-c", code], PYTHONPATH=str(REPOSITORY / "kernels"))
    done = subprocess.run(
        [*flags, "-m", "starlette"], cwd=home, capture_output=True, check=False
    )
    assert b"not the library" not in done.stderr


def test_an_endpoint_sees_the_owners_packages_and_its_gate_the_platforms(home):
    for name in ("starlette", "uvicorn", "httpx"):
        put(name, BROKEN)
    put("hy_own", "ANSWER = 42")
    code = (
        "import hubyard_runtime.endpoint.worker, starlette, uvicorn, httpx, hy_own;"
        "print(hy_own.ANSWER, starlette.__file__)"
    )
    said = run([sys.executable, "-P", "-s", "-c", code])
    assert said.startswith(f"42 {PLATFORM}")


def test_the_lock_has_the_owners_versions_as_soon_as_they_are_there(home):
    assert lock.lock()["numpy"] == version("numpy")
    first = lock.lock_hash()
    put("numpy", "", "0.0.1")
    put("Hy.Own", "")
    assert lock.lock()["numpy"] == "0.0.1"
    assert lock.lock()["hy-own"] == "1.0"
    assert lock.lock_hash() != first


def test_a_model_needs_what_it_has_loaded_of_the_owners(home, monkeypatch):
    put("hy_own", "ANSWER = 42")
    put("hy_other", "")
    monkeypatch.syspath_prepend(str(packages.own_site()))
    import hy_own  # noqa: F401  made a moment ago

    assert lock.requirements(["scikit-learn==1"])[-1] == "hy-own==1.0"
    del sys.modules["hy_own"]


@pytest.mark.parametrize(
    ("pins", "expected"),
    [
        (["hy-own==1.0", "numpy==1", "mlflow"], []),
        (["Hy_Own[extra]==2.0 ; python_version > '3'"], [("Hy_Own", "2.0", "1.0")]),
        (["hy-own>=3", "# hy-own==3", "", "-r other.txt"], []),
    ],
)
def test_only_a_pin_that_the_owners_packages_break_is_told(home, pins, expected):
    put("hy_own", "")
    assert packages.differing(pins) == expected
