"""Quantiles in constant space, close to the exact ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard_runtime.endpoint.metrics import Metrics, Sketch

MILLISECONDS = st.floats(0.02, 1_000_000)


def test_no_data_is_none():
    assert Sketch().quantile(0.5) is None


@given(st.lists(MILLISECONDS, min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_quantile_is_within_three_per_cent(values, q):
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    exact = sorted(values)[max(1, math.ceil(q * len(values))) - 1]
    assert sketch.quantile(q) == pytest.approx(exact, rel=0.031)


@pytest.mark.parametrize("value", [0, -1, 1e-9, 1e12])
def test_what_is_out_of_bounds_is_kept_at_the_bound(value):
    sketch = Sketch()
    sketch.add(value)
    assert sketch.quantile(1) > 0


def test_the_size_does_not_grow():
    sketch = Sketch()
    size = len(sketch._counts)
    for value in range(1, 10_000):
        sketch.add(value)
    assert len(sketch._counts) == size


def test_only_answered_requests_tell_the_latency():
    metrics = Metrics()
    metrics.add(200, 0.010)
    metrics.add(422, 5.0)
    metrics.add(500, 5.0)
    assert (metrics.requests, metrics.errors) == (3, 2)
    assert metrics.latency_ms.quantile(1) == pytest.approx(10, rel=0.031)
