"""A project: a folder with `hubyard.yml`, which says how its files are run.

name        what people call it
compute     the profile that its runs and apps get where nobody chooses another
data        files beside the code that are pinned with it, such as `data/*.csv`
steps       of its pipeline, where it has one and no file of its own for it
parameters  of that pipeline
environment  of the steps of that pipeline
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from hubyard.contract.base import SEVERAL, Slug, Title, Written
from hubyard.contract.pipeline import Environment, Name, PipelineFile, StepFile

PROJECT_FILE = "hubyard.yml"
MOST_PATTERNS = 200
"""Each file of a project is compared with each pattern of its data."""


class Project(Written):
    """What the project file says. A person wrote it: an unknown field is a mistake."""

    name: Title | None = None
    compute: Slug | None = None
    data: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=512)], ...],
        Field(max_length=MOST_PATTERNS),
        SEVERAL,
    ] = ()
    parameters: dict[Name, JsonValue] = Field(default_factory=dict)
    environment: Environment = Field(default_factory=dict)
    steps: dict[Slug, StepFile] = Field(default_factory=dict)

    @property
    def pipeline(self) -> PipelineFile:
        """The pipeline that stands in the project file itself."""
        return PipelineFile(
            name=self.name,
            compute=self.compute,
            parameters=self.parameters,
            environment=self.environment,
            steps=self.steps,
        )
