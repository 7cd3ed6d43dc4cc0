"""Row errors in API responses."""

from pydantic import BaseModel, Field

from shared.http.errors import ErrorResponse


class RowErrorRead(BaseModel):
    """One error of a file, or of a JSON array of leads."""

    row: int | None = Field(
        description="Row number that a spreadsheet displays: the header is row 1. For JSON the position in `leads`, "
        "from 0. Null for an error of the whole file or array."
    )
    field: str | None = Field(
        description="Field of the lead, or the column's header if the column is not a field. For JSON the path: "
        "`leads.0.phone`."
    )
    value: str | None = Field(description="The value in the file, cut after 100 characters.")
    code: str
    message: str


class ImportErrorResponse(ErrorResponse):
    """Error response of an import."""

    errors: list[RowErrorRead] | None = Field(  # type: ignore[assignment] # row errors have a schema of their own
        default=None, description="All errors, up to the first 1,000."
    )


def form_field_error(*, field: str, code: str, message: str) -> RowErrorRead:
    """Return the error of a part of a form, in the shape of row errors."""
    return RowErrorRead(row=None, field=field, value=None, code=code, message=message)
