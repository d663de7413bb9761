"""The breaker, beside a machine that says in one line each what must hold."""

import threading
from contextlib import nullcontext

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hubyard.contract.errors import Unavailable
from hubyard_hub.breaker import Breaker

PAUSE_S = 2.0


class Hush(Exception):
    """No answer came."""


class Told(Exception):
    """An answer came, and it was no."""


def a_breaker(clock):
    return Breaker(
        "It does not answer.",
        pause_s=PAUSE_S,
        is_silence=lambda error: isinstance(error, Hush),
        clock=clock,
    )


class Machine(RuleBasedStateMachine):
    """Asks that answer, fail or stay silent, one after the other, as time passes."""

    def __init__(self):
        super().__init__()
        self.moment = 0.0
        self.breaker = a_breaker(lambda: self.moment)
        self.silent_since = None

    @rule(seconds=st.floats(0, 2 * PAUSE_S))
    def time_passes(self, seconds):
        self.moment += seconds

    @rule(error=st.sampled_from([None, Hush, Told]))
    def ask(self, error):
        shut = self.silent_since is not None
        shut = shut and self.moment - self.silent_since < PAUSE_S
        entered = []
        expected = Unavailable if shut else error
        with pytest.raises(expected) if expected else nullcontext():  # noqa: SIM117
            with self.breaker.asking():
                entered.append(True)
                if error:
                    raise error
        assert bool(entered) is not shut
        if entered:
            self.silent_since = self.moment if error is Hush else None

    @rule()
    def note_a_silence(self):
        self.breaker.open()
        self.silent_since = self.moment

    @invariant()
    def it_says_how_it_is(self):
        assert self.breaker.is_open is (self.silent_since is not None)


TestMachine = Machine.TestCase


def test_while_one_tries_it_the_others_are_refused():
    breaker = a_breaker(lambda: moments[0])
    moments = [0.0]
    breaker.open()
    moments[0] = PAUSE_S
    refused = []

    def ask():
        try:
            with breaker.asking():
                refused.append(False)
        except Unavailable:
            refused.append(True)

    with breaker.asking():
        others = [threading.Thread(target=ask) for _ in range(3)]
        for other in others:
            other.start()
        for other in others:
            other.join()
    assert refused == [True] * 3
    ask()
    assert refused[-1] is False


def test_a_trial_that_is_cut_short_lets_the_next_one_try():
    breaker = a_breaker(lambda: moments[0])
    moments = [0.0]
    breaker.open()
    moments[0] = PAUSE_S
    with pytest.raises(KeyboardInterrupt), breaker.asking():
        raise KeyboardInterrupt
    with breaker.asking():
        pass
