"""Reach: whether MLflow answers at all, found out quickly.

MLflow's own client tries again and waits; a training cell shall not.
"""

from __future__ import annotations

_TIMEOUT_S = 3.0


def answers(address: str) -> bool:
    """Whether MLflow answers at an address; a file or a database always does.

    A refusal will do: what is refused is told when there is something to record.
    """
    if not address.startswith(("http://", "https://")):
        return True
    import httpx  # noqa: PLC0415  only who trains shall pay

    try:
        answer = httpx.head(address, timeout=_TIMEOUT_S)
    except httpx.HTTPError:
        return False
    return not answer.is_server_error  # a proxy answers for what stands behind it
