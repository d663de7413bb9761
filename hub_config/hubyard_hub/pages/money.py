"""The pages about money: what was spent, by whom and for what, and the budgets.

They are the hub's, so a person's own login opens them; a token never does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jupyterhub import orm
from jupyterhub.handlers import default_handlers
from jupyterhub.handlers.base import BaseHandler
from pydantic import TypeAdapter, ValidationError
from tornado.web import HTTPError, authenticated

from hubyard.contract.base import Title, Written
from hubyard.contract.budget import Account, BudgetRequest, Scope
from hubyard.contract.errors import Rejected, Unavailable, refused
from hubyard.contract.money import amount_text
from hubyard.contract.spend import Part
from hubyard.contract.workload import ExtensionRequest
from hubyard_hub.money.export import as_csv, records
from hubyard_hub.pages.pages import identity_of
from hubyard_hub.workloads.running import Workloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyterhub.auth import Authenticator
    from jupyterhub.user import User

    from hubyard.contract.budget import BudgetChange
    from hubyard.contract.identity import Identity
    from hubyard.contract.spend import Spend
    from hubyard_hub.pages.pages import Pages
    from hubyard_hub.parts import Books

T = TypeVar("T")
_WHOLE = re.compile(r"-?[0-9]{1,12}")
_BUDGET_FIELDS = ("scope", "name", "group", "amount", "stop", "endpoints")
_MOST_KNOWN = 500


def add_pages(pages: Pages) -> None:
    """Let our pages join the hub's own, whatever authenticator it has.

    JupyterHub 6.1 has no place for pages but an authenticator's and a deprecated
    setting: they stand in the list of its own.
    """
    others = [each for each in default_handlers if not _is_ours(each)]
    default_handlers[:] = [*handlers(pages), *others]


def handlers(pages: Pages) -> list[Any]:
    """Our pages, by their addresses below the hub's."""
    given = {"pages": pages}
    return [
        (r"/spend", SpendHandler, given),
        (r"/spend/ledger\.csv", LedgerHandler, given),
        (r"/spend/extend", ExtendHandler, given),
        (r"/spend/budget", BudgetHandler, given),
    ]


def _is_ours(handler: Any) -> bool:  # noqa: ANN401  a tuple of tornado's
    return issubclass(handler[1], _Handler)


class _Payer(Written):
    """Whose budget a form is about."""

    scope: Scope
    name: Title


class _Handler(BaseHandler):
    def initialize(self, pages: Pages) -> None:
        """Take what the pages show; called by tornado before each request."""
        self.pages = pages

    @property
    def books(self) -> Books:
        return self.pages.books

    def asking(self) -> Identity:
        """Who has this page open.

        Raises:
            HTTPError: 403 for a token, which pages do not serve.
        """
        if self.get_auth_token() is not None:
            raise HTTPError(403, "Open this page in a browser.")
        return identity_of(self.person)

    @property
    def person(self) -> User:
        """Whose login opened this page: `authenticated` lets nobody else in."""
        return cast("User", self.current_user)

    def administrator(self) -> Identity:
        """Who has this page open, who must be an administrator of the hub."""
        asking = self.asking()
        if not asking.admin:
            raise HTTPError(403, "Only an administrator may do this.")
        return asking

    def of_everybody(self, asking: Identity) -> bool:
        """Whether an administrator asks for everybody's; others get their own."""
        return asking.admin and self.get_argument("of", "") == "everybody"

    def field(self, name: str) -> str:
        """A field of the form; empty where it is missing."""
        value: str = self.get_body_argument(name, "")
        return value

    async def show(self, message: str = "") -> None:
        """Show the page of spend, with what was wrong with a form."""
        asking, books = self.asking(), self.books
        everybody = self.of_everybody(asking)
        spend, changes = await self.asked(
            lambda: self._spend(asking, everybody=everybody)
        )
        page = await self.render_template(
            "spend.html",
            spend=spend,
            by_kind=_kinds(spend),
            everybody=everybody,
            changes=changes,
            known=self._known() if everybody else (),
            currency=books.catalogue.currency,
            amount_text=amount_text,
            message=message,
            said={name: self.field(name) for name in _BUDGET_FIELDS},
        )
        self.finish(page)

    async def asked(self, work: Callable[[], T], *, patient: bool = False) -> T:
        """What the store says, which is waited for outside of the hub's loop.

        Raises:
            HTTPError: 503, it does not answer.
        """
        asking = self.pages.asking
        try:
            return await (asking.patient if patient else asking.quick)(work)
        except Unavailable as error:
            raise HTTPError(error.status, error.message) from None

    def _spend(
        self, asking: Identity, *, everybody: bool
    ) -> tuple[Spend, list[BudgetChange]]:
        books = self.books
        if not everybody:
            return self.pages.spend(asking), []
        spend = books.spending.everybody(books.catalogue.currency)
        return spend, books.budgets.changes()

    def _known(self) -> list[tuple[str, str]]:
        """Whom a budget may be for, to choose from: each as its scope and name."""
        found: list[tuple[str, str]] = []
        for scope, names in (
            (Scope.USER, orm.User.name),
            (Scope.GROUP, orm.Group.name),
        ):
            rows = self.db.query(names).order_by(names).limit(_MOST_KNOWN)
            found += [(scope, row[0]) for row in rows]
        return found

    async def refuse(self, error: Rejected) -> None:
        """Show the page again, with what was wrong with a form."""
        self.set_status(error.status)
        await self.show(error.message)


