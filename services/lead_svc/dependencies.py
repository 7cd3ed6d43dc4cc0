"""What endpoints take from the running app."""

from typing import Annotated

from fastapi import Depends, Request

from shared.database.engine import Database


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


ServiceDatabase = Annotated[Database, Depends(_database)]
"""Parameter of an endpoint: the service's database, for work that must not begin a transaction before the service."""
