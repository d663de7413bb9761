"""What one may ask of each noun; one method a route."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar
from urllib.parse import quote

from hubyard.client import source
from hubyard.contract.app import App, AppRequest, Share
from hubyard.contract.budget import Budget, BudgetChange, BudgetRequest, Scope
from hubyard.contract.calendar import Calendar
from hubyard.contract.compute import Estimate
from hubyard.contract.deployment import (
    Deployment,
    DeploymentRequest,
    Key,
    KeyRequest,
)
from hubyard.contract.errors import NotFound, Unavailable
from hubyard.contract.notice import (
    Channel,
    ChannelRequest,
    Delivery,
    Notices,
    SeenRequest,
    Trial,
)
from hubyard.contract.run import ResumeRequest, Run, RunDetail, RunRequest
from hubyard.contract.schedule import (
    Backfill,
    BackfillRequest,
    NewSchedule,
    Preview,
    PreviewRequest,
    Schedule,
    ScheduleChange,
    ScheduleRequest,
)
from hubyard.contract.source import Comparison, NotebookSource, Source
from hubyard.contract.tracking import Model, ModelVersion, RegisterRequest
from hubyard.contract.workload import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from hubyard.client.wire import Wire

W = TypeVar("W", RunDetail, Deployment, App)

_SETTLED = {Status.READY, Status.SUCCEEDED, Status.FAILED, Status.STOPPED}
_POLL_S = 0.5
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]*")


class _Noun:
    _called: ClassVar[str] = ""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def _at(self, id_: str, *act: str) -> str:
        """The path of the one with an id, which may come from a person."""
        return "/".join((self._called, checked(id_, self._called), *act))


def checked(id_: str, called: str = "tracked runs") -> str:
    """An id that may stand in a path: no other call can hide in it.

    Raises:
        NotFound: nothing can have this id.
    """
    if not _ID.fullmatch(id_):
        raise NotFound(f"{id_[:40]!r} is no id: list the {called} to see theirs.")
    return id_


def _wait(
    ask: Callable[[], W], told: Callable[[W], None] | None, timeout_s: float
) -> W:
    """Ask until the workload is up or has ended; `told` hears of each answer.

    A platform that is away for a while, as while it starts anew, is asked again.

    Raises:
        Unavailable: neither came in time, or the platform was away at its end.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            answer = ask()
        except Unavailable as error:
            late = error
        else:
            if told is not None:
                told(answer)
            if answer.status in _SETTLED:
                return answer
            late = Unavailable(
                f"{answer.name} is still {answer.status}: look again later."
            )
        if time.monotonic() > deadline:
            raise late
        time.sleep(_POLL_S)


class Sources(_Noun):
    """Pinned sources."""

    def upload(self, file: Path | str) -> Source:
        """Pack the file of an app with what belongs to it, and hand it in."""
        file = Path(file)
        if file.suffix == ".ipynb":
            return self._upload_from(source.root_of(file), file)
        return self._wire.upload("sources", source.pack(file), Source)

    def upload_notebook(
        self, file: Path | str, name: str | None = None
    ) -> NotebookSource:
        """The same for a notebook, a script or a pipeline, with its parameters.

        Args:
            file: what a run shall execute.
            name: that the file has within an earlier source, if it is to keep it.
        """
        file = Path(file)
        root = source.root_by_name(file, name) if name else source.root_of_run(file)
        return self._upload_from(root, file)

    def _upload_from(self, root: Path, file: Path) -> NotebookSource:
        packed, name = source.pack(file, root), source.name_of(file, root)
        return self._wire.upload("sources", packed, NotebookSource, notebook=name)

    def compare(self, before: str, after: str) -> Comparison:
        """Which files are not alike in two of your sources, and how."""
        return self._wire.get(f"sources/{before}/diff/{after}", Comparison)


