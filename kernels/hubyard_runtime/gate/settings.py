"""Settings: what the hub tells a process that it routes to, by environment variables.

JupyterHub's own names; they are the same for a hub server and for a service. Read here
and not by `jupyterhub.services.auth`, which imports the hub's database layer: half a
second and 45 MB in each workload.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote, urlsplit

from hubyard.contract.errors import Invalid
from hubyard_runtime.spelling import own_spelling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

SECRET_FILE_VARIABLE = "HUBYARD_COOKIE_SECRET_FILE"  # noqa: S105 - a variable's name
_CALLBACK = "oauth_callback"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where this process stands behind the hub, and what opens its gate."""

    prefix: str
    """Path below which everything lies, as the hub writes it in a URL: a name in it is
    percent-encoded. Begins and ends with a slash. Cookies and redirects carry it."""
    service_url: str
    """Where to listen: scheme, host and port count."""
    hub_api_url: str
    hub_url: str
    """Of the hub's pages, as a browser sees it; ends with a slash."""
    api_token: str = field(repr=False)
    client_id: str
    redirect_uri: str
    access_scopes: frozenset[str]
    """Any one of them is enough to pass."""
    public_url: str = ""
    """What a person types; decides on `Secure` cookies. May be empty."""
    cookie_secret: bytes = field(repr=False)
    xsrf_cookie: str = "_xsrf"
    """Name of the cookie in which a page finds its proof."""
    same_origin_suffices: bool = False
    """For apps: their frameworks cannot send our proof (see `xsrf`)."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read what the hub, or `hubyard up` for a service, has set.

        Raises:
            Invalid: a variable is missing: no hub started this process.
        """
        prefix = _needed(environ, "JUPYTERHUB_SERVICE_PREFIX")
        base = environ.get("JUPYTERHUB_BASE_URL", "/")
        return cls(
            prefix=f"/{prefix.strip('/')}/",
            service_url=_needed(environ, "JUPYTERHUB_SERVICE_URL"),
            hub_api_url=_needed(environ, "JUPYTERHUB_API_URL").rstrip("/"),
            hub_url=f"{environ.get('JUPYTERHUB_HOST', '')}{base.rstrip('/')}/hub/",
            api_token=_needed(environ, "JUPYTERHUB_API_TOKEN"),
            client_id=_needed(environ, "JUPYTERHUB_CLIENT_ID"),
            redirect_uri=environ.get("JUPYTERHUB_OAUTH_CALLBACK_URL")
            or f"/{prefix.strip('/')}/{_CALLBACK}",
            access_scopes=_access_scopes(environ),
            public_url=environ.get("JUPYTERHUB_PUBLIC_URL", ""),
            cookie_secret=_cookie_secret(environ.get(SECRET_FILE_VARIABLE)),
        )

    @property
    def path(self) -> str:
        """The prefix as ASGI writes paths: decoded."""
        return unquote(self.prefix)

    def own_path(self, scope: Scope) -> bytes | None:
        """The path of a request as it was sent, below our own spelling of the prefix.

        None: the request lies elsewhere.
        """
        raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        return own_spelling(raw, self.prefix)

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach this process by HTTPS."""
        return urlsplit(self.public_url).scheme == "https"


def _needed(environ: Mapping[str, str], name: str) -> str:
    if value := environ.get(name):
        return value
    raise Invalid(f"{name} is not set: only the hub can start this process.")


def _access_scopes(environ: Mapping[str, str]) -> frozenset[str]:
    if listed := environ.get("JUPYTERHUB_OAUTH_ACCESS_SCOPES"):
        return frozenset(json.loads(listed))
    name = _needed(environ, "JUPYTERHUB_SERVICE_NAME")
    return frozenset({f"access:services!service={name}"})


def _cookie_secret(file: str | None) -> bytes:
    """The kept secret, so that logins outlive a restart; else one for this process."""
    if file is None:
        return secrets.token_bytes(32)
    if secret := Path(file).read_bytes().strip():
        return secret
    raise Invalid(f"{SECRET_FILE_VARIABLE} names an empty file: remove it.")
