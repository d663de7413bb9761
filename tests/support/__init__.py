"""What several tests share: real hubs, real databases, real pages."""

import os
from pathlib import Path

COVERAGE = "COVERAGE_PROCESS_CONFIG"
"""Where coverage tells the processes of a test how they are measured."""


def plain_workload_path() -> str:
    """The program that stands for a workload where only its process matters."""
    return str(Path(__file__).with_name("plain_workload.py"))


def coverage_environment() -> dict[str, str]:
    """What lets a process be measured that is given an environment of its own."""
    return {COVERAGE: os.environ[COVERAGE]} if COVERAGE in os.environ else {}
