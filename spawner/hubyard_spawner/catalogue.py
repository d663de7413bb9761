"""The catalogue: the compute profiles that a deployment offers, read from TOML.

retired  no longer offered; who still asks for it gets its successor, and is told

A mistake names the file, the line and what to write. Everything behind `load` may
trust what it holds.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import psutil
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from hubyard.contract import money
from hubyard.contract.base import LONGEST_S, Slug, Written, in_words
from hubyard.contract.duration import duration_text, parse_duration
from hubyard.contract.errors import Forbidden, Invalid
from hubyard.contract.workload import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


_SIZES = {"MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "MB": 10**6, "GB": 10**9}
_SIZE = re.compile(r"^\s*([0-9]+(?:\.[0-9]+)?)\s*(MiB|GiB|TiB|MB|GB)\s*$")
_SHORTEST_S = 60
_HOUR_S = 3600


class CatalogueError(Invalid):
    """The catalogue of compute cannot be used."""


def _parse_size(value: object) -> int:
    match = _SIZE.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('write a size such as "2 GiB"')
    return int(Decimal(match[1]) * _SIZES[match[2]])


def _parse_cores(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("write a number of cores such as 1 or 0.5")  # noqa: TRY004  pydantic reports ValueError alone
    return float(value)


def _parse_price(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError("write a price per hour such as 0.05")  # noqa: TRY004  pydantic reports ValueError alone
    return money.parse_micros(value)


def _parse_lifetime(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError('write a duration such as "8h"')  # noqa: TRY004  pydantic reports ValueError alone
    seconds = parse_duration(value)
    if not _SHORTEST_S <= seconds <= LONGEST_S:
        shortest, longest = duration_text(_SHORTEST_S), duration_text(LONGEST_S)
        raise ValueError(f"write a duration from {shortest} to {longest}")
    return seconds


Lifetime = Annotated[int, BeforeValidator(_parse_lifetime)]


def _parse_idle(value: object) -> int | None:
    return None if value == "never" else _parse_lifetime(value)


IdleLimit = Annotated[
    int | None,
    BeforeValidator(_parse_idle),
    in_words('write a duration such as "1h", or "never"'),
]


class Profile(Written):
    """One compute profile. `price` is in micro-units per hour, memory in bytes."""

    name: Slug
    description: str = Field(default="", max_length=200)
    cpu: Annotated[
        float,
        BeforeValidator(_parse_cores),
        Field(gt=0, le=1024, allow_inf_nan=False),
    ]
    memory: Annotated[
        int,
        BeforeValidator(_parse_size),
        Field(ge=128 * 2**20, le=2**60),
        in_words('write a size such as "2 GiB", from "128 MiB"'),
    ]
    gpu: Annotated[int, Field(ge=0, le=64, strict=True)] = 0
    price: Annotated[int, BeforeValidator(_parse_price), Field(ge=0, le=10**12)]
    default_lifetime: Lifetime
    longest_lifetime: Lifetime
    groups: tuple[str, ...] = Field(
        default=(), description="hub groups that may use it; empty: everyone"
    )
    successor: Slug | None = Field(
        default=None, description="retired: who asks for it gets this one instead"
    )
    message: str = Field(default="", max_length=200, description="what is said to them")
    ray_worker: Slug | None = Field(
        default=None, description="the profile of its Ray workers"
    )
    ray_workers: Annotated[int, Field(ge=0, le=100, strict=True)] = 0

    @model_validator(mode="after")
    def _default_fits(self) -> Profile:
        if self.default_lifetime > self.longest_lifetime:
            raise ValueError("default_lifetime is longer than longest_lifetime")
        return self

    def lifetime(self, wished_s: int | None) -> int:
        """The lifetime, in seconds, of a workload whose owner wished for one.

        Raises:
            Invalid: longer than this profile allows.
        """
        if wished_s is None:
            return self.default_lifetime
        if wished_s > self.longest_lifetime:
            raise Invalid(
                f"{self.name} may live at most {duration_text(self.longest_lifetime)}: "
                "choose fewer hours.",
                field="lifetime_s",
            )
        return wished_s


class Idle(Written):
    """Seconds without activity after which a kind is stopped; None: never."""

    workspace: IdleLimit = _HOUR_S
    endpoint: IdleLimit = None
    app: IdleLimit = None

    def limit(self, kind: Kind) -> int | None:
        """That of a kind; a run ends by itself."""
        return {
            Kind.WORKSPACE: self.workspace,
            Kind.ENDPOINT: self.endpoint,
            Kind.APP: self.app,
        }.get(kind)


class _File(Written):
    currency: Annotated[
        str,
        Field(pattern=r"^[A-Z]{3}$"),
        in_words('write three capital letters such as "USD"'),
    ] = "USD"
    idle: Idle = Idle()
    compute: Annotated[tuple[Profile, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Catalogue:
    """Every profile of a deployment, in the order of its file."""

    currency: str
    profiles: tuple[Profile, ...]
    idle: Idle = field(default_factory=Idle)

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """Read and check a catalogue.

        Raises:
            CatalogueError: naming the file, the line and what to write.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogueError(f"{path}: cannot be read: {error}") from None
        try:
            raw = tomllib.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise CatalogueError(f"{path}: not TOML: {error}") from None
        try:
            file = _File.model_validate(raw)
        except ValidationError as error:
            raise CatalogueError(_explain(path, text, error)) from None
        catalogue = cls(file.currency, file.compute, file.idle)
        for index, fault in catalogue._faults():
            line = _line_of(text, index, fault.key)
            raise CatalogueError(f"{path}:{line}: {fault.says}")
        return catalogue

    def _faults(self) -> Iterator[tuple[int, _Fault]]:
        """What is wrong between profiles, each by its place in the file."""
        names = [profile.name for profile in self.profiles]
        for index, profile in enumerate(self.profiles):
            if profile.name in names[:index]:
                says = f"{profile.name!r} is there twice: rename one."
                yield index, _Fault("name", says)
            for key in ("successor", "ray_worker"):
                other = getattr(profile, key)
                if other is not None and other not in names:
                    says = f"{key}: there is no compute called {other!r}."
                    yield index, _Fault(key, says)
            if profile.ray_workers and profile.ray_worker is None:
                says = "ray_workers: say of which compute: add ray_worker."
                yield index, _Fault("ray_workers", says)
            if self.heir(profile.name) is None:
                says = "successor: following successors comes back here."
                yield index, _Fault("successor", says)

    def heir(self, name: str | None) -> Profile | None:
        """Who stands for a name today: the profile itself, or whoever succeeded it."""
        profile = self.named(name)
        for _ in self.profiles:
            if profile is None or profile.successor is None:
                return profile
            profile = self.named(profile.successor)
        return None  # its successors go round in circles

    def named(self, name: str | None) -> Profile | None:
        """The profile of that name, retired or not."""
        return next((p for p in self.profiles if p.name == name), None)

    def allowed(self, groups: Collection[str]) -> tuple[Profile, ...]:
        """The profiles that a member of these hub groups is offered."""
        return tuple(
            profile
            for profile in self.profiles
            if profile.successor is None
            and (not profile.groups or set(profile.groups) & set(groups))
        )

    def price_of(self, profile: Profile) -> int:
        """Micro-units per hour, with those of its Ray workers."""
        worker = self.named(profile.ray_worker)
        return profile.price + profile.ray_workers * (worker.price if worker else 0)

    def notice(self, name: str | None) -> str | None:
        """What to tell somebody who asks for a retired profile."""
        asked, heir = self.named(name), self.heir(name)
        if asked is None or heir is None or heir is asked:
            return None
        return f"{asked.name} is retired: you get {heir.name}. {asked.message}".strip()

    def choose(self, name: str | None, groups: Collection[str]) -> Profile:
        """The profile of that name; for None the first that may be used.

        Raises:
            Invalid: there is none of that name that these groups may use.
            Forbidden: these groups may use none at all.
        """
        allowed = self.allowed(groups)
        if not allowed:
            raise Forbidden("No compute is offered to you: ask your administrator.")
        if name is None:
            return allowed[0]
        heir = self.heir(name)
        if heir in allowed:
            return heir
        names = ", ".join(profile.name for profile in allowed)
        raise Invalid(
            f"There is no compute called {name!r} for you: choose {names}.",
            field="compute",
        )

    def plan(
        self, name: str | None, groups: Collection[str], wished_s: int | None
    ) -> tuple[Profile, int]:
        """The profile that a start gets, and its lifetime in seconds.

        A retired profile's successor gives at most what it may itself.

        Raises:
            Invalid, Forbidden: no such compute for these groups, or not for so long.
        """
        profile = self.choose(name, groups)
        if wished_s is not None and name not in {None, profile.name}:
            wished_s = min(wished_s, profile.longest_lifetime)
        return profile, profile.lifetime(wished_s)