class SpendHandler(_Handler):
    """What has been spent this month: by oneself, or by everybody."""

    @authenticated
    async def get(self) -> None:
        """Show it."""
        await self.show()


class LedgerHandler(_Handler):
    """The ledger for a spreadsheet."""

    @authenticated
    async def get(self) -> None:
        """One's own, or for an administrator who asks for it everybody's."""
        asking = self.asking()
        owner = None if self.of_everybody(asking) else asking.name
        text = await self.asked(lambda: self._csv(owner), patient=True)
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header(
            "Content-Disposition", 'attachment; filename="hubyard-ledger.csv"'
        )
        self.finish(text)

    def _csv(self, owner: str | None) -> str:
        with self.books.store.read() as connection:
            return as_csv(records(connection, owner=owner))


class _FormHandler(_Handler):
    """Answers a form. Whoever opens its address, after a refusal, gets the page."""

    @authenticated
    async def get(self) -> None:
        """Show the page that has the form."""
        self.asking()
        self.redirect(f"{self.hub.base_url}spend")


class ExtendHandler(_FormHandler):
    """Gives a running workload more time."""

    @authenticated
    async def post(self) -> None:
        """Extend it, and go back to the page of workloads."""
        asking = self.asking()
        try:
            seconds = self.field("seconds") or "3600"
            wish = _read(ExtensionRequest, {"seconds": _whole(seconds)})
            workloads, entry = Workloads(self.books), self.field("entry")
            await self.asked(
                lambda: workloads.extend(asking, entry, wish.seconds), patient=True
            )
        except Rejected as error:
            await self.refuse(error)
            return
        self.redirect(f"{self.hub.base_url}home")


class BudgetHandler(_FormHandler):
    """Sets and removes budgets."""

    @authenticated
    async def post(self) -> None:
        """Do what the form says, and show everybody's spend again."""
        asking = self.administrator()
        try:
            await self._change(asking)
        except Rejected as error:
            await self.refuse(error)
            return
        self.redirect(f"{self.hub.base_url}spend?of=everybody#hy-budgets")

    async def _change(self, asking: Identity) -> None:
        books = self.books
        account = self._account()
        if self.field("remove"):
            await self.asked(
                lambda: books.budgets.remove(account, asking.name), patient=True
            )
            return
        fields = ("group", "amount", "stop", "endpoints")
        wish = {name: self.field(name) for name in fields}
        request = _read(BudgetRequest, {n: v for n, v in wish.items() if v})
        currency = books.catalogue.currency
        await self.asked(
            lambda: books.budgets.set(account, request, currency, asking.name),
            patient=True,
        )

    def _account(self) -> Account:
        """Whom the form is about; people as the hub writes their names."""
        said = _read(_Payer, {name: self.field(name) for name in _Payer.model_fields})
        name = said.name
        if said.scope is Scope.USER:
            authenticator = cast("Authenticator", self.authenticator)
            name = authenticator.normalize_username(name)
        return Account(scope=said.scope, name=name)


def _kinds(spend: Spend) -> list[Part]:
    """What each kind has cost, as the page shows the other parts."""
    total = spend.total.micros
    return [
        Part(name=kind, cost=cost, share=cost.micros / total if total else 0)
        for kind, cost in spend.by_kind.items()
    ]


def _read(shape: type[T], said: dict[str, object]) -> T:
    """What a form says, as a value.

    Raises:
        Invalid: naming the field and what to write.
    """
    try:
        return TypeAdapter(shape).validate_python(said)
    except ValidationError as error:
        raise refused(error) from None


def _whole(text: str) -> object:
    """A whole number, where a field has one that can be meant."""
    return int(text) if _WHOLE.fullmatch(text) else text
