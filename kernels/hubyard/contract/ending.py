"""Why a workload has ended, in the words that its owner reads."""

from __future__ import annotations

from hubyard.contract.entry import EndReason

_CLAUSES = {
    EndReason.STOPPED: "it was stopped",
    EndReason.LIFETIME: "its lifetime{lifetime} was over",
    EndReason.IDLE: "nothing had happened in it for too long",
    EndReason.BUDGET: "the month's budget was spent, and nobody extended it",
    EndReason.OUT_OF_MEMORY: "it needed more memory than {compute} has{memory}",
    EndReason.KILLED: "it was killed from outside{signal}",
    EndReason.START_FAILED: "it could not be started",
    EndReason.LOST: "it was gone when Hubyard looked: its machine may have restarted",
    EndReason.EXITED: "its process ended by itself, with exit code {code}",
}
_ADVICE = {
    EndReason.LIFETIME: "give it a longer one",
    EndReason.OUT_OF_MEMORY: "choose larger compute",
}


def why_ended(
    reason: EndReason,
    *,
    lifetime: str = "",
    compute: str = "its compute",
    memory: str = "",
    code: int | None = None,
) -> str:
    """A clause, such as "its lifetime of 2h was over".

    Args:
        reason: of the end.
        lifetime: how long it might live.
        compute: the name of its compute profile.
        memory: the most memory that it used, of what it might have.
        code: of its exit; below 0 a signal's number.
    """
    return _CLAUSES[reason].format(
        lifetime=f" of {lifetime}" if lifetime else "",
        compute=compute,
        memory=f" ({memory})" if memory else "",
        code="unknown" if code is None else code,
        signal="" if code is None else f" (signal {abs(code)})",
    )


def told(reason: EndReason, clause: str) -> str:
    """A sentence that says why it has ended, and what to do."""
    advice = f": {_ADVICE[reason]}" if reason in _ADVICE else ""
    return f"{clause[:1].upper()}{clause[1:]}{advice}."
