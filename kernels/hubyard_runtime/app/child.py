"""The child: the process in which the app's own code runs."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

import httpx

from hubyard.contract.errors import HubyardError
from hubyard_runtime.app import first, frameworks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hubyard.contract.app import Framework

START_S = 120
"""A framework that does not listen by then never will."""
_GRACE_S = 1.0
_TAIL_LINES = 20
_LOOK_S = 0.1


class Died(HubyardError):
    """The app has ended by itself."""


class Child:
    """A framework's process, its socket and the last lines that it wrote."""

    def __init__(self, process: subprocess.Popen[str], socket: Path) -> None:
        self.socket = socket
        self._process = process
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @classmethod
    def start(
        cls,
        framework: Framework,
        file: Path,
        prefix: str,
        visitor: Mapping[str, str] = MappingProxyType({}),
    ) -> Self:
        """Start the framework on a socket that only this Unix user can open.

        `visitor` is the owner, by the headers of the gate: the first whom it is shown.
        """
        # A socket's path may have 107 characters only, so it is not in the scratch.
        socket = Path(tempfile.mkdtemp(prefix="hubyard-app-")) / "socket"
        process = subprocess.Popen(
            frameworks.command(framework, file, socket, prefix),
            env={**frameworks.environment(), **first.environment(visitor)},
            cwd=file.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        return cls(process, socket)

    def wait_until_ready(self, path: str) -> None:
        """Wait until it answers.

        Raises:
            Died: it has ended, or has said nothing for too long. What it wrote is in
                our log already.
        """
        transport = httpx.HTTPTransport(uds=str(self.socket))
        end = time.monotonic() + START_S
        with httpx.Client(transport=transport, base_url="http://app") as client:
            while time.monotonic() < end:
                if self._process.poll() is not None:
                    raise Died(self.end())
                with contextlib.suppress(httpx.TransportError):
                    client.get(path)
                    return
                time.sleep(_LOOK_S)
        raise Died(f"The app did not answer within {START_S} s.")

    def wait_until_shown(self) -> None:
        """Wait until the first visit is over, or has been cut off.

        Raises:
            Died: it has ended, since its code has failed.
        """
        end = time.monotonic() + first.VISIT_S
        while time.monotonic() < end and not first.shown(self.socket).exists():
            if self._process.poll() is not None:
                raise Died(self.end())
            time.sleep(_LOOK_S)

    def wait(self) -> int:
        """Its exit code, once it has ended; a signal's number counts from 128."""
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def end(self) -> str:
        """How it ended, in one line, once all that it wrote has come to us."""
        code = self.wait()
        self._reader.join(timeout=_GRACE_S)
        return f"The app ended with exit code {code}."

    def last_words(self) -> str:
        """How it ended, and the last lines that it wrote."""
        return f"{self.end()}\n{self.tail()}"

    def tail(self) -> str:
        return "".join(self._tail)

    def stop(self) -> None:
        """End it, by force after a moment, and remove its socket."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.socket.parent, ignore_errors=True)

    def _read(self) -> None:
        """Pass its output on to ours, which is the workload's log."""
        for line in self._process.stdout or ():
            self._tail.append(line)
            sys.stdout.write(line)
            sys.stdout.flush()
