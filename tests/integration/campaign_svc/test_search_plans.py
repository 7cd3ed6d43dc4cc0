"""Each search is planned for its words, also after many searches on the same connection."""

import asyncpg

from services.campaign_svc.campaign_lists.filters import CampaignFilters, PageRequest
from services.campaign_svc.campaign_lists.repository import list_json
from shared.ids import CompanyId

PAGE = PageRequest("created_at", "desc", limit=50, offset=0)
MORE_THAN_POSTGRESQL_TRIES = 8
"""After five custom plans PostgreSQL may choose a generic plan."""


async def test_no_search_uses_a_generic_plan(campaigns_database: str) -> None:
    connection = await asyncpg.connect(campaigns_database)
    try:
        for _ in range(MORE_THAN_POSTGRESQL_TRIES):
            await list_json(connection, CampaignFilters(CompanyId(1), search_words=("survey",)), PAGE)
        plans = "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements WHERE statement LIKE $1"
        found = await connection.fetchrow(plans, "%ILIKE%")
        assert tuple(found) == (0, MORE_THAN_POSTGRESQL_TRIES)
    finally:
        await connection.close()
