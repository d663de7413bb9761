"""`hubyard up`, `status` and `down`: one machine, one command.

A small supervisor of four processes - proxy, hub, platform, mlflow - not a cluster
manager: on Kubernetes each of them is a Deployment.
"""

from __future__ import annotations

from hubyard_hub.up.commands import add_commands

__all__ = ["add_commands"]
