"""A project: a folder with `hubyard.yml`, which says how its files are run.

name      what people call it
compute   the profile that its runs and apps get where nobody chooses another
"""

from __future__ import annotations

from hubyard.contract.base import Slug, Title, Written

PROJECT_FILE = "hubyard.yml"


class Project(Written):
    """What the project file says. A person wrote it: an unknown field is a mistake."""

    name: Title | None = None
    compute: Slug | None = None