class Runs(_Noun):
    """Runs of notebooks."""

    _called = "runs"

    def start(self, request: RunRequest) -> Run:
        """Run a notebook once, now."""
        return self._wire.post("runs", Run, request)

    def preview(self, request: RunRequest) -> Estimate:
        """What a run would cost at most; refused where the run would be."""
        return self._wire.post("runs/preview", Estimate, request)

    def list(self, schedule: str | None = None) -> list[Run]:
        """Runs that have not ended, then the newest hundred that have."""
        return self._wire.get("runs", list[Run], schedule=schedule)

    def get(self, run_id: str) -> RunDetail:
        """One run with its step runs and their cells."""
        return self._wire.get(self._at(run_id), RunDetail)

    def stop(self, run_id: str) -> Run:
        """Stop a run."""
        return self._wire.post(self._at(run_id, "stop"), Run)

    def delete(self, run_id: str) -> None:
        """Forget a run that has ended."""
        self._wire.delete(self._at(run_id))

    def log(self, run_id: str) -> str:
        """What its process printed."""
        return self._wire.download(self._at(run_id, "log")).decode(errors="replace")

    def resume(self, run_id: str, request: ResumeRequest | None = None) -> Run:
        """Run again what failed and what follows it; the rest is taken over."""
        path = self._at(run_id, "resume")
        return self._wire.post(path, Run, request or ResumeRequest())

    def notebook(self, run_id: str, step: str | None = None) -> bytes:
        """The executed notebook of a step run; None: of the one that tells most."""
        return self._wire.download(self._of_step(run_id, "notebook", step))

    def report(self, run_id: str, step: str | None = None) -> bytes:
        """The executed notebook as HTML."""
        return self._wire.download(self._of_step(run_id, "report", step))

    def _of_step(self, run_id: str, name: str, step: str | None) -> str:
        query = f"?step={quote(step, safe='')}" if step else ""
        return self._at(run_id, name) + query

    def wait(
        self,
        run_id: str,
        told: Callable[[RunDetail], None] | None = None,
        timeout_s: float = 7 * 86_400,
    ) -> RunDetail:
        """Wait for the end of a run."""
        return _wait(lambda: self.get(run_id), told, timeout_s)


class Schedules(_Noun):
    """Schedules."""

    _called = "schedules"

    def preview(self, request: PreviewRequest) -> Preview:
        """What a schedule would do and cost."""
        return self._wire.post("schedules/preview", Preview, request)

    def create(self, request: ScheduleRequest) -> NewSchedule:
        """Make a schedule; the secret of its webhook is shown this once."""
        return self._wire.post("schedules", NewSchedule, request)

    def list(self) -> list[Schedule]:
        """Your schedules."""
        return self._wire.get("schedules", list[Schedule])

    def calendar(
        self, first: date | None = None, days: int = 7, time_zone: str = "UTC"
    ) -> Calendar:
        """What ran and what comes due, day by day from the first, or from today."""
        return self._wire.get(
            "calendar",
            Calendar,
            first=first and first.isoformat(),
            days=str(days),
            time_zone=time_zone,
        )

    def get(self, schedule_id: str) -> Schedule:
        """One schedule."""
        return self._wire.get(self._at(schedule_id), Schedule)

    def change(self, schedule_id: str, change: ScheduleChange) -> Schedule:
        """Pause, resume or change a schedule."""
        return self._wire.patch(self._at(schedule_id), Schedule, change)

    def run(self, schedule_id: str) -> Run:
        """Run it once, now."""
        return self._wire.post(self._at(schedule_id, "run"), Run)

    def backfill(self, schedule_id: str, request: BackfillRequest) -> Backfill:
        """Start a run for each due time of the past that has none."""
        return self._wire.post(self._at(schedule_id, "backfill"), Backfill, request)

    def delete(self, schedule_id: str) -> None:
        """End a schedule; its past runs stay, those that wait never begin."""
        self._wire.delete(self._at(schedule_id))


class Bell(_Noun):
    """What you were told."""

    def list(self) -> Notices:
        """Your newest notices, and how many you have not seen."""
        return self._wire.get("notices", Notices)

    def see(self, ids: tuple[str, ...] | None = None) -> Notices:
        """Say which of them you have seen; of all, where none is named."""
        return self._wire.post("notices/seen", Notices, SeenRequest(ids=ids))


class Channels(_Noun):
    """The ways that notices leave Hubyard by; administrators define them."""

    _called = "channels"

    def list(self) -> list[Channel]:
        """The channels that there are."""
        return self._wire.get("channels", list[Channel])

    def put(self, name: str, request: ChannelRequest) -> Channel:
        """Define one, or define it anew."""
        return self._wire.set(self._at(name), Channel, request)

    def try_out(self, name: str) -> Trial:
        """Send a message that only tries it."""
        return self._wire.post(self._at(name, "trial"), Trial)

    def remove(self, name: str) -> None:
        """Take it away."""
        self._wire.delete(self._at(name))

    def deliveries(self) -> list[Delivery]:
        """What became of the newest notices in their channels."""
        return self._wire.get("channels/deliveries", list[Delivery])


class Models(_Noun):
    """Registered models."""

    def list(self) -> list[Model]:
        """The models that you may see."""
        return self._wire.get("models", list[Model])

    def register(self, request: RegisterRequest) -> ModelVersion:
        """Make the model of a tracked run a version."""
        return self._wire.post("models", ModelVersion, request)


