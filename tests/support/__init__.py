"""What several tests share: real hubs, real databases, real pages."""

from pathlib import Path


def plain_workload_path() -> str:
    """The program that stands for a workload where only its process matters."""
    return str(Path(__file__).with_name("plain_workload.py"))
