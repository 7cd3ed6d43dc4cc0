"""Health of a process: whether it is alive, whether it is ready, and its metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import aio_pika
import structlog
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.asyncio import Redis
from starlette.responses import Response

from shared.http.json import JsonResponse

CHECK_SECONDS = 3.0

Check = Callable[[], Awaitable[object]]
"""Returns when the checked server is usable, raises when not."""

logger = structlog.get_logger(__name__)


class NotReadyError(Exception):
    """A worker of the process has not reached its servers."""


def health_router(
    required: Mapping[str, Check], optional: Mapping[str, Check], lags: Mapping[str, Callable[[], float]]
) -> APIRouter:
    """Return the routes ``/healthz``, ``/readyz`` and ``/metrics``.

    Parameters
    ----------
    required
        Checks without which the process cannot do its work: one that fails makes it not ready.
    optional
        Checks of servers that it can do without for a while: they are listed, and a failure leaves it ready.
    lags
        By queue: how far its consumer is behind, in seconds; listed.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def alive() -> JsonResponse:
        return JsonResponse({"status": "alive"})

    @router.get("/readyz")
    async def ready() -> JsonResponse:
        names = [*required, *optional]
        results = await asyncio.gather(*(_result(check) for check in (*required.values(), *optional.values())))
        checks = dict(zip(names, results, strict=True))
        is_ready = all(checks[name] == "ok" for name in required)
        body: dict[str, object] = {"status": "ready" if is_ready else "not ready", "checks": checks}
        if lags:
            body["lag_seconds"] = {queue: round(lag(), 3) for queue, lag in lags.items()}
        return JsonResponse(body, status_code=200 if is_ready else 503)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _result(check: Check) -> str:
    try:
        await asyncio.wait_for(check(), CHECK_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the result of the check
        logger.warning("check_failed", error=repr(error))
        return f"failed: {type(error).__name__}"
    return "ok"


def broker_check(amqp_url: str) -> Check:
    """Return a check that the broker accepts a connection."""

    async def check() -> None:
        connection = await aio_pika.connect(amqp_url, timeout=CHECK_SECONDS)
        await connection.close()

    return check


def redis_check(redis_url: str) -> Check:
    """Return a check that Redis answers."""

    async def check() -> None:
        async with Redis.from_url(
            redis_url, socket_timeout=CHECK_SECONDS, socket_connect_timeout=CHECK_SECONDS
        ) as redis:
            await redis.ping()

    return check
