"""Budgets, deadlines that move, attribution, and what a workload has used.

Entries are numbered in the order in which the database took them: clocks can be set
back. Settlements keep their cost, so that a month is a sum.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from hubyard_hub.store.migrations.append_only import append_only, rewritable

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SECOND_US = 1_000_000


def upgrade() -> None:
    _entries()
    _settlements()
    _deadlines()
    _budgets()
    _use()
    _projects()


def _text(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def _big(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=null) for name in names]


def _of_entry(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_entry_id_entries"
    return sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=name)


def _entries() -> None:
    rewritable("entries")
    for column in (
        *_big("number", "memory_bytes", null=True),
        sa.Column("cpu", sa.Float(), nullable=True),
        *_text("groups", "project", "name", "model", "schedule_id", null=True),
    ):
        op.add_column("entries", column)
    op.execute(
        "UPDATE entries SET number = (SELECT count(*) FROM entries AS older WHERE "
        "older.started_at < entries.started_at OR (older.started_at = "
        "entries.started_at AND older.id <= entries.id))"
    )
    op.create_index("ix_entries_number", "entries", ["number"], unique=True)
    append_only("entries")
    op.create_table(
        "charges",
        *_text("entry_id", "scope", "name"),
        sa.PrimaryKeyConstraint("entry_id", "scope", "name", name="pk_charges"),
        _of_entry("charges"),
    )
    op.create_index("ix_charges_scope_name", "charges", ["scope", "name"])
    op.execute("INSERT INTO charges SELECT id, 'user', owner FROM entries")
    append_only("charges")


def _settlements() -> None:
    rewritable("settlements")
    for column in _big("latest_at", "cost_micros", null=True):
        op.add_column("settlements", column)
    # Half rounded up, of whole milliseconds: as the contract's `cost_of`.
    op.execute(
        "UPDATE settlements SET cost_micros = (SELECT (entries.price_micros * "
        "((settlements.ended_at - entries.started_at + 500) / 1000) + 1800000) "
        "/ 3600000 FROM entries WHERE entries.id = settlements.entry_id)"
    )
    op.create_index("ix_settlements_ended_at", "settlements", ["ended_at"])
    append_only("settlements")


def _deadlines() -> None:
    op.create_table(
        "deadlines",
        *_text("entry_id"),
        *_big("lifetime_at", "at"),
        *_text("reason"),
        sa.PrimaryKeyConstraint("entry_id", name="pk_deadlines"),
        _of_entry("deadlines"),
    )
    ends = f"started_at + lifetime_s * CAST({_SECOND_US} AS BIGINT)"
    op.execute(
        f"INSERT INTO deadlines SELECT id, {ends}, {ends}, 'lifetime' FROM entries"  # noqa: S608  no value of anybody's
    )
    op.create_table(
        "extensions",
        *_text("id", "entry_id"),
        *_big("until"),
        *_text("given_by"),
        sa.Column("granted", sa.Boolean(), nullable=False),
        *_big("given_at"),
        sa.PrimaryKeyConstraint("id", name="pk_extensions"),
        _of_entry("extensions"),
    )
    op.create_index("ix_extensions_entry_id", "extensions", ["entry_id"])
    append_only("extensions")


def _budgets() -> None:
    op.create_table(
        "budgets",
        *_big("number"),
        *_text("scope", "name"),
        *_big("amount_micros", null=True),
        *_text("currency", "stop", "endpoints", "set_by"),
        *_big("set_at"),
        sa.PrimaryKeyConstraint("number", name="pk_budgets"),
    )
    op.create_index("ix_budgets_scope_name", "budgets", ["scope", "name"])
    append_only("budgets")


def _use() -> None:
    op.create_table(
        "activities",
        *_text("entry_id"),
        *_big("idle_since", null=True),
        *_big("told_at"),
        sa.PrimaryKeyConstraint("entry_id", name="pk_activities"),
        _of_entry("activities"),
    )
    op.create_table(
        "samples",
        *_text("entry_id"),
        *_big("at"),
        sa.Column("cores", sa.Float(), nullable=False),
        *_big("memory_bytes"),
        *_big("disk_bytes", null=True),
        sa.PrimaryKeyConstraint("entry_id", "at", name="pk_samples"),
        _of_entry("samples"),
    )
    op.create_table(
        "uses",
        *_text("entry_id"),
        *_big("unused_ms"),
        sa.Column("cpu_seconds", sa.Float(), nullable=False),
        *_big("peak_memory_bytes"),
        *_big("requests", null=True),
        sa.PrimaryKeyConstraint("entry_id", name="pk_uses"),
        _of_entry("uses"),
    )


def _projects() -> None:
    for table in ("runs", "deployments", "apps", "schedules"):
        op.add_column(table, *_text("project", null=True))
