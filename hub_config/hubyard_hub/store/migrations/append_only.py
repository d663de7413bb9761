"""Tables whose rows are never changed: the database itself refuses it."""

from __future__ import annotations

from alembic import op

_ACTS = ("UPDATE", "DELETE")


def append_only(table: str) -> None:
    """Refuse every change of a table's rows from now on."""
    refusal = f"{table} are append-only"
    if op.get_bind().dialect.name == "sqlite":
        for act in _ACTS:
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
        f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def rewritable(table: str) -> None:
    """Let a migration rewrite an append-only table; `append_only` ends that."""
    if op.get_bind().dialect.name == "sqlite":
        for act in _ACTS:
            op.execute(f"DROP TRIGGER {table}_no_{act.lower()}")
        return
    op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute(f"DROP FUNCTION {table}_append_only()")
