"""Tables: what Hubyard remembers, column by column.

entries, settlements, sightings   the ledger: see `hubyard.contract.entry`
charges                           whom an entry's cost counts for
deadlines, extensions             when a workload ends, and who has moved that
budgets                           each row a decision; the newest of an account holds
activities, samples, uses         what a workload does with what it is paid for
sources                           who uploaded which blob
schedules, runs                   UNIQUE(schedule, fire time) makes a fire exactly one.
                                  Where a trigger wakes it, `cron` is empty, `seen` is
                                  what its last look has found, and `secret_hash`
                                  stands for what opens its webhook
step_runs                         a run's steps with their cells, which may be
                                  megabytes: apart, for no list reads them
tracked_ends                      runs whose end MLflow has not been told of
                                  `counted_since` of a run is the ledger's newest number
                                  when it became the oldest that waits for memory
drops                             fires that started no run: spans, and why
hook_calls                        calls of webhooks that named a key, for a day
notices                           UNIQUE(run, why) makes each exactly one
channels, deliveries              the ways out, and each notice's way through one
deployments, revisions            the wish, and its numbered states
apps, app_shares                  the web apps, and who may open them
departures                        whose access has ended, and how far that has come:
                                  `running` names what a deputy shall start again,
                                  `left` says what is still ending, `revoked_at`
                                  since when the hub knows none of their tokens

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
from hubyard.contract.budget import Scope, Stop, WhenSpent
from hubyard.contract.entry import EndReason
from hubyard.contract.notice import DeliveryStatus, Why
from hubyard.contract.people import Leaving
from hubyard.contract.schedule import DropReason, Missed, Overlap
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


def _big(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, BigInteger, nullable=null)


def _json(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, JsonColumn, nullable=null)


def _entry() -> Column[Any]:
    return Column("entry_id", ForeignKey("entries.id"), primary_key=True)


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
        _text("project", null=True),
    ]


entries = Table(
    "entries",
    metadata,
    Column("id", Text, primary_key=True),
    _text("owner"),
    _text("server_name"),
    Column("kind", WordColumn(Kind), nullable=False),
    _text("compute"),
    _big("price_micros"),
    _text("currency"),
    _integer("lifetime_s"),
    Column("limits", WordColumn(Limits), nullable=False),
    _moment("started_at"),
    _big("number", null=True),
    _big("memory_bytes", null=True),
    Column("cpu", Float),
    _json("groups", null=True),
    _text("project", null=True),
    _text("name", null=True),
    _text("model", null=True),
    _text("schedule_id", null=True),
    Index(None, "number", unique=True),
    Index(None, "owner", "started_at"),
    Index(None, "owner", "server_name"),
)

settlements = Table(
    "settlements",
    metadata,
    _entry(),
    _moment("ended_at"),
    _moment("latest_at", null=True),
    _big("cost_micros", null=True),
    Column("exact", Boolean, nullable=False),
    Column("reason", WordColumn(EndReason), nullable=False),
    _integer("exit_code", null=True),
    _big("peak_memory_bytes", null=True),
    Column("cpu_seconds", Float),
    Index(None, "ended_at"),
)

sightings = Table("sightings", metadata, _entry(), _moment("seen_at"))

charges = Table(
    "charges",
    metadata,
    _entry(),
    Column("scope", WordColumn(Scope), primary_key=True),
    Column("name", Text, primary_key=True),
    Index(None, "scope", "name"),
)

deadlines = Table(
    "deadlines",
    metadata,
    _entry(),
    _moment("lifetime_at"),
    _moment("at"),
    Column("reason", WordColumn(EndReason), nullable=False),
)

extensions = Table(
    "extensions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entry_id", ForeignKey("entries.id"), nullable=False),
    _moment("until"),
    _text("given_by"),
    Column("granted", Boolean, nullable=False),
    _moment("given_at"),
    Index(None, "entry_id"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("scope", WordColumn(Scope), nullable=False),
    _text("name"),
    _big("amount_micros", null=True),
    _text("currency"),
    Column("stop", WordColumn(Stop), nullable=False),
    Column("endpoints", WordColumn(WhenSpent), nullable=False),
    _text("group_name", null=True),
    _text("set_by"),
    _moment("set_at"),
    Index(None, "scope", "name"),
)

activities = Table(
    "activities",
    metadata,
    _entry(),
    _moment("idle_since", null=True),
    _moment("told_at"),
)

samples = Table(
    "samples",
    metadata,
    _entry(),
    Column("at", MomentColumn, primary_key=True),
    Column("cores", Float, nullable=False),
    _big("memory_bytes"),
    _big("disk_bytes", null=True),
)

uses = Table(
    "uses",
    metadata,
    _entry(),
    _big("unused_ms"),
    Column("cpu_seconds", Float, nullable=False),
    _big("peak_memory_bytes"),
    _big("requests", null=True),
)

sources = Table(
    "sources",
    metadata,
    _text("owner"),
    _text("digest"),
    _big("size_bytes"),
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
    Column("overlap", WordColumn(Overlap), nullable=False),
    _integer("grace_s"),
    Column("paused", Boolean, nullable=False),
    _moment("next_fire", null=True),
    _moment("created_at"),
    _text("project", null=True),
    _json("trigger", null=True),
    _text("seen", null=True),
    _text("secret_hash", null=True),
    _json("notify", null=True),
    _json("notify_on"),
    _text("suspended", null=True),
    Index(None, "owner"),
    Index(None, "next_fire"),
)

tracked_ends = Table(
    "tracked_ends",
    metadata,
    Column("run_id", Text, primary_key=True),
    _text("owner"),
    Column("status", WordColumn(Status), nullable=False),
    _moment("ended_at"),
)

drops = Table(
    "drops",
    metadata,
    Column("schedule_id", ForeignKey("schedules.id", ondelete="CASCADE")),
    _moment("first_at"),
    _moment("last_at"),
    _integer("count"),
    Column("why", WordColumn(DropReason), nullable=False),
    PrimaryKeyConstraint("schedule_id", "first_at"),
)

hook_calls = Table(
    "hook_calls",
    metadata,
    Column("schedule_id", ForeignKey("schedules.id", ondelete="CASCADE")),
    _text("key"),
    _text("run_id", null=True),
    _moment("called_at"),
    PrimaryKeyConstraint("schedule_id", "key"),
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
    _text("resumes", null=True),
    _text("only_step", null=True),
    Column("fresh", Boolean, nullable=False),
    _json("failure", null=True),
    _integer("cells_total"),
    _integer("cells_done"),
    _integer("steps_total"),
    _integer("steps_done"),
    _text("waits_for", null=True),
    _big("counted_since", null=True),
    UniqueConstraint("schedule_id", "fire_at"),
    Index(None, "owner", "created_at"),
    Index(None, "closed"),
)

step_runs = Table(
    "step_runs",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    _json("steps"),
)

cached_steps = Table(
    "cached_steps",
    metadata,
    _text("owner"),
    _text("cache_key"),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    _text("step_key"),
    PrimaryKeyConstraint("owner", "cache_key"),
)

notices = Table(
    "notices",
    metadata,
    *_identity(),
    Column("why", WordColumn(Why), nullable=False),
    _text("run_id"),
    _text("schedule_id", null=True),
    _text("message"),
    _integer("cell", null=True),
    _moment("created_at"),
    _moment("seen_at", null=True),
    UniqueConstraint("run_id", "why"),
    Index(None, "owner", "created_at"),
    Index(None, "schedule_id", "created_at"),
)

channels = Table(
    "channels",
    metadata,
    Column("name", Text, primary_key=True),
    _text("kind"),
    _text("place"),
    _text("purpose", null=True),
    Column("is_default", Boolean, nullable=False),
    _text("secret"),
    _text("made_by"),
    _moment("made_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("notice_id", ForeignKey("notices.id", ondelete="CASCADE")),
    _text("channel"),
    Column("status", WordColumn(DeliveryStatus), nullable=False),
    _integer("attempts"),
    _moment("due_at"),
    _text("taken_by", null=True),
    _moment("changed_at"),
    _text("said", null=True),
    PrimaryKeyConstraint("notice_id", "channel"),
    Index(None, "status", "due_at"),
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

departures = Table(
    "departures",
    metadata,
    Column("id", Text, primary_key=True),
    _text("name"),
    Column("how", WordColumn(Leaving), nullable=False),
    _text("deputy", null=True),
    _text("asked_by"),
    _moment("asked_at"),
    _moment("grace_until"),
    _json("running"),
    _text("left", null=True),
    _moment("revoked_at", null=True),
    _moment("closed_at", null=True),
    _moment("released_at", null=True),
    Index(None, "name"),
)