@dataclass(frozen=True)
class _Fault:
    key: str
    says: str


def why_unavailable(profile: Profile) -> str | None:
    """Why this machine cannot give a profile; None: it can."""
    cores = psutil.cpu_count() or 1
    if profile.cpu > cores:
        return f"needs {profile.cpu:g} cores; this machine has {cores}"
    memory = psutil.virtual_memory().total
    if profile.memory > memory:
        return (
            f"needs {profile.memory / 2**30:.1f} GiB of memory; "
            f"this machine has {memory / 2**30:.1f} GiB"
        )
    if profile.gpu:
        return "needs a GPU, which single-machine Hubyard does not hand out yet"
    if profile.ray_workers:
        return "needs Ray workers, which Hubyard does not start yet"
    return None


def _explain(path: Path, text: str, error: ValidationError) -> str:
    """One line for the first mistake: file, line, field, what to write."""
    first = error.errors(include_url=False)[0]
    place: tuple[Any, ...] = first["loc"]
    index = next((part for part in place if isinstance(part, int)), None)
    key = next(
        (p for p in reversed(place) if isinstance(p, str) and p != "compute"), ""
    )
    line = _line_of(text, index, key)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        misplaced = key in _File.model_fields
        message = (
            "is a setting of the whole file: move it above the first [table]"
            if misplaced
            else "is not a setting that is known here: remove it"
        )
    if first["type"] == "missing":
        message = "is missing: add it"
    return f"{path}:{line}: {key or 'compute'}: {message}"


def _line_of(text: str, index: int | None, key: str) -> int:
    """The line, from 1, of a key in the index-th `[[compute]]`, or of its head."""
    lines = text.splitlines()
    heads = [n for n, line in enumerate(lines) if re.match(r"\s*\[\[compute\]\]", line)]
    start, end = 0, len(lines)
    if index is not None and index < len(heads):
        start = heads[index]
        end = heads[index + 1] if index + 1 < len(heads) else len(lines)
    pattern = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    for number in range(start, end):
        if key and pattern.match(lines[number]):
            return number + 1
    return start + 1
