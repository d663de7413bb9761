"""How many rows one request may have, by what the model has shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.errors import TooLarge
from hubyard_runtime.endpoint.speed import LONGEST_S, UNMEASURED_ROWS, Speed


def test_before_any_answer_a_thousand_rows_are_taken():
    speed = Speed()
    speed.check(UNMEASURED_ROWS)
    with pytest.raises(TooLarge, match="has answered nothing yet: send at most 1,000"):
        speed.check(UNMEASURED_ROWS + 1)
    speed.saw(0, 1.0)
    assert speed.row_s is None


def test_a_slow_model_takes_few_rows_and_says_how_many():
    speed = Speed()
    speed.saw(1, 4.0)
    with pytest.raises(TooLarge, match="takes about 4 s for a row: send at most 5 at"):
        speed.check(6)
    speed.check(5)


def test_a_model_too_slow_for_one_row_still_takes_one():
    speed = Speed()
    speed.saw(1, 10 * LONGEST_S)
    speed.check(1)


def test_the_time_of_a_call_does_not_count_for_its_rows():
    speed = Speed()
    for _ in range(100):
        speed.saw(1, 0.005)
    assert speed.most_rows == 4000
    speed.saw(256, 0.005 + 256 * 1e-5)
    assert speed.most_rows > 500_000
    for _ in range(100):  # small calls tell nothing about large ones
        speed.saw(1, 0.005)
    assert speed.most_rows > 500_000
    with pytest.raises(TooLarge, match=r"answers about \d\d,\d\d\d rows a second"):
        speed.check(2_500_000)


def test_a_model_that_becomes_slower_is_believed():
    speed = Speed()
    speed.saw(1000, 0.01)
    for _ in range(20):
        speed.saw(1000, 10.0)
    assert speed.most_rows == pytest.approx(2000, rel=0.05)


@given(
    fixed_s=st.floats(0, 1),
    row_s=st.floats(1e-7, 1),
    asked=st.lists(st.integers(1, 10**7), min_size=1, max_size=30),
)
def test_no_request_is_accepted_that_takes_longer(fixed_s, row_s, asked):
    """Whatever is asked of a model of a constant speed, once it has answered one."""
    speed = Speed()
    speed.saw(1, fixed_s + row_s)
    for rows in asked:
        try:
            speed.check(rows)
        except TooLarge:
            assert rows > 1
            continue
        seconds = fixed_s + rows * row_s
        assert seconds <= LONGEST_S + fixed_s + row_s * 1.001
        speed.saw(rows, seconds)
