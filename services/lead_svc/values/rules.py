"""Rules for single values that texts (`from_text`) and JSON (`from_json`) have in common."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

from services.lead_svc.domain.fields import EMAIL_PATTERN, Field

_CENT: Final = Decimal("0.01")
_EMAIL: Final = re.compile(EMAIL_PATTERN)


def is_email(field: Field, address: str) -> bool:
    """Return whether a trimmed text is an e-mail address that fits into the field."""
    return len(address) <= (field.max_length or 0) and _EMAIL.fullmatch(address) is not None


def round_to_cents(field: Field, amount: Decimal) -> Decimal | None:
    """Round an amount of money to cents, half a cent up; None if it is outside the range of the field."""
    try:
        cents = amount.quantize(_CENT, ROUND_HALF_UP)
        return cents if field.minimum <= cents < field.maximum + 1 else None
    except InvalidOperation:  # too many digits, or not a number
        return None
