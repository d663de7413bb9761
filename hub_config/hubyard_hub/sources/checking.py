"""Checking: whether the steps of a pipeline can take what a run would give them.

A value that only the run will know, such as an output of a step, is checked for its
name alone; the runner checks the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.contract.errors import Invalid
from hubyard.contract.expression import (
    EACH,
    Condition,
    Reference,
    part_of,
    references,
    resolve,
)
from hubyard.contract.parameters import accept
from hubyard.contract.pipeline import items_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import JsonValue

    from hubyard.contract.pipeline import StepPlan
    from hubyard.contract.source import Parameter

Mistake = tuple[tuple[str, ...], str]
"""Where it stands within the step, and what is wrong."""


def mistakes(
    plan: StepPlan, declared: Sequence[Parameter], values: Mapping[str, JsonValue]
) -> Iterator[Mistake]:
    """What is wrong with what a step would be given.

    Args:
        plan: the step.
        declared: the parameters of its notebook.
        values: of the pipeline's parameters, as far as they are known.
    """
    yield from _names(plan, declared)
    try:
        items = _items(plan, values)
    except ValueError as error:
        yield ("each",), str(error)
        return
    for item in items:
        yield from _values(plan, declared, _Look(values, item))


def _names(plan: StepPlan, declared: Sequence[Parameter]) -> Iterator[Mistake]:
    known = {each.name: each.default for each in declared}
    for name in plan.parameters:
        if name not in known:
            try:
                accept(declared, {name: None})
            except Invalid as error:
                yield ("parameters", name), error.message.removesuffix(".")


def _items(
    plan: StepPlan, values: Mapping[str, JsonValue]
) -> Sequence[JsonValue | None]:
    """The items that a step fans out over; one that says nothing where unknown."""
    look = _Look(values, None)
    if plan.each is None or not look.knows(plan.each):
        return [None]
    return items_of(resolve(plan.each, look), plan.name)


def _values(
    plan: StepPlan, declared: Sequence[Parameter], look: _Look
) -> Iterator[Mistake]:
    known = {each.name for each in declared}
    for name, value in plan.parameters.items():
        if name in known and look.knows(value):
            try:
                accept(declared, {name: resolve(value, look)})
            except (Invalid, ValueError) as error:
                yield ("parameters", name), _said(error)
    if plan.when is not None and look.knows(plan.when):
        try:
            Condition.parse(plan.when).holds(look)
        except ValueError as error:
            yield ("when",), str(error)


def _said(error: Exception) -> str:
    message = error.message if isinstance(error, Invalid) else str(error)
    return message.removesuffix(".")


class _Look:
    """What references stand for, as far as it is known."""

    def __init__(self, values: Mapping[str, JsonValue], item: JsonValue) -> None:
        self._values, self._item = values, item

    def knows(self, value: JsonValue) -> bool:
        return all(map(self._knows, references(value)))

    def _knows(self, reference: Reference) -> bool:
        if reference.of == EACH:
            return self._item is not None
        return reference.part is None and reference.of in self._values

    def __call__(self, reference: Reference) -> JsonValue:
        if reference.of == EACH:
            return part_of(self._item, reference)
        return self._values[reference.of]
