"""The floor of the lead API: the same rows by FastAPI and asyncpg alone. It is measured against, never used.

No tokens, no checks, no log, no figures; but its event, for which a row goes into the outbox. It stands behind the same
gateway in the place of the campaign API, so its paths are below ``PREFIX``. ``DATABASE_URL`` and ``PORT`` come from the
environment.
"""

import gc
import os
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import DateTime

from benchmarks.bare_pool import bare_pool
from services.lead_svc.leads.repository import ROWS_PER_READ
from services.lead_svc.leads.schemas import LeadCreate
from services.lead_svc.tables import leads
from shared.events.leads import Lead

PREFIX = "/api/voice-campaigns"
NAME = "lead-floor"
"""As PostgreSQL knows it."""

_SHOWN = ", ".join(
    f"""to_char(timezone('UTC', {column.name}), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS {column.name}"""
    if isinstance(column.type, DateTime)
    else column.name
    for column in leads.columns
)
_TOLD = ", ".join(f"lead.{name}" for name in Lead.model_fields)
_SENT = ", ".join(name for name in LeadCreate.model_fields if name not in {"tags", "custom_fields"})
_LIST = f"""
SELECT row_to_json(shown)::text
FROM (SELECT {_SHOWN}, custom_fields -> 'tags' AS tags FROM leads WHERE company_id = $1 ORDER BY id) AS shown
"""
_CREATE = f"""
WITH lead AS (
    INSERT INTO leads ({_SENT}, custom_fields)
    SELECT {_SENT}, custom_fields || jsonb_build_object('tags', $1::jsonb -> 'tags')
    FROM jsonb_populate_record(NULL::leads, $1::jsonb)
    RETURNING *
), emitted AS (
    INSERT INTO outbox (event_id, exchange, routing_key, company_id, body)
    SELECT gen_random_uuid(), 'voice.events', 'lead.created.v1', company_id, convert_to(json_build_object(
        'specversion', '1.0', 'type', 'lead.created.v1', 'companyid', company_id, 'time', now(),
        'data', json_build_object('leads', json_build_array((SELECT row_to_json(one) FROM (SELECT {_TOLD}) AS one)))
    )::text, 'UTF8')
    FROM lead
)
SELECT row_to_json(shown)::text FROM (SELECT {_SHOWN}, custom_fields -> 'tags' AS tags FROM lead) AS shown
"""


app = FastAPI(lifespan=bare_pool(NAME))


@app.get("/readyz")
async def ready() -> Response:
    """It is, as soon as it answers."""
    return Response()


@app.post(PREFIX)
async def create_lead(request: Request) -> Response:
    """The body as a row; PostgreSQL reads it, and makes the event and the answer."""
    lead = await request.app.state.pool.fetchval(_CREATE, (await request.body()).decode())
    answer = '{"message":"Voice lead created successfully","data":' + lead + "}"
    return Response(answer, 201, media_type="application/json")


@app.get(PREFIX + "/company/{company_id}")
async def list_leads(request: Request, company_id: int) -> Response:
    """The leads as JSON that PostgreSQL makes, sent as it is read."""

    async def body() -> AsyncIterator[bytes]:
        async with request.app.state.pool.acquire() as connection, connection.transaction(readonly=True):
            cursor = await connection.cursor(_LIST, company_id)
            opening = "["
            while rows := await cursor.fetch(ROWS_PER_READ):
                yield (opening + ",".join(row[0] for row in rows)).encode()
                opening = ","
            yield b"]"

    return StreamingResponse(body(), media_type="application/json")


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
