"""An API whose database is away reports it, and works again by itself."""

import asyncio

from deploy.local.stack import Stack
from tests.fixtures.gateway import Caller
from tests.fixtures.waiting import eventually


async def test_requests_are_answered_503_while_the_database_is_away_and_work_again_afterwards(
    caller: Caller, local_stack: Stack
) -> None:
    """Fails when a lost connection is handed to the next request, or when the answer is 500."""
    campaign_id = await caller.create_campaign()
    path = f"/api/voice-campaigns/{campaign_id}"
    await asyncio.to_thread(local_stack.servers.postgres.stop)
    for _ in range(3):
        response = await caller.get(path)
        assert response.status_code == 503
        assert response.json()["message"] == "Service unavailable"
    await asyncio.to_thread(local_stack.servers.postgres.start)

    async def works() -> bool:
        return (await caller.get(path)).status_code == 200

    await eventually(works)
    # Every connection that the outage broke is replaced, not only the first one used.
    assert {(await caller.get(path)).status_code for _ in range(20)} == {200}
