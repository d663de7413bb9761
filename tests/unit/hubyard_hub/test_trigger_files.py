"""A look at files: what it finds below a home, and that it never leaves it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubyard_hub.schedules import files
from hubyard_hub.schedules.files import look
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "homes" / "ada"
    for name in ("a.csv", "data/b.csv", "data/c.csv", "data/d.txt", "data/in/e.csv"):
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return home


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("a.csv", 1),
        ("data/b.csv", 1),
        ("data/*.csv", 2),
        ("*/[bc].csv", 2),
        ("*/?.csv", 2),
        ("*/*", 4),  # what is in a folder that matches counts too
        ("data", 4),
        ("data/in", 1),
        ("*", 5),
        ("none", 0),
        ("none/*", 0),
        ("a.csv/b", 0),
        ("a.csv/*", 0),
        ("data/[", 0),
    ],
)
def test_a_path_a_glob_and_a_folder(home: Path, pattern: str, count: int):
    found = look(home, pattern)
    assert found.files == count
    assert bool(found.state) is bool(count)
    assert look(home, pattern) == found


def test_where_there_is_no_home_there_is_nothing(tmp_path: Path):
    assert look(tmp_path / "nobody", "*") == files.Look(state="", files=0, entries=0)


def rewrite(home: Path) -> None:
    (home / "data/b.csv").write_text("longer than before")


def touch(home: Path) -> None:
    os.utime(home / "data/b.csv", ns=(1, 1))


def replace(home: Path) -> None:
    """The same name, size and time, and yet another file."""
    old = (home / "data/b.csv").stat()
    fresh = home / ".fresh"
    fresh.write_text("data/x.csv")
    os.utime(fresh, ns=(old.st_atime_ns, old.st_mtime_ns))
    fresh.replace(home / "data/b.csv")


def add(home: Path) -> None:
    (home / "data/f.csv").write_text("")


def remove(home: Path) -> None:
    (home / "data/c.csv").unlink()


def rename(home: Path) -> None:
    (home / "data/c.csv").rename(home / "data/g.csv")


def deep(home: Path) -> None:
    (home / "data/in/new").mkdir()
    (home / "data/in/new/h.csv").write_text("")


@pytest.mark.parametrize(
    ("change", "glob", "folder"),
    [
        (rewrite, True, True),
        (touch, True, True),
        (replace, True, True),
        (add, True, True),
        (remove, True, True),
        (rename, True, True),
        (deep, False, True),
    ],
)
def test_what_is_a_change(
    home: Path,
    change: Callable[[Path], None],
    glob: bool,  # noqa: FBT001  a parameter of the test
    folder: bool,  # noqa: FBT001  the same
):
    before = look(home, "data/*.csv"), look(home, "data")
    change(home)
    after = look(home, "data/*.csv"), look(home, "data")
    seen = [b.state != a.state for b, a in zip(before, after, strict=True)]
    assert seen == [glob, folder]


def test_what_is_hidden_is_found_only_by_its_dot(home: Path):
    before = look(home, "*"), look(home, "data")
    (home / ".ipynb_checkpoints").mkdir()
    (home / ".ipynb_checkpoints/x.csv").write_text("")
    (home / "data/.half-written").write_text("")
    assert (look(home, "*"), look(home, "data")) != before  # a dot costs an entry
    assert (look(home, "*").state, look(home, "data").state) == (
        before[0].state,
        before[1].state,
    )
    assert look(home, "data/.half*").files == 1
    assert look(home, ".ipynb_checkpoints").files == 1
    assert look(home, ".*").files == 1


def test_no_link_is_followed_whoever_puts_it_there(home: Path):
    other = home.parent / "bob"
    other.mkdir()
    (other / "secret.csv").write_text("bob's")
    (home / "link.csv").symlink_to(other / "secret.csv")
    (home / "inside.csv").symlink_to("a.csv")
    (home / "linked").symlink_to(other)
    (home / "up").symlink_to("..")
    (home / "data/in/out").symlink_to(other)
    for pattern in ("link.csv", "inside.csv", "linked", "linked/*", "up/bob/*", "l*"):
        assert look(home, pattern).files == 0, pattern
    assert look(home, "data").files == 4
    assert look(home, "*").files == 5
    at_home = home.with_name("linked-home")
    at_home.symlink_to(home)
    assert look(at_home, "*").files == 0


def test_what_is_no_file_waits_for_nobody(home: Path):
    os.mkfifo(home / "data/pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(home / "data/socket"))
        assert look(home, "data").files == 4
        assert look(home, "data/pipe").files == 0
        assert look(home, "data/pipe/x").files == 0


def test_names_of_any_bytes_are_names(home: Path):
    name = os.fsencode(home / "data") + b"/\xff\xfe\n.csv"
    Path(os.fsdecode(name)).write_text("")
    assert look(home, "data/*.csv").files == 3


def test_a_look_ends_though_there_is_no_end_of_files(home: Path):
    for number in range(50):
        folder = home / "many" / f"{number:02}"
        folder.mkdir(parents=True)
        for letter in "abc":
            (folder / letter).write_text("")
    whole = look(home, "many/*/*")
    assert (whole.files, whole.entries) == (150, 1 + 50 + 50 + 150 + 150)
    cut = look(home, "many/*/*", most=60)
    assert cut.files < 150
    assert 60 <= cut.entries <= 60 + 2 * 50 + 1
    assert look(home, "many", most=60).files < 150


def test_a_folder_is_looked_at_so_deep_and_no_deeper(home: Path):
    folder = home / "deep"
    for _ in range(2000 // 20):
        folder /= "x"
    folder.mkdir(parents=True)
    (folder / "file").write_text("")
    opened = len([*Path("/proc/self/fd").iterdir()])
    assert look(home, "deep").files == 0
    assert len([*Path("/proc/self/fd").iterdir()]) == opened


def test_a_glob_that_is_hard_to_match_costs_no_time(home: Path):
    (home / ("a" * 200)).write_text("")
    pattern = "*a" * 60 + "b"

    def match() -> int:
        return look(home, pattern).files

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(match).result(timeout=PATIENCE_S) == 0
