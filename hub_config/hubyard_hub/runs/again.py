"""Again: which step runs of an earlier run are taken over, when it is run once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.contract.errors import Conflict, Invalid, NotFound
from hubyard.contract.layout import PACKED_OUTPUTS
from hubyard.contract.run import StepStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hubyard.contract.pipeline import StepPlan
    from hubyard.contract.run import ResumeRequest, StepRecord
    from hubyard_hub.sources.entry import Entry

_GOOD = {StepStatus.SUCCEEDED, StepStatus.SKIPPED}


def again(
    entry: Entry,
    ended: Sequence[StepRecord],
    request: ResumeRequest,
    has: Callable[[str, str], bool],
) -> list[StepRecord]:
    """The step runs to take over; the others run.

    Args:
        entry: what runs now.
        ended: the step runs of the earlier run.
        request: what shall run again.
        has: whether a step run has handed in a file of that name.

    Raises:
        NotFound: there is no such step.
        Conflict: nothing is left to run again.
    """
    names = [plan.name for plan in entry.steps]
    if request.step is not None and request.step not in names:
        known = ", ".join(names)
        raise NotFound(f"There is no step {request.step!r}: write one of {known}.")
    done = {
        plan.name
        for plan in entry.steps
        if _is_done(plan, [e for e in ended if e.step == plan.name], has)
    }
    begin = {request.step} if request.step else {n for n in names if n not in done}
    if not begin:
        raise Conflict("All of its steps have succeeded: name one to run from.")
    afresh = begin | _followers(entry.steps, begin)
    if request.only:
        _check_alone(entry.steps, request.step, done)
    kept = [
        each
        for each in ended
        if each.status is StepStatus.SUCCEEDED and each.step in done - afresh
    ]
    return [each.model_copy(update={"reused": True}) for each in kept]


def _is_done(
    plan: StepPlan, runs: list[StepRecord], has: Callable[[str, str], bool]
) -> bool:
    """Whether a step has nothing left to do, and all that it gives is kept."""
    good = bool(runs) and all(each.status in _GOOD for each in runs)
    gave = (
        each.key
        for each in runs
        if each.status is StepStatus.SUCCEEDED and not plan.has_no_items(each.key)
    )
    return good and all(not plan.hands_over or has(key, PACKED_OUTPUTS) for key in gave)


def _check_alone(plans: Iterable[StepPlan], step: str | None, done: set[str]) -> None:
    """Whether one step can run by itself, on what those before it have left."""
    before = next((plan.after for plan in plans if plan.name == step), None)
    if before is None:
        raise Invalid("Name the step that shall run alone.", field="step")
    missing = [name for name in before if name not in done]
    if missing:
        raise Conflict(
            f"Step {step} takes what {missing[0]} hands over, which the run has not "
            f"kept: run from {missing[0]} on."
        )


def _followers(plans: Iterable[StepPlan], begin: set[str]) -> set[str]:
    """The steps that come after some others, directly or not; plans are in order."""
    found: set[str] = set()
    for plan in plans:
        if (begin | found) & set(plan.after):
            found.add(plan.name)
    return found
