"""Tables: what Hubyard remembers, column by column.

entries, settlements, sightings   the ledger: see `hubyard.contract.entry`
sources                           who uploaded which blob
schedules, runs                   UNIQUE(schedule, fire time) makes a fire exactly one
deployments, revisions            the wish, and its numbered states
apps, app_shares                  the web apps, and who may open them

Runs, deployments and apps share the columns of `_wish`: what a reconciler needs to
bring a workload to where it shall be. `past_entry_id` is the newest ledger entry of
that server name from before the start was wished for: whatever is newer is its own.
`closed` says that nothing of it is left at the hub and nobody wishes for anything.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from hubyard.contract.app import Framework
from hubyard.contract.entry import EndReason
from hubyard.contract.schedule import Missed
from hubyard.contract.workload import Kind, Limits, Status, Target
from hubyard_hub.store.columns import JsonColumn, MomentColumn, WordColumn

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=null)


def _integer(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Integer, nullable=null)


def _moment(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, MomentColumn, nullable=null)


def _json(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, JsonColumn, nullable=null)


def _identity() -> list[Column[Any]]:
    return [Column("id", Text, primary_key=True), _text("owner"), _text("name")]


def _wish() -> list[Column[Any]]:
    return [
        *_identity(),
        _text("server_name"),
        _text("compute"),
        _integer("lifetime_s"),
        Column("status", WordColumn(Status), nullable=False),
        Column("target", WordColumn(Target), nullable=False),
        _text("reason", null=True),
        _text("log_tail", null=True),
        _text("past_entry_id", null=True),
        _integer("attempts"),
        Column("closed", Boolean, nullable=False),
        _moment("created_at"),
        _moment("changed_at"),
    ]


entries = Table(
    "entries",
    metadata,
    Column("id", Text, primary_key=True),
    _text("owner"),
    _text("server_name"),
    Column("kind", WordColumn(Kind), nullable=False),
    _text("compute"),
    Column("price_micros", BigInteger, nullable=False),
    _text("currency"),
    _integer("lifetime_s"),
    Column("limits", WordColumn(Limits), nullable=False),
    _moment("started_at"),
    Index(None, "owner", "started_at"),
    Index(None, "owner", "server_name"),
)

settlements = Table(
    "settlements",
    metadata,
    Column("entry_id", ForeignKey("entries.id"), primary_key=True),
    _moment("ended_at"),
    Column("exact", Boolean, nullable=False),
    Column("reason", WordColumn(EndReason), nullable=False),
    _integer("exit_code", null=True),
    Column("peak_memory_bytes", BigInteger),
    Column("cpu_seconds", Float),
)

sightings = Table(
    "sightings",
    metadata,
    Column("entry_id", ForeignKey("entries.id"), primary_key=True),
    _moment("seen_at"),
)

sources = Table(
    "sources",
    metadata,
    _text("owner"),
    _text("digest"),
    Column("size_bytes", BigInteger, nullable=False),
    _moment("created_at"),
    PrimaryKeyConstraint("owner", "digest"),
)

schedules = Table(
    "schedules",
    metadata,
    *_identity(),
    _text("notebook"),
    _text("source"),
    _text("cron"),
    _text("time_zone"),
    _json("parameters"),
    _text("compute"),
    _integer("lifetime_s"),
    _integer("cell_timeout_s", null=True),
    Column("missed", WordColumn(Missed), nullable=False),
    Column("paused", Boolean, nullable=False),
    _moment("next_fire", null=True),
    _moment("created_at"),
    Index(None, "owner"),
    Index(None, "next_fire"),
)

runs = Table(
    "runs",
    metadata,
    *_wish(),
    _text("schedule_id", null=True),
    _moment("fire_at", null=True),
    _text("notebook"),
    _text("source"),
    _json("parameters"),
    _integer("cell_timeout_s", null=True),
    _integer("revision"),
    _moment("started_at", null=True),
    _moment("ended_at", null=True),
    _json("cells"),
    _json("failure", null=True),
    UniqueConstraint("schedule_id", "fire_at"),
    Index(None, "owner", "created_at"),
    Index(None, "closed"),
)

deployments = Table(
    "deployments",
    metadata,
    *_wish(),
    _integer("revision"),
    Index(None, "owner"),
    Index(None, "closed"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE")),
    _integer("number"),
    _text("model"),
    _text("version"),
    _text("source"),
    _json("signature", null=True),
    _json("example", null=True),
    _moment("created_at"),
    _text("created_by"),
    PrimaryKeyConstraint("deployment_id", "number"),
)

apps = Table(
    "apps",
    metadata,
    *_wish(),
    Column("framework", WordColumn(Framework), nullable=False),
    _text("path"),
    _text("source"),
    Index(None, "owner"),
    Index(None, "closed"),
)

app_shares = Table(
    "app_shares",
    metadata,
    Column("app_id", ForeignKey("apps.id", ondelete="CASCADE")),
    _text("kind"),
    _text("name"),
    PrimaryKeyConstraint("app_id", "kind", "name"),
)
