"""An answer: what the gate itself says, instead of what stands behind it.

It never names what was asked for: who may not see a thing does not learn of it.
"""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse, JSONResponse, Response

from hubyard.contract.errors import Problem

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Hubyard</title>
<body style="font: 1rem/1.5 system-ui; max-width: 40rem; margin: 4rem auto">
<p role="alert">{message}</p>
<p><a href="{home}">Go to your Hubyard home</a></p>
"""


def problem(status: int, message: str) -> Response:
    """For a program."""
    response = JSONResponse(Problem(message=message).model_dump(), status)
    response.headers["cache-control"] = "no-store"
    if status == 401:  # noqa: PLR2004 - the one status that must say how to log in
        response.headers["www-authenticate"] = 'Bearer realm="hubyard"'
    return response


def page(status: int, message: str, home: str) -> Response:
    """For a person."""
    text = _PAGE.format(message=escape(message), home=escape(home))
    response = HTMLResponse(text, status)
    response.headers["cache-control"] = "no-store"
    return response
