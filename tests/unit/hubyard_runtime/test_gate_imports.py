"""Every workload pays for what the gate imports."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"mlflow", "pandas", "numpy", "sqlalchemy", "tornado", "jupyterhub", "fastapi"}


def test_the_gate_imports_nothing_heavy():
    code = "import sys, hubyard_runtime.gate; print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(ended.stdout.split())
    assert "hubyard.client" not in ended.stdout.split()
