"""Passwords are hashed a few at a time, and the addresses take turns."""

import asyncio
from functools import wraps

import pytest

from hubyard.contract.errors import Invalid
from hubyard_hub.signing_in.passwords import LONGEST_BYTES, Hasher, Turns


def in_a_loop(test):
    """Run an asynchronous test."""

    @wraps(test)
    def run():
        asyncio.run(test())

    return run


async def _queued(turns, served, *askers):
    """Have each of them wait for a turn, in this order."""

    async def ask(address):
        async with turns.of(address):
            served.append(address)
            await asyncio.sleep(0)

    tasks = []
    for asker in askers:
        tasks.append(asyncio.create_task(ask(asker)))
        await asyncio.sleep(0)
    return tasks


@in_a_loop
async def test_one_address_with_many_delays_another_by_one():
    turns, served = Turns(1), []
    async with turns.of("busy"):
        tasks = await _queued(turns, served, *["flood"] * 100, "owner")
    await asyncio.gather(*tasks)
    assert served.index("owner") == 1
    assert len(served) == 101


@in_a_loop
async def test_no_more_work_at_once_than_may():
    turns, working, most = Turns(2), 0, 0

    async def work(number):
        nonlocal working, most
        async with turns.of(f"address{number % 3}"):
            working += 1
            most = max(most, working)
            await asyncio.sleep(0)
            working -= 1

    await asyncio.gather(*map(work, range(50)))
    assert (most, working) == (2, 0)


@in_a_loop
async def test_who_leaves_while_waiting_takes_no_turn_along():
    turns, served = Turns(1), []
    async with turns.of("busy"):
        first, second, third = await _queued(turns, served, "a", "b", "c")
        second.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(first, third)
    assert served == ["a", "c"]
    async with turns.of("later"):
        pass


@in_a_loop
async def test_who_leaves_just_when_it_is_their_turn_passes_it_on():
    turns, served = Turns(1), []
    async with turns.of("busy"):
        first, second = await _queued(turns, served, "a", "b")
    first.cancel()  # it was given its turn, and has not run since
    await second
    assert served == ["b"]
    async with turns.of("later"):
        pass


@in_a_loop
async def test_a_password_matches_its_own_hash_alone():
    hasher, password = Hasher(), "ä" * (LONGEST_BYTES // 2)
    kept = await hasher.hashed(password, "here")
    assert await hasher.matches(password, kept, "here")
    assert not await hasher.matches("another", kept, "here")
    assert not await hasher.matches(password, None, "here")


@in_a_loop
async def test_one_byte_more_than_can_be_hashed_is_refused_in_words():
    hasher = Hasher()
    for refused in (hasher.hashed("x" * 73, ""), hasher.matches("x" * 73, None, "")):
        with pytest.raises(Invalid, match="at most 72 bytes, this one 73"):
            await refused
