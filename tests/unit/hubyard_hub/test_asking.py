"""The hub's loop asks a store that answers, fails, or keeps it waiting."""

import asyncio
import threading

import pytest
from sqlalchemy.exc import OperationalError

from hubyard.contract.errors import NotFound, Unavailable
from hubyard_hub.pages.asking import Asking
from support.patience import PATIENCE_S, until

SHORT_S = 0.2


def loud():
    raise OperationalError("SELECT 1", {}, Exception("broken"))


def missing():
    raise NotFound("There is none.")


@pytest.fixture
def hush():
    """Whoever waits for it waits until the test lets go."""
    released = threading.Event()
    yield released
    released.set()


@pytest.mark.parametrize("how", ["quick", "patient"])
def test_an_answer_comes_back_and_an_error_in_words(how):
    async def ask():
        question = getattr(Asking(int), how)
        assert await question(lambda: 7) == 7
        with pytest.raises(NotFound):
            await question(missing)
        with pytest.raises(Unavailable, match="does not answer"):
            await question(loud)

    asyncio.run(ask())


def test_who_waits_too_long_is_told_and_the_next_ones_at_once(hush):
    def probe():
        if not hush.is_set():
            loud()

    async def ask():
        asking, asked = Asking(probe, SHORT_S), []
        with pytest.raises(Unavailable, match="Not available now"):
            await asking.quick(hush.wait)
        for _ in range(20):
            with pytest.raises(Unavailable):
                await asking.quick(lambda: asked.append(1))
        assert asked == []
        hush.set()
        await asyncio.to_thread(until, lambda: not asking.is_silent)
        assert await asking.quick(lambda: 7) == 7

    asyncio.run(asyncio.wait_for(ask(), PATIENCE_S))


def test_the_loop_goes_on_meanwhile(hush):
    async def ask():
        asking = Asking(int, PATIENCE_S)
        waiting = [asyncio.ensure_future(asking.quick(hush.wait)) for _ in range(9)]
        waiting += [asyncio.ensure_future(asking.patient(hush.wait)) for _ in range(9)]
        await asyncio.sleep(0.1)
        assert not any(each.done() for each in waiting)
        hush.set()
        assert all(await asyncio.gather(*waiting))

    asyncio.run(asyncio.wait_for(ask(), PATIENCE_S))


def test_a_patient_question_does_not_make_pages_refuse(hush):
    async def ask():
        asking = Asking(int, SHORT_S)
        slow = asyncio.ensure_future(asking.patient(hush.wait))
        await asyncio.sleep(2 * SHORT_S)
        assert await asking.quick(lambda: 7) == 7
        hush.set()
        assert await slow

    asyncio.run(asyncio.wait_for(ask(), PATIENCE_S))
