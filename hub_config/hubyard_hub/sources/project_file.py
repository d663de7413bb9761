"""Reading `hubyard.yml`, which anybody may have written."""

from __future__ import annotations

from hubyard.contract.project import PROJECT_FILE, Project
from hubyard_hub.sources import yaml_text


def read_project(content: bytes) -> Project:
    """What a project file says.

    Raises:
        Invalid: naming the line and what to write.
    """
    return yaml_text.read(content, PROJECT_FILE).read_as(Project)
