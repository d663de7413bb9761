"""Reach: whether MLflow answers at all, found out quickly.

MLflow's own client tries again and waits; a training cell shall not.
"""

from __future__ import annotations

_TIMEOUT_S = 3.0


def answers(address: str) -> bool:
    """Whether something answers at an MLflow address; a file or database always does.

    Any HTTP answer will do: a refusal is told when there is something to record.
    """
    if not address.startswith(("http://", "https://")):
        return True
    import httpx  # noqa: PLC0415  only who trains shall pay

    try:
        httpx.head(address, timeout=_TIMEOUT_S)
    except httpx.HTTPError:
        return False
    return True
