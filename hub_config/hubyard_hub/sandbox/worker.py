"""A worker as the platform sees it: a process that answers calls, and may be killed."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from hubyard_hub.sandbox.call import Answer, Limits

_SECRET = ("HUBYARD_", "JUPYTERHUB_", "JPY_")
"""What their variables hold is nothing to a process that reads what strangers send."""
_ANSWER_LIMIT_BYTES = 16 * 2**20
_WALL_FACTOR = 10
"""So many times its CPU time may a call take on a machine that is full."""

_GRACE_S = 5


class Gone(Exception):
    """The worker ended, or was ended, before it answered."""


class Worker:
    """For one thread at a time."""

    def __init__(self, limits: Limits) -> None:
        self.has_ended = False
        self._limits = limits
        ours, theirs = socket.socketpair()
        with theirs:
            number = str(theirs.fileno())
            arguments = (number, str(limits.cpu_s), str(limits.memory_bytes))
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "hubyard_hub.sandbox", *arguments],
                env={k: v for k, v in os.environ.items() if not k.startswith(_SECRET)},
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self._link = Connection(ours.detach())

    @property
    def is_alive(self) -> bool:
        """Whether its process still runs."""
        return self._process.poll() is None

    def ask(self, call: bytes) -> Answer:
        """Let it answer one pickled call.

        Raises:
            Gone: it did not.
        """
        try:
            self._link.send_bytes(call)
            if not self._link.poll(self._limits.cpu_s * _WALL_FACTOR):
                raise Gone
            answer = self._link.recv_bytes(_ANSWER_LIMIT_BYTES)
        except (EOFError, OSError):
            raise Gone from None
        return cast("Answer", pickle.loads(answer))  # noqa: S301  our own process wrote it

    def end(self) -> None:
        """Let it end, which waits for a call; after a moment it is killed."""
        self.has_ended = True
        self._link.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        self.kill()

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        self.has_ended = True
        self._link.close()
        self._process.kill()
        self._process.wait()
