"""The connections of a bare handler: as many as a service has, and nothing else around them."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
from fastapi import FastAPI

from shared.settings import ProcessSettings

POOL_SIZE = ProcessSettings.model_fields["database_pool_size"].default


async def _as_it_is(_connection: object) -> None:
    """Instead of the statement by which the pool would reset a connection that nothing was changed on."""


def bare_pool(name: str) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The lifespan of an app that has a pool on ``DATABASE_URL`` as ``app.state.pool``, under a name in PostgreSQL."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings = {"application_name": name, "timezone": "UTC", "jit": "off"}
        async with asyncpg.create_pool(
            os.environ["DATABASE_URL"],
            min_size=POOL_SIZE,
            max_size=POOL_SIZE,
            max_inactive_connection_lifetime=0,
            reset=_as_it_is,
            server_settings=settings,
        ) as pool:
            app.state.pool = pool
            yield

    return lifespan
