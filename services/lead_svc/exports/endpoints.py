"""Endpoint of exports."""

from datetime import date
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from services.lead_svc.exports.download import Download
from services.lead_svc.exports.errors import EXPORT_FAILED, cell_too_long, too_many_exports
from services.lead_svc.exports.file_format import COLUMNS, MEDIA_TYPES, ExportFormat
from services.lead_svc.exports.filters import ExportFilters
from services.lead_svc.exports.service import ExportService
from shared.http.errors import FieldError, InternalServerError, ServiceUnavailable, invalid_request
from shared.http.openapi import documented_errors
from shared.http.parameters import end_before_start, invalid_campaign_ids

router = APIRouter(prefix="/api/company/voice-leads/company/{companyId}", tags=["Lead exports"])

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
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file; if there are no leads, the header only.",
        "headers": {
            "Content-Disposition": {
                "description": "The name of the file: company and day (UTC) of the export.",
                "schema": {"type": "string", "examples": ['attachment; filename="leads-1-2024-03-20.csv"']},
            }
        },
        "content": {
            "text/csv": {
                "schema": {"type": "string", "format": "binary", "description": "UTF-8 with a byte order mark."},
                "examples": {"one-lead": {"summary": "A file with one lead", "value": _CSV_EXAMPLE}},
            },
            MEDIA_TYPES[ExportFormat.XLSX]: {"schema": {"type": "string", "format": "binary"}},
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


async def _exports(request: Request) -> ExportService:
    exports: ExportService = request.app.state.exports
    return exports


Exports = Annotated[ExportService, Depends(_exports)]
"""Parameter of an endpoint: the service of exports."""


@router.get("/export", summary="Export company leads", response_class=Response, responses=_RESPONSES)
async def export_leads(
    request: Request,
    exports: Exports,
    filters: ExportFilters,
    file_format: Annotated[ExportFormat, Query(alias="format", description="File format.")] = ExportFormat.CSV,
) -> Response:
    """Export the company's leads, oldest first, to a file that an import reads back unchanged.

    The columns are those of an import. In CSV, a text that a spreadsheet would read as a formula begins with an
    apostrophe, which an import removes. The leads are those of one moment, however long the download takes. If the
    connection ends before the response does, the file is incomplete.
    """
    request.state.failure_message = EXPORT_FAILED
    filename = exports.filename(filters.company_id, file_format)
    return Download(
        partial(exports.write, filters, file_format),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"},
    )
