from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract import money


@pytest.mark.parametrize(
    ("amount", "micros"), [("0.02", 20_000), (1, 1_000_000), (Decimal("0.000001"), 1)]
)
def test_amounts_are_read_exactly(amount, micros):
    assert money.parse_micros(amount) == micros


@pytest.mark.parametrize(
    "amount",
    ["nan", "inf", "-1", "", "x", "0.0000001", "1e10", Decimal("1e999999"), "1e-99"],
)
def test_what_is_no_amount_is_refused(amount):
    with pytest.raises(ValueError, match=r"amount|decimal"):
        money.parse_micros(amount)


@pytest.mark.parametrize(
    ("micros", "price", "cost"),
    [
        (0, "$0.00", "$0.00"),
        (49, "$0.000049", "$0.00"),
        (50, "$0.00005", "$0.0001"),
        (20_000, "$0.02", "$0.02"),
        (25_000, "$0.025", "$0.03"),
        (1_234, "$0.001234", "$0.0012"),
        (1_234_567_890, "$1,234.56789", "$1,234.57"),
    ],
)
def test_texts(micros, price, cost):
    assert money.price(micros, "USD").text == price
    assert money.cost(micros, "USD").text == cost


def test_a_currency_without_a_sign_is_named():
    assert money.price(1_000_000, "SEK").text == "SEK 1.00"


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_cost_is_the_exact_product_rounded_half_up(price, duration_ms):
    exact = Fraction(price * duration_ms, 3_600_000)
    assert abs(money.cost_of(price, duration_ms) - exact) <= Fraction(1, 2)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_cost_never_falls_with_time(price, first, more):
    assert money.cost_of(price, first) <= money.cost_of(price, first + more)


def test_time_that_runs_backwards_costs_nothing():
    assert money.cost_of(20_000, -5) == 0
