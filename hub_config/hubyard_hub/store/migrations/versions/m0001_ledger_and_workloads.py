"""The ledger, the sources, and the four nouns that a reconciler looks after.

Entries and settlements are append-only, and the database itself refuses the rest.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from hubyard_hub.store.migrations.append_only import append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _ledger()
    _sources()
    _schedules()
    _runs()
    _deployments()
    _apps()


def _text(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def _integer(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Integer(), nullable=null) for name in names]


def _big(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=null) for name in names]


def _wish() -> list[sa.Column[Any]]:
    return [
        *_text("id", "owner", "name", "server_name", "compute"),
        *_integer("lifetime_s"),
        *_text("status", "target"),
        *_text("reason", "log_tail", "past_entry_id", null=True),
        *_integer("attempts"),
        sa.Column("closed", sa.Boolean(), nullable=False),
        *_big("created_at", "changed_at"),
    ]


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _belongs(
    table: str, column: str, to: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{to}"
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete=ondelete)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _ledger() -> None:
    op.create_table(
        "entries",
        *_text("id", "owner", "server_name", "kind", "compute"),
        *_big("price_micros"),
        *_text("currency"),
        *_integer("lifetime_s"),
        *_text("limits"),
        *_big("started_at"),
        _key("entries", "id"),
    )
    _index("entries", "owner", "started_at")
    _index("entries", "owner", "server_name")
    op.create_table(
        "settlements",
        *_text("entry_id"),
        *_big("ended_at"),
        sa.Column("exact", sa.Boolean(), nullable=False),
        *_text("reason"),
        *_integer("exit_code", null=True),
        *_big("peak_memory_bytes", null=True),
        sa.Column("cpu_seconds", sa.Float(), nullable=True),
        _key("settlements", "entry_id"),
        _belongs("settlements", "entry_id", "entries"),
    )
    op.create_table(
        "sightings",
        *_text("entry_id"),
        *_big("seen_at"),
        _key("sightings", "entry_id"),
        _belongs("sightings", "entry_id", "entries"),
    )
    for table in ("entries", "settlements"):
        append_only(table)


def _sources() -> None:
    op.create_table(
        "sources",
        *_text("owner", "digest"),
        *_big("size_bytes", "created_at"),
        _key("sources", "owner", "digest"),
    )


def _schedules() -> None:
    op.create_table(
        "schedules",
        *_text("id", "owner", "name", "notebook", "source", "cron", "time_zone"),
        *_text("parameters", "compute"),
        *_integer("lifetime_s"),
        *_integer("cell_timeout_s", null=True),
        *_text("missed"),
        sa.Column("paused", sa.Boolean(), nullable=False),
        *_big("next_fire", null=True),
        *_big("created_at"),
        _key("schedules", "id"),
    )
    _index("schedules", "owner")
    _index("schedules", "next_fire")


def _runs() -> None:
    op.create_table(
        "runs",
        *_wish(),
        *_text("schedule_id", null=True),
        *_big("fire_at", null=True),
        *_text("notebook", "source", "parameters"),
        *_integer("cell_timeout_s", null=True),
        *_integer("revision"),
        *_big("started_at", "ended_at", null=True),
        *_text("cells"),
        *_text("failure", null=True),
        _key("runs", "id"),
        sa.UniqueConstraint(
            "schedule_id", "fire_at", name="uq_runs_schedule_id_fire_at"
        ),
    )
    _index("runs", "owner", "created_at")
    _index("runs", "closed")


def _deployments() -> None:
    op.create_table(
        "deployments", *_wish(), *_integer("revision"), _key("deployments", "id")
    )
    _index("deployments", "owner")
    _index("deployments", "closed")
    op.create_table(
        "revisions",
        *_text("deployment_id"),
        *_integer("number"),
        *_text("model", "version", "source"),
        *_text("signature", "example", null=True),
        *_big("created_at"),
        *_text("created_by"),
        _key("revisions", "deployment_id", "number"),
        _belongs("revisions", "deployment_id", "deployments", "CASCADE"),
    )


def _apps() -> None:
    op.create_table(
        "apps", *_wish(), *_text("framework", "path", "source"), _key("apps", "id")
    )
    _index("apps", "owner")
    _index("apps", "closed")
    op.create_table(
        "app_shares",
        *_text("app_id", "kind", "name"),
        _key("app_shares", "app_id", "kind", "name"),
        _belongs("app_shares", "app_id", "apps", "CASCADE"),
    )
