"""A few of the kinds that `make models-zoo` takes all the way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from support.hub import REPOSITORY

pytestmark = pytest.mark.hub


def test_a_few_kinds_are_trained_registered_deployed_and_asked():
    command = [sys.executable, str(REPOSITORY / "tests/zoo/visit.py"), "--few"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = "served_equal=4 bad_bodies=80 server_errors=0 clear=80"
    assert done.stdout.splitlines()[-1] == f"zoo models=4 {figures}"
