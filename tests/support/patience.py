"""How long a test waits for what another process does.

Long enough that only what never comes is late, on two busy cores: tests say what
happens, and `tests/bench` how fast.
"""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 180.0

SOON_S = 30.0
"""What "at once" may take, where the wrong way would take minutes or for ever."""

_POLL_S = 0.05

T = TypeVar("T")


def until(holds: Callable[[], T], seen: Callable[[], object] = str) -> T:
    """Wait until something holds; what it gave then.

    Raises:
        AssertionError: It does not come; with what is `seen` instead.
    """
    end = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {PATIENCE_S:.0f} s: {seen()}"
        time.sleep(_POLL_S)
    return found
