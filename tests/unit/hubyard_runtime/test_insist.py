"""Insisting: again and again, until an answer, a refusal, or no more time."""

from __future__ import annotations

import logging

import pytest

from hubyard.contract.errors import NotFound, Unavailable
from hubyard_runtime.insist import insist, pauses, within


def test_pauses_double_up_to_five_seconds():
    waits = pauses()
    assert [next(waits) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_insisting_ends_with_an_answer_a_refusal_or_no_more_time(caplog):
    caplog.set_level(logging.INFO)
    answers = iter([Unavailable("Down."), "an answer"])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert insist("The job", ask, lambda _: True) == "an answer"
    assert "The job: Down. Waiting for the platform" in caplog.text
    assert "answers again" in caplog.text

    answers = iter([NotFound()])
    with pytest.raises(NotFound):
        insist("The job", ask, lambda _: True)
    answers = iter([Unavailable()])
    with pytest.raises(Unavailable):
        insist("The job", ask, lambda _: False)


def test_a_patience_begins_when_it_is_made_and_waits_each_pause_out():
    may_wait = within(0.05)
    assert may_wait(0.01)
    assert not may_wait(0.1)
