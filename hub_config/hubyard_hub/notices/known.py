"""What a channel's URL is: a webhook, or a service that apprise knows how to speak to.

Of apprise's services only those below are ever imported, and only when one is named:
others run programs, write files, or speak to this machine.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx
    from apprise import NotifyBase

MAIL = {"mailto", "mailtos"}
CONNECT_S, READ_S = 4, 5
_WEBHOOKS = {"http": "http", "https": "https", "json": "http", "jsons": "https"}
_SERVICES = {
    **dict.fromkeys(MAIL, "email.NotifyEmail"),
    "slack": "slack.NotifySlack",
    **dict.fromkeys(("workflow", "workflows"), "workflows.NotifyWorkflows"),
    "discord": "discord.NotifyDiscord",
    "gchat": "google_chat.NotifyGoogleChat",
    "tgram": "telegram.NotifyTelegram",
    **dict.fromkeys(("ntfy", "ntfys"), "ntfy.NotifyNtfy"),
    **dict.fromkeys(("mmost", "mmosts"), "mattermost.NotifyMattermost"),
    **dict.fromkeys(("rocket", "rockets"), "rocketchat.NotifyRocketChat"),
    "zulip": "zulip.NotifyZulip",
    "pagerduty": "pagerduty.NotifyPagerDuty",
    "opsgenie": "opsgenie.NotifyOpsgenie",
}
"""By what a URL begins with: module and class below `apprise.plugins`."""
_ALERTS = {"opsgenie": "new", "pagerduty": "trigger"}
"""The action that makes an alert."""
_HOSTS = {
    "hooks.slack.com": "slack",
    "discord.com": "discord",
    "discordapp.com": "discord",
    "chat.googleapis.com": "gchat",
    "logic.azure.com": "workflows",
    "powerplatform.com": "workflows",
}
"""Ends of the hosts whose addresses these services hand out to be posted to."""
_HOST = re.compile(r"[\w.:-]+")
_NO_ADDRESS = "It is no address: write it as https://HOST/PATH."


class Unusable(Exception):
    """Nothing can be sent to this URL; says why, without the URL."""


def webhook(url: str) -> httpx.URL | None:
    """The address of a plain webhook; None where the URL is of something else.

    Raises:
        Unusable: it is no address.
    """
    import httpx  # noqa: PLC0415  a service needs none

    scheme = _WEBHOOKS.get(scheme_of(url))
    if scheme is None:
        return None
    try:
        plain = httpx.URL(url.strip()).copy_with(scheme=scheme, fragment=None)
    except (httpx.InvalidURL, ValueError):
        raise Unusable(_NO_ADDRESS) from None
    if not _HOST.fullmatch(plain.host):
        raise Unusable(_NO_ADDRESS)
    return None if _of_host(plain.host) else plain


def service(url: str) -> tuple[str, NotifyBase]:
    """The name of a service, and apprise's way to speak to it.

    It gets little time, and follows no redirect; whether it is asked again is not its
    business.

    Raises:
        Unusable: it is not known here, or its URL lacks something.
    """
    scheme = scheme_of(url)
    name = scheme if scheme in _SERVICES else _of_host(_host(url))
    if name is None:
        known = ", ".join(sorted(_SERVICES.keys() | {"https"}))
        raise Unusable(f"A channel begins with one of {known}.")
    module, _, kind = _SERVICES[name].partition(".")
    plugin: Any = getattr(import_module(f"apprise.plugins.{module}"), kind)
    parse = plugin.parse_url if name == scheme else plugin.parse_native_url
    try:
        made = plugin(**(parse(url.strip()) or {}))
    except Exception:  # noqa: BLE001  dozens of authors, as many ways to say no
        made = None
    if made is None or len(made) == 0:
        raise Unusable("It lacks something: compare it with apprise's page for it.")
    made.socket_connect_timeout, made.socket_read_timeout = CONNECT_S, READ_S
    made.redirects, made.retry = False, 0
    if hasattr(made, "action"):
        # Each notice is an alert of its own: what would close or annotate an earlier
        # one sends nothing, for nothing here knows the earlier one.
        made.action = _ALERTS[name]
    return name, made


def scheme_of(url: str) -> str:
    """What a URL begins with."""
    return url.partition("://")[0].strip().lower()


def _of_host(host: str) -> str | None:
    """The service that has given out an address of this host."""
    ends = (name for end, name in _HOSTS.items() if f".{host}".endswith(f".{end}"))
    return next(ends, None)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].lower()
