"""Asks the hub at a steady rate, in a process of its own; says how long each took.

The first line of its input is `{"url": ..., "cookies": ..., "token": ..., "per_s": n}`.
A line of its output is a request: when it began and ended, in seconds of
`time.monotonic`, then its status or the error's name, and its path. It ends with its
input.

It waits for no answer before it asks again: a hub that answers nobody for five seconds
is late for all that is asked in these five seconds, not for one request.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import httpx

TIMEOUT_S = 30.0
_BROWSER = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


async def probe(wish: dict[str, object]) -> None:
    """Ask until the input is over."""
    token = {"Authorization": f"token {wish['token']}"}
    cookies: object = wish["cookies"]
    signed_in = {**_BROWSER, "Cookie": str(cookies)}
    asked = [
        ("/hub/home", signed_in),
        ("/hub/api/user", token),
        ("/hub/login", _BROWSER),
        ("/hub/spawn", signed_in),
        ("/hub/spend", signed_in),
    ]
    pause_s = 1 / float(str(wish["per_s"]))
    over = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(
            base_url=str(wish["url"]),
            timeout=TIMEOUT_S,
            limits=limits,
            trust_env=False,
        ) as http,
        asyncio.TaskGroup() as asking,
    ):
        due, number = time.monotonic(), 0
        while not over.done():
            asking.create_task(_ask(http, *asked[number % len(asked)]))
            due, number = due + pause_s, number + 1
            await asyncio.sleep(max(due - time.monotonic(), 0))


async def _ask(http: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    began = time.monotonic()
    try:
        said = str((await http.get(path, headers=headers)).status_code)
    except httpx.HTTPError as error:
        said = type(error).__name__
    print(began, time.monotonic(), said, path, flush=True)


if __name__ == "__main__":
    asyncio.run(probe(json.loads(sys.stdin.readline())))
