"""The DAG: what becomes of each step next, decided from the record and outputs alone.

A step waits until every step that it comes after has ended. It does not run where one
of those has failed; it is skipped where its condition does not hold, or where it takes
an output of a step that was skipped. A step that fans out over nothing has succeeded:
the list of its outputs is empty. A condition on the item leaves items out, any other
one decides about the whole step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.contract import run_record, step_run
from hubyard.contract.expression import (
    EACH,
    Condition,
    Reference,
    part_of,
    references,
    resolve,
)
from hubyard.contract.pipeline import items_of
from hubyard.contract.run import FailureReason, RunFailure, StepStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from pydantic import JsonValue

    from hubyard.contract.pipeline import StepPlan
    from hubyard.contract.run import RunRecord, StepRecord

_GOOD = {StepStatus.SUCCEEDED, StepStatus.SKIPPED}


class Dag:
    """The steps of one run, and how they follow one another."""

    def __init__(
        self,
        plans: Sequence[StepPlan],
        parameters: Mapping[str, JsonValue],
        reused: Sequence[StepRecord],
        outputs: Callable[[str], Mapping[str, JsonValue]],
    ) -> None:
        """Take the plan of a run.

        Args:
            plans: its steps, each after all that it waits for.
            parameters: of the pipeline.
            reused: step runs that are taken over from an earlier run.
            outputs: what a step run has handed over, by its key.
        """
        self.plans = {plan.name: plan for plan in plans}
        self._parameters = parameters
        self._reused = {each.key: each for each in reused}
        self._outputs = outputs

    def first(self) -> list[StepRecord]:
        """The steps before anything has become of them."""
        return [step_run.waiting(plan) for plan in self.plans.values()]

    def settled(self, record: RunRecord, at: datetime) -> RunRecord:
        """The record with all that follows from what has ended: nothing is started."""
        for name in self.plans:  # in their order: one pass is enough
            for each in self._of(record, name):
                if each.status is StepStatus.WAITING and self._is_free(record, name):
                    record = self._settle(record, each, at)
        return record

    def ready(self, record: RunRecord) -> list[StepRecord]:
        """The step runs that may begin; `settled` has seen the record."""
        return [
            each
            for each in record.steps
            if each.status is StepStatus.WAITING and self._is_free(record, each.step)
        ]

    def values(self, record: RunRecord, each: StepRecord) -> dict[str, JsonValue]:
        """The parameters of a step run, with what their references stand for.

        Raises:
            ValueError: one of them names nothing.
        """
        plan = self.plans[each.step]
        look = self._look(record, each.item)
        return {name: resolve(v, look) for name, v in plan.parameters.items()}

    # -- one step --------------------------------------------------------------------

    def _settle(self, record: RunRecord, each: StepRecord, at: datetime) -> RunRecord:
        plan = self.plans[each.step]
        before = [e for name in plan.after for e in self._of(record, name)]
        if any(e.status not in _GOOD for e in before):
            return run_record.put(record, step_run.left_out(each, StepStatus.NOT_RUN))
        if any(self._was_skipped(record, name) for name in _taken(plan)):
            return run_record.put(record, step_run.left_out(each, StepStatus.SKIPPED))
        try:
            runs = self._fan_out(record, each, plan)
        except ValueError as error:
            return run_record.put(record, _bad(each, at, str(error)))
        return run_record.expanded(record, each.key, runs) if runs != [each] else record

    def _fan_out(
        self, record: RunRecord, each: StepRecord, plan: StepPlan
    ) -> list[StepRecord]:
        """The step runs of a step: itself alone, or one for each item."""
        if plan.each is None or each.key != plan.name:
            return [self._decided(record, each, plan)]
        if not _is_by_item(plan) and not self._holds(record, each, plan):
            return [step_run.left_out(each, StepStatus.SKIPPED)]
        items = items_of(resolve(plan.each, self._look(record, None)), plan.name)
        if not items:
            return [step_run.without_items(each)]
        return [
            self._decided(
                record, step_run.waiting(plan, f"{plan.name}.{n}", item), plan
            )
            for n, item in enumerate(items)
        ]

    def _decided(
        self, record: RunRecord, run: StepRecord, plan: StepPlan
    ) -> StepRecord:
        """A step run as it was in an earlier run, or skipped; else as it is."""
        earlier = self._reused.get(run.key)
        if earlier is not None and earlier.item == run.item:
            return earlier
        holds = self._holds(record, run, plan)
        return run if holds else step_run.left_out(run, StepStatus.SKIPPED)

    def _holds(self, record: RunRecord, run: StepRecord, plan: StepPlan) -> bool:
        """Whether the condition of a step lets a step run begin."""
        if plan.when is None:
            return True
        return Condition.parse(plan.when).holds(self._look(record, run.item))

    # -- what references stand for -----------------------------------------------------

    def _look(
        self, record: RunRecord, item: JsonValue
    ) -> Callable[[Reference], JsonValue]:
        def look(reference: Reference) -> JsonValue:
            if reference.of == EACH:
                return part_of(item, reference)
            if reference.part is None:
                return self._parameters[reference.of]
            return self._taken_from(record, reference)

        return look

    def _taken_from(self, record: RunRecord, reference: Reference) -> JsonValue:
        """An output of a step; of one that has fanned out, the list of them all."""
        plan = self.plans[reference.of]
        found = [
            self._handed(run, reference)
            for run in self._of(record, reference.of)
            if run.status is StepStatus.SUCCEEDED and not plan.has_no_items(run.key)
        ]
        return found if plan.each is not None else found[0]

    def _handed(self, run: StepRecord, reference: Reference) -> JsonValue:
        handed = self._outputs(run.key)
        plan = self.plans[run.step]
        is_item = reference.part == EACH and EACH not in plan.outputs
        if is_item and plan.each is not None:
            return run.item
        if reference.part not in handed:
            raise ValueError(f"{reference}: {run.key} has not handed it over")
        return handed[str(reference.part)]

    def _of(self, record: RunRecord, name: str) -> list[StepRecord]:
        return [each for each in record.steps if each.step == name]

    def _is_free(self, record: RunRecord, name: str) -> bool:
        after = self.plans[name].after
        return all(e.status.is_final for n in after for e in self._of(record, n))

    def _was_skipped(self, record: RunRecord, name: str) -> bool:
        """Whether all of it was; one whose items were all left out has its list."""
        runs = self._of(record, name)
        is_whole = all(run.key == name for run in runs)
        return is_whole and all(run.status is StepStatus.SKIPPED for run in runs)


def _taken(plan: StepPlan) -> set[str]:
    """The steps whose outputs a step takes."""
    where = [plan.parameters, plan.each, plan.when or ""]
    found = (reference for value in where for reference in references(value))
    return {r.of for r in found if r.part is not None and r.of != EACH}


def _is_by_item(plan: StepPlan) -> bool:
    """Whether its condition looks at the item."""
    return any(reference.of == EACH for reference in references(plan.when or ""))


def _bad(each: StepRecord, at: datetime, message: str) -> StepRecord:
    failure = RunFailure(
        reason=FailureReason.BAD_INPUT,
        message=f"What {each.step} takes cannot be used: {message}.",
        step=each.key,
    )
    return step_run.failed(step_run.began(each, at), at, failure)
