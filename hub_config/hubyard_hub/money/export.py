"""Export: the ledger's lines for other programs, as JSON or CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from sqlalchemy import select

from hubyard.contract.ledger_record import LedgerRecord
from hubyard_hub.money.present import IS_PRESENT
from hubyard_hub.store.tables import entries, settlements

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins like this for a formula.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""


def records(
    connection: Connection,
    *,
    owner: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[LedgerRecord]:
    """The ledger in the order of its numbers: of an owner, begun within a time."""
    wanted = (
        select(entries, settlements).outerjoin(settlements).order_by(entries.c.number)
    )
    if owner is not None:
        wanted = wanted.where(entries.c.owner == owner, IS_PRESENT)
    if since is not None:
        wanted = wanted.where(entries.c.started_at >= since)
    if until is not None:
        wanted = wanted.where(entries.c.started_at < until)
    found: list[LedgerRecord] = []
    for row in connection.execute(wanted).mappings():
        said = {column.name: row[column] for column in (*settlements.c, *entries.c)}
        said["groups"] = said["groups"] or ()
        found.append(LedgerRecord.model_validate(said))
    return found


def as_csv(lines: Iterable[LedgerRecord]) -> str:
    """The records as CSV (RFC 4180), a head line first; moments in ISO 8601, UTC."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(LedgerRecord.model_fields)
    for line in lines:
        said = line.model_dump(mode="json") | {"groups": " ".join(line.groups)}
        writer.writerow([_harmless(value) for value in said.values()])
    return text.getvalue()


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
