"""Endpoints of the log of deliveries."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request

from services.webhook_svc.deliveries import errors, service
from services.webhook_svc.deliveries.delivery import DeliveryFilter
from services.webhook_svc.deliveries.schemas import (
    EVENT_EXAMPLE,
    READ_EXAMPLE,
    DeliveryListResponse,
    DeliveryReadWithEvent,
    DeliveryStatusText,
    RedeliveryRequest,
    RedeliveryResponse,
)
from services.webhook_svc.domain.delivery_status import DeliveryStatus
from services.webhook_svc.subscriptions.endpoints import SubscriptionInPath
from services.webhook_svc.subscriptions.errors import subscription_disabled, subscription_not_found
from shared.http.app import Transaction
from shared.http.auth import CompanyInPath
from shared.http.json import JsonResponse
from shared.http.openapi import documented_errors, documented_response
from shared.http.pagination import LINK_HEADER, IdCursor, next_link, page_limit
from shared.ids import MAX_ID, DeliveryId
from shared.schema import NoNulText, StrictIntText, UtcDatetime

router = APIRouter(prefix="/api/webhooks/company/{companyId}/subscriptions/{subscriptionId}", tags=["Webhooks"])

QUEUED: Final = "Deliveries queued"
_WITH_EVENT: Final = {**READ_EXAMPLE, "event": EVENT_EXAMPLE}

DeliveryInPath = Annotated[
    DeliveryId,
    Path(alias="deliveryId", ge=1, le=MAX_ID, description="Id of the delivery.", examples=[4711]),
    StrictIntText,
]


async def _filters(
    status: Annotated[DeliveryStatusText | None, Query(description="Deliveries with this status.")] = None,
    event_type: Annotated[
        str | None,
        NoNulText,
        Query(alias="type", max_length=100, description="Deliveries of this event type, such as `lead.created.v1`."),
    ] = None,
    since: Annotated[
        UtcDatetime | None, Query(description="Deliveries of events that arrived at this time or later.")
    ] = None,
) -> DeliveryFilter:
    return DeliveryFilter(DeliveryStatus(status) if status else None, event_type, since)


Filters = Annotated[DeliveryFilter, Depends(_filters)]
"""Parameter of an endpoint that lists deliveries."""


@router.get(
    "/deliveries",
    summary="List webhook deliveries",
    responses={
        200: documented_response(DeliveryListResponse, "The page.", {"data": [READ_EXAMPLE]}, headers=LINK_HEADER),
        **documented_errors(subscription_not_found()),
    },
)
async def list_webhook_deliveries(
    request: Request,
    company_id: CompanyInPath,
    subscription_id: SubscriptionInPath,
    filters: Filters,
    connection: Transaction,
    limit: Annotated[int, page_limit(200, "deliveries"), StrictIntText] = 50,
    cursor: IdCursor = None,
) -> JsonResponse:
    """List the deliveries of a subscription with their attempts, newest first."""
    page = await service.list_page(connection, company_id, subscription_id, filters, cursor=cursor, limit=limit)
    return JsonResponse({"data": page.items}, headers=next_link(request, page.next_cursor))


@router.get(
    "/deliveries/{deliveryId}",
    summary="Get webhook delivery",
    responses={
        200: documented_response(DeliveryReadWithEvent, "The delivery.", _WITH_EVENT),
        **documented_errors(subscription_not_found(), errors.delivery_not_found()),
    },
)
async def get_webhook_delivery(
    company_id: CompanyInPath,
    subscription_id: SubscriptionInPath,
    delivery_id: DeliveryInPath,
    connection: Transaction,
) -> JsonResponse:
    """Get a delivery with its attempts and its event."""
    return JsonResponse(await service.get(connection, company_id, subscription_id, delivery_id))


@router.post(
    "/deliveries/{deliveryId}/redeliver",
    summary="Redeliver webhook delivery",
    status_code=202,
    responses={
        202: documented_response(
            DeliveryReadWithEvent,
            "Queued; the event is sent within a second, or when its subscription is active.",
            _WITH_EVENT,
        ),
        **documented_errors(
            subscription_not_found(),
            errors.delivery_not_found(),
            errors.delivery_in_progress(),
            subscription_disabled(),
        ),
    },
)
async def redeliver_webhook_delivery(
    company_id: CompanyInPath,
    subscription_id: SubscriptionInPath,
    delivery_id: DeliveryInPath,
    connection: Transaction,
) -> JsonResponse:
    """Send an event again with the same `webhook-id`, whatever the status of its delivery; it is retried for a day."""
    delivery = await service.redeliver(connection, company_id, subscription_id, delivery_id)
    return JsonResponse(delivery, status_code=202)


@router.post(
    "/redeliver",
    summary="Redeliver webhook events of a time",
    status_code=202,
    responses={
        202: documented_response(
            RedeliveryResponse, "Queued; the events are sent oldest first.", {"message": QUEUED, "count": 12}
        ),
        **documented_errors(subscription_not_found(), subscription_disabled()),
    },
)
async def redeliver_webhook_range(
    company_id: CompanyInPath, subscription_id: SubscriptionInPath, body: RedeliveryRequest, connection: Transaction
) -> JsonResponse:
    """Send again every event of a time whose delivery is `delivered` or `failed`, as far back as events are stored."""
    count = await service.redeliver_range(connection, company_id, subscription_id, body.filters())
    return JsonResponse({"message": QUEUED, "count": count}, status_code=202)
