"""`hubyard sign-in-link NAME`: a way in for an administrator, from the machine itself.

Whoever may write into the state folder has all power over a deployment anyway, so the
command asks for nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from hubyard.contract.errors import Invalid
from hubyard_hub.settings import Settings
from hubyard_hub.signing_in.names import may_exist
from hubyard_hub.signing_in.welcome import Welcome

if TYPE_CHECKING:
    import argparse

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  argparse gives it no other name


def add_sign_in_link(subparsers: Subparsers) -> None:
    """Add `sign-in-link` to the command `hubyard`."""
    parser = subparsers.add_parser(
        "sign-in-link", help="a one-time link that signs an administrator in"
    )
    parser.add_argument("name", metavar="NAME", help="the administrator's name")
    parser.add_argument("--state", type=Path, help="folder of everything kept")
    parser.set_defaults(command=run_sign_in_link)


def run_sign_in_link(arguments: argparse.Namespace) -> int:
    """Print the link. The one before it works no more."""
    if not may_exist(arguments.name):
        raise Invalid("This is no name of a person: see the hub's page Admin.")
    settings = Settings.load(arguments.state)
    code = Welcome(settings.sign_in_link_file).issue(arguments.name)
    link = urlencode({"name": arguments.name, "code": code})
    sys.stdout.write(
        f"{arguments.name} signs in as an administrator, once and within a day, with\n"
        f"{settings.public_url}/hub/sign-in-link#{link}\n"
    )
    return 0
