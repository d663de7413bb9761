"""The hub's configuration: what JupyterHub must be for one hub to run four workloads.

The proxy, the platform and MLflow are other processes, supervised beside the hub, so
that a restart of the hub touches none of them nor any workload.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import nativeauthenticator

from hubyard.contract.errors import HubyardError
from hubyard_hub.hub import database as hub_database
from hubyard_hub.pages.ended import add_ended
from hubyard_hub.pages.money import add_pages
from hubyard_hub.pages.pages import TEMPLATES, Pages
from hubyard_hub.parts import Books
from hubyard_hub.people.departures import Departures
from hubyard_hub.people.pages import add_people
from hubyard_hub.reconcile.turns import MOST_STARTS
from hubyard_hub.settings import EXTRA_VARIABLE, ROUTES_SERVICE, Settings
from hubyard_hub.signing_in.address import Clients
from hubyard_hub.signing_in.authenticator import HubyardAuthenticator
from hubyard_hub.signing_in.routes import PAGES
from hubyard_hub.up.report import Report
from hubyard_spawner.local.spawner import LocalSpawner
from hubyard_spawner.workloads import (
    ANSWER_LIMIT_S,
    KINDS,
    PLATFORM_SERVICE,
    START_LIMIT_S,
)

if TYPE_CHECKING:
    from jupyterhub.spawner import Spawner
    from traitlets.config import Config

_DAY_S = 24 * 3600
_POLL_S = 5
_REFRESH_S = 20
"""How often the hub asks whether somebody is still admitted."""
_ACCESS = [f"access:services!service={name}" for name in (PLATFORM_SERVICE, "mlflow")]
_CSP = "frame-ancestors 'self'; report-uri /hub/security/csp-report"


def configure(c: Config) -> None:
    """Set all that Hubyard asks of JupyterHub, from the state folder's settings."""
    try:
        settings = Settings.load()
        # People sign in and find what runs although the database is away.
        books = Books.build(settings, must_answer=False)
    except HubyardError as error:
        sys.exit(error.message)
    _configure_hub(c, settings)
    _configure_proxy(c, settings)
    _configure_services(c, settings)
    _configure_roles(c)
    _configure_people(c, settings, books)
    _configure_spawner(c, settings, books)
    _configure_pages(c, Pages(books))
    if extra := os.environ.get(EXTRA_VARIABLE):
        runpy.run_path(extra, {"c": c, "get_config": lambda: c})


def _configure_hub(c: Config, settings: Settings) -> None:
    hub = c.JupyterHub
    hub.bind_url = f"{settings.bind_url}/"
    hub.hub_bind_url = f"http://127.0.0.1:{settings.hub_port}"
    hub.public_url = f"{settings.public_url}/"
    hub_database.configure(c, settings.state / "hub.sqlite")
    hub.cookie_secret_file = str(settings.secret_file("hub_cookie"))
    hub.cleanup_servers = False
    hub.allow_named_servers = True
    hub.default_url = "/hub/home"
    hub.implicit_spawn_seconds = 0
    hub.last_activity_interval = 60  # then it also looks after the proxy's routes
    hub.concurrent_spawn_limit = 2 * MOST_STARTS
    hub.token_expires_in_max_seconds = 90 * _DAY_S
    hub.tornado_settings = {"headers": {"Content-Security-Policy": _CSP}}
    hub.log_level = "WARN"
    c.HubyardHub.clients = lambda: _clients(settings)


def _configure_proxy(c: Config, settings: Settings) -> None:
    c.JupyterHub.proxy_class = "configurable-http-proxy"
    proxy = c.ConfigurableHTTPProxy
    proxy.should_start = False
    proxy.api_url = f"http://127.0.0.1:{settings.proxy_api_port}"
    proxy.auth_token = settings.secret("proxy")


def _configure_services(c: Config, settings: Settings) -> None:
    urls = {
        PLATFORM_SERVICE: f"http://127.0.0.1:{settings.platform_port}",
        "mlflow": f"http://127.0.0.1:{settings.mlflow_port}",
    }
    c.JupyterHub.services = [
        {
            "name": name,
            "url": url,
            "api_token": settings.secret(f"service_{name}"),
            "oauth_no_confirm": True,
            "oauth_client_allowed_scopes": ["read:users:groups!user", *_ACCESS],
            "timeout": 1,
            "display": name != PLATFORM_SERVICE,  # it has no pages of its own
        }
        for name, url in urls.items()
    ] + [
        {
            "name": ROUTES_SERVICE,
            "api_token": settings.secret(f"service_{ROUTES_SERVICE}"),
        }
    ]


