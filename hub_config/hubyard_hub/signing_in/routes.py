"""The addresses of the pages of signing in, below the hub's."""

from __future__ import annotations

from hubyard_hub.signing_in.admitting import AdmitHandler, DiscardHandler
from hubyard_hub.signing_in.links import SignInLinkHandler, WelcomeHandler
from hubyard_hub.signing_in.pages import (
    ChangePasswordAdminHandler,
    ChangePasswordHandler,
    SignUpHandler,
)

PAGES = (
    (r"/authorize/([^/]+)", AdmitHandler),
    (r"/discard/([^/]+)", DiscardHandler),
    (r"/signup", SignUpHandler),
    (r"/change-password", ChangePasswordHandler),
    (r"/change-password/([^/]+)", ChangePasswordAdminHandler),
    (r"/welcome", WelcomeHandler),
    (r"/sign-in-link", SignInLinkHandler),
)
