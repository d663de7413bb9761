"""The questions: each route by each method, with samples and with right guesses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from security.judge import SHARED, Question
from security.mlflow_objects import beside_ones_own
from security.objects import objects
from security.routes import WEBSOCKET, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from security.attackers import Attacker
    from security.victim import Victim

_HOMES = {"platform": "/services/hubyard", "mlflow": "/services/mlflow", "hub": ""}
_ENDS_A_SESSION = "/hub/logout"
_DISGUISES = (
    *("/api/health/%2e%2e/me", "/api/health%2f..%2fme", "/health/%2e%2e/version"),
    *("/api/health/", "/API/HEALTH", "/api/health;/me", "/api/health%00", "//health"),
)
"""Paths that look like what is open, and are not."""
_OF_PLATFORM: dict[str, dict[str, object]] = {
    "shares": {"user": "bo"},
    "backfill": {"since": "2026-11-01T00:00Z", "until": "2026-11-02T00:00Z"},
}
"""What a route asks for, by the end of its path, before it looks whose it is."""


def questions(
    attacker: Attacker, victim: Victim, routes: dict[str, list[Route]]
) -> Iterator[Question]:
    """All that one attacker asks."""
    for place, found in routes.items():
        if place not in attacker.places:
            continue
        home = _HOMES[place] if place in _HOMES else victim.home(place)
        for route in found:
            # Whoever is signed in would be signed out by this, and ask no more.
            if not (attacker.proofs and route.path == _ENDS_A_SESSION):
                yield from _of_route(attacker, victim, place, home, route)
        if attacker.who.kind == "guest":
            yield from objects(attacker.who, place, victim)
            yield from beside_ones_own(attacker.who, place, victim)
        if attacker.who.kind == "stranger" and place in {"platform", "mlflow"}:
            for path in _DISGUISES:
                route = Route(path, (), "gate")
                yield Question(attacker.who, place, route, "GET", home + path)


def _of_route(
    attacker: Attacker, victim: Victim, place: str, home: str, route: Route
) -> Iterator[Question]:
    is_guest = attacker.who.kind == "guest" and place in SHARED
    guess = victim.guessed(route.path)
    for method in attacker.methods:
        if attacker.own_methods and method not in route.methods:
            continue
        plain = Question(attacker.who, place, route, method, home + route.path)
        yield plain
        if is_guest:
            yield from _guesses(plain, victim, home)
        elif guess != route.path:
            yield replace(plain, path=home + guess)


def _guesses(plain: Question, victim: Victim, home: str) -> Iterator[Question]:
    """The same with all that a good guesser would put into it."""
    route, method = plain.route, plain.method
    guess = victim.guessed(route.path)
    fields: dict[str, object] = {}
    if plain.place == "mlflow" and method in route.methods:
        fields = _of_mlflow(victim, route.path)
    elif plain.place == "platform":
        fields = _OF_PLATFORM.get(route.path.rpartition("/")[2], {})
    if guess == route.path and not fields:
        return
    in_path = method in {"GET", WEBSOCKET}
    in_path = in_path or (plain.place == "platform" and method == "DELETE")
    query = f"?{urlencode(fields, doseq=True)}" if fields and in_path else ""
    body = json.dumps(fields) if fields and not in_path else ""
    twin = "" if plain.place == "mlflow" else f"{plain.who.name}: {method} {route.path}"
    right = replace(plain, path=home + guess + query, body=body, twin=twin)
    yield replace(right, is_guess=True)
    if twin:
        yield replace(right, path=home + victim.guessed(route.path, wrong=True) + query)


def _of_mlflow(victim: Victim, path: str) -> dict[str, object]:
    """ana's under every name that MLflow's interface has for it; it skips the rest."""
    fields: dict[str, object] = {
        **victim.tracked,
        "experiment_ids": [victim.tracked["experiment_id"]],
        "run_ids": [victim.tracked["run_id"]],
        "metric_key": "stolen",
        "metric_keys": ["stolen"],
        "key": "stolen",
        "value": "1",
        "timestamp": 1,
        "max_results": 100,
        "username": "bo",
        "new_name": "stolen",
        "description": "stolen",
        "alias": "stolen",
        "stage": "Production",
        "archive_existing_versions": False,
        "resource_type": "experiment",
        "resource_pattern": victim.tracked["experiment_id"],
        "resource_id": victim.tracked["experiment_id"],
        "permission": "MANAGE",
    }
    if path.endswith("/create"):
        # What is bo's own must not be called as what is ana's.
        fields["name"] = "bo's"
    return fields
