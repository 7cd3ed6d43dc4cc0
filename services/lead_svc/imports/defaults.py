"""The values that an import is told to put where its file says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from services.lead_svc.imports.errors import ImportRejected, RowError, shorten
from services.lead_svc.imports.stored_json import as_jsonb
from services.lead_svc.imports.values import Value, parse
from services.lead_svc.leads.fields import FIELD_BY_NAME, FIELDS, Field, Kind

_NEVER_COMMON = frozenset({"phone", "alternate_phone"})


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a lead gets where its row is silent: values of fields, and entries of `custom_fields`."""

    values: Mapping[str, Value]
    custom_fields: Mapping[str, object] = field(default_factory=dict)


def check_defaults(given: Mapping[str, object]) -> Defaults:
    """The given defaults, by the rules of a file's cells, over those that every lead has.

    Raises
    ------
    ImportRejected
        Naming every key that is no field, or whose value its field cannot hold.
    """
    values: dict[str, Value] = {spec.name: spec.default for spec in FIELDS if spec.default is not None}
    custom_fields: dict[str, object] = {}
    errors = []
    for key, value in given.items():
        spec = FIELD_BY_NAME.get(key)
        if spec is None or not spec.importable or key in _NEVER_COMMON:
            errors.append(_error(key, None, "unknown_default", f"default_values cannot set {shorten(key)}"))
            continue
        text = _text(spec, value)
        if text is None:
            errors.append(_error(key, value, "wrong_type", f"default_values has a wrong type of value for {key}"))
        elif text:
            parsed = parse(spec, text)
            if parsed is None:
                errors.append(_error(key, value, spec.error_code, spec.error_message(shorten(text))))
            elif spec.kind is Kind.OBJECT:
                custom_fields = orjson.loads(str(parsed))
            else:
                values[key] = parsed
    if errors:
        raise ImportRejected(errors)
    return Defaults(values, custom_fields)


def _text(spec: Field, value: object) -> str | None:
    """The value as a cell would hold it, "" for none, None if its type is not one of the field's."""
    match value:
        case None:
            return ""
        case str():
            return None if "\0" in value else value.strip()
        case bool():
            return None
        case int() | float() if spec.kind in {Kind.INTEGER, Kind.MONEY}:
            return str(value)
        case list() if spec.kind is Kind.LIST:
            return as_jsonb(value)
        case dict() if spec.kind is Kind.OBJECT:
            return as_jsonb(value)
    return None


def _error(key: str, value: object, code: str, message: str) -> RowError:
    return RowError(
        None, f"default_values.{shorten(key)}", None if value is None else shorten(str(value)), code, message
    )