class Deployments(_Noun):
    """Deployments and their endpoints."""

    _called = "deployments"

    def create(self, request: DeploymentRequest) -> Deployment:
        """Serve a version; the same wish again answers the same deployment."""
        return self._wire.post("deployments", Deployment, request)

    def list(self) -> list[Deployment]:
        """Your deployments."""
        return self._wire.get("deployments", list[Deployment])

    def get(self, deployment_id: str) -> Deployment:
        """One deployment."""
        return self._wire.get(self._at(deployment_id), Deployment)

    def start(self, deployment_id: str) -> Deployment:
        """Start its endpoint again."""
        return self._wire.post(self._at(deployment_id, "start"), Deployment)

    def stop(self, deployment_id: str) -> Deployment:
        """Stop its endpoint."""
        return self._wire.post(self._at(deployment_id, "stop"), Deployment)

    def delete(self, deployment_id: str) -> None:
        """Forget a deployment that is stopped."""
        self._wire.delete(self._at(deployment_id))

    def key(self, deployment_id: str, request: KeyRequest | None = None) -> Key:
        """A token that can call this endpoint and nothing else."""
        path = self._at(deployment_id, "keys")
        return self._wire.post(path, Key, request or KeyRequest())

    def log(self, deployment_id: str) -> str:
        """What its newest endpoint printed."""
        path = self._at(deployment_id, "log")
        return self._wire.download(path).decode(errors="replace")

    def wait(
        self,
        deployment_id: str,
        told: Callable[[Deployment], None] | None = None,
        timeout_s: float = 300,
    ) -> Deployment:
        """Wait until its endpoint is ready or has failed."""
        return _wait(lambda: self.get(deployment_id), told, timeout_s)


class Apps(_Noun):
    """Apps."""

    _called = "apps"

    def publish(self, request: AppRequest) -> App:
        """Publish a notebook or file as an app."""
        return self._wire.post("apps", App, request)

    def list(self) -> list[App]:
        """Your apps."""
        return self._wire.get("apps", list[App])

    def get(self, app_id: str) -> App:
        """One app."""
        return self._wire.get(self._at(app_id), App)

    def start(self, app_id: str) -> App:
        """Start it again."""
        return self._wire.post(self._at(app_id, "start"), App)

    def stop(self, app_id: str) -> App:
        """Stop it."""
        return self._wire.post(self._at(app_id, "stop"), App)

    def delete(self, app_id: str) -> None:
        """Forget an app that is stopped."""
        self._wire.delete(self._at(app_id))

    def share(self, app_id: str, share: Share) -> App:
        """Let a user or a group open it."""
        return self._wire.post(self._at(app_id, "shares"), App, share)

    def unshare(self, app_id: str, share: Share) -> App:
        """Take that back."""
        path = self._at(app_id, "shares")
        answer = self._wire.delete(path, user=share.user, group=share.group)
        return App.model_validate_json(answer)

    def log(self, app_id: str) -> str:
        """What its newest workload printed."""
        return self._wire.download(self._at(app_id, "log")).decode(errors="replace")

    def wait(
        self,
        app_id: str,
        told: Callable[[App], None] | None = None,
        timeout_s: float = 300,
    ) -> App:
        """Wait until it is ready or has failed."""
        return _wait(lambda: self.get(app_id), told, timeout_s)


class Budgets(_Noun):
    """Budgets: who is no administrator sees those that pay for what they start."""

    _called = "budgets"

    def list(self) -> list[Budget]:
        """The budgets, the one with the least left first."""
        return self._wire.get("budgets", list[Budget])

    def changes(self) -> list[BudgetChange]:
        """Who has set which budget to what, newest first.

        Raises:
            Forbidden: you are no administrator.
        """
        return self._wire.get("budgets/changes", list[BudgetChange])

    def set(self, scope: Scope, name: str, request: BudgetRequest) -> Budget:
        """Set what a user, group or project may spend in each month.

        Raises:
            Forbidden: you are no administrator.
        """
        return self._wire.set(self._of(scope, name), Budget, request)

    def remove(self, scope: Scope, name: str) -> None:
        """Let an account spend what it likes.

        Raises:
            Forbidden: you are no administrator.
            NotFound: it has no budget.
        """
        self._wire.delete(self._of(scope, name))

    def _of(self, scope: Scope, name: str) -> str:
        return f"budgets/{scope}/{quote(name, safe='')}"
