"""Which notebook a kernel runs, and how its owner knows it."""

import subprocess
from pathlib import Path

import mlflow.tracking  # noqa: F401  imports our context by itself
import pytest

from hubyard.tracking.context import HubyardContext
from hubyard.tracking.notebook import git_commit, notebook_path, notebook_stem


@pytest.fixture(autouse=True)
def nobody_says(monkeypatch):
    for name in ("HUBYARD_NOTEBOOK", "JPY_SESSION_NAME", "HUBYARD_ENTRY"):
        monkeypatch.delenv(name, raising=False)


def test_a_kernel_without_a_notebook_says_so():
    assert notebook_path() is None
    assert notebook_stem() == "notebook"
    assert "hubyard.notebook" not in HubyardContext().tags()


@pytest.mark.parametrize("name", ["HUBYARD_NOTEBOOK", "JPY_SESSION_NAME"])
def test_a_name_is_taken_from_where_the_kernel_stands(monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, "sub/train.ipynb")
    assert notebook_path() == tmp_path / "sub" / "train.ipynb"
    monkeypatch.setenv(name, "/srv/train.ipynb")
    assert notebook_path() == Path("/srv/train.ipynb")
    assert notebook_stem() == "train"


def test_its_owner_knows_it_below_their_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for path, shown in (
        (tmp_path / "sub" / "train.ipynb", "sub/train.ipynb"),
        (Path("/srv/train.ipynb"), "train.ipynb"),
    ):
        monkeypatch.setenv("HUBYARD_NOTEBOOK", str(path))
        assert HubyardContext().tags()["hubyard.notebook"] == shown


def test_a_folder_under_git_has_its_revision(tmp_path):
    def git(*words):
        who = ("-c", "user.name=ana", "-c", "user.email=ana@example.org")
        command = ["git", "-C", str(tmp_path), *who, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init")
    git("commit", "--allow-empty", "--message", "Begin")
    assert git_commit(tmp_path / "train.ipynb") == git("rev-parse", "HEAD")


def test_a_folder_without_a_revision_has_none(monkeypatch, tmp_path):
    assert git_commit(tmp_path / "a.ipynb") is None
    monkeypatch.setenv("PATH", "")
    assert git_commit(tmp_path / "b.ipynb") is None
    assert git_commit(None) is None
