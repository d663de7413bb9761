"""The one client: panels, magics, the command and workloads all call Hubyard by it.

    client = Client.from_environment()
    client.compute()
    client.runs.start(RunRequest(source=digest, notebook="train.ipynb"))

Every refusal is an error of `hubyard.contract.errors`: one line that says what to do.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from hubyard.client import source
from hubyard.client.nouns import (
    Apps,
    Bell,
    Budgets,
    Channels,
    Deployments,
    Models,
    Runs,
    Schedules,
    Sources,
    checked,
)
from hubyard.client.wire import PATIENCE_S, Outside, Wire
from hubyard.contract.compute import Catalogue, Estimate, EstimateRequest
from hubyard.contract.errors import NotFound
from hubyard.contract.identity import Identity
from hubyard.contract.run import StepRecord
from hubyard.contract.spend import Spend
from hubyard.contract.tracking import Experiment, TrackedRun, TrackedRunPage
from hubyard.contract.workload import ExtensionRequest, Workload

if TYPE_CHECKING:
    from types import TracebackType

    from hubyard.contract.app import AppJob
    from hubyard.contract.deployment import DeploymentJob
    from hubyard.contract.run import ReuseRequest, RunJob, RunRecord
    from hubyard.contract.usage import ActivityReport

    J = TypeVar("J", RunJob, DeploymentJob, AppJob)

__all__ = ["Client", "Outside"]

_CONTENT_TYPES = {
    "notebook": "application/x-ipynb+json",
    "report": "text/html",
    "outputs": "application/gzip",
}


class Client:
    """All that a token may ask of the platform."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.sources = Sources(wire)
        self.runs = Runs(wire)
        self.schedules = Schedules(wire)
        self.models = Models(wire)
        self.deployments = Deployments(wire)
        self.apps = Apps(wire)
        self.budgets = Budgets(wire)
        self.bell = Bell(wire)
        self.channels = Channels(wire)

    @classmethod
    def from_environment(cls, patience_s: float = PATIENCE_S) -> Self:
        """The client of the workload that this process runs in.

        Raises:
            Outside: this process runs in no workload, and no variable says where
                Hubyard is.
        """
        return cls(Wire.from_environment(patience_s))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._wire.close()

    # -- for people ------------------------------------------------------------------

    def me(self) -> Identity:
        """Who the platform takes you for."""
        return self._wire.get("me", Identity)

    def compute(self) -> Catalogue:
        """The compute that you may use, and its prices."""
        return self._wire.get("compute", Catalogue)

    def estimate(
        self,
        compute: str | None = None,
        lifetime_s: int | None = None,
        source: str | None = None,
    ) -> Estimate:
        """Price x time, before; of the first compute that you may use, if of none.

        The budget of the source's project is asked too, where one is named.

        Raises:
            NotFound: you may use no compute at all.
        """
        if compute is None:
            offered = self.compute().compute
            if not offered:
                raise NotFound("No compute is offered to you: ask who runs this hub.")
            compute = offered[0].name
        request = EstimateRequest(compute=compute, lifetime_s=lifetime_s, source=source)
        return self._wire.post("estimate", Estimate, request)

    def workloads(self) -> list[Workload]:
        """Your workloads that are active now."""
        return self._wire.get("workloads", list[Workload])

    def workload(self) -> Workload:
        """The workload that this token belongs to."""
        return self._wire.get("workloads/self", Workload)

    def find_workload(self, name: str) -> Workload:
        """The running workload of yours of that server name or ledger entry.

        Raises:
            NotFound: nothing of that name runs.
        """
        for workload in self.workloads():
            if name in {workload.server_name or "workspace", workload.entry_id}:
                return workload
        raise NotFound(f"Nothing called {name} runs: see `hubyard workloads`.")

    def extend(self, entry_id: str, seconds: int) -> Workload:
        """Let a running workload run longer.

        Raises:
            NotFound: no such workload runs, or it is another's.
            Conflict: its compute, or a budget, does not allow it.
        """
        wish = ExtensionRequest(seconds=seconds)
        return self._wire.post(f"workloads/{checked(entry_id)}/extend", Workload, wish)

    def spend(self) -> Spend:
        """What you have spent since the first of the month."""
        return self._wire.get("spend", Spend)

    def everybodys_spend(self) -> Spend:
        """What all have spent since the first of the month.

        Raises:
            Forbidden: you are no administrator.
        """
        return self._wire.get("spend/everybody", Spend)

    def ledger_csv(self) -> bytes:
        """Your lines of the ledger as CSV; an administrator's are everybody's."""
        return self._wire.download("ledger?format=csv")

    def experiments(self) -> list[Experiment]:
        """The experiments that you may see."""
        return self._wire.get("experiments", list[Experiment])

    def tracked_runs(
        self,
        experiment: str | None = None,
        filter: str | None = None,  # noqa: A002  MLflow's word
        page: str | None = None,
    ) -> TrackedRunPage:
        """One page of tracked runs, newest first."""
        return self._wire.get(
            "tracked-runs",
            TrackedRunPage,
            experiment=experiment,
            filter=filter,
            page=page,
        )

    def last_tracked_run(self) -> TrackedRun:
        """The newest tracked run that you may see.

        Raises:
            NotFound: nothing was tracked yet.
        """
        runs = self.tracked_runs().runs
        if not runs:
            raise NotFound("Nothing was tracked yet: train a model in a cell first.")
        return runs[0]

    def tracked_notebook(self, run_id: str) -> bytes:
        """The copy of the notebook that a tracked run was made with."""
        return self._wire.download(f"tracked-runs/{checked(run_id)}/notebook")

    # -- for workloads ---------------------------------------------------------------

    def job_activity(self, report: ActivityReport) -> None:
        """Say what the asking endpoint or app has answered, and when last."""
        body = report.model_dump_json(exclude_none=True).encode()
        self._wire.put("job/activity", body, "application/json")

    def job(self, shape: type[J]) -> J:
        """What this workload shall do."""
        return self._wire.get("job", shape)

    def job_source(self, into: Path) -> None:
        """Unpack this workload's source or model into a folder."""
        self._unpack("job/source", into)

    def job_outputs(self, key: str, into: Path) -> None:
        """Unpack what a step run of this run, or of the one before, has handed over."""
        self._unpack(f"job/steps/{key}/outputs", into)

    def reuse_step(self, key: str, wish: ReuseRequest) -> StepRecord:
        """Take over what the cache has for a step run of this run.

        Raises:
            NotFound: it has nothing.
        """
        return self._wire.post(f"job/steps/{key}/reuse", StepRecord, wish)

    def put_record(self, record: RunRecord) -> None:
        """Hand in a run's record; one older than the kept one changes nothing."""
        content = record.model_dump_json().encode()
        self._wire.put("job/record", content, "application/json")

    def put_file(self, kind: str, key: str, file: Path) -> None:
        """Hand in the `notebook`, `report` or `outputs` of a step run."""
        path = f"job/steps/{key}/{kind}"
        self._wire.put_file(path, file, _CONTENT_TYPES[kind])

    def _unpack(self, path: str, into: Path) -> None:
        with tempfile.NamedTemporaryFile(suffix=".tar.gz") as kept:
            self._wire.download_to(path, Path(kept.name))
            source.unpack(kept, into)  # pyright: ignore[reportArgumentType]  a binary file
