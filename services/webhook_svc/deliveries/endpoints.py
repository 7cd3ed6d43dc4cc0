"""The log of deliveries over HTTP."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request

from services.webhook_svc.deliveries import service
from services.webhook_svc.deliveries.repository import LogFilter
from services.webhook_svc.deliveries.schemas import (
    EVENT_EXAMPLE,
    SHOWN_EXAMPLE,
    DeliveryPage,
    DeliveryWithEvent,
    Moment,
    RedeliverBody,
    Redelivered,
    Status,
)
from services.webhook_svc.subscriptions import errors
from services.webhook_svc.subscriptions.endpoints import SubscriptionInPath
from shared.http.app import Transaction
from shared.http.auth import CompanyInPath
from shared.http.json import JsonResponse
from shared.http.openapi import documented_errors, documented_response
from shared.http.parameters import MAX_ID, NoNulText, StrictIntText

router = APIRouter(prefix="/api/webhooks/company/{companyId}/subscriptions/{subscriptionId}", tags=["Webhooks"])

RANGE_AGAIN: Final = "Deliveries queued"
_WITH_EVENT: Final = {**SHOWN_EXAMPLE, "event": EVENT_EXAMPLE}
_LINK: Final[dict[str, Any]] = {
    "Link": {
        "description": 'The next page, where there is one (RFC 8288, `rel="next"`).',
        "schema": {"type": "string"},
    }
}

DeliveryInPath = Annotated[
    int, Path(alias="deliveryId", ge=1, le=MAX_ID, description="Id of the delivery.", examples=[4711]), StrictIntText
]


@router.get(
    "/deliveries",
    summary="List webhook deliveries",
    responses={
        200: documented_response(DeliveryPage, "The page.", {"data": [SHOWN_EXAMPLE]}, headers=_LINK),
        **documented_errors(errors.not_found()),
    },
)
async def list_webhook_deliveries(
    request: Request,
    company_id: CompanyInPath,
    subscription_id: SubscriptionInPath,
    connection: Transaction,
    status: Annotated[Status | None, Query(description="Only deliveries in this status.")] = None,
    event_type: Annotated[
        str | None,
        NoNulText,
        Query(alias="type", max_length=100, description="Only of events of this type, such as `lead.created.v1`."),
    ] = None,
    since: Annotated[Moment | None, Query(description="Only of events that came at this time or later.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Most deliveries of the answer."), StrictIntText] = 50,
    cursor: Annotated[
        int | None,
        Query(ge=1, le=MAX_ID, description="Where the page before ended, as its `Link` says."),
        StrictIntText,
    ] = None,
) -> JsonResponse:
    """What was sent to a subscription, what is to be sent and what came of it, newest first."""
    narrowed = LogFilter(subscription_id, status, event_type, since, cursor)
    deliveries, more = await service.page(connection, company_id, narrowed, limit)
    headers = {}
    if more:
        following = urlencode({**request.query_params, "cursor": deliveries[-1]["id"]})
        headers["Link"] = f'<{request.url.path}?{following}>; rel="next"'
    return JsonResponse({"data": deliveries}, headers=headers)


@router.get(
    "/deliveries/{deliveryId}",
    summary="Get webhook delivery",
    responses={
        200: documented_response(DeliveryWithEvent, "The delivery.", _WITH_EVENT),
        **documented_errors(errors.not_found(), service.not_found()),
    },
)
async def get_webhook_delivery(
    company_id: CompanyInPath,
    subscription_id: SubscriptionInPath,
    delivery_id: DeliveryInPath,
    connection: Transaction,
) -> JsonResponse:
    """One delivery, with the event that is sent."""
    return JsonResponse(await service.get(connection, company_id, subscription_id, delivery_id))


@router.post(
    "/deliveries/{deliveryId}/redeliver",
    summary="Redeliver webhook delivery",
    status_code=202,
    responses={
        202: documented_response(
            DeliveryWithEvent, "It is sent within a second, or once its subscription is active.", _WITH_EVENT
        ),
        **documented_errors(errors.not_found(), service.not_found(), service.under_way(), errors.switched_off()),
    },
)
async def redeliver_webhook_delivery(
    company_id: CompanyInPath,
    subscription_id: SubscriptionInPath,
    delivery_id: DeliveryInPath,
    connection: Transaction,
) -> JsonResponse:
    """Send an event once more, whatever came of it, with the same `webhook-id`; it is tried again for a day."""
    delivery = await service.redeliver(connection, company_id, subscription_id, delivery_id)
    return JsonResponse(delivery, status_code=202)


@router.post(
    "/redeliver",
    summary="Redeliver webhook events of a time",
    status_code=202,
    responses={
        202: documented_response(Redelivered, "They are sent, oldest first.", {"message": RANGE_AGAIN, "count": 12}),
        **documented_errors(errors.not_found(), errors.switched_off()),
    },
)
async def redeliver_webhook_range(
    company_id: CompanyInPath, subscription_id: SubscriptionInPath, body: RedeliverBody, connection: Transaction
) -> JsonResponse:
    """Send every event of a time once more that is settled, as far back as events are kept."""
    count = await service.redeliver_range(connection, company_id, subscription_id, body)
    return JsonResponse({"message": RANGE_AGAIN, "count": count}, status_code=202)
