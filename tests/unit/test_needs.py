"""A test run says what the machine lacks; where nothing may be left out, it fails."""

import os
import subprocess
import sys

import pytest

from support import needs
from support.hub import REPOSITORY

_TESTS = """
from support import needs

def test_of_a_page(): needs.lacking(needs.BROWSER)
def test_of_another(): needs.lacking(needs.BROWSER)
def test_of_rows(): needs.lacking(needs.POSTGRES)
def test_of_nothing(): pass
"""


def run_of_tests(folder, *options, **environment):
    (folder / "test_few.py").write_text(_TESTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    kept = {k: v for k, v in os.environ.items() if k != "CI" and "PYTEST" not in k}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "conftest", *options, str(folder)],
        env={**kept, "PYTHONPATH": str(REPOSITORY / "tests"), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("--numprocesses=2",)])
def test_the_last_lines_say_what_is_lacking_and_what_was_not_run(tmp_path, options):
    done = run_of_tests(tmp_path, *options)
    assert done.returncode == 0, done.stdout
    assert set(done.stdout.splitlines()[-2:]) == {
        f"The machine lacks {needs.BROWSER}: 2 skipped.",
        f"The machine lacks {needs.POSTGRES}: 1 skipped.",
    }


def test_where_ci_is_set_nothing_may_be_left_out(tmp_path):
    assert run_of_tests(tmp_path, CI="true").returncode == 1
    assert run_of_tests(tmp_path, "-k", "nothing", CI="true").returncode == 0
