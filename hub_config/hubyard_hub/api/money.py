"""What was spent, what may be spent, and the ledger that both rest on."""

from typing import Annotated, Literal

from fastapi import Path
from fastapi.responses import PlainTextResponse, Response
from pydantic import AwareDatetime

from hubyard.contract.base import Title
from hubyard.contract.budget import Account, Budget, BudgetChange, BudgetRequest, Scope
from hubyard.contract.ledger_record import LedgerRecord
from hubyard.contract.spend import Spend
from hubyard_hub.api.access import Admin, Person, people
from hubyard_hub.api.nouns import Asked
from hubyard_hub.money.attribution import accounts_of
from hubyard_hub.money.export import as_csv, records
from hubyard_hub.money.metrics import CONTENT_TYPE, exposition

router = people("money")

ScopeName = Annotated[Title, Path()]


@router.get("/spend")
def read_spend(asking: Person, nouns: Asked) -> Spend:
    """What the caller has spent since the first of the month."""
    parts = nouns.parts
    return parts.spending.of(asking, parts.catalogue.currency)


@router.get("/spend/everybody")
def read_everybodys_spend(asking: Admin, nouns: Asked) -> Spend:
    """What all of Hubyard has spent since the first of the month."""
    del asking
    parts = nouns.parts
    return parts.spending.everybody(parts.catalogue.currency)


@router.get("/budgets")
def list_budgets(asking: Person, nouns: Asked) -> list[Budget]:
    """The budgets that pay for what the caller starts; an administrator sees all."""
    budgets = nouns.parts.budgets
    if asking.admin:
        return budgets.list()
    return budgets.of(accounts_of(asking.name, asking.groups, None))


@router.get("/budgets/changes")
def list_budget_changes(asking: Admin, nouns: Asked) -> list[BudgetChange]:
    """Who has set which budget to what, newest first."""
    del asking
    return nouns.parts.budgets.changes()


@router.put("/budgets/{scope}/{name}")
def put_budget(
    asking: Admin, nouns: Asked, scope: Scope, name: ScopeName, wish: BudgetRequest
) -> Budget:
    """Set what a user, group or project may spend in each month."""
    parts = nouns.parts
    account = Account(scope=scope, name=name)
    return parts.budgets.set(account, wish, parts.catalogue.currency, asking.name)


@router.delete("/budgets/{scope}/{name}", status_code=204)
def delete_budget(asking: Admin, nouns: Asked, scope: Scope, name: ScopeName) -> None:
    """Let a user, group or project spend what it likes."""
    nouns.parts.budgets.remove(Account(scope=scope, name=name), asking.name)


@router.get("/ledger", response_model=list[LedgerRecord])
def export_ledger(
    asking: Person,
    nouns: Asked,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    format: Literal["json", "csv"] = "json",  # noqa: A002  the query's word
) -> Response | list[LedgerRecord]:
    """The caller's ledger, oldest first; everybody's for an administrator."""
    owner = None if asking.admin else asking.name
    with nouns.parts.store.read() as connection:
        found = records(connection, owner=owner, since=since, until=until)
    if format == "json":
        return found
    headers = {"Content-Disposition": 'attachment; filename="hubyard-ledger.csv"'}
    return PlainTextResponse(as_csv(found), media_type="text/csv", headers=headers)


@router.get("/metrics", response_class=Response)
def read_metrics(asking: Admin, nouns: Asked) -> Response:
    """Money and usage as Prometheus reads them."""
    del asking
    return Response(exposition(nouns.parts), media_type=CONTENT_TYPE)
