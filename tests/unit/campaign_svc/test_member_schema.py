"""Rules of the fields of a member."""

import pytest
from pydantic import ValidationError

from services.campaign_svc.members.schemas import MemberUpdate


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "name", "Field required"),
        ({"name": None}, "name", "Input should be a valid string"),
        ({"name": 5}, "name", "Input should be a valid string"),
        ({"name": ""}, "name", "String should have at least 1 character"),
        ({"name": " \t "}, "name", "String should have at least 1 character"),
        ({"name": "x" * 201}, "name", "String should have at most 200 characters"),
        ({"name": "a\0b"}, "name", "Value error, must not contain a NUL character"),
        ({"name": "John Smith", "id": 5}, "id", "Extra inputs are not permitted"),
        ({"name": "John Smith", "company_id": 5}, "company_id", "Extra inputs are not permitted"),
    ],
)
def test_an_invalid_member_is_rejected_with_the_field(body: dict[str, object], field: str, message: str) -> None:
    with pytest.raises(ValidationError) as invalid:
        MemberUpdate.model_validate(body)
    assert [(error["loc"], error["msg"]) for error in invalid.value.errors()] == [((field,), message)]
