"""Money, exactly: an integer of micro-units of one currency, never a float.

price     money per hour
estimate  price x time, before
cost      what the ledger says, after
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from pydantic import Field

from hubyard.contract.base import Read

MICROS = 1_000_000
"""Micro-units in one unit of a currency."""

_MS_PER_HOUR = 3_600_000
_CENT = MICROS // 100
MOST_UNITS = 10**9
"""No amount is larger."""
_HUNDREDTH_OF_CENT = _CENT // 100
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CHF": "CHF "}


class Money(Read):
    """An amount and the text that every surface shows for it."""

    micros: int = Field(description="micro-units of the currency")
    text: str = Field(description="for people, for instance $0.12")


def parse_micros(amount: Decimal | int | str) -> int:
    """Read a decimal amount such as `0.05` into micro-units.

    Raises:
        ValueError: not a finite number, negative, more than anybody has, or finer than
            one micro-unit.
    """
    said = f"{str(amount)[:40]!r}"
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        raise ValueError(f"{said} is not an amount of money") from None
    if not value.is_finite() or not 0 <= value <= MOST_UNITS:
        raise ValueError(f"{said} is not an amount of money from 0 to {MOST_UNITS:,}")
    micros = value * MICROS
    if micros != micros.to_integral_value():
        raise ValueError(f"{said} has more than six decimal places")
    return int(micros)


def amount_text(micros: int) -> str:
    """The decimal amount that `parse_micros` reads back, such as `0.05`."""
    return f"{Decimal(micros) / MICROS:f}"


def cost_of(price_micros: int, duration_ms: int) -> int:
    """The cost of `duration_ms` milliseconds at a price per hour, half rounded up."""
    return (price_micros * max(duration_ms, 0) + _MS_PER_HOUR // 2) // _MS_PER_HOUR


def duration_for(price_micros: int, micros: int) -> int | None:
    """The longest duration, in milliseconds, that costs no more than `micros`.

    The inverse of `cost_of`; None: what costs nothing lasts for ever.
    """
    if price_micros == 0:
        return None
    return (micros * _MS_PER_HOUR + (_MS_PER_HOUR - 1) // 2) // price_micros


def price(micros: int, currency: str) -> Money:
    """A price per hour, shown to its last decimal place and at least to the cent."""
    amount = (Decimal(micros) / MICROS).normalize()
    places = max(2, -int(amount.as_tuple().exponent))
    return Money(micros=micros, text=f"{_sign(currency)}{amount:,.{places}f}")


def cost(micros: int, currency: str) -> Money:
    """A cost or estimate, shown to the cent; to a hundredth of one below a cent."""
    places = 4 if _HUNDREDTH_OF_CENT / 2 <= abs(micros) < _CENT else 2
    amount = (Decimal(micros) / MICROS).quantize(Decimal(10) ** -places, ROUND_HALF_UP)
    return Money(micros=micros, text=f"{_sign(currency)}{amount:,.{places}f}")


def _sign(currency: str) -> str:
    return _SIGNS.get(currency, f"{currency} ")
