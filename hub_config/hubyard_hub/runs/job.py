"""A job: what a run is told to do, made of its row and its pinned source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.contract.errors import Invalid
from hubyard.contract.pipeline import is_pipeline
from hubyard.contract.run import RunJob, StepRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hubyard.contract.pipeline import StepPlan
    from hubyard_hub.sources.entry import Entry
    from hubyard_hub.workloads.wishes import Row
    from hubyard_spawner.catalogue import Catalogue


def job_of(
    row: Row, entry: Entry, catalogue: Catalogue, reused: Sequence[StepRecord]
) -> RunJob:
    """What a run of an entry shall do."""
    given = row["parameters"]
    defaults = {each.name: each.default for each in entry.parameters}
    return RunJob(
        run_id=row["id"],
        name=row["name"],
        schedule_id=row["schedule_id"],
        notebook=row["notebook"],
        source=row["source"],
        parameters={**defaults, **given} if is_pipeline(row["notebook"]) else given,
        steps=tuple(
            _for_run(step, entry, catalogue, row)
            for step in entry.steps
            if _is_wished(step, row, reused)
        ),
        reused=tuple(reused),
    )


def _for_run(step: StepPlan, entry: Entry, catalogue: Catalogue, row: Row) -> StepPlan:
    """A step with its share of the run's compute, and what the run says of it."""
    profile = catalogue.named(entry.shares.get(step.name))
    share = {"cores": profile.cpu, "memory_bytes": profile.memory} if profile else {}
    limit_s = step.cell_timeout_s or row["cell_timeout_s"]
    said = {"cell_timeout_s": limit_s, "cache": step.cache and not row["fresh"]}
    return step.model_copy(update={**share, **said})


def _is_wished(step: StepPlan, row: Row, reused: Sequence[StepRecord]) -> bool:
    """All steps; where one shall run alone, that one and those taken over."""
    only = row["only_step"]
    return only is None or step.name == only or any(e.step == step.name for e in reused)


def check_shares(
    catalogue: Catalogue, entry: Entry, compute: str, groups: Collection[str]
) -> None:
    """Whether each step's compute fits into that of the run.

    Raises:
        Invalid, Forbidden: a step asks for compute that is not there, or is larger.
    """
    whole = catalogue.choose(compute, groups)
    for step, wished in entry.shares.items():
        share = catalogue.choose(wished, groups)
        if share.cpu > whole.cpu or share.memory > whole.memory:
            raise Invalid(
                f"Step {step} asks for {share.name}, which is more than {whole.name}, "
                "the compute of the run: choose larger compute for the run.",
                field="compute",
            )
