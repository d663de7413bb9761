"""Metrics: what an endpoint knows of its own traffic, in constant space.

sketch  a histogram whose buckets grow by a constant factor: any quantile is told to
        within half of that factor, however many values went in (the idea of DDSketch,
        https://arxiv.org/abs/1908.10693)
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import accumulate

_GROWTH = 1.05
_LOG_GROWTH = math.log(_GROWTH)
_SMALLEST = 0.01
_BUCKETS = 400
"""From 0.01 to about 3,000,000; in milliseconds, to most of an hour."""


class Sketch:
    """Quantiles of positive values, to within 2.5 %."""

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._total = 0

    def add(self, value: float) -> None:
        """Count one value."""
        bucket = math.ceil(math.log(max(value, _SMALLEST) / _SMALLEST) / _LOG_GROWTH)
        self._counts[min(bucket, _BUCKETS - 1)] += 1
        self._total += 1

    def quantile(self, q: float) -> float | None:
        """The value that a share `q` of all values does not exceed; None: no data."""
        if not self._total:
            return None
        rank = max(1, math.ceil(q * self._total))
        sums = accumulate(self._counts)
        bucket = next(index for index, below in enumerate(sums) if below >= rank)
        middle = _SMALLEST * _GROWTH ** (bucket - 0.5) if bucket else _SMALLEST
        return float(f"{middle:.3g}")


class Metrics:
    """Requests for a prediction: how many, how they ended, how long they took."""

    def __init__(self) -> None:
        self.statuses = Counter[int]()
        self.latency_ms = Sketch()

    def add(self, status: int, seconds: float) -> None:
        """Count one request; only the time of an answered one tells of the model."""
        self.statuses[status] += 1
        if status == _OK:
            self.latency_ms.add(seconds * 1000)

    @property
    def requests(self) -> int:
        """All of them."""
        return self.statuses.total()

    @property
    def errors(self) -> int:
        """Those that got no prediction."""
        return self.requests - self.statuses[_OK]


_OK = 200
