"""Default values of an import: values for the fields that a row leaves empty."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from services.lead_svc.domain.fields import FIELD_BY_NAME, FIELDS, Kind
from services.lead_svc.spreadsheets.row_errors import RowError
from services.lead_svc.values.from_text import Value, parse_text
from services.lead_svc.values.to_text import to_cell_text
from shared.text import shorten

_WITHOUT_DEFAULT: Final = frozenset({"phone", "alternate_phone"})


@dataclass(frozen=True, slots=True)
class Defaults:
    """Values of the fields that a row leaves empty, and entries of `custom_fields`."""

    values: Mapping[str, Value]
    custom_fields: Mapping[str, object] = field(default_factory=dict)


NO_DEFAULTS: Final = Defaults({})
"""Empty cells stay empty."""


def parse_defaults(default_values: Mapping[str, object]) -> tuple[Defaults, list[RowError]]:
    """Parse the default values of a request by the rules of a file's cells.

    Returns them together with the defaults that every lead has, and an error for each key that is not an importable
    field and for each value that its field does not accept.
    """
    values: dict[str, Value] = {spec.name: spec.default for spec in FIELDS if spec.default is not None}
    custom_fields: dict[str, object] = {}
    errors: list[RowError] = []
    for key, value in default_values.items():
        spec = FIELD_BY_NAME.get(key)
        if spec is None or not spec.importable or key in _WITHOUT_DEFAULT:
            errors.append(_error(key, None, "unknown_default", f"default_values cannot set {shorten(key)}"))
            continue
        text = to_cell_text(spec, value)
        if text is None:
            errors.append(_error(key, value, "wrong_type", f"default_values has a wrong type of value for {key}"))
        elif text:
            parsed = parse_text(spec, text)
            if parsed is None:
                errors.append(_error(key, value, spec.error_code, spec.error_message(shorten(text))))
            elif spec.kind is Kind.OBJECT:
                custom_fields = orjson.loads(str(parsed))
            else:
                values[key] = parsed
    return Defaults(values, custom_fields), errors


def _error(key: str, value: object, code: str, message: str) -> RowError:
    return RowError(
        None, f"default_values.{shorten(key)}", None if value is None else shorten(str(value)), code, message
    )
