"""Exports over HTTP."""

from datetime import date
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.lead_svc.exports.columns import COLUMNS
from services.lead_svc.exports.download import Download
from services.lead_svc.exports.errors import EXPORT_FAILED, cell_too_long, too_many_exports
from services.lead_svc.exports.parameters import WantedInQuery
from services.lead_svc.exports.service import ExportFormat, ExportService
from shared.http.errors import FieldError, InternalServerError, ServiceUnavailable, invalid_request
from shared.http.openapi import documented_errors
from shared.http.parameters import end_before_start, invalid_campaign_ids

router = APIRouter(prefix="/api/company/voice-leads/company/{companyId}", tags=["Lead exports"])

_MEDIA_TYPES: Final = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_EXAMPLE: Final = {
    "first_name": "John",
    "last_name": "Doe",
    "phone": "+1234567890",
    "status": "pending",
    "priority": "3",
    "timezone": "UTC",
    "preferred_language": "en-US",
    "tags": '"[""vip"", ""2024""]"',
}
_CSV_EXAMPLE: Final = "".join(
    ",".join(cells) + "\n"
    for cells in ([column.name for column in COLUMNS], [_EXAMPLE.get(column.name, "") for column in COLUMNS])
)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file; without leads it holds the header alone.",
        "headers": {
            "Content-Disposition": {
                "description": "The file's name: company, and day (UTC) of the export.",
                "schema": {"type": "string", "examples": ['attachment; filename="leads-1-2024-03-20.csv"']},
            }
        },
        "content": {
            "text/csv": {
                "schema": {"type": "string", "format": "binary", "description": "UTF-8 with a byte order mark."},
                "examples": {"one-lead": {"summary": "A file with one lead", "value": _CSV_EXAMPLE}},
            },
            _MEDIA_TYPES[ExportFormat.XLSX]: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    **documented_errors(
        invalid_campaign_ids("1;2"),
        invalid_request(
            FieldError(
                field="start_date", value="2024-3-1", code="value_error", message="must be a date written YYYY-MM-DD"
            )
        ),
        end_before_start(date(2024, 3, 1)),
        cell_too_long(2, "custom_fields"),
        InternalServerError(EXPORT_FAILED),
        too_many_exports(),
        ServiceUnavailable.database(),
    ),
}


@router.get("/export", summary="Export company leads", response_class=Response, responses=_ANSWERS)
async def export_leads(
    request: Request,
    wanted: WantedInQuery,
    file_format: Annotated[ExportFormat, Query(alias="format", description="Kind of file.")] = ExportFormat.CSV,
) -> Response:
    """A file of the company's leads, oldest first, which an import reads back unchanged.

    Its columns are those of an import. A text that a spreadsheet would take for a formula has an apostrophe in front in
    CSV, which an import takes away again. The leads are those of one moment, however long the download takes. A
    connection that ends without the answer's end means that the file is not whole.
    """
    request.state.failure_message = EXPORT_FAILED
    service: ExportService = request.app.state.exports
    filename = service.filename(wanted.company_id, file_format)
    return Download(
        partial(service.write, wanted, file_format),
        media_type=_MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"},
    )
