"""What stands at the other end of a channel: a mail server, a webhook, a canary."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message


@dataclass
class Mailbox:
    """A real SMTP server's: what it has taken, and how it answers the next."""

    messages: list[Message] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """Refusals to come, the first one first."""
    port: int = 0

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd calls it so
        if self.answers:
            return self.answers.pop(0)
        self.messages.append(message_from_bytes(envelope.content))
        return "250 OK"

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        ends = "from=hubyard@example.org&to=ops@example.org"
        return f"mailto://{self.place}?smtp=127.0.0.1&{ends}"


@contextlib.contextmanager
def mail_server() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        mailbox.port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


class Webhook(ThreadingHTTPServer):
    """Keeps what is posted to it; answers what it is told to, else 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posted: list[dict[str, Any]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.reply: dict[str, Any] | str = {}
        """What each answer says."""
        self.heard: list[str] = []
        """All that came, as text."""
        self.hold: threading.Event | None = None
        """Until it is set, nothing is answered."""

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/hook?key=quincunx"


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.heard.append(text)
        with contextlib.suppress(ValueError):
            self.server.posted.append(json.loads(text))
        if self.server.hold is not None:
            self.server.hold.wait()
        answers = self.server.answers
        status, headers = answers.pop(0) if answers else (200, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        said = self.server.reply
        reply = (said if isinstance(said, str) else json.dumps(said)).encode()
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}
    )
    thread.start()
    try:
        yield server
    finally:
        if server.hold is not None:
            server.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Canary:
    """Listens on every address of this machine, and counts who comes."""

    port: int
    came: int = 0


@contextlib.contextmanager
def canary() -> Iterator[Canary]:
    with socket.create_server(
        ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True
    ) as listener:
        found = Canary(port=listener.getsockname()[1])
        listener.settimeout(0.1)
        ending = threading.Event()

        def listen() -> None:
            while not ending.is_set():
                with contextlib.suppress(TimeoutError):
                    came, _ = listener.accept()
                    came.close()
                    found.came += 1

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield found
        finally:
            ending.set()
            thread.join()
