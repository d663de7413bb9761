import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.duration import duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("8h", 28_800), ("2d", 172_800), ("1h30m", 5400)],
)
def test_people_write_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "8", "1.5h", "-1h", "0s", "1h1d", "8 hours"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="write one such as"):
        parse_duration(text)


@given(st.integers(1, 10**9))
def test_text_reads_back(seconds):
    assert parse_duration(duration_text(seconds)) == seconds


def test_nothing_is_zero_seconds():
    assert duration_text(0) == "0s"
