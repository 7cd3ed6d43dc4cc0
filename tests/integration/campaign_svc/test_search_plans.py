"""A search is planned for its words, however often the same connection has searched before."""

import asyncpg

from services.campaign_svc.lists.filters import CampaignFilters, PageRequest
from services.campaign_svc.lists.repository import list_json

PAGE = PageRequest("created_at", "desc", limit=50, offset=0)
MORE_THAN_POSTGRESQL_TRIES = 8
"""After five custom plans it may settle for one that fits any parameters."""


async def test_no_search_uses_a_plan_for_any_words(campaigns_database: str) -> None:
    connection = await asyncpg.connect(campaigns_database)
    try:
        for _ in range(MORE_THAN_POSTGRESQL_TRIES):
            await list_json(connection, CampaignFilters(1, search_words=("survey",)), PAGE)
        plans = "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements WHERE statement LIKE $1"
        found = await connection.fetchrow(plans, "%ILIKE%")
        assert tuple(found) == (0, MORE_THAN_POSTGRESQL_TRIES)
    finally:
        await connection.close()
