"""A verdict: what is wrong with our outcome of a case; nothing, if it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.shown import texts

if TYPE_CHECKING:
    from peers.case import Answer, Instead
    from peers.ours import Outcome


def against_papermill(outcome: Outcome, answer: Answer) -> str:
    """What differs from papermill's answer."""
    if outcome.succeeded is not (answer.error is None):
        return f"papermill: {answer.error or 'succeeds'}; ours: {_said(outcome)}"
    if outcome.cell != answer.cell:
        return f"papermill fails at cell {answer.cell}, ours at {outcome.cell}"
    if answer.error and not _names(outcome.message, answer.error):
        return f"{answer.error} is not in: {outcome.message}"
    for ours, theirs in zip(outcome.shown, answer.shown, strict=True):
        if ours != theirs:
            return f"papermill shows {theirs}; ours {ours}"
    return ""


def against_reason(outcome: Outcome, instead: Instead) -> str:
    """What differs from what is written down."""
    if outcome.succeeded is not instead.succeeds:
        return f"ours: {_said(outcome)}"
    if outcome.cell != instead.cell:
        return f"it must fail at cell {instead.cell}, and does at {outcome.cell}"
    if instead.words not in outcome.message:
        return f"{instead.words!r} is not in: {outcome.message}"
    seen = texts(outcome.shown)
    missing = [each for each in instead.shown if each not in seen]
    return f"{missing} is not shown" if missing else ""


def against_refusal(said: str | None, instead: Instead) -> str:
    """What differs from a refusal before anything starts."""
    if said is None:
        return "it is taken, and must be refused"
    return "" if instead.words in said else f"{instead.words!r} is not in: {said}"


def _names(message: str, error: str) -> bool:
    return (error if error != "SystemExit" else "sys.exit(") in message


def _said(outcome: Outcome) -> str:
    return "succeeds" if outcome.succeeded else outcome.message
