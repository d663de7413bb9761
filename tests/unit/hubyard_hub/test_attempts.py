"""Wrong passwords are counted, counts expire, and nobody can hold one up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard_hub.signing_in import attempts as module
from hubyard_hub.signing_in.attempts import (
    ADDRESS,
    PAIR,
    SIGN_UPS,
    Attempts,
    Counts,
    Limit,
    TooManyAttempts,
)


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def attempts(clock):
    return Attempts(clock)


def wrong(attempts, address, name="ana", device=""):
    """Whether a wrong password was tried at all."""
    try:
        with attempts.one(address, name, device):
            return True
    except TooManyAttempts:
        return False


def right(attempts, address, name="ana", device=""):
    with attempts.one(address, name, device) as say_right:
        say_right()
    return True


def test_a_thousand_wrong_passwords_keep_the_owner_out_nowhere_else(attempts, clock):
    tried = 0
    for number in range(1000):
        clock.now_s += 1
        tried += wrong(attempts, f"10.0.0.{number % 3}")
    assert tried <= 3 * (PAIR.most + 1000 / PAIR.every_s + 1)
    assert right(attempts, "10.0.0.4")


def test_who_was_refused_learns_how_long_to_wait_and_is_taken_then(attempts, clock):
    while wrong(attempts, "10.0.0.1"):
        pass
    with pytest.raises(TooManyAttempts, match="wait 30 s") as caught:
        right(attempts, "10.0.0.1")
    clock.now_s += caught.value.wait_s
    assert right(attempts, "10.0.0.1")


def test_asking_on_and_on_makes_no_wait_longer(attempts, clock):
    while wrong(attempts, "10.0.0.1"):
        pass
    for _ in range(PAIR.most * 10):
        wrong(attempts, "10.0.0.1")
    clock.now_s += PAIR.every_s
    assert right(attempts, "10.0.0.1")


def test_a_right_password_forgets_the_wrong_ones_before_it(attempts):
    for _ in range(5 * PAIR.most):
        for _ in range(PAIR.most - 1):
            assert wrong(attempts, "10.0.0.1", name := "ana")
        assert right(attempts, "10.0.0.1", name)
        attempts._addresses.clear("10.0.0.1")


def test_many_names_from_one_address_are_limited(attempts):
    tried = sum(wrong(attempts, "10.0.0.1", f"name{n}") for n in range(500))
    assert tried == ADDRESS.most
    assert wrong(attempts, "10.0.0.2", "name499")


def test_a_class_that_signs_in_at_once_is_not_limited(attempts):
    assert all(right(attempts, "10.0.0.1", f"name{n}") for n in range(1000))


def test_a_known_device_counts_apart(attempts):
    for number in range(2 * ADDRESS.most):
        wrong(attempts, "10.0.0.1", f"name{number % 3}")
    assert right(attempts, "10.0.0.1", "name0", device="laptop")
    tried = sum(wrong(attempts, "10.0.0.1", "name0", "laptop") for _ in range(50))
    assert tried == PAIR.most


def test_sign_ups_are_limited_by_address(attempts, clock):
    for _ in range(SIGN_UPS.most):
        attempts.count_sign_up("10.0.0.1")
    with pytest.raises(TooManyAttempts, match="Too many sign-ups"):
        attempts.count_sign_up("10.0.0.1")
    attempts.count_sign_up("10.0.0.2")
    clock.now_s += SIGN_UPS.every_s
    attempts.count_sign_up("10.0.0.1")


def test_counts_take_a_bounded_room(clock, monkeypatch):
    monkeypatch.setattr(module, "_MOST_KEPT", 100)
    counts = Counts(Limit(most=3, every_s=10), clock)
    for number in range(1000):
        counts.add(number)
        assert len(counts) <= 100
    clock.now_s += 31
    counts.add("one more")
    assert len(counts) == 1


@given(
    st.lists(st.tuples(st.floats(0, 100), st.sampled_from(["ask", "add", "clear"]))),
    st.integers(1, 20),
    st.floats(0.1, 100),
)
def test_waiting_as_long_as_told_is_always_enough_and_never_too_long(acts, most, each):
    clock = Clock()
    counts = Counts(Limit(most, each), clock)
    for pause_s, act in acts:
        clock.now_s += pause_s
        wait_s = counts.wait_s("key")
        assert 0 <= wait_s <= each + 1e-6
        if act == "add" and not wait_s:
            counts.add("key")
        if act == "clear":
            counts.clear("key")
        clock.now_s += counts.wait_s("key") + 1e-6
        assert counts.wait_s("key") == pytest.approx(0, abs=1e-5)