def _configure_roles(c: Config) -> None:
    c.JupyterHub.load_roles = [
        {
            "name": "platform",
            "services": [PLATFORM_SERVICE],
            "scopes": [
                *("start:servers", "delete:servers", "read:servers"),
                "access:services!service=mlflow",  # for aliases; see mlflow_app
            ],
        },
        {
            "name": "mlflow",
            "services": ["mlflow"],
            "scopes": ["list:users", "read:users:groups"],  # see mlflow.members
        },
        {"name": "supervisor", "services": [ROUTES_SERVICE], "scopes": ["proxy"]},
        {
            "name": "user",
            "scopes": [
                *("self", "shares!user", "read:users:name", "read:groups:name"),
                *_ACCESS,
            ],
        },
    ]


def _configure_people(c: Config, settings: Settings, books: Books) -> None:
    c.JupyterHub.authenticator_class = HubyardAuthenticator
    people = c.NativeAuthenticator
    people.open_signup = False
    people.check_common_password = True
    people.minimum_password_length = HubyardAuthenticator.PASSWORD_LENGTH
    c.HubyardAuthenticator.welcome_file = str(settings.welcome_file)
    c.HubyardAuthenticator.sign_in_link_file = str(settings.sign_in_link_file)
    c.HubyardAuthenticator.pages = PAGES
    c.HubyardAuthenticator.clients = lambda: _clients(settings)
    departures = Departures(books.store)
    c.HubyardAuthenticator.departures = lambda: departures
    c.Authenticator.auth_refresh_age = _REFRESH_S
    # Whom an administrator has admitted; another authenticator must say whom it allows.
    c.HubyardAuthenticator.allow_all = True
    c.HubyardAuthenticator.any_allow_config = True


def _clients(settings: Settings) -> Clients:
    """What tells where a request comes from: our proxy's word, and of no other."""
    return Clients(
        settings.trusted_proxies, lambda: Report.pid(settings.state, "proxy")
    )


def _configure_spawner(c: Config, settings: Settings, books: Books) -> None:
    c.JupyterHub.spawner_class = LocalSpawner
    c.Spawner.poll_interval = _POLL_S
    c.Spawner.start_timeout = START_LIMIT_S
    c.Spawner.http_timeout = ANSWER_LIMIT_S
    c.Spawner.default_url = "/lab"
    c.Spawner.server_token_scopes = _token_scopes
    c.Spawner.oauth_client_allowed_scopes = ["read:users:groups!user"]
    spawner = c.LocalSpawner
    spawner.meter = lambda: books.ledger
    spawner.catalogue = lambda: books.catalogue
    spawner.workloads_dir = str(settings.workloads)
    spawner.homes_dir = str(settings.homes)
    spawner.skeleton_dir = str(settings.skeleton or "")
    spawner.least_free_mib = settings.least_free_mib
    spawner.public_url = settings.public_url
    spawner.platform_url = settings.platform_url
    spawner.mlflow_url = settings.mlflow_url


def _token_scopes(spawner: Spawner) -> list[str]:
    """The scopes of a workload's own token: least first, by its kind."""
    from hubyard.contract.workload import ServerName  # noqa: PLC0415  a callback

    try:
        name = ServerName.parse(spawner.name)
    except HubyardError:
        return ["users:activity!user"]  # refused a moment later, by the spawner
    return list(KINDS[name.kind].scopes)


def _configure_pages(c: Config, pages: Pages) -> None:
    native = Path(nativeauthenticator.__file__).parent / "templates"
    c.JupyterHub.template_paths = [str(TEMPLATES), str(native)]
    c.JupyterHub.template_vars = pages.variables()
    add_pages(pages)
    add_ended()
    add_people(pages.books.store)
    # A function is configured, not the method: traitlets would copy its object.
    c.Spawner.options_form = lambda spawner: pages.spawn_form(spawner)  # noqa: PLW0108
