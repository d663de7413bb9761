"""Which files of a workspace are pipelines, and what is read of them."""

import os

import pytest

from hubyard_lab.pipelines import find_pipelines

PIPELINE = "name: Nightly training\nsteps:\n  fit: {script: fit.py}\n  report: {}\n"


def write(root, path, text=PIPELINE):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_pipelines_are_found_where_projects_keep_them(tmp_path):
    for path in (
        "pipelines/b.yml",
        "flights/pipelines/a.yaml",
        "a/b/c/pipelines/d.yml",
    ):
        write(tmp_path, path)
    found = find_pipelines(tmp_path)
    assert [each.path for each in found] == [
        "pipelines/b.yml",
        "flights/pipelines/a.yaml",
        "a/b/c/pipelines/d.yml",
    ]
    assert {(each.name, each.steps) for each in found} == {("Nightly training", 2)}


def test_a_project_may_hold_its_pipeline_itself(tmp_path):
    write(tmp_path, "flights/hubyard.yml")
    write(tmp_path, "hubyard.yml", "name: Mine\nsteps: {a: {}}")
    write(tmp_path, "other/hubyard.yml", "name: No pipeline")
    write(tmp_path, "empty/hubyard.yml", "steps: {}")
    found = find_pipelines(tmp_path)
    assert [each.path for each in found] == ["hubyard.yml", "flights/hubyard.yml"]
    assert [each.steps for each in found] == [1, 2]


@pytest.mark.parametrize(
    "path",
    [
        "flights/nightly.yml",
        "flights/pipelines/notes.txt",
        "flights/pipelines/below/nightly.yml",
        "flights/pipelines/.hidden.yml",
        ".hidden/pipelines/nightly.yml",
        "node_modules/pipelines/nightly.yml",
        "environment/pipelines/nightly.yml",
        "a/b/c/d/pipelines/nightly.yml",
    ],
)
def test_other_files_are_none(tmp_path, path):
    write(tmp_path, "environment/pyvenv.cfg", "")
    write(tmp_path, path)
    assert find_pipelines(tmp_path) == []


def test_no_link_or_pipe_is_read(tmp_path):
    write(tmp_path, "outside/pipelines/nightly.yml")
    home = tmp_path / "home"
    write(home, "flights/train.py", "")
    (home / "project").symlink_to(tmp_path / "outside")
    (home / "pipelines").symlink_to(tmp_path / "outside" / "pipelines")
    (home / "hubyard.yml").symlink_to(
        tmp_path / "outside" / "pipelines" / "nightly.yml"
    )
    (home / "flights" / "pipelines").mkdir()
    (home / "flights" / "pipelines" / "nightly.yml").symlink_to(
        tmp_path / "outside" / "pipelines" / "nightly.yml"
    )
    os.mkfifo(home / "flights" / "hubyard.yml")
    os.mkfifo(home / "flights" / "pipelines" / "pipe.yml")
    assert find_pipelines(home) == []
    assert find_pipelines(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("text", "name", "steps"),
    [
        ("", "nightly", None),
        ("- a\n- b\n", "nightly", None),
        ("name: 5\nsteps: []\n", "nightly", None),
        ("name: ' '\nsteps: {a: {}}\n", "nightly", 1),
        ("name: [", "nightly", None),
        ("\x00", "nightly", None),
        ("[" * 5000, "nightly", None),
        ("day: 2026-99-99\n", "nightly", None),
        ("name: N\n" + "# long\n" * 20_000, "N", None),
    ],
)
def test_what_cannot_be_read_is_shown_all_the_same(tmp_path, text, name, steps):
    write(tmp_path, "pipelines/nightly.yml", text)
    (found,) = find_pipelines(tmp_path)
    assert (found.name, found.steps) == (name, steps)
