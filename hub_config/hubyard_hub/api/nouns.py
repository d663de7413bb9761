"""The nouns that the routes call, one of each."""

from dataclasses import dataclass
from typing import Annotated, Self

from fastapi import Depends, Request

from hubyard_hub.apps.published import Apps
from hubyard_hub.models.registry import Models
from hubyard_hub.models.tracked import Tracking
from hubyard_hub.notices.book import Bell
from hubyard_hub.notices.channels import Channels
from hubyard_hub.parts import Parts
from hubyard_hub.people.departures import Departures
from hubyard_hub.people.leaving import LeavingNames
from hubyard_hub.runs.runs import Runs
from hubyard_hub.schedules.book import Schedules
from hubyard_hub.schedules.days import Days
from hubyard_hub.schedules.hooks import Hooks
from hubyard_hub.serving.deployments import Deployments
from hubyard_hub.workloads.running import Workloads


@dataclass(frozen=True)
class Nouns:
    """All that an application has to answer with."""

    parts: Parts
    runs: Runs
    schedules: Schedules
    days: Days
    hooks: Hooks
    tracking: Tracking
    models: Models
    deployments: Deployments
    apps: Apps
    workloads: Workloads
    bell: Bell
    channels: Channels
    departures: Departures
    leaving: LeavingNames

    @classmethod
    def of(cls, parts: Parts) -> Self:
        """Make the nouns of a deployment's parts."""
        return cls(
            parts=parts,
            runs=Runs(parts),
            schedules=Schedules(parts),
            days=Days(parts),
            hooks=Hooks(parts),
            tracking=Tracking(parts),
            models=Models(parts),
            deployments=Deployments(parts),
            apps=Apps(parts),
            workloads=Workloads(parts),
            bell=Bell(parts),
            channels=Channels(parts),
            departures=Departures(parts.store),
            leaving=LeavingNames(parts.store),
        )


def _nouns(request: Request) -> Nouns:
    nouns: Nouns = request.app.state.nouns
    return nouns


Asked = Annotated[Nouns, Depends(_nouns)]
