"""The sender: a process that looks at a channel's URL, or sends one message, and ends.

It stands apart because libraries that know dozens of services open connections of
their own: here each is guarded, has little time and memory, and no secret but the URL.

    python -m hubyard_hub.notices.sender <order.json >answer.json

order   {"act": "look" | "send", "url": ..., "reach": [...], "message": {...}}
answer  {"kind": ..., "place": ...} or {"refused": ...} to look,
        {"status": ..., "said": ...} to send; the status is "sent", "handed-over" (see
        `replies`), "refused", "inside" or "unsure"
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import smtplib
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from hubyard_hub.notices.guard import Guard
from hubyard_hub.notices.known import (
    CONNECT_S,
    MAIL,
    READ_S,
    Unusable,
    service,
    webhook,
)
from hubyard_hub.notices.replies import ACCEPTED, HANDED_OVER, SENT, overheard

if TYPE_CHECKING:
    import httpx
    from apprise import NotifyBase

TIME_S = 10
_MEMORY_BYTES = 2**30
_PORTS = {"http": 80, "https": 443, "mailto": 25, "mailtos": 587}
_INSIDE = (
    "{} is an address of this machine or its network: let channels reach it with "
    "hubyard up --reach HOST:PORT."
)
_TYPES = {
    "failed": "failure",
    "recovered": "success",
    "late": "warning",
    "disk": "warning",
}

Answer = dict[str, str | None]


class Heard(logging.Handler):
    """Keeps what was raised inside a library that only logs it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is being handled now, where it is the network's."""
        del record
        error = sys.exc_info()[1]
        if isinstance(error, OSError | smtplib.SMTPException):
            self.errors.append(error)


def look(url: str, guard: Guard) -> Answer:
    """What kind of channel a URL is, and where it leads, without its secrets.

    Raises:
        Unusable: it is none that is known here, or leads inside.
    """
    plain = webhook(url)
    if plain is not None:
        _check_host(guard, plain.host, plain.port or _PORTS[plain.scheme])
        place = f"{plain.scheme}://{plain.netloc.decode()}/…"
        return {"kind": "webhook", "place": place}
    name, plugin = service(url)
    if name in MAIL:
        server = str(getattr(plugin, "smtp_host", ""))
        _check_host(guard, server, plugin.port or _PORTS[name])
        return {"kind": "mail", "place": f"{name}://{server}/…"}
    return {"kind": name, "place": f"{name}://…"}


def _check_host(guard: Guard, host: str, port: int) -> None:
    if not guard.admits(f"{host}:{port}"):
        raise Unusable(_INSIDE.format(host))


def send(url: str, message: dict[str, Any], guard: Guard) -> Answer:
    """Send one message; says whether it was taken.

    Raises:
        Unusable: there is no such channel.
    """
    plain = webhook(url)
    if plain is not None:
        return _post(plain, message, guard)
    name, plugin = service(url)
    heard = Heard()
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(heard)
    try:
        with overheard() as replies:
            taken = plugin.notify(
                title=message["title"],
                body=f"{message['message']}\n\n{message['link']}",
                notify_type=_TYPES.get(message["why"], "info"),
                body_format="text",
            )
    finally:
        logger.removeHandler(heard)
    outcome = HANDED_OVER if name in MAIL else replies.outcome
    if taken and outcome is not None:
        return {"status": outcome}
    return _not_taken(plugin, guard, heard.errors)


def _not_taken(plugin: NotifyBase, guard: Guard, errors: list[BaseException]) -> Answer:
    if guard.stopped is not None:
        return _inside(guard)
    if not guard.has_sent:
        return {"status": "refused", "said": _words(errors, "It was not taken")}
    if len(plugin) > 1:
        return {"status": "unsure", "said": "Not all of its receivers have taken it."}
    if any(not isinstance(error, smtplib.SMTPResponseException) for error in errors):
        return {"status": "unsure", "said": _words(errors, "It did not answer")}
    return {"status": "refused", "said": _words(errors, "It was not taken")}


def _words(errors: list[BaseException], what: str) -> str:
    """What a library says of itself may hold the URL: only its kind is told."""
    if not errors:
        return f"{what}."
    code = getattr(errors[-1], "smtp_code", None)
    return f"{what} ({code or type(errors[-1]).__name__})."


def _inside(guard: Guard) -> Answer:
    return {"status": "inside", "said": _INSIDE.format(guard.stopped)}


def _post(url: httpx.URL, message: dict[str, Any], guard: Guard) -> Answer:
    """Post a message as JSON, and follow no redirect; the answer's status counts."""
    import httpx  # noqa: PLC0415  a service needs none

    time_out = httpx.Timeout(READ_S, connect=CONNECT_S)
    headers = {"User-Agent": "Hubyard", "Idempotency-Key": message["id"]}
    try:
        with (
            httpx.Client(timeout=time_out, trust_env=False, headers=headers) as client,
            client.stream("POST", url, json=message) as answer,
        ):
            status = answer.status_code
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        if guard.stopped is not None:
            return _inside(guard)
        return {"status": "refused", "said": _words([error], "It cannot be reached")}
    except (httpx.HTTPError, TimeoutError) as error:
        return {"status": "unsure", "said": _words([error], "It did not answer")}
    if status == ACCEPTED:
        return {"status": HANDED_OVER}
    if httpx.codes.is_success(status):
        return {"status": SENT}
    return {"status": "refused", "said": f"It answered {status}."}


def obey(order: dict[str, Any]) -> Answer:
    """Do what is ordered, guarded from now on."""
    guard = Guard(order["reach"])
    guard.install()
    try:
        if order["act"] == "look":
            return look(order["url"], guard)
        return send(order["url"], order["message"], guard)
    except Unusable as error:
        return {"status": "refused", "refused": str(error), "said": str(error)}


def _too_long(*_: object) -> NoReturn:
    raise TimeoutError


def main() -> None:
    """Read the order, answer, end."""
    order = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(TIME_S)
    answer = obey(order)
    signal.alarm(0)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
