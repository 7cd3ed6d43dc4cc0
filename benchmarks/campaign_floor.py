"""The floor of the campaign API: the same rows by FastAPI and asyncpg alone. It is measured against, never used.

No tokens, no checks, no log, no figures, no events. ``DATABASE_URL`` and ``PORT`` come from the environment.
"""

import gc
import os

import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

from benchmarks.bare_pool import bare_pool
from services.campaign_svc.campaign_lists.schemas import CampaignListItem
from services.campaign_svc.campaigns.schemas import CampaignCreate
from services.campaign_svc.tables import campaigns

NAME = "campaign-floor"
"""As PostgreSQL knows it."""

_AS = {
    # As floats: orjson writes them itself, and would call back for each Decimal.
    "budget": "budget::float8",
    "cost_per_call": "cost_per_call::float8",
    "total_leads": "greatest(leads, 0) AS total_leads",
    "completed_calls": "coalesce(calls, 0) AS completed_calls",
    "successful_calls": "coalesce(successful_calls, 0) AS successful_calls",
    "failed_calls": "coalesce(calls - successful_calls, 0) AS failed_calls",
}
_SHOWN = ", ".join(_AS.get(column.name, column.name) for column in campaigns.columns if column.name != "deleted_at")
_LISTED = ", ".join(_AS.get(name, name) for name in CampaignListItem.model_fields)
_SENT = ", ".join(CampaignCreate.model_fields)
_GET = f"SELECT {_SHOWN} FROM campaigns WHERE id = $1 AND deleted_at IS NULL"
_LIST = f"""
SELECT {_LISTED}, (SELECT sum(campaigns)::bigint FROM campaign_counts WHERE company_id = $1) AS total
FROM (
    SELECT * FROM campaigns WHERE company_id = $1 AND deleted_at IS NULL
    ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3
) AS page LEFT JOIN campaign_totals ON campaign_id = id ORDER BY created_at DESC, id DESC
"""
_CREATE = f"""
INSERT INTO campaigns ({_SENT}) SELECT {_SENT} FROM json_populate_record(NULL::campaigns, $1) RETURNING {_SHOWN}
"""


def _json(content: object, status: int = 200) -> Response:
    body = orjson.dumps(content, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)
    return Response(body, status, media_type="application/json")


app = FastAPI(lifespan=bare_pool(NAME))


@app.get("/api/voice-campaigns/{id}")
async def get_campaign(request: Request, id: int) -> Response:  # noqa: A002 - as in the path
    """One row."""
    return _json(dict(await request.app.state.pool.fetchrow(_GET, id)))


@app.get("/api/voice-campaigns/company/{company_id}")
async def list_campaigns(request: Request, company_id: int, limit: int = 50, offset: int = 0) -> Response:
    """A page of rows, and how many there are."""
    rows = [dict(row) for row in await request.app.state.pool.fetch(_LIST, company_id, limit, offset)]
    total = 0
    for row in rows:
        total = row.pop("total")
    return _json({"total": total, "offset": offset, "limit": limit, "data": rows})


@app.post("/api/voice-campaigns")
async def create_campaign(request: Request) -> Response:
    """The body as a row; PostgreSQL reads it."""
    row = await request.app.state.pool.fetchrow(_CREATE, (await request.body()).decode())
    return _json({"message": "Voice campaign created successfully", "data": dict(row)}, 201)


if __name__ == "__main__":
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        timeout_keep_alive=75,
    )
