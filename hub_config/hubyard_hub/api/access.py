"""Access: who may call a route. A route without one of these rules cannot be served.

person    a user's own hand: a browser, a token, or a workspace
admin     a person who administers the hub
workload  a run, endpoint or app, known by its own token; it can reach its job alone
secret    whoever holds the secret of one object; its noun checks it
"""

from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from hubyard.contract.errors import Forbidden, NotFound, Problem
from hubyard.contract.identity import Identity
from hubyard.contract.workload import Kind

PREFIX = "/api"
PUBLIC = {"/api/health"}
"""All that nobody needs a login for."""
HOOKS = "/api/hooks"
"""The folder in which a secret opens what a login opens elsewhere."""


def _identity(request: Request) -> Identity:
    identity = request.scope.get("hubyard.identity")
    if not isinstance(identity, Identity):
        raise Forbidden("Log in, or send a token in the Authorization header.")
    return identity


def person(request: Request) -> Identity:
    """Let a person through; the token of a run, endpoint or app stays outside."""
    identity = _identity(request)
    if not identity.is_person:
        raise Forbidden("Only a person may do this.")
    if identity.name in request.app.state.nouns.leaving:
        # The gate may remember a token that the hub knows no more.
        raise Forbidden("Your access has ended.")
    return identity


def admin(identity: Annotated[Identity, Depends(person)]) -> Identity:
    """Let an administrator of the hub through."""
    if not identity.admin:
        raise Forbidden("Only an administrator may do this.")
    return identity


def workload(request: Request) -> Identity:
    """Let a run, an endpoint or an app through, with its own token."""
    identity = _identity(request)
    own = identity.workload
    if identity.kind != "user" or own is None or own.kind is Kind.WORKSPACE:
        raise Forbidden("Only a run, an endpoint or an app may ask this.")
    return identity


def run(identity: Annotated[Identity, Depends(workload)]) -> Identity:
    """Let a run through, with its own token."""
    own = identity.workload
    if own is None or own.kind is not Kind.RUN:
        raise Forbidden("Only a run may hand this in.")
    return identity


def token(request: Request) -> str:
    """The caller's own token, as the gate has checked it."""
    return str(request.scope["hubyard.token"])


def secret(request: Request) -> str:
    """Let through whoever sends a secret, as a bearer token; nothing is checked yet."""
    sent = request.scope.get("hubyard.secret")
    if not sent:
        raise NotFound
    return str(sent)


_RULES = {person, workload, secret}

Person = Annotated[Identity, Depends(person)]
Admin = Annotated[Identity, Depends(admin)]
Workload = Annotated[Identity, Depends(workload)]
RunItself = Annotated[Identity, Depends(run)]
Token = Annotated[str, Depends(token)]
Secret = Annotated[str, Depends(secret)]


def people(tag: str, prefix: str = PREFIX) -> APIRouter:
    """A router all of whose routes are for people."""
    return _router(tag, prefix, person)


def workloads(tag: str) -> APIRouter:
    """A router all of whose routes are for workloads."""
    return _router(tag, PREFIX, workload)


def hooks(tag: str) -> APIRouter:
    """A router all of whose routes are for whoever holds a secret."""
    return _router(tag, HOOKS, secret)


def public(tag: str) -> APIRouter:
    """A router without a login; its routes must be listed in `PUBLIC` by name."""
    return _router(tag, PREFIX)


def _router(tag: str, prefix: str, *rules: Callable[..., object]) -> APIRouter:
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=[Depends(rule) for rule in rules],
        responses={"default": {"model": Problem, "description": "Refused"}},
        generate_unique_id_function=_operation_id,
    )


def _operation_id(route: APIRoute) -> str:
    return route.name


def check_rules(app: FastAPI) -> None:
    """Refuse to serve an application that has a route without a rule.

    Raises:
        RuntimeError: naming the routes.
    """
    bare = [
        getattr(route, "path", repr(route))
        for route in app.routes
        if not (isinstance(route, APIRoute) and _has_rule(route))
    ]
    if bare:
        raise RuntimeError(f"no rule says who may call {', '.join(bare)}")


def _has_rule(route: APIRoute) -> bool:
    if route.path in PUBLIC:
        return route.methods == {"GET"}
    return not _RULES.isdisjoint(_calls(route.dependant))


def _calls(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)
